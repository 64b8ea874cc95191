"""How good alerts and belief are: simulated residents through the real ingest, belief and rules, against their truth.

    python bench/alert_quality.py                          1,000 units, 90 days, seed 7
    python bench/alert_quality.py --units 100 --days 45    a smaller run
    python bench/alert_quality.py --noise poor.yaml        with sensors of one's own

Prints a table and writes results/alert_quality.json beside this file. Delays other than those of life safety are no
finer than the run's step (an hour for a large run).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

RESULT = Path(__file__).parent / "results" / "alert_quality.json"


def main() -> None:
    """Simulate, then judge, with the two commands that anybody has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--noise", default="typical", help="a name that `anfang-sim residents` knows, or a file")
    parser.add_argument("--json", type=Path, default=RESULT, help="where the figures go")
    wanted = parser.parse_args()
    commands = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="anfang-residents-") as folder:
        run = [commands / "anfang-sim", "residents", "--units", str(wanted.units), "--days", str(wanted.days)]
        subprocess.run([*run, "--seed", str(wanted.seed), "--noise", wanted.noise, "--out", folder], check=True)
        subprocess.run([commands / "anfang-hub", "bench-quality", folder, "--json", wanted.json], check=True)


if __name__ == "__main__":
    main()
