"""Mean first-passage times on a line, and stationary laws where the noise depends on the place (Itô).

dx = −L′dt + √(2D) dW, Φ = ∫L′/D: τ(a → c) = ∫_a^c dy e^Φ(y) ∫_(−∞)^y dz e^(−Φ(z))/D(z) for c > a, and its mirror image for c < a. With
D = T it is the equation with additive noise. The inner integral is summed along with the outer one, panel by panel.
"""

import math

import numpy as np
import scipy.integrate
from mpmath import mp

from .formula import Formula, critical_points
from .line import BOX, EVEN, GARDINER, LOG_WALLS, PLATEAU, QUARTIC, SHARP, SIXTEEN
from .quadrature import Panels, twice
from .table import add, agreed

LAW = "τ = (1/T) ∫_a^c dy e^(L(y)/T) ∫_(−∞)^y dz e^(−L(z)/T), a = from < c = to, else mirrored"
ITO = "τ = ∫_a^c dy e^Φ(y) ∫_(−∞)^y dz e^(−Φ(z))/D(z), Φ = ∫L′/D, a = from < c = to, else mirrored"
SOURCE = "Gardiner, Stochastic Methods (4th ed. 2009), §5.5"
METHOD = "nested Gauss-Legendre quadrature with 30 and 40 digits and different nodes; Simpson's rule in double precision agrees to 1e-6 (1e-4 beside a wall, and on top of a million)"
CLOSED = "; a closed form agrees to 20 digits"


class Passage:
    def __init__(self, loss, diffusion, start, end, behind, panels, pieces):
        """`behind` is where nothing is left of e^(−Φ)/D behind the start, or −∞ or ∞."""
        self.loss, self.diffusion, self.slope = Formula(loss), Formula(diffusion), Formula(loss).slope(0)
        self.sign = 1 if mp.mpf(str(end)) > mp.mpf(str(start)) else -1
        self.start, self.end = (self.sign * mp.mpf(str(x)) for x in (start, end))
        self.behind = -mp.inf if math.isinf(float(behind)) else self.sign * mp.mpf(str(behind))
        self.panels, self.pieces = panels, pieces
        self.is_additive = not self.diffusion.expression.free_symbols

    def potential(self, grid):
        """Φ at the nodes, 0 at the start, and its value at the start counted from the first edge."""
        s = self.sign
        if self.is_additive:
            bottom, t = self.loss.exact(s * self.start), self.diffusion.exact(mp.mpf(0))
            return grid.of(lambda x: (self.loss.exact(s * x) - bottom) / t)
        rises = grid.of(lambda x: s * self.slope.exact(s * x) / self.diffusion.exact(s * x))
        values = grid.cumulative(rises)
        origin = mp.fsum(grid.integral(rises)[: -self.pieces])
        return [[value - origin for value in panel] for panel in values]

    def time(self, panels, order):
        far = self.behind if mp.isfinite(self.behind) else self.start - 1
        # Panels are narrow near the start, and wide where there is only a tail.
        cuts = [self.start - (self.start - far) * mp.mpf(part) for part in ("0.4", "0.15", "0.06", "0.02")]
        way = [self.start + (self.end - self.start) * piece / self.pieces for piece in range(self.pieces + 1)]
        grid = Panels([far, *cuts, *way], panels, order)
        phi = self.potential(grid)
        weights = [
            [mp.exp(-value) / self.diffusion.exact(self.sign * x) for x, value in zip(xs, values)]
            for xs, values in zip(grid.places, phi)
        ]
        tail = mp.mpf(0)
        if not mp.isfinite(self.behind):
            bottom, t = self.loss.exact(self.sign * self.start), self.diffusion.exact(mp.mpf(0))
            assert self.is_additive
            # x = far − e^u, on which a power law falls off exponentially.
            height = lambda u: (bottom - self.loss.exact(self.sign * (far - mp.exp(u)))) / t
            tail = mp.quad(lambda u: mp.exp(height(u) + u) / t, [-100, -20, -5, 0, 5, 20, 50, 100, 200, 400])
        below = grid.cumulative(weights, tail)
        whole = [[mp.exp(value) * mass for value, mass in zip(values, masses)] for values, masses in zip(phi, below)]
        return mp.fsum(grid.integral(whole)[-self.pieces :])

    def plain(self):
        """By Simpson's rule on 100,001 equidistant places, in double precision."""
        far, start, end = float(self.behind if mp.isfinite(self.behind) else self.start - 1), float(self.start), float(self.end)
        before, within = (np.linspace(a, b, 100_001) for a, b in ((far, start), (start, end)))
        # A wall stands at the very end.
        before[0] += 1e-12 * (start - far)
        d = lambda x: np.broadcast_to(self.diffusion.double(self.sign * x), x.shape)
        sum_up = lambda y, x: scipy.integrate.cumulative_simpson(y, x=x, initial=0.0)
        if self.is_additive:
            level = self.loss.double(self.sign * start)
            phi = [(self.loss.double(self.sign * x) - level) / d(x) for x in (before, within)]
        else:
            phi = [sum_up(self.sign * self.slope.double(self.sign * x) / d(x), x) for x in (before, within)]
            phi[0] = phi[0] - phi[0][-1]
        with np.errstate(over="ignore"):
            weights = [np.exp(-p) / d(x) for p, x in zip(phi, (before, within))]
        mass = scipy.integrate.simpson(weights[0], x=before)
        if not mp.isfinite(self.behind):
            t = float(self.diffusion.double(0.0))
            height = lambda u: float(level - self.loss.double(self.sign * (far - math.exp(u)))) / t
            mass += scipy.integrate.quad(lambda u: math.exp(height(u) + u) / t, -60, 300, limit=2000, epsrel=1e-11)[0]
        return scipy.integrate.simpson(np.exp(phi[1]) * (mass + sum_up(weights[1], within)), x=within)


def passage(name, loss, start, end, behind, *, temperature=None, diffusion=None, domain=(-3, 3), panels=30, pieces=1, closed=None, loose=1e-6):
    case = Passage(loss, diffusion or str(temperature), start, end, behind, panels, pieces)
    first, second = twice(case.time, panels)
    digits = agreed(second, first, 14)
    plain = case.plain()
    assert abs(plain / float(second) - 1) < loose, f"{name}: {plain} {second}"
    if closed is not None:
        assert abs(second / closed - 1) < mp.mpf(10) ** -20, f"{name}: {second} {closed}"
    how = dict(temperature=float(temperature)) if temperature is not None else dict(diffusion=diffusion)
    add(
        name, "mean passage time", second, digits, loss=loss, variables=["x"], domain=[list(domain)], **how,
        **{"from": float(start), "to": float(end)}, law=LAW if temperature is not None else ITO, source=SOURCE,
        method=METHOD + (CLOSED if closed is not None else ""),
    )  # fmt: skip


def infinite(name, loss, start, end, temperature, domain):
    add(
        name, "mean passage time", "infinite", 0, loss=loss, variables=["x"], domain=[list(domain)], temperature=temperature,
        **{"from": start, "to": end}, law=LAW, source=SOURCE, method="the inner integral of |z|^(−p), p = 2b/T ≤ 1, is infinite",
    )  # fmt: skip


def ito(name, loss, diffusion, ends, wells=2, panels=80):
    """Masses of the basins under P ∝ e^(−Φ)/D."""
    with mp.workdps(45):
        minima, ridges = critical_points(Formula(loss), -3.0, 3.0)
        assert len(minima) == wells
    slope, noise = Formula(loss).slope(0), Formula(diffusion)

    def masses(panels, order):
        grid = Panels([mp.mpf(ends[0]), *ridges, mp.mpf(ends[1])], panels, order)
        phi = grid.cumulative(grid.of(lambda x: slope.exact(x) / noise.exact(x)))
        # The least Φ is near a minimum; what it is does not matter.
        least = min(value for panel in phi for value in panel)
        parts = grid.integral([[mp.exp(least - v) / noise.exact(x) for x, v in zip(xs, vs)] for xs, vs in zip(grid.places, phi)])
        return [part / mp.fsum(parts) for part in parts]

    first, second = twice(masses, panels)
    digits = agreed(second, first, 14)
    x = np.linspace(*[float(end) for end in ends], 400_001)
    phi = scipy.integrate.cumulative_simpson(slope.double(x) / noise.double(x), x=x, initial=0.0)
    weight = np.exp(phi.min() - phi) / noise.double(x)
    below = scipy.integrate.cumulative_trapezoid(weight, x, initial=0.0)
    share = np.interp(float(ridges[0]), x, below) / below[-1]
    assert abs(share - float(second[0])) < 1e-7, f"{name}: {share} {second[0]}"
    add(
        name, "Itô occupancies", second, digits, loss=loss, variables=["x"], domain=[[-3, 3]], diffusion=diffusion,
        minima=[[x] for x in minima], law="p_A = ∫_A D⁻¹ e^(−Φ) / ∫ D⁻¹ e^(−Φ), Φ = ∫L′/D", source=GARDINER, method=METHOD,
    )  # fmt: skip


def cases():
    left, right = "-1.046681", "0.945649"
    for temperature in ("0.02", "0.05", "0.1"):
        passage(f"quartic, left to right, T = {temperature}", QUARTIC, left, right, -4, temperature=temperature)
    passage("quartic, right to left, T = 0.1", QUARTIC, right, left, 4, temperature="0.1")
    passage("quartic on top of a million, left to right, T = 0.1", f"1000000 + {QUARTIC}", left, right, -4, temperature="0.1", loose=1e-4)
    for temperature in ("0.02", "0.1", "0.2"):
        passage(f"sharp to wide well, T = {temperature}", SHARP, -1, 1, -5, temperature=temperature, panels=60)
    passage("wide to sharp well, T = 0.1", SHARP, 1, -1, 8, temperature="0.1", panels=60)
    passage("over walls of tanh, T = 0.1", BOX, -1, 1, -5, temperature="0.1", panels=60)
    passage("along sixteen wells, T = 0.1", SIXTEEN, 0, 15, -4, temperature="0.1", domain=(-1, 16), panels=20, pieces=15)
    passage("across a plateau, T = 0.1", PLATEAU, -6, 6, -60, temperature="0.1", domain=(-10, 10), panels=60)
    passage("between logarithmic walls, T = 0.2", LOG_WALLS, -0.5, 0.5, -1, temperature="0.2", domain=(-0.99, 0.99), panels=60, loose=1e-4)
    one = mp.mpf(1)
    # The inner integral is 1/T times a polynomial: (2/3 + y − y³/3)/(1 − y²) is to be integrated.
    walls = mp.quad(lambda y: (one * 2 / 3 + y - y**3 / 3) / (1 - y * y), [-one / 2, one / 2]) / (one / 4)
    passage(
        "bowl with logarithmic walls, T = 0.25", "-0.25*log(1 - x^2)", -0.5, 0.5, -1, temperature="0.25", domain=(-0.99, 0.99),
        panels=40, closed=walls,
    )  # fmt: skip
    bowl = mp.sqrt(mp.pi / 2) * mp.quad(lambda y: mp.exp(y * y / 2) * mp.erfc(-y / mp.sqrt(2)), [-1, 0, 1])
    passage("bowl, T = 1", "x^2/2", -1, 1, -16, temperature="1", panels=40, closed=bowl)
    # ∫_0^1 (1 + y²)(arctan y + π/2) dy = 2π/3 + [y arctan y − ln(1 + y²)/2 + y³ arctan y/3 − y²/6 + ln(1 + y²)/6]_0^1.
    cauchy = 2 * mp.pi / 3 + mp.pi / 4 - mp.log(2) / 2 + mp.pi / 12 - one / 6 + mp.log(2) / 6
    passage(
        "power law, T = b", "0.5*log(1 + x^2)", 0, 1, "-inf", temperature="0.5", domain=(-5, 5), panels=40, closed=2 * cauchy,
        loose=1e-6,
    )  # fmt: skip
    passage("power law, |x|^(−1.25)", "0.5*log(1 + x^2)", 0, 2, "-inf", temperature="0.8", domain=(-5, 5), panels=40, loose=1e-6)
    infinite("power law, |x|^(−1)", "0.5*log(1 + x^2)", 0.0, 1.0, 1.0, (-5, 5))
    infinite("power law, |x|^(−0.8)", "0.5*log(1 + x^2)", 0.0, 1.0, 1.25, (-5, 5))

    # D = n h_A L: the noise of squared errors (Mori et al. 2022).
    # The weight falls off at least as |x|^(−12).
    for constant, scale in (("0.552386", "0.2"), ("0.552386", "0.1"), ("0.452386", "0.1"), ("0.402386", "0.05")):
        loss = f"{QUARTIC} + {constant}"
        passage(
            f"quartic + {constant}, noise in proportion to it, n = {scale}", loss, left, right, -200,
            diffusion=f"{scale}*2.2866204*({loss})", panels=40, loose=1e-3,
        )  # fmt: skip
    # Pearson's law: Φ = 5 ln(1 + x²), so that the weight is 10 (1 + x²)^(−6).
    def below(y):
        # ∫_(−∞)^y (1 + z²)^(−6) dz by its recursion in the power.
        total, power = mp.atan(y) + mp.pi / 2, one
        for k in range(1, 6):
            power *= 1 + y * y
            total = y / (2 * k * power) + total * (2 * k - 1) / (2 * k)
        return total

    pearson = mp.quad(lambda y: 10 * (1 + y * y) ** 5 * below(y), [-1, 0, 1])
    # Beyond −300 there is less than 300^(−11) of the mass.
    passage("bowl, D = 0.1 (1 + x²)", "x^2/2", -1, 1, -300, diffusion="0.1*(1 + x^2)", panels=40, closed=pearson, loose=1e-3)
    passage("quartic, D = 0.05 (1 + x²)", QUARTIC, left, right, -6, diffusion="0.05*(1 + x^2)", panels=80)
    passage("sharp to wide well, D = 0.1 (1.5 + tanh(2x))", SHARP, -1, 1, -6, diffusion="0.1*(1.5 + tanh(2*x))", panels=60)

    ito("law of the quartic, D = 0.05 (1 + x²)", QUARTIC, "0.05*(1 + x^2)", ("-8", "8"))
    ito("law of the even quartic, D = 0.1 (1.5 + tanh(2x))", EVEN, "0.1*(1.5 + tanh(2*x))", ("-6", "6"))
    ito("law of the sharp and wide well, D = 0.1 (1.5 + tanh(2x))", SHARP, "0.1*(1.5 + tanh(2*x))", ("-3", "6"), panels=200)

