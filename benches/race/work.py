"""The work that every contestant does, and how it is timed; as in benches/race.rs."""

import time

TRAJECTORIES = 4096
STEPS = 2000
STEP = 0.01
SIGMA = 0.5  # dx = -(x^3 - x + 0.1) dt + SIGMA dW, from x = 0
BUFFER = 8192  # normals alone are drawn so many at a time, which stay in the second cache
MEASURED = 0.25  # a pass is repeated for at least so many seconds


def race(name, one_pass, units=TRAJECTORIES * STEPS, check=None):
    """Warms up with one pass (compilers compile), repeats it, and prints NAME, rate, check.

    A pass returns what is checked, as a Python number: so it has waited for the result. What takes long to check is checked by
    `check`, after the clock has been stopped.
    """
    one_pass()
    start, passes, elapsed = time.perf_counter(), 0, 0.0
    while elapsed < MEASURED:
        found = one_pass()
        passes += 1
        elapsed = time.perf_counter() - start
    print(f"{name}\t{passes * units / elapsed:.0f}\t{float(check() if check else found):.4f}")
