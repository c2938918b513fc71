"""numba: the plain loop, compiled, trajectories shared out among the threads."""

import numba
import numpy as np
from work import SIGMA, STEP, STEPS, TRAJECTORIES, race


@numba.njit(fastmath=True, parallel=True)
def ensemble():
    x = np.zeros(TRAJECTORIES)
    for i in numba.prange(TRAJECTORIES):
        y = 0.0
        for _ in range(STEPS):
            y = y - STEP * (y * y * y - y + 0.1) + SIGMA * STEP**0.5 * np.random.standard_normal()
        x[i] = y
    return (x < 0).mean()


numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
race("numba", ensemble)
