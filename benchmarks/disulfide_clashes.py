"""Does a bond between two chosen residues cost clashes, and what does their price in the relaxation change?

    python benchmarks/disulfide_clashes.py [--count 10] [--steps 20] [--seed 0]

The chains of the study `disulfide`, 60 residues with the pair 10-40, from the same noise: unguided, and guided with two
strengths; each relaxed with clashes at the price that the chain's own energy has, and with as much more as the study
takes. Chains that form the bond, clashes per 100 residues and Ramachandran-favoured residues, with standard errors.
"""

import argparse
import time

import numpy as np

from lawful.studies import disulfide
from lawful.studies._base import Request
from lawful.studies._chains import mean_of, shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("count", 10), ("steps", 20), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    wanted = parser.parse_args()
    options = {"pair": "10-40", "length": "60", "count": str(wanted.count), "steps": str(wanted.steps)}
    case, count, _, _ = disulfide.asked(Request(seed=wanted.seed, options=options))
    start = case.maker.noise(count, wanted.seed)
    drawn = {"unguided": (case.maker.unguided(count, wanted.seed), 0.0)}
    for strength in (0.01, 0.1):
        drawn[f"strength {strength:g}"] = (disulfide.pulled(case, start, strength, wanted.seed), disulfide.FAST)
    for name, (frames, weight) in drawn.items():
        for firm in (0.0, disulfide.FIRM):
            begin = time.process_time()
            arm = disulfide.arm(case, frames, weight, firm)
            print(
                f"{name:13s} clashes count {1 + firm:g} times: forms {np.mean(arm.forms):.2f},"
                f" clashes per 100 {shown(mean_of(arm.clashes))}, favoured {shown(mean_of(arm.favoured))}"
                f" ({time.process_time() - begin:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
