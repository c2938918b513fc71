"""Prints how often intervals were shown and missed, and verdicts given, in a study over the seed whose tested law is the true one."""

import csv
import json
import math
import sys
from pathlib import Path
from statistics import NormalDist

folder = Path(sys.argv[1])
scenario = json.loads((folder / "result.json").read_text())["scenario"]
ensemble = scenario["ensemble"]
rows = list(csv.DictReader((folder / "study.csv").open()))
claim = f"occupancy-{scenario['test']['against']}"


def bounds(count):
    """Misses of a 95 % interval that happen with a probability of 1e-3 or more, on either side."""
    normal = NormalDist(0.05 * count, math.sqrt(0.0475 * count) or 1e-9)
    return max(0, math.floor(normal.inv_cdf(5e-4))), math.ceil(normal.inv_cdf(1 - 5e-4)) + 1


def intervals(name):
    """Shown, missed. The quantile is the normal one, of which Student's is the wider: no miss is left out."""
    shown = [row for row in rows if row.get(f"{name}.standard_error")]
    value = lambda row, what: float(row[f"{name}.{what}"])
    off = [(value(row, "measured") - value(row, "predicted")) / value(row, "standard_error") for row in shown]
    return len(shown), sum(abs(x) > 1.96 for x in off), sum(x > 1.96 for x in off)


contrasts = sorted({c.rsplit(".", 1)[0] for c in rows[0] if c.startswith(f"{claim}.ln(") and c.endswith(".standard_error")})
transitions = sum(int(row["transitions"]) for row in rows) / len(rows)
print(f"{folder.name} {ensemble['replicas']} x {ensemble['steps']}, {len(rows)} seeds, {transitions:.1f} transitions in the mean")
for name in contrasts or [claim]:
    shown, missed, above = intervals(name)
    low, high = bounds(shown)
    quantity = rows[0].get(f"{name}.quantity") or name.removeprefix(f"{claim}.")
    share = missed / shown if shown else 0
    print(f"  {quantity}: {shown} intervals ({shown / len(rows):.3f}), {missed} miss ({share:.3f}, {above} above; {low} to {high} at 95 %)")
permitted = [row for row in rows if row["equilibrated"] == "true"]
verdicts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in ("holds", "rejected", "undetermined")}
rejected = verdicts["rejected"]
share = rejected / len(permitted) if permitted else 0
print(f"  verdict may be given in {len(permitted)}: {verdicts}; rejected of these {share:.3f}")
