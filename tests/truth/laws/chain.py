"""Chains with a finite step: θ ← θ − δL′ + √(2Dδ)ξ on a line, by their transfer operator N(x′; x − δL′(x), 2D(x)δ).

On equidistant places the operator becomes a matrix: the trapezoidal rule is exact to rounding for functions as smooth as these, as long as
its spacing is below the width of a step, divided by what the mean step stretches. Two spacings on two ranges have to agree. Passage
times end at a place, where what is integrated has an edge: they take Gauss's rule on panels instead.
"""

import numpy as np
import scipy.special
from mpmath import mp

from .formula import Formula, critical_points
from .line import BOX, EVEN, QUARTIC, SHARP
from .table import add, agreed

LAW = "the stationary law of the chain θ ← θ − δL′(θ) + √(2δD) ξ, ξ ~ N(0, 1), D = T where it is not given; masses of the basins of L"
TIME = "δ times the mean number of steps of that chain until it is at or beyond a place: (I − K)τ = δ on what lies before it"
SOURCE = "Meyn & Tweedie, Markov Chains and Stochastic Stability (2009), §10 (law), §11 (times): the chain's own equations"
METHOD = "transfer operator on equidistant places in double precision, solved without subtractions (Grassmann, Taksar & Heyman 1985), with two spacings on two ranges"


def stationary(chain):
    """The law of a Markov chain, from row to column, without a subtraction (Grassmann, Taksar & Heyman 1985): a rare exchange between two wells
    costs no digits."""
    chain = chain.copy()
    for n in range(len(chain) - 1, 0, -1):
        chain[:n, n] /= chain[n, :n].sum()
        chain[:n, :n] += np.outer(chain[:n, n], chain[n, :n])
    law = np.ones(len(chain))
    for n in range(1, len(chain)):
        law[n] = law[:n] @ chain[:n, n]
    return law / law.sum()


class Chain:
    def __init__(self, loss, diffusion, step):
        self.slope, self.diffusion, self.step = Formula(loss).slope(0), Formula(diffusion), float(step)

    def kernel(self, x):
        spread = np.sqrt(2.0 * self.step * np.broadcast_to(self.diffusion.double(x), x.shape))
        return x - self.step * self.slope.double(x), spread

    def occupancies(self, low, high, places, ridges):
        x = np.linspace(low, high, places)
        target, spread = self.kernel(x)
        step = x[1] - x[0]
        operator = step * np.exp(-0.5 * ((x[:, None] - target) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))
        law = stationary(operator.T)
        assert np.abs(law[0]) < 1e-13 and np.abs(law[-1]) < 1e-13, "the range is too narrow"
        below = [0.0] + [float(law @ scipy.special.ndtr((ridge - target) / spread)) for ridge in ridges] + [1.0]
        return [b - a for a, b in zip(below, below[1:])]

    def passage(self, start, end, behind, panels, order=16):
        """Upwards; by Gauss's rule on panels, the last solution continued to the start by the equation itself."""
        nodes, weights = np.polynomial.legendre.leggauss(order)
        edges = np.linspace(behind, end, panels + 1)
        half = 0.5 * np.diff(edges)[:, None]
        x = (edges[:-1, None] + half * (1 + nodes)).ravel()
        w = (half * weights).ravel()
        def row(places):
            target, spread = self.kernel(places)
            return w * np.exp(-0.5 * ((x - target[:, None]) / spread[:, None]) ** 2) / (spread[:, None] * np.sqrt(2 * np.pi))
        times = np.linalg.solve(np.eye(len(x)) - row(x), np.full(len(x), self.step))
        return self.step + float((row(np.array([start])) @ times)[0])


def check():
    """The chain in a parabola is a Gaussian of variance T/(h(1 − δh/2))."""
    chain = Chain("x^2/2", "0.1", 0.4)
    found = chain.occupancies(-5.0, 5.0, 801, [0.3])[0]
    exact = scipy.special.ndtr(0.3 / np.sqrt(0.1 / (1 - 0.2)))
    assert abs(found - exact) < 1e-13, f"{found} {exact}"


def law(name, loss, step, low, high, places, *, temperature=None, diffusion=None, at_least=9, domain=(-3, 3)):
    minima, ridges = critical_points(Formula(loss), *[float(x) for x in domain])
    chain = Chain(loss, diffusion or str(temperature), step)
    edges = [float(x) for x in ridges]
    first = chain.occupancies(low, high, places, edges)
    width = high - low
    second = chain.occupancies(low - 0.02 * width, high + 0.03 * width, int(1.5 * places), edges)
    digits = min(12, agreed(second, first, at_least))
    how = dict(temperature=float(temperature)) if temperature is not None else dict(diffusion=diffusion)
    add(
        name, "chain occupancies", second, digits, loss=loss, variables=["x"], domain=[list(domain)], **how, step=float(step),
        minima=[[x] for x in minima], law=LAW, source=SOURCE, method=METHOD,
    )  # fmt: skip
    return [float(x) for x in second], digits


def passage(name, loss, temperature, step, start, end, behind, panels):
    sign = 1 if end > start else -1
    # Mirrored, a passage downwards is one upwards.
    chain = Chain(loss if sign > 0 else loss.replace("exp", "§").replace("x", "(-x)").replace("§", "exp"), str(temperature), step)
    places = [sign * x for x in (start, end, behind)]
    first, second = chain.passage(*places, panels), chain.passage(*places[:2], places[2] - 0.1, panels * 3 // 2)
    digits = min(12, agreed([second], [first], 8))
    add(
        name, "chain passage time", second, digits, loss=loss, variables=["x"], domain=[[-3, 3]], temperature=float(temperature),
        step=float(step), **{"from": float(start), "to": float(end)}, law=TIME, source=SOURCE,
        method="Nyström's method with Gauss's rule on panels in double precision, two numbers of panels on two ranges",
    )  # fmt: skip


# Turned by an angle whose cosine is .8: the chain of a sum of two functions of coordinates at right angles is a pair of chains.
ALONG, ACROSS = "(0.8*x + 0.6*y)", "(0.8*y - 0.6*x)"


def turned(loss):
    return loss.replace("exp", "§").replace("x", ALONG).replace("§", "exp")


def in_plane(name, of_line, loss, minima, values, digits, temperature, step):
    places = [[0.8 * x, 0.6 * x] for x in minima]
    add(
        name, "chain occupancies", values, digits, loss=f"{turned(loss)} + {ACROSS}^2/2", variables=["x", "y"],
        domain=[[-3, 3], [-3, 3]], temperature=float(temperature), step=float(step), minima=places, law=LAW, source=SOURCE,
        method=f"the case `{of_line}`: turned by a rotation, the coordinate along the wells is that chain",
    )  # fmt: skip


def cases():
    check()
    from .table import CASES

    for temperature, step, places in (("0.1", "0.05", 400), ("0.1", "0.1", 400), ("0.1", "0.2", 400), ("0.05", "0.05", 500)):
        name = f"chain of the quartic, T = {temperature}, step {step}"
        values, digits = law(name, QUARTIC, step, -2.8, 2.7, places, temperature=temperature)
        if (temperature, step) == ("0.1", "0.1"):
            minima = [x for [x] in CASES[-1]["minima"]]
            in_plane("chain of the turned quartic in the plane, T = 0.1, step 0.1", name, QUARTIC, minima, values, digits, temperature, step)
    for temperature, step, places in (("0.1", "0.05", 1300), ("0.1", "0.1", 1300), ("0.2", "0.05", 1200), ("0.2", "0.01", 1000)):
        name = f"chain of the sharp and wide well, T = {temperature}, step {step}"
        law(name, SHARP, step, -3.2, 5.0 if temperature == "0.1" else 6.0, places, temperature=temperature, at_least=9)
    law("chain over walls of tanh, T = 0.1, step 0.01", BOX, "0.01", -3.2, 3.2, 1000, temperature="0.1", at_least=9)
    law("chain of the quartic, D = 0.05 (1 + x²), step 0.05", QUARTIC, "0.05", -3.0, 3.0, 600, diffusion="0.05*(1 + x^2)", at_least=9)
    law("chain of the even quartic, D = 0.1 (1.5 + tanh(2x)), step 0.05", EVEN, "0.05", -2.6, 3.4, 600, diffusion="0.1*(1.5 + tanh(2*x))", at_least=9)

    passage("passage of the chain, quartic, left to right, T = 0.1, step 0.05", QUARTIC, "0.1", "0.05", -1.046681, 0.945649, -2.6, 60)
    passage("passage of the chain, quartic, left to right, T = 0.05, step 0.05", QUARTIC, "0.05", "0.05", -1.046681, 0.945649, -2.3, 80)
    passage("passage of the chain, quartic, right to left, T = 0.1, step 0.1", QUARTIC, "0.1", "0.1", 0.945649, -1.046681, 2.5, 60)
    passage("passage of the chain, quartic, a short way, T = 0.1, step 0.2", QUARTIC, "0.1", "0.2", -1.0, -0.4, -2.5, 60)
    passage("passage of the chain, sharp and wide well, T = 0.2, step 0.05", SHARP, "0.2", "0.05", -1.0, 1.0, -3.0, 120)
