"""Which minimum the gradient flow reaches, by an independent stiff integration: makes labels.json.

    python labels.py [POINTS]          # 10000; needs numpy, scipy and sympy; a few minutes on one core

The flow dθ/dt = −∇L is followed from points 1, 2, … of a Kronecker sequence, with exact slopes and Hessians by sympy, until it is within a
thousandth of the domain's side of a minimum. All points go side by side, each with steps of its own, by the linearly implicit Euler method extrapolated
to order 6 (Deuflhard 1983; Hairer & Wanner 1996, §IV.9) at a tolerance of 1e-8. Other integrators have to agree with it:

- LSODA (Petzold 1983) at rtol = 1e-10 from every twentieth point, and from every point that has a neighbour with another label: there its word counts (in five dimensions every tenth of those);
- Radau IIA of order 5 (Hairer & Wanner 1996, §IV.8) at rtol = 1e-10 from every thousandth point;
- where the separatrix is known (a line of symmetry, or a loss that is a sum of two functions), every point is on the right side of it.

`near` lists the points from which a displacement by a thousandth of the domain's side along some axis leads to another minimum: they are too close
to the separatrix to be held against anybody. They are looked for among the points that have a neighbour with another label.

In labels.json, labels[i − 1] is the place in `minima` of the minimum that point i flows to ("-": none of them). Coordinate j (from 1) of point i is
low + (high − low)·u, u the fraction of 1/2 + i/φʲ, φ the root of φ^(d+1) = φ + 1, d the number of coordinates.
"""

import json
import pathlib
import sys
import time

import numpy as np
import scipy.integrate
import scipy.spatial
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




def by_mirror(point):
    """The ring and its coupling are the same with x and y exchanged: no flow crosses x = y. The minimum at x < y comes first."""
    return int(point[0] > point[1])


def by_ridge(point):
    """The valley is a sum of functions of two coordinates at right angles: the ridge is that of u⁴/4 − u²/2 + u/10."""
    ridge = min(np.roots([1.0, 0.0, -1.0, 0.1]).real, key=abs)
    return int(0.93 * point[0] + 0.3676 * point[1] > ridge)


LANDSCAPES = [
    ("ring", ["x", "y"], RING, [-2.0, 2.0], by_mirror),
    ("tilted valley", ["x", "y"], VALLEY, [-3.0, 3.0], by_ridge),
    ("bent valley", ["x", "y"], "(x^2 - 1)^2/4 + 0.05*x + 1e3*(y - x^2)^2", [-2.0, 2.0], None),
    ("narrow bent valley", ["x", "y"], "(x^2 - 1)^2/4 + 0.05*x + 5e5*(y - x^2)^2", [-2.0, 2.0], None),
    ("spiral", ["x", "y"], SPIRAL, [-1.6, 1.6], None),
    ("three wells", [f"x{i}" for i in range(5)], wells(), [-2.0, 2.0], None),
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
        self.gradients = sympy.lambdify([symbols], slope, "numpy", cse=True)
        self.hessians = sympy.lambdify([symbols], hessian, "numpy", cse=True)
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
        starts = [self.point(index) for index in range(20_011, 20_311)]
        for end in self.crowd(starts, lambda places, times: np.where(times > 1e5, 0, -1))[1]:
            step = np.ones(1)
            for _ in range(50):
                step = np.linalg.solve(np.array(self.hessian(end)), np.array(self.gradient(end)))
                end = end - step
            eigenvalues = np.linalg.eigvalsh(np.array(self.hessian(end)))
            is_inside = np.all((end >= self.low) & (end <= self.high))
            is_known = any(np.linalg.norm(end - other) < 1e-5 for other in self.minima)
            if eigenvalues[0] > 0.0 and is_inside and not is_known and np.linalg.norm(step) < 1e-8:
                self.minima.append(end)
                self.softest = min(self.softest, eigenvalues[0])
        self.minima.sort(key=list)

    def crowd(self, starts, arrived):
        """Labels and places at which points arrive; `arrived` makes labels of places and times, −1 where a point has to go on."""
        order, tolerance = 6, 1e-8
        ends = np.array(starts, dtype=float)
        labels = np.full(len(ends), -1)
        places, times, steps = ends.copy(), np.zeros(len(ends)), np.full(len(ends), 1e-6)
        going = np.arange(len(ends))
        one = np.eye(self.dimension)
        for _ in range(5000):
            slopes = self.gradients(list(places.T))
            hessians = np.empty((len(going), self.dimension, self.dimension))
            for i, row in enumerate(self.hessians(list(places.T))):
                for j, entry in enumerate(row):
                    hessians[:, i, j] = entry
            table = []
            for parts in range(1, order + 1):
                h = (steps / parts)[:, None]
                inverse = np.linalg.inv(one + h[:, :, None] * hessians)
                u = places
                for part in range(parts):
                    slopes_here = slopes if part == 0 else self.gradients(list(u.T))
                    force = np.stack([np.broadcast_to(slope, len(u)) for slope in slopes_here], axis=1)
                    u = u - np.einsum("nij,nj->ni", inverse, h * force)
                row = [u]
                for k, before in enumerate(table[-1] if table else [], 1):
                    row.append(row[-1] + (row[-1] - before) / (parts / (parts - k) - 1.0))
                table.append(row)
            with np.errstate(all="ignore"):
                error = np.abs(table[-1][-1] - table[-1][-2]) / (tolerance * (1.0 + np.abs(places)))
            error = np.nan_to_num(error.max(axis=1), nan=1e9, posinf=1e9)
            good = error <= 1.0
            places = np.where(good[:, None], table[-1][-1], places)
            times = times + np.where(good, steps, 0.0)
            steps = steps * np.clip(0.9 * np.maximum(error, 1e-12) ** (-1.0 / order), 0.1, 5.0)
            found = arrived(places, times)
            labels[going], ends[going] = found, places
            stays = (found < 0) & (times < 1e6 / self.softest)
            going, places, times, steps = going[stays], places[stays], times[stays], steps[stays]
            if len(going) == 0:
                break
        return labels, ends

    def at_a_minimum(self, places, _):
        labels = np.full(len(places), -1)
        for label, minimum in enumerate(self.minima):
            labels[np.linalg.norm(places - minimum, axis=1) < 1e-3 * (self.high - self.low)] = label
        return labels

    def descent(self, _, place):
        return [-g for g in self.gradient(place)]

    def jacobian(self, _, place):
        return [[-h for h in row] for row in self.hessian(place)]

    def flow(self, start, rtol=1e-10):
        """Places along the flow at times that double, by LSODA, as long as it goes on."""
        flow = scipy.integrate.ode(self.descent, self.jacobian)
        flow.set_integrator("lsoda", with_jacobian=True, rtol=rtol, atol=rtol, nsteps=200_000)
        flow.set_initial_value(start, 0.0)
        reached = 0.5
        while reached < 1e5 / self.softest:
            yield flow.integrate(reached)
            if not flow.successful():
                return
            reached *= 2.0

    def radau(self, start):
        """The same after every step of Radau IIA."""
        steps = scipy.integrate.Radau(
            self.descent_array, 0.0, np.array(start), 1e5 / self.softest, jac=self.jacobian_array, rtol=1e-10, atol=1e-10
        )
        while steps.status == "running":
            steps.step()
            yield steps.y

    def descent_array(self, time, place):
        return np.array(self.descent(time, place))

    def jacobian_array(self, time, place):
        return np.array(self.jacobian(time, place))

    def end(self, flow):
        """The minimum whose surroundings the flow reaches; None where it reaches none."""
        near = 1e-3 * (self.high - self.low)
        for place in flow:
            for label, minimum in enumerate(self.minima):
                if np.linalg.norm(place - minimum) < near:
                    return label
        return None

    def labels(self, starts):
        return self.crowd(starts, self.at_a_minimum)[0]


def at_an_edge(landscape, points, labels):
    """Which points have a neighbour with another label."""
    neighbours = scipy.spatial.cKDTree(points).query(points, k=1 + 6 * min(landscape.dimension, 3))[1]
    return np.flatnonzero(np.any(labels[neighbours] != labels[:, None], axis=1))


def near_the_separatrix(landscape, points, labels, edge):
    """Those of the points at an edge from which a small displacement along an axis leads to another minimum."""
    is_near = np.zeros(len(edge), dtype=bool)
    for axis in range(landscape.dimension):
        for side in (-1.0, 1.0):
            moved = points[edge].copy()
            moved[:, axis] += side * 1e-3 * (landscape.high - landscape.low)
            is_near |= landscape.labels(moved) != labels[edge]
    return edge[is_near]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    result = []
    for name, variables, formula, domain, exact in LANDSCAPES:
        begin = time.process_time()
        landscape = Landscape(variables, formula, domain)
        landscape.find_minima()
        points = np.array([landscape.point(index) for index in range(1, count + 1)])
        labels = landscape.labels(points)
        edge = at_an_edge(landscape, points, labels)
        near = set(near_the_separatrix(landscape, points, labels, edge) + 1)
        asked = sorted(set(range(0, count, 20)) | set(edge if landscape.dimension == 2 else edge[::10]))
        differences = 0
        for index in asked:
            label = landscape.end(landscape.flow(points[index]))
            if label is None:
                label = landscape.end(landscape.radau(points[index]))
            if label != labels[index]:
                assert index + 1 in near, f"{name}, point {index + 1}: {labels[index]}, by LSODA {label}"
                differences, labels[index] = differences + 1, label
        for index in range(999, count, 1000):
            other = landscape.end(landscape.radau(points[index]))
            assert other == labels[index] or index + 1 in near, f"{name}, point {index + 1}: {labels[index]}, by Radau {other}"
        if exact is not None:
            wrong = [index + 1 for index in range(count) if exact(points[index]) != labels[index]]
            assert not wrong, f"{name}: {wrong} are on the other side"
        assert labels.min() >= 0, f"{name}: a point flows nowhere"
        print(
            f"{name}: {len(landscape.minima)} minima, {len(edge)} points at an edge, {len(near)} near the separatrix, {len(asked)} by LSODA, "
            f"{differences} of them differ; {time.process_time() - begin:.0f} s",
            flush=True,
        )
        minima = [list(minimum) for minimum in landscape.minima]
        text = "".join(str(label) for label in labels)
        numbers = sorted(int(index) for index in near)
        result.append(
            dict(name=name, variables=variables, formula=formula, domain=domain, minima=minima, near=numbers, labels=text)
        )
    lines = ",\n".join(json.dumps(landscape) for landscape in result)
    pathlib.Path(__file__).with_name("labels.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
