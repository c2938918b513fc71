"""JAX: scan over the steps, replicas side by side by vmap, in f32. Arguments: replicas, batch size, steps."""

import jax
import jax.numpy as jnp
import network
from network import EXAMPLES, RATE, REPLICAS, SIZE, STEPS

X, Y = jnp.asarray(network.X), jnp.asarray(network.Y)


def loss(p, x, y):
    z = jnp.tanh(x @ p[0] + p[1]) @ p[2] + p[3]
    return -jnp.mean(jax.nn.log_softmax(z)[jnp.arange(x.shape[0]), y])


@jax.jit
@jax.vmap
def train(p, key):
    def step(p, i):
        chosen = jax.random.randint(jax.random.fold_in(key, i), (SIZE,), 0, EXAMPLES)
        gradient = jax.grad(loss)(p, X[chosen], Y[chosen])
        return jax.tree.map(lambda a, g: a - RATE * g, p, gradient), None

    return jax.lax.scan(step, p, jnp.arange(STEPS))[0]


start, keys = [jnp.asarray(p) for p in network.first_weights()], jax.random.split(jax.random.key(1), REPLICAS)
network.race_training("network-jax", lambda: jax.block_until_ready(train(start, keys)))
