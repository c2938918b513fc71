"""Writes arviz.json: 20 arrays (chains x draws) with R-hat and ESS as ArviZ 0.23.4 computes them.

    python3 -m venv venv && venv/bin/pip install arviz==0.23.4 && venv/bin/python arviz.py

The arrays are rounded to what is stored before anything is computed. A null is a value that ArviZ gives no number for.
"""

import importlib.metadata
import json
import math
import os
import sys

# This file is named after the package it imports: its own folder must not come first.
here = os.path.dirname(os.path.abspath(__file__))
sys.path = [p for p in sys.path if os.path.abspath(p or ".") != here]

import arviz  # noqa: E402
import numpy  # noqa: E402

assert importlib.metadata.version("arviz") == "0.23.4"
rng = numpy.random.default_rng(20240731)


def autoregressive(chains, draws, coefficient):
    x = numpy.zeros((chains, draws))
    x[:, 0] = rng.normal(size=chains) / math.sqrt(1 - coefficient**2)
    for t in range(1, draws):
        x[:, t] = coefficient * x[:, t - 1] + rng.normal(size=chains)
    return x


def two_states(chains, draws, leave, enter):
    x = numpy.zeros((chains, draws))
    x[:, 0] = rng.integers(0, 2, size=chains)
    for t in range(1, draws):
        flip = rng.random(chains) < numpy.where(x[:, t - 1] == 1, leave, enter)
        x[:, t] = numpy.where(flip, 1 - x[:, t - 1], x[:, t - 1])
    return x


def block_means(x, size):
    return x.reshape(x.shape[0], -1, size).mean(axis=2)


half = numpy.tile([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0], (3, 6))
half[1] = half[1][::-1] * 1.0
half[2] = 1.0 - half[2]
stuck = two_states(4, 90, 0.1, 0.1)
stuck[2] = 1.0  # one chain never leaves its state

cases = {
    "iid normal": rng.normal(size=(4, 100)),
    "iid normal, odd number of draws": rng.normal(size=(4, 101)),
    "AR(1) 0.5": autoregressive(4, 150, 0.5),
    "AR(1) 0.95": autoregressive(4, 250, 0.95),
    "AR(1) 0.99, far too short": autoregressive(3, 80, 0.99),
    "AR(1) -0.6, antithetic": autoregressive(4, 120, -0.6),
    "AR(1) -0.95": autoregressive(2, 99, -0.95),
    "different chain means": rng.normal(size=(4, 100)) + numpy.array([[0.0], [0.3], [0.8], [-0.5]]),
    "different chain scales": rng.normal(size=(4, 100)) * numpy.array([[1.0], [1.0], [3.0], [0.2]]),
    "Cauchy": rng.standard_cauchy(size=(4, 100)),
    "trend": autoregressive(3, 100, 0.3) + numpy.linspace(0, 3, 100),
    "indicator": two_states(4, 200, 0.1, 0.05),
    "indicator, half and half": half,
    "indicator, one frozen chain": stuck,
    "block means of an indicator, many ties": block_means(two_states(16, 400, 0.03, 0.02), 10),
    "integers, many ties": rng.integers(0, 5, size=(5, 61)).astype(float),
    "one chain": autoregressive(1, 200, 0.7),
    "two chains": autoregressive(2, 75, 0.2),
    "shortest": rng.normal(size=(2, 4)),
    "short": autoregressive(6, 11, 0.4),
}
assert len(cases) == 20


def finite(value):
    value = float(value)
    return value if math.isfinite(value) else None


result = []
for name, array in cases.items():
    array = numpy.round(array, 5) + 0.0
    result.append(
        {
            "name": name,
            "chains": [[float(v) for v in chain] for chain in array],
            "r_hat": finite(arviz.rhat(array, method="rank")),
            "ess_bulk": finite(arviz.ess(array, method="bulk")),
            "ess_mean": finite(arviz.ess(array, method="mean")),
        }
    )
with open(os.path.join(here, "arviz.json"), "w") as file:
    json.dump({"arviz": "0.23.4", "cases": result}, file, separators=(",", ":"))
    file.write("\n")
