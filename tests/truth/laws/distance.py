"""Distances between laws: Gibbs's law, Laplace's mixture and the chain's law on a line cut into cells, and of a batch's mean from the normal law."""

import itertools

import numpy as np
import scipy.special
from mpmath import mp

from .chain import Chain
from .line import QUARTIC, SHARP, Line
from .quadrature import Panels, twice
from .table import add, agreed

KOLMOGOROV = "max over the edges of |F − G|, the masses below that edge"
VARIATION = "½ Σ |p − q| over the cells: below the first edge, between neighbouring edges, above the last"


def distances(p, q):
    below, largest = 0, 0
    for a, b in zip(p, q):
        below += a - b
        largest = max(largest, abs(below))
    return largest, sum(abs(a - b) for a, b in zip(p, q)) / 2


def gibbs(case, edges):
    low, high = case.ends()

    def masses(panels, order):
        places = sorted([low, *edges, high])
        grid = Panels(places, panels, order)
        parts = grid.integral(grid.of(lambda x: mp.exp(-case.height(x))))
        return [part / mp.fsum(parts) for part in parts]

    first, second = twice(masses, 6)
    agreed(second, first, 14)
    return second


def laplace(case, edges):
    """Σ_A exp(−L_A/T − h_A (x − x_A)²/(2T))."""
    t = case.temperature
    bends = [case.curvature.exact(x) for x in case.minima]
    weights = [mp.exp(-case.height(x)) / mp.sqrt(h) for x, h in zip(case.minima, bends)]
    below = [
        mp.fsum(w * mp.ncdf((edge - x) * mp.sqrt(h / t)) for w, x, h in zip(weights, case.minima, bends)) / mp.fsum(weights)
        for edge in edges
    ]
    return [b - a for a, b in zip([0, *below], [*below, 1])]


def cells(name, text, temperature, low, high, count):
    case = Line(text, temperature)
    edges = [mp.mpf(low) + (mp.mpf(high) - mp.mpf(low)) * k / count for k in range(count + 1)]
    p, q = gibbs(case, edges), laplace(case, edges)
    given = dict(loss=text, variables=["x"], domain=[[-3, 3]], temperature=float(temperature), edges=[float(x) for x in edges])
    for quantity, law, value in zip(("Kolmogorov distance", "total variation distance"), (KOLMOGOROV, VARIATION), distances(p, q)):
        add(
            f"{name}: {quantity} of Gibbs and Laplace, T = {temperature}", quantity, value, 13, between=["Gibbs", "Laplace"], **given, law=law,
            source="Gibbs & Su 2002, doi:10.1111/j.1751-5823.2002.tb00178.x", method="masses of cells by Gauss-Legendre quadrature with 30 and 40 digits, and by error functions",
        )  # fmt: skip
    chain = Chain(text, temperature, "0.1")
    results = []
    for places, a, b in ((600, -2.8, 2.7), (900, -2.9, 2.9)) if text == QUARTIC else ((1400, -3.2, 6.0), (1800, -3.3, 6.2)):
        parts = chain.occupancies(a, b, places, [float(x) for x in edges])
        results.append(distances([float(x) for x in p], parts))
    digits = min(10, agreed(results[1], results[0], 7))
    for quantity, law, value in zip(("Kolmogorov distance", "total variation distance"), (KOLMOGOROV, VARIATION), results[1]):
        add(
            f"{name}: {quantity} of Gibbs and the chain, T = {temperature}, step 0.1", quantity, value, digits, between=["Gibbs", "chain"], step=0.1, **given,
            law=law, source="Gibbs & Su 2002, doi:10.1111/j.1751-5823.2002.tb00178.x",
            method="masses of cells by quadrature and by the transfer operator with two spacings on two ranges",
        )  # fmt: skip


def batch(name, numbers, size, drawing):
    """sup |F − Φ| of the standardised mean: by all batches, jump by jump."""
    xs = [mp.mpf(str(x)) for x in numbers]
    if drawing == "independent":
        sums = {mp.mpf(0): mp.mpf(1)}
        for _ in range(size):
            more = {}
            for total, probability in sums.items():
                for x in xs:
                    more[total + x] = more.get(total + x, mp.mpf(0)) + probability / len(xs)
            sums = more
    else:
        drawn = [mp.fsum(chosen) for chosen in itertools.combinations(xs, size)]
        sums = {}
        for total in drawn:
            sums[total] = sums.get(total, mp.mpf(0)) + mp.mpf(1) / len(drawn)
    mean = mp.fsum(x * p for x, p in sums.items())
    deviation = mp.sqrt(mp.fsum((x - mean) ** 2 * p for x, p in sums.items()))
    # The variance that is known without counting.
    spread = mp.fsum((x - mp.fsum(xs) / len(xs)) ** 2 for x in xs) / len(xs) * size
    if drawing != "independent":
        spread *= mp.mpf(len(xs) - size) / (len(xs) - 1)
    assert abs(deviation**2 / spread - 1) < mp.mpf(10) ** -40
    below, largest = mp.mpf(0), mp.mpf(0)
    for x in sorted(sums):
        normal = mp.ncdf((x - mean) / deviation)
        largest = max(largest, abs(below - normal), abs(below + sums[x] - normal))
        below += sums[x]
    # Again in doubles.
    places = np.array([float(x) for x in sorted(sums)])
    masses = np.array([float(sums[x]) for x in sorted(sums)])
    normal, above = scipy.special.ndtr((places - float(mean)) / float(deviation)), np.cumsum(masses)
    plain = max(np.abs(above - normal).max(), np.abs(above - masses - normal).max())
    assert abs(plain - float(largest)) < 1e-13
    add(
        name, "distance of a batch mean from the normal law", largest, 15, numbers=numbers, batch=size, drawing=drawing,
        law="sup over z of |F(z) − Φ(z)|, F the law of (m − E m)/sd(m), m the mean of a batch", source="the definition; Feller, An Introduction to Probability Theory, vol. 2, §XVI.5",
        method="all batches counted in 45 digits, jump by jump; again in double precision",
    )  # fmt: skip


def cases():
    cells("quartic", QUARTIC, "0.1", "-1.6", "1.6", 16)
    cells("sharp and wide well", SHARP, "0.2", "-1.75", "2.5", 17)
    batch("mean of two signs", [-1, 1], 2, "independent")
    batch("mean of nine signs", [-1, 1], 9, "independent")
    batch("mean of five, one number of ten is another", [1] + [0] * 9, 5, "independent")
    batch("mean of six of 0, 1 and 3", [0, 1, 3], 6, "independent")
    batch("subset of four of ten, three of them ones", [1] * 3 + [0] * 7, 4, "subset")
    batch("subset of five of twelve numbers", [0.1, 0.4, -1, 2, 0.7, -0.3, 1.5, -2.2, 0.9, 0, 0.25, -0.6], 5, "subset")
