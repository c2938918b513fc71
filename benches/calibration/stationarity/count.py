#!/usr/bin/env python3
"""Counts the verdicts of a study over burn-ins and seeds: count.py FOLDER, of whose study.csv each point is judged by itself."""

import csv
import sys
from collections import Counter, defaultdict

LEVEL = 0.05


def verdict(row):
    """The verdict that the point has alone: Holm's correction over the seeds, which are no family of claims, is taken back."""
    ids = row["primary"].split(";") if row["primary"] else []
    values = [row.get(f"{name.strip()}.rejection_p_value", "") for name in ids]
    rejected = any(p and float(p) < LEVEL / max(1, len(values)) for p in values)
    if row["equilibrated"] != "true":
        return "barred"
    return "rejected" if rejected else row["verdict"].lower()


def main():
    folder = sys.argv[1]
    counts = defaultdict(Counter)
    with open(f"{folder}/study.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            counts[int(row["ensemble.burn_in"])][verdict(row)] += 1
    for burn_in, found in sorted(counts.items()):
        total = sum(found.values())
        parts = ", ".join(f"{found[key]} {key}" for key in ("holds", "rejected", "undetermined", "barred"))
        print(f"{folder.rsplit('/', 1)[-1]}: burn_in {burn_in}: of {total} seeds {parts}")


main()
