"""Maxima and errors for tests/statistics/logistic.rs, in another way than the program's: Newton with numerical derivatives in 60
digits, errors from the change of the maximum when the weight of one replica is changed a little (the infinitesimal
jackknife), a stratum for each law with divisor n - 1.  Needs mpmath: python3 logistic.py"""
from mpmath import mp, mpf, log, exp, findroot, diff, sqrt, matrix

mp.dps = 60
x = [mpf(v) for v in ("0", "0.4", "1", "1.7", "3")]
first = [["0.40", "0.25", "0.20", "0.10", "0.05"], ["0.35", "0.30", "0.15", "0.15", "0.05"], ["0.45", "0.20", "0.20", "0.05", "0.10"]]
second = [["0.15", "0.20", "0.25", "0.20", "0.20"], ["0.10", "0.15", "0.30", "0.30", "0.15"], ["0.20", "0.15", "0.20", "0.20", "0.25"],
          ["0.15", "0.25", "0.20", "0.25", "0.15"]]
laws = [[[mpf(v) for v in row] for row in law] for law in (first, second)]


def maximum(weights, degree, start):
    """weights[law][replica], summing to 1 in each law."""
    mean = [[sum(w * row[k] for w, row in zip(ws, law)) for k in range(5)] for ws, law in zip(weights, laws)]

    def slope(*c):
        out = []
        for j in range(degree + 1):
            total = mpf(0)
            for k in range(5):
                p = 1 / (1 + exp(-sum(c[i] * x[k] ** i for i in range(degree + 1))))
                total += (mean[0][k] * (1 - p) - mean[1][k] * p) * x[k] ** j
            out.append(total)
        return out

    return findroot(lambda *c: slope(*c), start)


for degree in (1, 2):
    even = [[mpf(1) / len(law)] * len(law) for law in laws]
    best = maximum(even, degree, [mpf("0.5"), mpf("-0.5"), mpf("0.01")][: degree + 1])
    for j, name in enumerate(("at 0", "slope", "quadratic")[: degree + 1]):
        variance = mpf(0)
        for which, law in enumerate(laws):
            n = len(law)
            for replica in range(n):
                def moved(step):
                    weights = [list(row) for row in even]
                    # Towards this replica alone: (1 - step) mean + step replica.
                    weights[which] = [w * (1 - step) for w in weights[which]]
                    weights[which][replica] += step
                    return maximum(weights, degree, list(best))[j]
                h = mpf(10) ** -15
                influence = (moved(h) - moved(-h)) / (2 * h)
                variance += influence ** 2 / (n * (n - 1))
        print(degree, name, mp.nstr(best[j], 15), mp.nstr(sqrt(variance), 15))
