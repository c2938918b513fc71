"""Parabolas: stationary covariances of every method, and moments at a time. All noise is additive but that of least squares.

Each stationary covariance is the limit of the recursion that defines the method, taken by doubling (2ᵏ steps after k), in 40 digits, and
again the solution of a linear equation or a closed form.
"""

import itertools

from mpmath import mp

from .table import add, agreed

LYAPUNOV = "Gardiner, Stochastic Methods (4th ed. 2009), §4.4.6; Mandt, Hoffman & Blei 2017, arXiv:1704.04289"
DOUBLING = "the recursion's limit by doubling in 40 digits; "


def matrix(rows):
    return mp.matrix([[mp.mpf(str(x)) for x in row] for row in rows])


def rows(m):
    """What rounding leaves of a zero is a zero."""
    least = mp.mnorm(m, "f") * mp.mpf(10) ** -35
    return [[m[i, j] if abs(m[i, j]) > least else 0.0 for j in range(m.cols)] for i in range(m.rows)]


def limit(a, noise):
    """Σ = AΣAᵀ + N by doubling."""
    total, power = noise.copy(), a.copy()
    for _ in range(200):
        more = power * total * power.T
        total, power = total + more, power * power
        if mp.mnorm(more, "f") < mp.mpf(10) ** -44 * mp.mnorm(total, "f"):
            return total
    raise AssertionError("not stable")


def kronecker(a, b):
    return mp.matrix([[a[i, j] * b[k, l] for j in range(a.cols) for l in range(b.cols)] for i in range(a.rows) for k in range(b.rows)])


def solve(equation, source):
    """Of a linear equation for the entries of a matrix, row after row."""
    d = source.rows
    solved = mp.lu_solve(equation, mp.matrix([source[i, j] for i in range(d) for j in range(d)]))
    return mp.matrix([[solved[i * d + j] for j in range(d)] for i in range(d)])


def fixed_point(a, noise):
    d = a.rows
    return solve(mp.eye(d * d) - kronecker(a, a), noise)


def same(first, second):
    assert mp.mnorm(first - second, "f") < mp.mpf(10) ** -30 * mp.mnorm(first, "f"), f"{first}\n{second}"


def put(name, value, law, source, method, **given):
    add(name, "stationary covariance", rows(value), 15, law=law, source=source, method=method, **given)


H2, C2 = [[2, 0.5], [0.5, 1]], [[1, -0.2], [-0.2, 0.7]]
H3, C3 = [[3, 1, 0], [1, 2, -0.5], [0, -0.5, 0.4]], [[1, 0.3, 0], [0.3, 2, 0.1], [0, 0.1, 0.5]]
STIFF = [[10000, 0], [0, 1]], [[1, 0.5], [0.5, 1]]


def schemes():
    for tag, (hessian, covariance), scale, steps in (
        ("two coordinates", (H2, C2), 0.1, (0, 0.1, 0.8)),
        ("three coordinates", (H3, C3), 0.05, (0, 0.4)),
        ("a condition number of 1e4", STIFF, 0.01, (0, 1e-4)),
    ):
        h, c, n = matrix(hessian), matrix(covariance), mp.mpf(str(scale))
        d = h.rows
        one = mp.eye(d)
        for step in steps:
            delta = mp.mpf(str(step))
            given = dict(hessian=hessian, covariance=covariance, noise_scale=scale, step=step)
            if step == 0:
                sigma = solve(kronecker(h, one) + kronecker(one, h), n * c)
                values, vectors = mp.eigsy(h)
                inside = vectors.T * c * vectors
                closed = mp.matrix([[n * inside[i, j] / (values[i] + values[j]) for j in range(d)] for i in range(d)])
                same(sigma, vectors * closed * vectors.T)
                put(f"bowl, SDE, {tag}", sigma, "HΣ + ΣH = nC", LYAPUNOV, "linear equation, and by eigenvectors, in 45 digits", scheme="SDE", **given)
                continue
            a, noise = one - delta * h, n * delta * c
            sigma = limit(a, noise)
            same(sigma, fixed_point(a, noise))
            put(f"bowl, Euler-Maruyama, {tag}, step {step}", sigma, "HΣ + ΣH − δHΣH = nC", LYAPUNOV, DOUBLING + "linear equation", scheme="Euler-Maruyama", **given)
            if step != 0.4 and d == 2 and tag == "two coordinates":
                # The state is (θ, ξ): θ ← Aθ + √(nδ)B(ξ + ξ′)/2.
                root = mp.cholesky(c) * mp.sqrt(n * delta)
                big = mp.zeros(2 * d)
                gain = mp.zeros(2 * d, d)
                for i, j in itertools.product(range(d), repeat=2):
                    big[i, j], big[i, d + j], gain[i, j] = a[i, j], root[i, j] / 2, root[i, j] / 2
                for i in range(d):
                    gain[d + i, i] = 1
                whole = limit(big, gain * gain.T)
                same(whole, fixed_point(big, gain * gain.T))
                put(
                    f"bowl, Leimkuhler-Matthews, {tag}, step {step}", whole[:d, :d], "θ ← θ − δHθ + √(nδ)B(ξ + ξ′)/2, ξ′ the next step's ξ",
                    "Leimkuhler & Matthews 2013, doi:10.1093/amrx/abs010", DOUBLING + "linear equation", scheme="Leimkuhler-Matthews", **given,
                )  # fmt: skip
                a, b = one - delta * h + delta**2 * h * h / 2, (one - delta * h / 2) * root
                sigma = limit(a, b * b.T)
                same(sigma, fixed_point(a, b * b.T))
                put(
                    f"bowl, Heun, {tag}, step {step}", sigma, "θ̂ = θ − δHθ + √(nδ)Bξ, θ ← θ − δH(θ + θ̂)/2 + √(nδ)Bξ",
                    "Kloeden & Platen 1992, §15.1 (additive noise)", DOUBLING + "linear equation", scheme="Platen", **given,
                )  # fmt: skip


def momentum():
    for h, variance, rate, mu, batch in ((1, 1, 0.5, 0.5, 1), (1, 1, 1, 0.9, 1), (1, 1, 3, 0.9, 1), (2.5, 4, 0.02, 0.99, 8)):
        eta, m, c = (mp.mpf(str(x)) for x in (rate, mu, variance))
        z = eta * mp.mpf(str(h))
        # v ← μv − η(hθ + noise), θ ← θ + v.
        a, gain = mp.matrix([[1 - z, m], [-z, m]]), mp.matrix([[-eta], [-eta]])
        noise = gain * gain.T * c / batch
        sigma = limit(a, noise)
        same(sigma, fixed_point(a, noise))
        closed = eta**2 * c / batch * (1 + m) / ((1 - m) * z * (2 * (1 + m) - z))
        assert abs(sigma[0, 0] / closed - 1) < mp.mpf(10) ** -30
        put(
            f"bowl, heavy ball, h = {h}, learning rate {rate}, momentum {mu}", sigma[:1, :1],
            "θ ← θ + v, v ← μv − η(hθ + ε), Var ε = c/S: η²(c/S)(1 + μ)/((1 − μ)ηh(2(1 + μ) − ηh))", "Box & Jenkins 1970, §3.2.4",
            DOUBLING + "closed form of the autoregression", scheme="heavy ball", curvature=h, variance=variance, learning_rate=rate,
            momentum=mu, batch=batch,
        )  # fmt: skip


def epochs():
    law = "θ ← θ − η(Hθ + mean of ξ over the batch), batches in turn from a random order of the examples, a new one each epoch; E θθᵀ averaged over the steps of an epoch"
    for tag, examples, hessian, rate, batch in (
        ("one coordinate", [[1], [2], [-4], [1]], [[1.7]], 0.3, 1),
        ("an odd example out", [[1], [2], [-4], [3], [-2]], [[1]], 0.5, 2),
        ("two coordinates", [[1, 0], [-1, 1], [2, -1], [-1, -1], [-1, 1]], H2, 0.2, 1),
    ):
        h, xi, eta = matrix(hessian), [mp.matrix(x) for x in examples], mp.mpf(str(rate))
        d, count = h.rows, len(xi)
        steps, a = count // batch, mp.eye(h.rows) - eta * h
        moments, orders = [mp.zeros(d) for _ in range(steps)], 0
        for order in itertools.permutations(range(count)):
            theta, orders = mp.zeros(d, 1), orders + 1
            for k in range(steps):
                mean = mp.zeros(d, 1)
                for example in order[k * batch : (k + 1) * batch]:
                    mean += xi[example] / batch
                theta = a * theta - eta * mean
                moments[k] += theta * theta.T
        moments = [m / orders for m in moments]
        start = limit(a**steps, moments[-1])
        same(start, fixed_point(a**steps, moments[-1]))
        total = mp.zeros(d)
        for k in range(steps):
            total += (a ** (k + 1) * start * (a ** (k + 1)).T + moments[k]) / steps
        put(
            f"bowl, shuffled epochs, {tag}", total, law, "the definition: HaoChen & Sra 2019, arXiv:1806.10077",
            f"all {orders} orders, in 45 digits; the epoch's start by doubling and by a linear equation", scheme="shuffled epochs", hessian=hessian,
            examples=examples, learning_rate=rate, batch=batch,
        )  # fmt: skip


def least_squares():
    law = "u ← u − η mean over the batch of (x·u − ε)x: E uuᵀ at rest"
    source = "Ziyin, Liu, Mori & Ueda 2022, arXiv:2102.05375"
    for hessian, noise, rate, batch, excess in (
        ([[1]], 1, 0.2, 1, "0.142857142857142857142857142857142857142857143"),
        ([[1]], 1, 0.5, 4, "0.1"),
        ([[1, 0, 0], [0, 0.3, 0], [0, 0, 0.1]], 1, 0.3, 2, None),
        ([[1, 0.3], [0.3, 0.5]], 0.25, 0.5, 1, None),
    ):
        h, eta, s2 = matrix(hessian), mp.mpf(str(rate)), mp.mpf(str(noise))
        d, root = h.rows, mp.cholesky(h)
        # Fourth moments of normal features by Gauss and Hermite's rule of three points, which is exact for them.
        places = [(mp.mpf(0), mp.mpf(2) / 3), (mp.sqrt(3), mp.mpf(1) / 6), (-mp.sqrt(3), mp.mpf(1) / 6)]
        fourth = mp.zeros(d * d)
        for draw in itertools.product(places, repeat=d):
            x = root * mp.matrix([place for place, _ in draw])
            fourth += mp.fprod(weight for _, weight in draw) * kronecker(x * x.T, x * x.T)
        one, square = mp.eye(d), kronecker(h, h)
        step = mp.eye(d * d) - eta * (kronecker(h, one) + kronecker(one, h)) + eta**2 * (fourth / batch + square * (batch - 1) / batch)
        sigma = solve(mp.eye(d * d) - step, eta**2 * s2 / batch * h)
        # The same by a hundred thousand steps and more, as powers.
        total, power, source_term = mp.zeros(d * d, 1), step, mp.matrix([eta**2 * s2 / batch * h[i, j] for i in range(d) for j in range(d)])
        total = source_term
        for _ in range(20):
            total, power = total + power * total, power * power
        same(sigma, mp.matrix([[total[i * d + j] for j in range(d)] for i in range(d)]))
        if excess:
            assert abs((h * sigma)[0, 0] - mp.mpf(excess)) < mp.mpf(10) ** -30
        put(
            f"least squares, normal features of {d} coordinate{'s' * (d > 1)}, learning rate {rate}, batches of {batch}", sigma, law, source,
            "moments by a Gauss-Hermite rule that is exact for them; linear equation, and 2²⁰ steps by doubling, in 45 digits",
            scheme="least squares, normal features", hessian=hessian, variance=noise, learning_rate=rate, batch=batch,
        )  # fmt: skip
    features = [[1, 0.5], [-0.5, 1], [0.3, -0.8], [1.2, 0.1], [-0.7, -0.4]]
    targets = [1, -0.5, 0.4, 0.2, -0.3]
    xs = [matrix([[x] for x in row]) for row in features]
    count, d = len(xs), 2
    h = mp.zeros(d)
    for x in xs:
        h += x * x.T / count
    moment = mp.zeros(d, 1)
    for x, y in zip(xs, targets):
        moment += x * mp.mpf(str(y)) / count
    best = mp.lu_solve(h, moment)
    residuals = [mp.mpf(str(y)) - (x.T * best)[0] for x, y in zip(xs, targets)]
    for replacement, batch, rate in ((True, 1, 0.3), (True, 3, 0.8), (False, 2, 0.8)):
        eta = mp.mpf(str(rate))
        drawn = itertools.product(range(count), repeat=batch) if replacement else itertools.combinations(range(count), batch)
        step, noise, total = mp.zeros(d * d), mp.zeros(d), 0
        for chosen in drawn:
            own, pull, total = mp.eye(d), mp.zeros(d, 1), total + 1
            for i in chosen:
                own -= eta * xs[i] * xs[i].T / batch
                pull += eta * residuals[i] * xs[i] / batch
            step += kronecker(own, own)
            noise += pull * pull.T
        step, noise = step / total, noise / total
        sigma = solve(mp.eye(d * d) - step, noise)
        vector = mp.matrix([noise[i, j] for i in range(d) for j in range(d)])
        power = step
        for _ in range(24):
            vector, power = vector + power * vector, power * power
        same(sigma, mp.matrix([[vector[i * d + j] for j in range(d)] for i in range(d)]))
        put(
            f"least squares, five examples, {'with' if replacement else 'without'} replacement, batches of {batch}", sigma,
            "u ← u − η mean over the batch of (x·u − e)x, e the residual at the least-squares solution: E uuᵀ at rest", source,
            f"all {total} batches; linear equation, and 2²⁴ steps by doubling, in 45 digits", scheme="least squares, examples", features=features,
            targets=targets, replacement=replacement, learning_rate=rate, batch=batch,
        )  # fmt: skip


def moments():
    """E f of SGD and of its SDEs at a time."""
    source = "Li, Tai & E 2017, arXiv:1511.06251"
    for rate, steps in ((0.1, 10), (0.05, 20), (0.025, 40), (0.0125, 80)):
        eta, second = mp.mpf(str(rate)), mp.mpf(1)
        for _ in range(steps):
            second = (1 - eta) ** 2 * second + eta**2
        closed = (1 - eta) ** (2 * steps) + eta**2 * (1 - (1 - eta) ** (2 * steps)) / (1 - (1 - eta) ** 2)
        assert abs(second - closed) < mp.mpf(10) ** -40
        for order, rate_of in (("first", mp.mpf(1)), ("second", 1 + eta / 2)):
            of_sde = mp.exp(-2 * rate_of) + eta * (1 - mp.exp(-2 * rate_of)) / (2 * rate_of)
            # The same by 2,000 steps of Taylor's method of order 8 for m′ = −2um + η.
            m, small = mp.mpf(1), mp.mpf(1) / 2000
            for _ in range(2000):
                slope, add_up, factor = -2 * rate_of * m + eta, m, small
                for k in range(1, 9):
                    add_up += slope * factor
                    slope, factor = -2 * rate_of * slope, factor * small / (k + 1)
                m = add_up
            assert abs(m - of_sde) < mp.mpf(10) ** -28
            add(
                f"weak error of order {order}, learning rate {rate}", "weak error", of_sde - second, 14, hessian=[[1]], covariance=[[1]], batch=1,
                start=[1], learning_rate=rate, steps=steps, process=order,
                law="E x² of the SDE less E x² of SGD at t = 1, L = x²/2; order two has the drift −∇(L + (η/4)|∇L|²)", source=source,
                method="SGD step by step and closed, the SDE closed and by Taylor's method of order 8, in 45 digits",
            )  # fmt: skip
    h, c = matrix(H2), matrix(C2)
    rate, batch, steps, start = 0.1, 4, 7, [1.5, -1]
    eta, begin = mp.mpf(str(rate)), matrix([[x] for x in start])
    mean, spread = begin.copy(), mp.zeros(2)
    a = mp.eye(2) - eta * h
    for _ in range(steps):
        mean, spread = a * mean, a * spread * a.T + eta**2 / batch * c
    results = [("SGD", mean, spread)]
    for process, drift in (("first", h), ("second", h + eta / 2 * h * h)):
        time = eta * steps
        flow = mp.expm(-drift * time)
        rest = solve(kronecker(drift, mp.eye(2)) + kronecker(mp.eye(2), drift), eta / batch * c)
        spread = rest - flow * rest * flow.T
        # ∫ e^(−us) (nC) e^(−us) ds by Gauss's rule.
        from .quadrature import rule

        nodes, weights, _ = rule(40, 40)
        plain = mp.zeros(2)
        for node, weight in zip(nodes, weights):
            part = mp.expm(-drift * time * (1 + node) / 2)
            plain += time / 2 * weight * eta / batch * part * c * part.T
        same(spread, plain)
        results.append((process, flow * begin, spread))
    for process, mean, spread in results:
        add(
            f"moments of {'SGD' if process == 'SGD' else 'the SDE of order ' + process} in two coordinates", "moments", [[x for x in mean], *rows(spread)], 14,
            hessian=H2, covariance=C2, batch=batch, start=start, learning_rate=rate, steps=steps, process=process,
            law="mean of θ, then the rows of its covariance, at t = kη", source=source,
            method="SGD step by step; the SDE by matrix exponentials and by Gauss's rule, in 45 digits",
        )  # fmt: skip


def cases():
    schemes()
    momentum()
    epochs()
    least_squares()
    moments()
