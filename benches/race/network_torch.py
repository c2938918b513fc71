"""PyTorch in f32: replicas side by side by torch.func.vmap, or for one replica eagerly with torch.optim.SGD.

Arguments: replicas, batch size, steps.
"""

import network
import torch
from network import CLASSES, EXAMPLES, HIDDEN, INPUTS, RATE, REPLICAS, SIZE, STEPS
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

torch.set_num_threads(2)
torch.manual_seed(1)
X, Y = torch.tensor(network.X), torch.tensor(network.Y)
NAMES = ["0.weight", "0.bias", "2.weight", "2.bias"]
start = [torch.tensor(p).mT.contiguous() if p.ndim == 3 else torch.tensor(p) for p in network.first_weights()]
model = torch.nn.Sequential(torch.nn.Linear(INPUTS, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, CLASSES))


def as_arrays(parameters):
    return [(p.mT if p.ndim == 3 else p).detach().numpy() for p in parameters]


def eager():
    model.load_state_dict({name: p[0] for name, p in zip(NAMES, start)})
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    for _ in range(STEPS):
        chosen = torch.randint(0, EXAMPLES, (SIZE,))
        optimizer.zero_grad()
        cross_entropy(model(X[chosen]), Y[chosen]).backward()
        optimizer.step()
    return as_arrays(p.detach().clone()[None] for p in model.parameters())


def mapped():
    gradients = vmap(grad(lambda p, x, y: cross_entropy(functional_call(model, p, (x,)), y)))
    parameters = dict(zip(NAMES, start))
    for _ in range(STEPS):
        chosen = torch.randint(0, EXAMPLES, (REPLICAS, SIZE))
        gradient = gradients(parameters, X[chosen], Y[chosen])
        parameters = {name: p - RATE * gradient[name] for name, p in parameters.items()}
    return as_arrays(parameters[name] for name in NAMES)


network.race_training("network-torch", eager if REPLICAS == 1 else mapped)
