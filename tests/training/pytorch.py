"""Trains a network with this program, loads its weights with PyTorch alone, and compares the loss of both; then the way back.

    cargo build --release
    python3 -m venv VENV && VENV/bin/pip install torch numpy safetensors
    VENV/bin/python tests/training/pytorch.py target/release/sgd-sde
"""

import csv
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from safetensors.torch import load_file, save_file

SCENARIO = """
name = "pytorch"
experiment = "width"

[data]
kind = "npy"
inputs = "inputs.npy"
targets = "labels.npy"

[loss]
kind = "network"
hidden = [16, 12]
activation = "tanh"

[noise]
kind = "minibatch"
sampling = "epochs"

[sgd]
learning_rate = 0.02
batch_size = 4

[width]
factors = [[1, 1], [2, 2], [2, 1], [4, 2], [4, 1], [8, 2], [8, 1], [16, 2], [12, 1], [24, 2]]
loss = 0.4

[training]
epochs = 200
{weights}

[ensemble]
replicas = 2
"""


def network():
    """The names of its parameters are 0.weight, 0.bias, 2.weight, …"""
    layers = [torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 12), torch.nn.Tanh(), torch.nn.Linear(12, 3)]
    return torch.nn.Sequential(*layers)


def loss_of(weights, inputs, labels):
    model = network()
    model.load_state_dict(weights)  # every name and shape must be there, and no other
    return torch.nn.CrossEntropyLoss()(model(torch.from_numpy(inputs)), torch.from_numpy(labels)).item()


def run(program, folder, weights=""):
    (folder / "pytorch.toml").write_text(SCENARIO.format(weights=weights))
    command = [program, "run", "pytorch.toml", "--quiet", "--force"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode not in (0, 1):  # 1: another verdict than expected, of which nothing is asked here
        sys.exit(done.stderr or done.stdout)
    result = folder / "output" / "pytorch"
    with open(result / "figures" / "chord.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["replica"] == "0"]
    at = {float(row["a"]): float(row["training_loss"]) for row in rows}
    return result / "weights", at


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        generator = np.random.default_rng(1)
        labels = np.arange(300) % 3
        inputs = (generator.normal(size=(300, 8)) + 1.2 * np.eye(8)[labels]).astype(np.float32)
        np.save(folder / "inputs.npy", inputs)
        np.save(folder / "labels.npy", labels)
        kept, losses = run(program, folder)
        # The ends of the line between the two are at 0 and at 1.
        for end, place in (("smallest-noise", 0.0), ("largest-noise", 1.0)):
            by_torch = loss_of(load_file(kept / f"{end}.safetensors"), inputs, labels)
            print(f"{end}: {losses[place]:.7f} by sgd-sde, {by_torch:.7f} by PyTorch")
            assert abs(by_torch - losses[place]) < 1e-5 * by_torch, end
        # Weights that PyTorch wrote are where a run starts.
        torch.manual_seed(1)
        weights = network().state_dict()
        save_file(weights, folder / "first.safetensors")
        kept, losses = run(program, folder, 'weights = "first.safetensors"')
        assert {"0.weight", "4.bias"} <= set(load_file(kept / "smallest-noise.safetensors"))
        print("PyTorch's own weights are read, and trained from")


main()
