"""Curvature of a network on the handwritten digits, from JAX and from curvlinops (PyTorch), in double precision.

    python3 -m venv VENV && VENV/bin/pip install jax torch curvlinops-for-pytorch scikit-learn scipy
    VENV/bin/python tests/spectra/digits.py

writes tests/spectra/digits.json, which `cargo test --test spectra` reads. With --check it compares instead.
"""

import json
import pathlib
import sys

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
import torch
from curvlinops import HessianLinearOperator
from scipy.sparse.linalg import eigsh
from sklearn.datasets import load_digits

WIDTHS = [64, 6, 10]
WEIGHT_DECAY = 0.001
TOP = 5


def parameters():
    """Weights [output][input], then biases, layer after layer."""
    count = sum(outputs * (inputs + 1) for inputs, outputs in zip(WIDTHS, WIDTHS[1:]))
    return 0.3 * np.sin(0.37 * np.arange(count) + 1.0)


def by_jax(inputs, labels):
    def loss(theta):
        a, at = inputs, 0
        for inputs_of, outputs in zip(WIDTHS, WIDTHS[1:]):
            weights = theta[at : at + inputs_of * outputs].reshape(outputs, inputs_of)
            at += inputs_of * outputs
            z = a @ weights.T + theta[at : at + outputs]
            at += outputs
            a = jnp.tanh(z)
        return -jnp.mean(jax.nn.log_softmax(z)[jnp.arange(len(labels)), labels]) + 0.5 * WEIGHT_DECAY * jnp.sum(theta**2)

    theta = jnp.asarray(parameters())
    hessian = np.asarray(jax.hessian(loss)(theta))
    largest = np.sort(np.linalg.eigvalsh(hessian))[::-1]
    return dict(
        loss=float(loss(theta)),
        largest=largest[:TOP].tolist(),
        smallest=largest[::-1][:TOP].tolist(),
        trace=float(np.trace(hessian)),
        frobenius=float(np.linalg.norm(hessian)),
    )


def by_curvlinops(inputs, labels):
    """curvlinops knows no weight decay, which adds λ to every eigenvalue."""
    theta, at = torch.as_tensor(parameters()), 0
    layers = []
    for inputs_of, outputs in zip(WIDTHS, WIDTHS[1:]):
        layer = torch.nn.Linear(inputs_of, outputs, dtype=torch.float64)
        for parameter in (layer.weight, layer.bias):
            size = parameter.numel()
            parameter.data = theta[at : at + size].reshape(parameter.shape)
            at += size
        layers += [layer, torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1])
    data = [(torch.as_tensor(np.asarray(inputs)), torch.as_tensor(np.asarray(labels)))]
    hessian = HessianLinearOperator(model, torch.nn.CrossEntropyLoss(), list(model.parameters()), data)
    scipy = hessian.to_scipy(dtype=np.float64)
    largest = np.sort(eigsh(scipy, k=TOP, which="LA", return_eigenvectors=False))[::-1] + WEIGHT_DECAY
    dense = scipy @ np.eye(theta.numel()) + WEIGHT_DECAY * np.eye(theta.numel())
    return dict(largest=largest.tolist(), trace=float(np.trace(dense)), frobenius=float(np.linalg.norm(dense)))


def main():
    digits = load_digits()
    inputs, labels = digits.data / 16.0, digits.target
    found = dict(
        widths=WIDTHS,
        weight_decay=WEIGHT_DECAY,
        jax=by_jax(jnp.asarray(inputs), jnp.asarray(labels)),
        curvlinops=by_curvlinops(inputs, labels),
    )
    path = pathlib.Path(__file__).with_name("digits.json")
    if "--check" not in sys.argv:
        path.write_text(json.dumps(found, indent=1) + "\n")
        return
    kept = json.loads(path.read_text())
    for peer in ("jax", "curvlinops"):
        for name, value in found[peer].items():
            difference = np.max(np.abs(np.asarray(value) - np.asarray(kept[peer][name])))
            size = np.max(np.abs(np.asarray(value)))
            print(f"{peer} {name}: {difference / size:.1e}")
            assert difference < 1e-9 * size, (peer, name)


main()
