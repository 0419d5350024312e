"""Are certificates honest? 10,000 random fields at two tolerances against series of order 40 in extended precision.

    python benchmarks/certificates.py [--cases 2500]

Each case is two certified steps, held at four times in each against the truth; the first bound that is broken stops
the script. The last column is the median of bound over error where it is smallest.
"""

import argparse
import sys
import time
from pathlib import Path

import jax

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "simulate"))

import test_certificates as certificates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2500, help="of each kind of field, at each tolerance")
    certificates.CASES = parser.parse_args().cases
    print(f"{'field':14} {'tolerance':>9} {'cases':>6} {'broken':>6} {'seconds':>8} {'bound / error':>14}")
    with jax.enable_x64(True):
        for field in certificates.FIELDS:
            for tolerance in (1e-6, 1e-14):
                begin = time.monotonic()
                sharpest = certificates.checked(field, tolerance)
                seconds = time.monotonic() - begin
                row = f"{field.__name__:14} {tolerance:9.0e} {certificates.CASES:6} {0:6}"
                print(f"{row} {seconds:8.1f} {sharpest:14.3g}")


if __name__ == "__main__":
    main()
