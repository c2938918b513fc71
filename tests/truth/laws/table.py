"""The table: cases and the certainty of their digits."""

from mpmath import mp

CASES = []
# More digits than a double can hold are of no use in JSON.
MOST_DIGITS = 15


def agreed(first, second, at_least):
    """The digits in which two computations of the same numbers agree, less one for caution; fails below `at_least`."""
    worst = mp.mpf(0)
    for a, b in zip(flat(first), flat(second), strict=True):
        worst = max(worst, abs(mp.mpf(a) - mp.mpf(b)) / abs(mp.mpf(a)) if a != 0 else abs(mp.mpf(b)))
    digits = MOST_DIGITS if worst == 0 else min(MOST_DIGITS, int(mp.floor(-mp.log10(worst))) - 1)
    assert digits >= at_least, f"{digits} digits agree, not {at_least}: {first} {second}"
    return digits


def flat(value):
    return [number for part in value for number in flat(part)] if isinstance(value, (list, tuple)) else [value]


def rounded(value, digits):
    if isinstance(value, (list, tuple)):
        return [rounded(part, digits) for part in value]
    return value if isinstance(value, (str, int)) else float(mp.nstr(mp.mpf(value), digits, strip_zeros=False))


def add(name, quantity, value, digits, *, law, source, method, **rest):
    """A case. Of `rest` those that are given are written: loss, variables, domain, temperature, minima, …"""
    assert all(case["name"] != name for case in CASES), name
    for key in ("minima", "domain"):
        if key in rest:
            rest[key] = rounded(rest[key], MOST_DIGITS)
    case = dict(name=name, quantity=quantity) | rest
    case |= dict(value=rounded(value, digits), digits=digits, law=law, source=source, method=method)
    CASES.append(case)
    print(f"{len(CASES):4} {name}: {case['value']}"[:150], f"({digits} digits)", flush=True)
