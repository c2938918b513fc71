"""torchsde: sdeint by Euler's method."""

import torch
import torchsde
from work import SIGMA, STEP, STEPS, TRAJECTORIES, race

torch.set_num_threads(2)


class Quartic(torch.nn.Module):
    noise_type = "diagonal"
    sde_type = "ito"

    def f(self, t, x):
        return -(x**3 - x + 0.1)

    def g(self, t, x):
        return torch.full_like(x, SIGMA)


@torch.no_grad()
def ensemble():
    torch.manual_seed(1)
    start = torch.zeros(TRAJECTORIES, 1, dtype=torch.float64)
    times = torch.tensor([0.0, STEPS * STEP], dtype=torch.float64)
    x = torchsde.sdeint(Quartic(), start, times, dt=STEP, method="euler")[-1]
    return (x < 0).double().mean().item()


race("torchsde", ensemble)
