"""NumPy's normals alone, with its fastest generator."""

import numpy as np
from work import BUFFER, STEPS, TRAJECTORIES, race

generator = np.random.Generator(np.random.SFC64(1))
buffer = np.empty(BUFFER)


def normals():
    for _ in range(TRAJECTORIES * STEPS // BUFFER):
        generator.standard_normal(out=buffer)
    return (buffer * buffer).mean()


race("normals-numpy", normals)
