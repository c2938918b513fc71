"""Makes reference.json, a table of exact laws for anybody who predicts what SGD's equation does.

    python reference.py                # needs numpy, scipy, sympy and mpmath; about ten minutes on one core

Every value is computed at least twice, by other methods or in other precisions, and a disagreement beyond the digits that are stated ends
the run. Nothing is random. README.md says what the fields mean.
"""

import json
import pathlib
import time

from laws import bowl, chain, distance, line, passage, plane
from laws.table import CASES

ABOUT = {
    "what": "Exact laws of the equation dθ = −∇L dt + √(2D) dW of stochastic gradient descent, of its methods at a finite step, and distances between them.",
    "units": "T and D are in units of the loss, for θ without units; time is that of the equation: k steps of δ are kδ.",
    "formulas": "+ - * / ^ ( ), exp log sqrt sin cos tanh cosh, softplus(u) = log(1 + exp(u)), sigmoid(u) = 1/(1 + exp(-u)), pi; decimals are exact.",
    "digits": "So many significant digits of every number in `value` are right, up to one unit in the last.",
    "fields": "See README.md.",
}


def write(cases):
    lines = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in cases)
    about = json.dumps(ABOUT, ensure_ascii=False, indent=1)
    path = pathlib.Path(__file__).with_name("reference.json")
    path.write_text(f'{{\n"about": {about},\n"cases": [\n{lines}\n]\n}}\n')


def main():
    begin = time.monotonic()
    for kind in (line, passage, plane, chain, bowl, distance):
        kind.cases()
    write(CASES)
    print(f"{len(CASES)} cases in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
