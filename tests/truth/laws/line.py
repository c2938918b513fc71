"""Gibbs's law exp(−L/T)/Z on a line: masses of basins, normalisation and moments.

On a line the basin of a minimum is the interval between the maxima beside it. Integrals are Gauss-Legendre sums in 30 and in 40
digits with different nodes, and in double precision by QUADPACK.
"""

import functools
import math

import scipy.integrate
from mpmath import mp

from .formula import Formula, critical_points
from .quadrature import Panels, twice
from .table import add, agreed

GIBBS = "p_A = ∫_A exp(−L/T) dθ / ∫ exp(−L/T) dθ, A the basin of attraction of a minimum under dθ/dt = −∇L"
GARDINER = "Gardiner, Stochastic Methods (4th ed. 2009), §5.3"
METHOD = "Gauss-Legendre quadrature with 30 and 40 digits and different nodes; QUADPACK in double precision agrees to 1e-8"


class Line:
    """A loss on a line at a temperature, with its critical points in `domain` and its mass within `extent` (else the whole line)."""

    def __init__(self, formula, temperature, domain=(-3, 3), wells=2, extent=None, panels=30, cuts=(), has_bends=False):
        self.text, self.loss = formula, Formula(formula)
        self.temperature = mp.mpf(str(temperature))
        self.domain, self.panels = domain, panels
        with mp.workdps(45):
            self.minima, self.ridges = critical_points(self.loss, *[float(x) for x in domain])
            assert len(self.minima) == wells and len(self.ridges) == wells - 1, f"{formula}: {self.minima} {self.ridges}"
            self.lowest = min(self.loss.exact(x) for x in self.minima)
        self.extent, self.has_bends = extent, has_bends
        # Where panels end beside: between wells of unlike widths.
        self.cuts = [mp.mpf(str(x)) for x in cuts]
        self.curvature = self.loss.slope(0, 0)

    def height(self, x):
        return (self.loss.exact(x) - self.lowest) / self.temperature

    def ends(self):
        """Where exp(−L/T) is below e^(−100) of what it is at the outermost minimum: its mass may be small too."""
        if self.extent:
            return [mp.mpf(str(x)) for x in self.extent]
        ends = []
        for outermost, direction in ((self.minima[0], -1), (self.minima[-1], 1)):
            reach = mp.mpf(1) / 64
            while self.height(outermost + direction * reach) < 100 + self.height(outermost):
                reach *= mp.mpf("1.05")
            ends.append(outermost + direction * reach)
        return ends

    def integrals(self, panels, order):
        """In every basin: ∫w, ∫(L − L_min)w, ∫L″w, ∫(x − x_A)²w."""
        low, high = self.ends()
        edges = sorted([low, *self.ridges, *self.cuts, high])
        owner = [sum(ridge <= edge for ridge in self.ridges) for edge in edges[:-1]]
        grid = Panels(edges, panels, order)
        heights = grid.of(self.height)
        weights = [[mp.exp(-height) for height in panel] for panel in heights]
        result = []

        def times(factors):
            return [[w * f for w, f in zip(ws, fs)] for ws, fs in zip(weights, factors)]

        def over(basin, parts):
            return mp.fsum(part for part, whose in zip(parts, owner) if whose == basin)

        masses = grid.integral(weights)
        excess = grid.integral(times([[height * self.temperature for height in panel] for panel in heights]))
        # A formula's second derivative is long, and few cases ask for it.
        bends = grid.integral(times(grid.of(self.curvature.exact))) if self.has_bends else [mp.mpf(0)] * grid.gaps
        for basin, minimum in enumerate(self.minima):
            squares = grid.integral(times([[(x - minimum) ** 2 for x in panel] for panel in grid.places])) if len(self.minima) < 4 else masses
            result.append([over(basin, parts) for parts in (masses, excess, bends, squares)])
        return result

    @functools.cached_property
    def both(self):
        results = twice(self.integrals, self.panels)
        low, high = (float(x) for x in self.ends())
        edges = [low, *map(float, self.ridges), high]
        weight = lambda x: math.exp(-(float(self.loss.double(x)) - float(self.lowest)) / float(self.temperature))
        for basin, exact in enumerate(results[1]):
            minimum = float(self.minima[basin])
            ends, near = edges[basin : basin + 2], 6.0 * math.sqrt(float(self.temperature / self.curvature.exact(self.minima[basin])))
            cut = [ends[0], *(x for x in (minimum - near, minimum, minimum + near) if ends[0] < x < ends[1]), ends[1]]
            plain = sum(scipy.integrate.quad(weight, a, b, epsabs=0, epsrel=1e-11, limit=2000)[0] for a, b in zip(cut, cut[1:]))
            if exact[0] > 1e-250:
                assert abs(plain / float(exact[0]) - 1) < 1e-8 * max(1.0, abs(float(self.lowest))), f"{self.text}: {plain} {exact[0]}"
        return results

    def minima_text(self):
        return [[x] for x in self.minima]

    def add(self, name, quantity, values, **rest):
        """`values` makes the quantity of the integrals."""
        first, second = (values(integrals) for integrals in self.both)
        digits = agreed(second, first, 15)
        base = dict(
            loss=self.text, variables=["x"], domain=[list(self.domain)], temperature=float(self.temperature),
            minima=self.minima_text(), source=GARDINER, method=METHOD,
        )  # fmt: skip
        add(name, quantity, second, digits, **base | rest)

    def occupancies(self, name, **rest):
        def values(integrals):
            whole = mp.fsum(basin[0] for basin in integrals)
            return [basin[0] / whole for basin in integrals]

        self.add(name, "Gibbs occupancies", values, law=GIBBS, **rest)

    def log_normalization(self, name, closed=None, **rest):
        def values(integrals):
            result = mp.log(mp.fsum(basin[0] for basin in integrals))
            assert closed is None or abs(result - closed()) < mp.mpf(10) ** -24, f"{name}: {result} {closed()}"
            return result

        law = "ln ∫ exp(−(L − min L)/T) dθ"
        self.add(name, "log normalization", values, law=law, **rest)

    def mean_excess(self, name, closed=None, **rest):
        def values(integrals):
            result = mp.fsum(basin[1] for basin in integrals) / mp.fsum(basin[0] for basin in integrals)
            assert closed is None or abs(result - closed()) < mp.mpf(10) ** -24, f"{name}: {result} {closed()}"
            return result

        self.add(name, "mean excess loss", values, law="⟨L − min L⟩ under exp(−L/T)/Z", **rest)

    def mean_laplacian(self, name, **rest):
        law = "⟨ΔL⟩ under exp(−L/T)/Z, within every basin"
        self.add(name, "mean Laplacian", lambda integrals: [b[2] / b[0] for b in integrals], law=law, **rest)

    def spread(self, name, closed=None, **rest):
        def values(integrals):
            result = [[[basin[3] / basin[0]]] for basin in integrals]
            assert closed is None or abs(result[0][0][0] - closed()) < mp.mpf(10) ** -24, f"{name}: {result} {closed()}"
            return result

        self.add(name, "spread", values, law="⟨(θ − θ_A)(θ − θ_A)ᵀ⟩ under exp(−L/T)/Z, within the basin of every minimum θ_A", **rest)

    def laplace(self, name, **rest):
        def values(_):
            weights = [mp.exp(-self.height(x)) / mp.sqrt(self.curvature.exact(x)) for x in self.minima]
            return [w / mp.fsum(weights) for w in weights]

        law = "p_A = (det H_A)^(−1/2) exp(−L_A/T), normalised"
        source = "Jastrzebski et al. 2017, arXiv:1711.04623, eq. (9)"
        method = "exact derivatives at the minima, which are found by Newton's method in 45 digits"
        self.add(name, "Laplace occupancies", values, law=law, source=source, method=method, **rest)


QUARTIC = "x^4/4 - x^2/2 + 0.1*x"
EVEN = "x^4/4 - x^2/2"
SHARP = "-0.1*log(exp(-4*(x + 1)^2/0.1) + exp(-(0.1 + 0.75*(x - 1)^2)/0.1))"
BOX = "0.05*x^4 - 0.25*(tanh((x + 1.7)/0.05) - tanh((x + 0.7)/0.05)) - 0.55*exp(-(x - 1)^2/0.32)"
LOGISTIC = "0.05*x^4 + 0.4*sigmoid((x + 0.5)/0.05) - 0.4*sigmoid((x - 0.2)/0.05)"
LOG_WALLS = "-0.5*log(1 - x^2) + 0.6*exp(-x^2/0.05) + 0.1*x"
EXPONENTIAL = "sqrt(1 + x^2) + 0.8*exp(-(x - 0.1)^2/0.1)"
POWER = "1.5*log(1 + x^2) + 2*exp(-4*(x - 0.2)^2)"
TRIPLE = "x^2*(x^2 - 4)^2/16 + 0.05*x"
NEEDLE = "x^2/2 - 1.2*exp(-(x - 1)^2/0.0008)"
RIPPLES = "0.3*(1 - cos(2*pi*x)) + 0.05*(x - 0.2)^2"
# Panels are narrow where a logarithm has its walls.
WALLS = ("-0.9999", "-0.999", "-0.99", "-0.9", "0.9", "0.99", "0.999", "0.9999")
PLATEAU = "0.005*x^2 - exp(-(x + 6)^2/2) - 1.1*exp(-(x - 6)^2/2)"


def soft_minimum(wells, smoothing):
    """−s ln Σ exp(−(L_i + h_i (x − m_i)²/2)/s), wells (m, L, h)."""
    parts = " + ".join(f"exp(-({loss} + {h}*(x - {m})^2/2)/{smoothing})" for m, loss, h in wells)
    return f"-{smoothing}*log({parts})"


# Sixteen wells of different depths and widths, one after another.
SIXTEEN_WELLS = [(m, f"0.{(7 * m) % 16:02}", f"{4 + (5 * m) % 7}") for m in range(16)]
SIXTEEN = soft_minimum(SIXTEEN_WELLS, "0.1")
FAR_WELLS = [(-100, "0", "0.01"), (100, "0.2", "0.006")]
FAR = soft_minimum(FAR_WELLS, "0.5")
UNLIKE_WELLS = [(0, "0", "20000"), (30, "0.1", "0.02")]
UNLIKE = soft_minimum(UNLIKE_WELLS, "0.2")


def mixture(line, wells):
    """At T = s a soft minimum of parabolas is a mixture of normal laws, whose basins are differences of error functions."""
    with mp.workdps(40):
        s = line.temperature
        edges = [-mp.inf, *line.ridges, mp.inf]
        total, masses = mp.mpf(0), [mp.mpf(0)] * len(line.minima)
        for place, loss, h in wells:
            m, loss, h = (mp.mpf(str(number)) for number in (place, loss, h))
            weight = mp.exp(-loss / s) * mp.sqrt(2 * mp.pi * s / h)
            total += weight
            for basin in range(len(masses)):
                low, high = ((x - m) * mp.sqrt(h / (2 * s)) for x in edges[basin : basin + 2])
                masses[basin] += weight * (mp.erfc(low) - mp.erfc(high)) / 2 if low > 0 else weight * (mp.erf(high) - mp.erf(low)) / 2
        whole = mp.fsum(basin[0] for basin in line.both[1])
        for basin, mass in enumerate(masses):
            assert abs(line.both[1][basin][0] / whole / (mass / total) - 1) < mp.mpf(10) ** -20, f"{line.text}: basin {basin}"


def cases():
    cold, cool, warm, hot = (Line(QUARTIC, t, has_bends=True) for t in ("0.02", "0.05", "0.1", "1"))
    for line, name in ((cold, "0.02"), (cool, "0.05"), (warm, "0.1"), (hot, "1")):
        line.occupancies(f"quartic, T = {name}")
    warm.laplace("quartic by Laplace's formula, T = 0.1")
    warm.mean_excess("quartic, mean loss, T = 0.1")
    warm.mean_laplacian("quartic, mean Laplacian, T = 0.1")
    warm.spread("quartic, spread, T = 0.1")

    def bessel():
        """∫ exp(−(x² − 1)²/(4T)) dx, with z = 1/(8T): (π/2) e^(−z) (I_{−¼}(z) + I_{¼}(z)) (DLMF 10.32.10 after x² = 1 + cosh)."""
        z = 1 / (8 * mp.mpf("0.1"))
        return mp.log(mp.pi / 2 * mp.exp(-z) * (mp.besseli(-mp.mpf(1) / 4, z) + mp.besseli(mp.mpf(1) / 4, z)))

    even = Line(EVEN, "0.1")
    even.log_normalization("even quartic, normalisation, T = 0.1", bessel)
    high = Line(f"1000000 + {QUARTIC}", "0.1")
    high.occupancies("quartic on top of a million, T = 0.1")
    high.mean_excess("quartic on top of a million, mean loss, T = 0.1")

    for temperature in ("0.03", "0.1", "0.2"):
        line = Line(SHARP, temperature, panels=60)
        if temperature == "0.1":
            mixture(line, [(-1, "0", "8"), (1, "0.1", "1.5")])
        line.occupancies(f"sharp and wide well, T = {temperature}")
    line.laplace("sharp and wide well by Laplace's formula, T = 0.2")
    for name, text, wells, temperature, domain, panels, cuts in (
        ("two wells 200 apart, T = 0.5", FAR, FAR_WELLS, "0.5", (-110, 110), 50, ()),
        ("two wells of curvatures 20000 and 0.02, T = 0.2", UNLIKE, UNLIKE_WELLS, "0.2", (-5, 60), 16, (-0.03, 0.03, 1, 10)),
        ("sixteen wells on a line, T = 0.1", SIXTEEN, SIXTEEN_WELLS, "0.1", (-1, 16), 6, ()),
    ):
        line = Line(text, temperature, domain, len(wells), panels=panels, cuts=cuts)
        mixture(line, wells)
        line.occupancies(name)

    Line(BOX, "0.1", panels=100).occupancies("walls of tanh, T = 0.1")
    Line(LOGISTIC, "0.1", panels=100).occupancies("a wall of two logistic functions, T = 0.1")
    Line(LOG_WALLS, "0.2", (-0.99, 0.99), extent=(-1, 1), panels=12, cuts=WALLS).occupancies("logarithmic walls, T = 0.2")
    Line(EXPONENTIAL, "0.3", (-5, 5), panels=100).occupancies("exponential tails, T = 0.3")
    Line(TRIPLE, "0.2", (-4, 4), 3, panels=40).occupancies("three wells of a sextic, T = 0.2")
    Line(NEEDLE, "0.3", panels=30, cuts=("0.85", "1.15")).occupancies("a needle in a parabola, T = 0.3")
    Line(RIPPLES, "0.15", (-22, 22), 38, panels=24).occupancies("ripples in a parabola, T = 0.15")
    Line(PLATEAU, "0.1", (-10, 10), 3, panels=60).occupancies("three wells on a plateau, T = 0.1")

    # Closed forms.
    beta = Line("-0.5*log(1 - x^2)", "0.25", (-0.99, 0.99), 1, extent=(-1, 1), panels=12, cuts=WALLS)
    beta.spread("bowl with logarithmic walls, spread, T = 0.25", lambda: mp.mpf(1) / 7)
    sech = Line("log(cosh(x))", "1", (-5, 5), 1, panels=200)
    sech.log_normalization("log cosh, normalisation, T = 1", lambda: mp.log(mp.pi))
    sech.spread("log cosh, spread, T = 1", lambda: mp.pi**2 / 4)
    sech.mean_excess("log cosh, mean loss, T = 1", lambda: mp.log(2))
    hyperbolic = Line("sqrt(1 + x^2)", "0.5", (-5, 5), 1, panels=140)
    hyperbolic.log_normalization("hyperbolic law, normalisation, T = 0.5", lambda: mp.log(2 * mp.besselk(1, 2)) + 2)
    hyperbolic.spread("hyperbolic law, spread, T = 0.5", lambda: mp.besselk(2, 2) / (2 * mp.besselk(1, 2)))
