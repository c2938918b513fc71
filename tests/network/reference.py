"""Reference values of networks from JAX, in double and single precision.

    python3 -m venv VENV && VENV/bin/pip install jax && VENV/bin/python tests/network/reference.py

writes tests/network/reference.json, which `cargo test --test network` reads. With --check it compares instead.
"""

import json
import pathlib
import sys

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np

ACTIVATIONS = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    "identity": lambda z: z,
}
CASES = [
    dict(name="one hidden layer", widths=[4, 5, 3], activation="tanh", bias=True, objective="cross-entropy", weight_decay=0.01),
    dict(name="two hidden layers", widths=[4, 6, 5, 3], activation="relu", bias=True, objective="cross-entropy", weight_decay=0.0),
    dict(name="regression", widths=[3, 4, 2], activation="gelu", bias=True, objective="squared-error", weight_decay=0.1),
    dict(name="softmax regression", widths=[5, 4], activation="tanh", bias=False, objective="cross-entropy", weight_decay=0.0),
    dict(name="deep and narrow", widths=[3, 7, 6, 5, 2], activation="tanh", bias=True, objective="squared-error", weight_decay=0.001),
    dict(name="deep and linear", widths=[4, 3, 3, 2], activation="identity", bias=False, objective="squared-error", weight_decay=0.02),
]
EXAMPLES = 7


def layers(case, theta):
    """PyTorch's order: weights [output][input], then biases."""
    at, found = 0, []
    for inputs, outputs in zip(case["widths"], case["widths"][1:]):
        weights = theta[at : at + inputs * outputs].reshape(outputs, inputs)
        at += inputs * outputs
        biases = theta[at : at + outputs] if case["bias"] else jnp.zeros(outputs, theta.dtype)
        at += outputs if case["bias"] else 0
        found.append((weights, biases))
    assert at == theta.size
    return found


def example_loss(case, theta, x, y):
    a = x
    parameters = layers(case, theta)
    for index, (weights, biases) in enumerate(parameters):
        a = weights @ a + biases
        if index + 1 < len(parameters):
            a = ACTIVATIONS[case["activation"]](a)
    if case["objective"] == "cross-entropy":
        loss = -jax.nn.log_softmax(a)[y]
    else:
        loss = 0.5 * jnp.sum((a - y) ** 2)
    return loss + 0.5 * case["weight_decay"] * jnp.sum(theta**2)


def values(case, dtype):
    x = jnp.asarray(case["inputs"], dtype).reshape(EXAMPLES, -1)
    y = jnp.asarray(case["labels"]) if "labels" in case else jnp.asarray(case["values"], dtype).reshape(EXAMPLES, -1)
    theta, v = jnp.asarray(case["theta"], dtype), jnp.asarray(case["direction"], dtype)
    mean = lambda theta: jnp.mean(jax.vmap(lambda x, y: example_loss(case, theta, x, y))(x, y))
    gradients = jax.vmap(lambda x, y: jax.grad(lambda theta: example_loss(case, theta, x, y))(theta))(x, y)
    product = jax.jvp(jax.grad(mean), (theta,), (v,))[1]
    numbers = lambda array: np.asarray(array, np.float64).ravel().tolist()
    return dict(
        loss=float(mean(theta)),
        gradient=numbers(jax.grad(mean)(theta)),
        example_gradients=numbers(gradients),
        hessian_product=numbers(product),
        hessian=numbers(jax.hessian(mean)(theta)) if theta.size < 60 and dtype == jnp.float64 else [],
    )


def main():
    generator = np.random.default_rng(20261127)
    # Numbers of single precision, so that both precisions start from the same.
    draw = lambda *shape: generator.normal(size=shape).astype(np.float32).astype(np.float64).ravel().tolist()
    for case in CASES:
        widths = case["widths"]
        d = sum(i * o + (o if case["bias"] else 0) for i, o in zip(widths, widths[1:]))
        case["inputs"] = draw(EXAMPLES, widths[0])
        if case["objective"] == "cross-entropy":
            case["labels"] = generator.integers(0, widths[-1], EXAMPLES).tolist()
        else:
            case["values"] = draw(EXAMPLES, widths[-1])
        case["theta"], case["direction"] = draw(d), draw(d)
        case["double"], case["single"] = values(case, jnp.float64), values(case, jnp.float32)
    path = pathlib.Path(__file__).with_name("reference.json")
    if "--check" in sys.argv:
        for stored, case in zip(json.loads(path.read_text()), CASES):
            for precision, bound in (("double", 1e-12), ("single", 1e-5)):
                for key, found in case[precision].items():
                    wanted = np.asarray(stored[precision][key])
                    assert np.allclose(found, wanted, rtol=bound, atol=bound), (case["name"], precision, key)
        print("the stored values are those of this JAX")
    else:
        path.write_text("[\n" + ",\n".join(json.dumps(case) for case in CASES) + "\n]\n")


main()
