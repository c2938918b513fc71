"""The work of those who train networks: data, start and shapes; as in benches/race/network.rs."""

import sys

import numpy as np
from work import race

INPUTS, HIDDEN, CLASSES, EXAMPLES = 64, 64, 10, 1797
RATE = 0.1

REPLICAS, SIZE, STEPS = map(int, sys.argv[1:4])

X = np.sin(np.arange(EXAMPLES * INPUTS, dtype=np.float32) * np.float32(0.37)).reshape(EXAMPLES, INPUTS)
Y = X[:, :CLASSES].argmax(1)  # which of the first ten inputs is the largest


def first_weights():
    """Weights of variance 1/inputs and no biases, for each replica its own: W1 [R,p,h], b1, W2 [R,h,q], b2."""
    draw = np.random.default_rng(1).standard_normal
    return [
        draw((REPLICAS, INPUTS, HIDDEN), np.float32) / 8,
        np.zeros((REPLICAS, HIDDEN), np.float32),
        draw((REPLICAS, HIDDEN, CLASSES), np.float32) / 8,
        np.zeros((REPLICAS, CLASSES), np.float32),
    ]


def loss(parameters):
    """The mean over the replicas of the cross-entropy of all examples, by NumPy whoever trained."""
    w1, b1, w2, b2 = (np.asarray(parameter, np.float64) for parameter in parameters)
    total = 0.0
    for r in range(REPLICAS):
        z = np.tanh(X @ w1[r] + b1[r]) @ w2[r] + b2[r]
        total += (np.log(np.exp(z).sum(1)) - z[np.arange(EXAMPLES), Y]).mean()
    return total / REPLICAS


def race_training(name, train):
    """`train` takes STEPS steps from the first weights and returns the last, as arrays in the order of `first_weights`."""
    kept = []

    def one_pass():
        kept[:] = train()
        return 0.0

    race(name, one_pass, units=REPLICAS * SIZE * STEPS, check=lambda: loss(kept))
