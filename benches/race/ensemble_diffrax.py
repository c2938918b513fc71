"""diffrax: Euler with UnsafeBrownianPath, the faster of its two Brownian motions and meant for fixed steps."""

import diffrax
import jax
import jax.numpy as jnp
from work import SIGMA, STEP, STEPS, TRAJECTORIES, race

jax.config.update("jax_enable_x64", True)


def trajectory(key):
    drift = diffrax.ODETerm(lambda t, x, _: -(x**3 - x + 0.1))
    noise = diffrax.ControlTerm(lambda t, x, _: jnp.asarray(SIGMA), diffrax.UnsafeBrownianPath((), key))
    solution = diffrax.diffeqsolve(
        diffrax.MultiTerm(drift, noise),
        diffrax.Euler(),
        t0=0.0,
        t1=STEPS * STEP,
        dt0=STEP,
        y0=0.0,
        max_steps=STEPS + 10,  # t0 + STEPS * dt0 may fall short of t1 by a rounding error
        adjoint=diffrax.DirectAdjoint(),  # the only one that UnsafeBrownianPath allows
    )
    return solution.ys[-1]


@jax.jit
def ensemble(key):
    return (jax.vmap(trajectory)(jax.random.split(key, TRAJECTORIES)) < 0).mean()


race("diffrax", lambda: float(ensemble(jax.random.key(1))))
