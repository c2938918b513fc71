"""Formulas as functions: in mpmath's numbers of any precision, and in doubles."""

import numpy as np
import scipy.optimize
import sympy
from mpmath import mp

FUNCTIONS = {
    "softplus": lambda u: sympy.log(1 + sympy.exp(u)),
    "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)),
}


def stable(function):
    """Without warnings where exp(800) is infinite on the way to a 1/(1 + ∞) = 0."""

    def quiet(*arguments):
        with np.errstate(over="ignore"):
            return function(*arguments)

    return quiet


class Formula:
    """A formula in some variables. Its decimals are taken as they are written: 0.1 is a tenth."""

    def __init__(self, text, variables=("x",)):
        self.text, self.variables = text, list(variables)
        symbols = {name: sympy.Symbol(name, real=True) for name in variables}
        self.symbols = [symbols[name] for name in variables]
        self.expression = sympy.sympify(text.replace("^", "**"), locals=symbols | FUNCTIONS, rational=True)
        self.exact = sympy.lambdify(self.symbols, self.expression, "mpmath")
        self.double = stable(sympy.lambdify(self.symbols, self.expression, "numpy", cse=True))

    def slope(self, *which):
        """The derivative by some of the variables, by number: (0, 0) is the second by the first."""
        result = Formula.__new__(Formula)
        result.text, result.variables, result.symbols = None, self.variables, self.symbols
        result.expression = self.expression.diff(*(self.symbols[i] for i in which))
        result.exact = sympy.lambdify(result.symbols, result.expression, "mpmath")
        result.double = stable(sympy.lambdify(result.symbols, result.expression, "numpy", cse=True))
        return result


def critical_points(loss, low, high, scan=40_001):
    """Minima and maxima of a formula on a line between `low` and `high`, in turn, to the working precision."""
    slope, bend = loss.slope(0), loss.slope(0, 0)
    grid = np.linspace(low, high, scan) + 1e-7 * (high - low)
    values = np.broadcast_to(slope.double(grid), grid.shape)
    minima, maxima = [], []
    for i in np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0):
        start = scipy.optimize.brentq(lambda x: float(slope.double(x)), grid[i], grid[i + 1], xtol=1e-15)
        root = mp.mpf(start)
        for _ in range(6):
            root -= slope.exact(root) / bend.exact(root)
        assert abs(root - start) < 1e-9, "Newton's method left its root"
        (minima if bend.exact(root) > 0 else maxima).append(root)
    return minima, maxima


def newton(loss, start):
    """A critical point in several variables, to the working precision."""
    d = len(loss.variables)
    slopes = [loss.slope(i).exact for i in range(d)]
    bends = [[loss.slope(i, j).exact for j in range(d)] for i in range(d)]
    place = mp.matrix(start)
    for _ in range(60):
        at = list(place)
        step = mp.lu_solve(mp.matrix([[bend(*at) for bend in row] for row in bends]), mp.matrix([s(*at) for s in slopes]))
        place -= step
        if mp.norm(step) < mp.mpf(10) ** (5 - mp.dps):
            return list(place)
    raise AssertionError("Newton's method does not settle")


def hessian(loss, place):
    d = len(loss.variables)
    return mp.matrix([[loss.slope(i, j).exact(*place) for j in range(d)] for i in range(d)])
