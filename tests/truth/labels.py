"""Which minimum the gradient flow reaches, by an independent stiff integration: makes labels.json.

    python labels.py [POINTS]          # 10000; needs numpy, scipy and sympy; half an hour on one core

The flow dθ/dt = −∇L is followed from points of a Kronecker sequence by LSODA (Petzold 1983) at rtol = 1e-10, with exact slopes and
Hessians by sympy, until it is within 1e-3 of the domain's side of a minimum. Every hundredth point is followed by Radau IIA (Hairer & Wanner
1996) as well, and the two have to agree; so does every point that LSODA gives up.
"""

import json
import pathlib
import sys

import numpy as np
import scipy.integrate
import scipy.optimize
import sympy

RING = "(x^2 + y^2 - 1)^2 + 1e-6*x*y"
VALLEY = "(0.93*x + 0.3676*y)^4/4 - (0.93*x + 0.3676*y)^2/2 + 0.1*(0.93*x + 0.3676*y) + 1e6*(0.93*y - 0.3676*x)^2/2"
# A double well in coordinates that are turned by an angle that grows with the distance from the origin.
TURN = "(1.2*(x^2 + y^2))"
SPIRAL = f"((x*cos{TURN} + y*sin{TURN})^2 - 1)^2 + 2*(y*cos{TURN} - x*sin{TURN})^2 + 0.1*x"
WELLS = [
    (0.0, [-1.0, 0.0, 0.2, 0.0, 0.0], [2.0, 5.0, 1.0, 3.0, 0.5]),
    (0.1, [1.0, 0.3, 0.0, -0.2, 0.0], [1.0, 2.0, 4.0, 0.7, 1.0]),
    (0.2, [0.0, -1.0, 0.0, 0.5, 0.8], [3.0, 1.0, 1.5, 2.0, 0.8]),
]


def wells():
    """A soft minimum of three parabolas."""

    def parabola(loss, place, curvatures):
        squares = (f"{h}*(x{i} - {m})^2" for i, (m, h) in enumerate(zip(place, curvatures)))
        return f"exp(-({loss} + ({' + '.join(squares)})/2)/0.1)"

    return "-0.1*log(" + " + ".join(parabola(*well) for well in WELLS) + ")"


LANDSCAPES = [
    ("ring", ["x", "y"], RING, [-2.0, 2.0]),
    ("tilted valley", ["x", "y"], VALLEY, [-3.0, 3.0]),
    ("bent valley", ["x", "y"], "(x^2 - 1)^2/4 + 0.05*x + 1e3*(y - x^2)^2", [-2.0, 2.0]),
    ("narrow bent valley", ["x", "y"], "(x^2 - 1)^2/4 + 0.05*x + 5e5*(y - x^2)^2", [-2.0, 2.0]),
    ("spiral", ["x", "y"], SPIRAL, [-1.6, 1.6]),
    ("three wells", [f"x{i}" for i in range(5)], wells(), [-2.0, 2.0]),
]


def kronecker(index, dimension):
    """Point `index` in the unit cube: fractions of 1/2 + index/φʲ, φ the root of φ^(d+1) = φ + 1 (Roberts 2018)."""
    phi = 2.0
    for _ in range(60):
        phi = (1.0 + phi) ** (1.0 / (dimension + 1.0))
    return [(0.5 + index / phi**j) % 1.0 for j in range(1, dimension + 1)]


class Landscape:
    def __init__(self, variables, formula, domain):
        symbols = sympy.symbols(variables)
        loss = sympy.sympify(formula.replace("^", "**"), locals=dict(zip(variables, symbols)))
        slope = [loss.diff(symbol) for symbol in symbols]
        hessian = [[entry.diff(symbol) for symbol in symbols] for entry in slope]
        self.gradient = sympy.lambdify([symbols], slope, "math", cse=True)
        self.hessian = sympy.lambdify([symbols], hessian, "math", cse=True)
        self.low, self.high = domain
        self.dimension = len(variables)
        self.minima = []
        self.softest = 1.0

    def point(self, index):
        return [self.low + (self.high - self.low) * u for u in kronecker(index, self.dimension)]

    def find_minima(self):
        """Where the flows of 300 other points end, made exact by Newton's method."""
        for index in range(300):
            start = self.point(20_011 + index)
            flow = scipy.integrate.solve_ivp(
                self.descent, [0.0, 1e8], start, method="LSODA", jac=self.jacobian, rtol=1e-8, atol=1e-10
            )
            root = scipy.optimize.root(self.gradient, flow.y[:, -1], jac=self.hessian, tol=1e-14).x
            eigenvalues = np.linalg.eigvalsh(np.array(self.hessian(root)))
            inside = np.all((root >= self.low) & (root <= self.high))
            known = any(np.linalg.norm(root - other) < 1e-5 for other in self.minima)
            if eigenvalues[0] > 0.0 and inside and not known and np.linalg.norm(self.gradient(root)) < 1e-9:
                self.minima.append(root)
                self.softest = min(self.softest, eigenvalues[0])
        self.minima.sort(key=list)

    def descent(self, _, place):
        return [-g for g in self.gradient(place)]

    def jacobian(self, _, place):
        return [[-h for h in row] for row in self.hessian(place)]

    def label(self, start, method):
        """The minimum whose surroundings the flow reaches; None where it reaches none in 10⁴ relaxation times."""
        near = 1e-3 * (self.high - self.low)
        time, place, span = 0.0, start, 30.0 / self.softest
        while time < 1e4 / self.softest:
            flow = scipy.integrate.solve_ivp(
                self.descent, [0.0, span], place, method=method, jac=self.jacobian, rtol=1e-10, atol=1e-12
            )
            if not flow.success:
                return None
            place = flow.y[:, -1]
            for label, minimum in enumerate(self.minima):
                if np.linalg.norm(place - minimum) < near:
                    return label
            time += span
            span *= 4.0
        return None


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    result = []
    for name, variables, formula, domain in LANDSCAPES:
        landscape = Landscape(variables, formula, domain)
        landscape.find_minima()
        labels, differences = "", 0
        for index in range(count):
            start = landscape.point(index)
            label = landscape.label(start, "LSODA")
            if label is None or index % 100 == 0:
                other = landscape.label(start, "Radau")
                differences += label is not None and other != label
                label = other
            labels += "-" if label is None else str(label)
        print(f"{name}: {len(landscape.minima)} minima, {labels.count('-')} nowhere, {differences} differences", flush=True)
        minima = [list(minimum) for minimum in landscape.minima]
        result.append(dict(name=name, variables=variables, formula=formula, domain=domain, minima=minima, labels=labels))
    path = pathlib.Path(__file__).with_name("labels.json")
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
