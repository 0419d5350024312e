"""Do 95 % intervals hold the truth in 95 % of cases? Noise draws of the oscillator study, solved by Collocation.

    python benchmarks/coverage.py --draws 200

Prints how often the interval of each coefficient holds the truth, beside the range that 95 % of honest programs
would print (the binomial distribution's central 95 %).
"""

from __future__ import annotations

import argparse
import time

from _machine import machine
from scipy import stats

import lawful as lf
from lawful.studies import oscillator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--noise", type=float, default=0.02)
    arguments = parser.parse_args()
    held, begin = dict.fromkeys(oscillator.TRUTH, 0), time.monotonic()
    failed = 0
    for seed in range(arguments.draws):
        solution = lf.solve(oscillator.problem(seed, arguments.noise), lf.Collocation(), progress=False)
        failed += not solution.status.converged
        for name, truth in oscillator.TRUTH.items():
            low, high = solution[name].interval(0.95)
            held[name] += low <= truth <= high
    low, high = stats.binom.interval(0.95, arguments.draws, 0.95)
    print(machine("jax", "numpy"))
    print(f"{arguments.draws} draws, 12 points, noise {arguments.noise:g} estimated; {failed} not converged")
    for name, count in held.items():
        share = 100 * count / arguments.draws
        print(
            f"{name:4} inside the 95 % interval: {count} of {arguments.draws} = {share:.1f} %"
            f"   (honest range {low:.0f} to {high:.0f})"
        )
    print(f"{time.monotonic() - begin:.1f} s")


if __name__ == "__main__":
    main()
