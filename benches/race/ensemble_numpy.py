"""NumPy, all trajectories side by side, with its fastest generator."""

import numpy as np
from work import SIGMA, STEP, STEPS, TRAJECTORIES, race


def ensemble():
    generator = np.random.Generator(np.random.SFC64(1))
    x = np.zeros(TRAJECTORIES)
    for _ in range(STEPS):
        x = x - STEP * (x * x * x - x + 0.1) + SIGMA * STEP**0.5 * generator.standard_normal(TRAJECTORIES)
    return (x < 0).mean()


race("numpy", ensemble)
