"""Gauss-Legendre quadrature in any precision, with indefinite integrals at the nodes."""

import functools

import numpy as np
from mpmath import mp


def legendre(order, x):
    """P_0(x) … P_order(x)."""
    values = [mp.mpf(1), x]
    for k in range(1, order):
        values.append(((2 * k + 1) * x * values[k] - k * values[k - 1]) / (k + 1))
    return values


@functools.cache
def rule(order, digits):
    """Nodes, weights, and the matrix of the integrals from −1 to node i of the polynomial that is 1 at node j."""
    with mp.workdps(digits + 5):
        nodes = [mp.mpf(float(x)) for x in np.polynomial.legendre.leggauss(order)[0]]
        for _ in range(8):
            for i, x in enumerate(nodes):
                values = legendre(order, x)
                slope = order * (x * values[order] - values[order - 1]) / (x * x - 1)
                nodes[i] = x - values[order] / slope
        weights, table = [], []
        for x in nodes:
            values = legendre(order, x)
            slope = order * (x * values[order] - values[order - 1]) / (x * x - 1)
            weights.append(2 / ((1 - x * x) * slope * slope))
            table.append(values)
        rise = [[x + 1] + [(row[k + 1] - row[k - 1]) / (2 * k + 1) for k in range(1, order)] for x, row in zip(nodes, table)]
        half = mp.mpf(1) / 2
        matrix = [
            [weights[j] * mp.fsum((2 * k + 1) * half * table[j][k] * rise[i][k] for k in range(order)) for j in range(order)]
            for i in range(order)
        ]
        return nodes, weights, matrix


class Panels:
    """Gauss-Legendre panels between some edges, each gap cut in `panels` parts."""

    def __init__(self, edges, panels, order):
        self.nodes, self.weights, self.matrix = rule(order, mp.dps)
        cut = [a + (b - a) * k / panels for a, b in zip(edges, edges[1:]) for k in range(panels)] + [edges[-1]]
        self.halves = [(b - a) / 2 for a, b in zip(cut, cut[1:])]
        self.places = [[a + half * (1 + x) for x in self.nodes] for a, half in zip(cut, self.halves)]
        self.gaps, self.panels = len(edges) - 1, panels

    def of(self, f):
        """The values of a function at all nodes, panel by panel."""
        return [[f(x) for x in panel] for panel in self.places]

    def integral(self, values):
        """The integral over every gap."""
        parts = [half * mp.fdot(self.weights, panel) for half, panel in zip(self.halves, values)]
        return [mp.fsum(parts[k * self.panels : (k + 1) * self.panels]) for k in range(self.gaps)]

    def cumulative(self, values, start=0):
        """The integral up to every node, from the first edge on."""
        result, before = [], mp.mpf(start)
        for half, panel in zip(self.halves, values):
            result.append([before + half * mp.fdot(row, panel) for row in self.matrix])
            before += half * mp.fdot(self.weights, panel)
        return result


def twice(compute, panels, orders=(20, 26), digits=(30, 40)):
    """A computation by two rules in two precisions: `compute(panels, order)`."""
    results = []
    for scale, order, precision in zip((1.0, 1.4), orders, digits):
        with mp.workdps(precision):
            results.append(compute(int(panels * scale), order))
    return results
