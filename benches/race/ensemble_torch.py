"""PyTorch, all trajectories side by side."""

import torch
from work import SIGMA, STEP, STEPS, TRAJECTORIES, race

torch.set_num_threads(2)


@torch.no_grad()
def ensemble():
    torch.manual_seed(1)
    x = torch.zeros(TRAJECTORIES, dtype=torch.float64)
    for _ in range(STEPS):
        x = x - STEP * (x * x * x - x + 0.1) + SIGMA * STEP**0.5 * torch.randn(TRAJECTORIES, dtype=torch.float64)
    return (x < 0).double().mean().item()


race("torch", ensemble)
