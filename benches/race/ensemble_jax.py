"""JAX: scan over the steps, trajectories side by side, in f64. Argument: the generator, threefry2x32 or rbg."""

import sys

import jax
import jax.numpy as jnp
from work import SIGMA, STEP, STEPS, TRAJECTORIES, race

jax.config.update("jax_enable_x64", True)
generator = sys.argv[1]
key = jax.random.key(1, impl=generator)


@jax.jit
def ensemble(key):
    def step(x, i):
        normal = jax.random.normal(jax.random.fold_in(key, i), (TRAJECTORIES,), jnp.float64)
        return x - STEP * (x * x * x - x + 0.1) + SIGMA * STEP**0.5 * normal, None

    x, _ = jax.lax.scan(step, jnp.zeros(TRAJECTORIES), jnp.arange(STEPS))
    return (x < 0).mean()


race(f"jax-{generator}", lambda: float(ensemble(key)))
