"""Gibbs's law in several dimensions, where it is known: by symmetry, by rotation, as a product, or by integrals over one coordinate."""

import functools
import itertools

import numpy as np
import scipy.integrate
import scipy.special
from mpmath import mp

from .formula import Formula, hessian, newton
from .line import GARDINER, GIBBS, QUARTIC, Line
from .table import add

EXCESS, NORM = "⟨L − min L⟩ under exp(−L/T)/Z", "ln ∫ exp(−(L − min L)/T) dθ"


def put(name, quantity, value, digits, loss, variables, domain, temperature, law, method, **rest):
    add(
        name, quantity, value, digits, loss=loss, variables=variables, domain=[list(domain)] * len(variables),
        temperature=float(temperature), law=law, source=GARDINER, method=method, **rest,
    )  # fmt: skip


@functools.cache
def line(formula, temperature):
    return Line(formula, temperature)


def halves(formula, temperature):
    """Masses, mean excess losses, and minima of a double well on a line, in 40 digits."""
    case = line(formula, temperature)
    whole = mp.fsum(basin[0] for basin in case.both[1])
    for a, b in zip(*case.both):
        assert abs(a[0] / b[0] - 1) < mp.mpf(10) ** -17
    return [basin[0] / whole for basin in case.both[1]], case.minima


def substitute(formula, expression, variable="x"):
    return formula.replace("exp", "§").replace(variable, f"({expression})").replace("§", "exp")


def rotated():
    """A double well along one direction and walls across it: the masses are those of the line, however steep the walls."""
    method = "as on the line, since the rotated coordinates are independent; there by quadrature in 30 and 40 digits"
    masses, places = halves(QUARTIC, "0.1")
    for stiffness in ("1e2", "1e4", "1e6", "1e8"):
        loss = f"{substitute(QUARTIC, '0.8*x + 0.6*y')} + {stiffness}*(0.8*y - 0.6*x)^2/2"
        minima = [[0.8 * u, 0.6 * u] for u in places]
        put(
            f"turned quartic in the plane, walls of {stiffness}, T = 0.1", "Gibbs occupancies", masses, 15, loss, ["x", "y"], (-3, 3), "0.1",
            GIBBS, method, minima=minima,
        )  # fmt: skip
    across = ["(2*x + y - 2*z)/3", "(2*x - 2*y + z)/3"]
    loss = f"{substitute(QUARTIC, '(x + 2*y + 2*z)/3')} + 2*({across[0]})^2 + 5*({across[1]})^2"
    minima = [[u / 3, 2 * u / 3, 2 * u / 3] for u in places]
    put("turned quartic in space, T = 0.1", "Gibbs occupancies", masses, 15, loss, ["x", "y", "z"], (-3, 3), "0.1", GIBBS, method, minima=minima)
    # θ − 0.4 Σθ is a mirror image; its parts are independent.
    names = [f"x{i}" for i in range(5)]
    part = [f"({name} - 0.4*({' + '.join(names)}))" for name in names]
    walls = " + ".join(f"{0.5 + 0.5 * i}*{part[i]}^2" for i in range(1, 5))
    loss = f"{part[0]}^4/4 - {part[0]}^2/2 + 0.1*{part[0]} + {walls}"
    minima = [[0.6 * u] + [-0.4 * u] * 4 for u in places]
    put("mirrored quartic in five dimensions, T = 0.1", "Gibbs occupancies", masses, 15, loss, names, (-3, 3), "0.1", GIBBS, method, minima=minima)


def products():
    """Sums of functions of one coordinate each."""
    method = "product of the masses on lines, by quadrature in 30 and 40 digits"
    wells = [QUARTIC, "y^4/4 - y^2/2 - 0.05*y", "0.8*(z^2 - 1)^2/4 + 0.02*z"]
    lines = [halves(w.replace("y", "x").replace("z", "x"), "0.15") for w in wells]
    for names in (["x", "y"], ["x", "y", "z"]):
        d = len(names)
        minima, masses = [], []
        for sides in itertools.product((0, 1), repeat=d):
            minima.append([lines[i][1][side] for i, side in enumerate(sides)])
            masses.append(mp.fprod(lines[i][0][side] for i, side in enumerate(sides)))
        loss = " + ".join(wells[:d])
        put(f"sum of {d} double wells, T = 0.15", "Gibbs occupancies", masses, 15, loss, names, (-2, 2), "0.15", GIBBS, method, minima=minima)
    names = [f"x{i}" for i in range(5)]
    loss = f"{QUARTIC.replace('x', 'x0')} + x1^4/4 - x1^2/2 - 0.05*x1 + x2^2 + 2*x3^2 + 0.5*x4^2"
    minima = [[lines[0][1][a], lines[1][1][b], 0, 0, 0] for a in (0, 1) for b in (0, 1)]
    masses = [lines[0][0][a] * lines[1][0][b] for a in (0, 1) for b in (0, 1)]
    put("sum of two double wells and three bowls, T = 0.15", "Gibbs occupancies", masses, 15, loss, names, (-2, 2), "0.15", GIBBS, method, minima=minima)


def polar(name, loss, temperature, integrand, minima, lowest, domain=(-2, 2)):
    """A loss with a symmetry that carries every minimum to every other: equal masses, and ∫ over the angle is a Bessel function."""
    count, t = len(minima), mp.mpf(temperature)
    method = "by symmetry"
    masses = [mp.mpf(1) / count] * count
    put(f"{name}, T = {temperature}", "Gibbs occupancies", masses, 15, loss, ["x", "y"], domain, temperature, GIBBS, method, minima=minima)
    edges = [mp.mpf(k) / 8 for k in range(0, 25)]
    value = mp.log(2 * mp.pi * mp.quad(lambda r: r * integrand(r, t), edges)) + lowest / t
    with mp.workdps(25):
        again = mp.log(2 * mp.pi * mp.quad(lambda r: r * integrand(r, t), [x + mp.mpf("0.01") * (0 < x < 3) for x in edges])) + lowest / t
    assert abs(value - again) < mp.mpf(10) ** -18
    # The plane, by brute force.
    grid = np.linspace(-2.4, 2.4, 2401)
    values = Formula(loss, ("x", "y")).double(grid[:, None], grid[None, :])
    plain = np.log(np.exp(-(values - float(lowest)) / float(t)).sum() * (grid[1] - grid[0]) ** 2)
    assert abs(plain - float(value)) < 1e-9, f"{name}: {plain} {value}"
    method = "integral over the angle by a Bessel function, over the radius by tanh-sinh quadrature in 45 and 25 digits; a sum over a grid of the plane agrees to 1e-9"
    put(f"{name}, normalisation, T = {temperature}", "log normalization", value, 15, loss, ["x", "y"], domain, temperature, NORM, method)


def symmetric():
    for soft, temperature in (("0.2", "0.1"), ("0.001", "0.1")):
        s = mp.mpf(soft)
        # At xy = −r²/2, r² = 1 + s/4.
        place = mp.sqrt((1 + s / 4) / 2)
        lowest = -s / 2 - s**2 / 16
        ring = lambda r, t: mp.exp(-((r * r - 1) ** 2) / t) * mp.besseli(0, s * r * r / (2 * t))
        polar(f"ring with a coupling of {soft}", f"(x^2 + y^2 - 1)^2 + {soft}*x*y", temperature, ring, [[-place, place], [place, -place]], lowest)
    # r⁴ + r³ cos 3φ: at r = 3/4 in three directions.
    r, root = mp.mpf(3) / 4, mp.sqrt(3) / 2
    monkey = lambda r, t: mp.exp(-(r**4) / t) * mp.besseli(0, r**3 / t)
    polar(
        "monkey saddle", "x^3 - 3*x*y^2 + (x^2 + y^2)^2", "0.03", monkey, [[-r, 0], [r / 2, -root * r], [r / 2, root * r]],
        -mp.mpf(27) / 256,
    )  # fmt: skip

    # Three wells, each the image of another turned by a third of a circle; at T = s the law is a mixture of three normal laws.
    parts, places = [], []
    for cosine, sine in (("1", "0"), ("(-1/2)", "(sqrt(3)/2)"), ("(-1/2)", "(-sqrt(3)/2)")):
        parts.append(f"exp(-((({cosine}*x + {sine}*y - 1)^2)*6 + 2*({cosine}*y - {sine}*x)^2)/0.2)")
        places.append([float(mp.mpf(eval(c.replace("sqrt(3)", "3**0.5")))) for c in (cosine, sine)])
    loss = f"-0.2*log({' + '.join(parts)})"
    formula = Formula(loss, ("x", "y"))
    minima = [newton(formula, place) for place in places]
    third = [mp.mpf(1) / 3] * 3
    for temperature in ("0.1", "0.2"):
        put(f"three wells in a triangle, T = {temperature}", "Gibbs occupancies", third, 15, loss, ["x", "y"], (-2, 2), temperature, GIBBS, "by symmetry", minima=minima)
    t = mp.mpf("0.2")
    value = mp.log(3 * 2 * mp.pi * t / mp.sqrt(12 * 4)) + formula.exact(*minima[0]) / t
    put(
        "three wells in a triangle, normalisation, T = 0.2", "log normalization", value, 15, loss, ["x", "y"], (-2, 2), "0.2", NORM,
        "closed: a sum of three normal laws; the minimum by Newton's method in 45 digits",
    )  # fmt: skip

    # (x, y) turned by an angle that grows with the radius: no area is changed.
    turn = "(1.2*(x^2 + y^2))"
    u, v = f"(x*cos{turn} + y*sin{turn})", f"(y*cos{turn} - x*sin{turn})"
    loss = f"({u}^2 - 1)^2 + 2*{v}^2"
    cosine, sine = mp.cos(mp.mpf("1.2")), mp.sin(mp.mpf("1.2"))
    minima = [[-cosine, -sine], [cosine, sine]]
    formula = Formula(loss, ("x", "y"))
    assert all(abs(formula.slope(i).exact(*minima[1])) < mp.mpf(10) ** -40 for i in (0, 1))
    half = [mp.mpf(1) / 2] * 2
    put("spiral, T = 0.2", "Gibbs occupancies", half, 15, loss, ["x", "y"], (-1.6, 1.6), "0.2", GIBBS, "by symmetry", minima=minima)
    well = line("(x^2 - 1)^2", "0.2")
    whole = [mp.fsum(basin[k] for basin in well.both[1]) for k in (0, 1)]
    method = "the turn changes no area, so that it is that of (u² − 1)² + 2v²: quadrature in u in 30 and 40 digits, closed in v"
    put("spiral, mean loss, T = 0.2", "mean excess loss", whole[1] / whole[0] + mp.mpf("0.1"), 15, loss, ["x", "y"], (-1.6, 1.6), "0.2", EXCESS, method)
    value = mp.log(whole[0] * mp.sqrt(mp.pi * mp.mpf("0.1")))
    put("spiral, normalisation, T = 0.2", "log normalization", value, 15, loss, ["x", "y"], (-1.6, 1.6), "0.2", NORM, method)


def valleys():
    """Valleys that bend, y = x²: y can be integrated without a quadrature."""
    closed = "closed: (x, y) → (x, y − x²) changes no area"
    t = mp.mpf("0.05")
    rosenbrock = "(1 - x)^2 + 100*(y - x^2)^2"
    put("Rosenbrock's valley, mean loss, T = 0.05", "mean excess loss", t, 15, rosenbrock, ["x", "y"], (-2, 3), "0.05", EXCESS, closed)
    put("Rosenbrock's valley, normalisation, T = 0.05", "log normalization", mp.log(mp.pi * t / 10), 15, rosenbrock, ["x", "y"], (-2, 3), "0.05", NORM, closed)
    v = t / 2
    spread = [[[v, 2 * v], [2 * v, 4 * v + 3 * v * v + t / 200]]]
    law = "⟨(θ − θ_A)(θ − θ_A)ᵀ⟩ under exp(−L/T)/Z, within the basin of every minimum θ_A"
    put("Rosenbrock's valley, spread, T = 0.05", "spread", spread, 15, rosenbrock, ["x", "y"], (-2, 3), "0.05", law, closed, minima=[[1, 1]])
    chain = f"{rosenbrock} + 100*(z - y^2)^2"
    put("Rosenbrock's chain in space, mean loss, T = 0.02", "mean excess loss", mp.mpf("0.03"), 15, chain, ["x", "y", "z"], (-2, 3), "0.02", EXCESS, closed)
    t = mp.mpf("0.02")
    value = mp.log(mp.sqrt(mp.pi * t) ** 3 / 100)
    put("Rosenbrock's chain in space, normalisation, T = 0.02", "log normalization", value, 15, chain, ["x", "y", "z"], (-2, 3), "0.02", NORM, closed)

    even = "(x^2 - 1)^2/4 + 100000*(y - x^2)^2"
    put(
        "bent valley between walls of 1e5, T = 0.1", "Gibbs occupancies", [mp.mpf(1) / 2] * 2, 15, even, ["x", "y"], (-2, 2), "0.1", GIBBS,
        "by symmetry", minima=[[-1, 1], [1, 1]],
    )  # fmt: skip
    for stiffness, temperature in (("5", "0.1"), ("50", "0.1"), ("1000", "0.1")):
        tilted_valley(stiffness, temperature)


def tilted_valley(stiffness, temperature):
    """The separatrix is the way of the flow into the saddle, followed backwards; the masses on its two sides are integrated in x in closed form
    where they are flat, else by Gauss's rule, along lines of equal y − x²."""
    loss = f"(x^2 - 1)^2/4 + 0.05*x + {stiffness}*(y - x^2)^2"
    formula, k, t = Formula(loss, ("x", "y")), float(stiffness), float(temperature)
    minima = [newton(formula, start) for start in ([-1, 1], [1, 1])]
    saddle = newton(formula, [0.05, 0.0])
    values, vectors = np.linalg.eigh(np.array(hessian(formula, saddle).tolist(), dtype=float))
    assert values[0] < 0 < values[1]
    start = np.array([float(x) for x in saddle])

    def share(tolerance, shift, order):
        # In coordinates x and w = y − x²: x′ = −(x³ − x + 0.05) + 4Kxw, w′ = −2Kw − 2x x′, followed backwards as x(w).
        def backwards(w, x):
            rise = x[0] ** 3 - x[0] + 0.05 - 4 * k * x[0] * w
            return [rise / (2 * k * w - 2 * x[0] * rise)]

        width = np.sqrt(t / (2 * k))
        curves = []
        for side in (1.0, -1.0):
            along = vectors[:, 1] * side * np.sign(vectors[1, 1]) * shift
            begin = start + along
            w = begin[1] - begin[0] ** 2
            assert w * side > 0
            reach = side * 9.0 * width
            curves.append((w, reach, scipy.integrate.solve_ivp(backwards, [w, reach], [begin[0]], method="Radau", rtol=tolerance, atol=1e-13, dense_output=True).sol))
        # Between the two begins the separatrix is nearly straight.
        (w0, high, above), (w1, low, below) = curves
        nodes, weights = np.polynomial.legendre.leggauss(order)

        def separatrix(w):
            if w > w0:
                return above(w)[0]
            if w < w1:
                return below(w)[0]
            return below(w1)[0] + (above(w0)[0] - below(w1)[0]) * (w - w1) / (w0 - w1)

        edge = start[0]
        weight = lambda x: np.exp(-((x * x - 1) ** 2 / 4 + 0.05 * x) / t)
        # The masses left of the separatrix and left of the saddle differ by what lies between.
        total = 0.0
        for a, b in ((low, 0.0), (0.0, high)):
            cut = np.linspace(a, b, 41)
            for c, d in zip(cut, cut[1:]):
                for node, weigh in zip(nodes, weights):
                    w = 0.5 * (c + d) + 0.5 * (d - c) * node
                    x = separatrix(w)
                    inner = 0.5 * (x - edge) * sum(wi * weight(0.5 * (x + edge) + 0.5 * (x - edge) * ni) for ni, wi in zip(nodes, weights))
                    total += 0.5 * (d - c) * weigh * np.exp(-k * w * w / t) * inner
        part = lambda a, b: scipy.integrate.quad(weight, a, b, epsabs=0, epsrel=1e-13, limit=500)[0]
        left, right = part(-4, -1) + part(-1, edge), part(edge, 1) + part(1, 4)
        return (left + total / np.sqrt(np.pi * t / k)) / (left + right)

    first, second = share(1e-10, 1e-4, 12), share(1e-12, 1e-5, 20)
    error = abs(first - second)
    assert error < 1e-8, f"{loss}: {first} {second}"
    digits = min(10, int(-np.log10(max(error, 1e-12) / 0.2)) - 1)
    put(
        f"bent and tilted valley, walls of {stiffness}, T = {temperature}", "Gibbs occupancies", [second, 1 - second], digits, loss, ["x", "y"], (-2, 2),
        temperature, GIBBS,
        "separatrix by Radau IIA from the saddle backwards, masses along lines of equal y − x² by Gauss's rule; two tolerances, orders and starts",
        minima=minima,
    )  # fmt: skip


def laplace():
    t = mp.mpf("0.15")
    well = line(QUARTIC, "0.15")
    other = line("x^4/4 - x^2/2 - 0.05*x", "0.15")
    weights, minima = [], []
    for a, b in itertools.product((0, 1), repeat=2):
        x, y = well.minima[a], other.minima[b]
        minima.append([x, y])
        weights.append(mp.exp(-(well.loss.exact(x) + other.loss.exact(y)) / t) / mp.sqrt(well.curvature.exact(x) * other.curvature.exact(y)))
    add(
        "sum of 2 double wells by Laplace's formula, T = 0.15", "Laplace occupancies", [w / mp.fsum(weights) for w in weights], 15,
        loss=f"{QUARTIC} + y^4/4 - y^2/2 - 0.05*y", variables=["x", "y"], domain=[[-2, 2], [-2, 2]], temperature=0.15, minima=minima,
        law="p_A = (det H_A)^(−1/2) exp(−L_A/T), normalised", source="Jastrzebski et al. 2017, arXiv:1711.04623, eq. (9)",
        method="exact derivatives at the minima, which are found by Newton's method in 45 digits",
    )  # fmt: skip


def kramers():
    law = "τ = 2π √(|det H_s|/det H_A)/|λ_s| · e^((L_s − L_A)/T), λ_s the negative eigenvalue at the saddle s"
    source, method = "Kramers 1940; Berglund 2013, arXiv:1106.5799, eq. (1.7)", "exact derivatives at critical points, which are found by Newton's method in 45 digits"
    from .line import SHARP

    for name, text, temperature in (("quartic", QUARTIC, "0.1"), ("sharp to wide well", SHARP, "0.2")):
        case = line(text, temperature)
        a, s = case.minima[0], case.ridges[0]
        h, bend = case.curvature.exact(a), -case.curvature.exact(s)
        time = 2 * mp.pi / mp.sqrt(h * bend) * mp.exp((case.loss.exact(s) - case.loss.exact(a)) / mp.mpf(temperature))
        add(
            f"{name} by Kramers's formula, T = {temperature}", "Kramers time", time, 15, loss=text, variables=["x"], domain=[[-3, 3]],
            temperature=float(temperature), minima=[[x] for x in case.minima], law=law, source=source, method=method, **{"from": [float(a)], "to": [float(case.minima[1])]},
        )  # fmt: skip
    text = "(x^2 - 1)^2/4 + 0.05*x + 50*(y - x^2)^2"
    formula, t = Formula(text, ("x", "y")), mp.mpf("0.05")
    well, other, saddle = (newton(formula, start) for start in ([-1, 1], [1, 1], [0.05, 0]))
    at_well, at_saddle = hessian(formula, well), hessian(formula, saddle)
    eigenvalues = mp.eigsy(at_saddle, eigvals_only=True)
    assert eigenvalues[0] < 0 < eigenvalues[1]
    time = 2 * mp.pi * mp.sqrt(-mp.det(at_saddle) / mp.det(at_well)) / -eigenvalues[0] * mp.exp((formula.exact(*saddle) - formula.exact(*well)) / t)
    add(
        "bent valley by Kramers's formula, T = 0.05", "Kramers time", time, 15, loss=text, variables=["x", "y"], domain=[[-2, 2], [-2, 2]],
        temperature=0.05, minima=[well, other], law=law, source=source, method=method, **{"from": [float(x) for x in well], "to": [float(x) for x in other]},
    )  # fmt: skip


def cases():
    rotated()
    products()
    symmetric()
    valleys()
    laplace()
    kramers()
