"""Cold start of `semloss predict` against importing the libraries that fitting needs.

Both are whole processes, started in turns; the figure is the median wall time and the ratio.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 9
TABLE = Path(__file__).parent.parent / "tests" / "data" / "eurosat_surface.csv"


def wall_s(command):
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main():
    with tempfile.TemporaryDirectory() as folder:
        fit = str(Path(folder) / "fit.json")
        semloss = [sys.executable, "-m", "semloss"]
        options = ["--metric", "psnr_db", "--out", fit]
        subprocess.run([*semloss, "fit", str(TABLE), *options], check=True, capture_output=True)
        predict = [*semloss, "predict", fit, "--cr", "1/12", "--snr-db", "4", "--json"]
        stack = [sys.executable, "-c", "import numpy, pandas, scipy.optimize, lmfit"]
        wall_s(predict), wall_s(stack)
        pairs = [(wall_s(predict), wall_s(stack)) for _ in range(ROUNDS)]
    print(f"semloss predict, cold: {statistics.median(p for p, _ in pairs):.3f} s")
    print(f"importing numpy, pandas, scipy, lmfit: {statistics.median(s for _, s in pairs):.3f} s")
    print(f"ratio: {statistics.median(p / s for p, s in pairs):.2f} (median of {ROUNDS})")


if __name__ == "__main__":
    main()
