"""What a prediction costs: cold start of `semloss predict`, and points per second on one core.

Cold start stands beside importing the libraries that fitting needs: both are whole processes,
started in turns; the figure is the median wall time and the ratio. Points per second stand
beside the same questions put to numpy and scipy in the plain way, all points at once: value from
the form, band from its Jacobian and the covariance, domain by triangulation.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.spatial import Delaunay
from scipy.stats import norm
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

import semloss
from semloss.surfaces.forms import FORMS

ROUNDS = 9
POINTS = 2_000_000
TABLE = Path(__file__).parent.parent / "tests" / "data" / "eurosat_surface.csv"


def wall_s(command):
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def cold_start(fit):
    predict = [sys.executable, "-m", "semloss", "predict", fit, "--cr", "1/12", "--snr-db", "4"]
    stack = [sys.executable, "-c", "import numpy, pandas, scipy.optimize, lmfit"]
    wall_s(predict), wall_s(stack)
    pairs = [(wall_s(predict), wall_s(stack)) for _ in range(ROUNDS)]
    print(f"semloss predict, cold: {statistics.median(p for p, _ in pairs):.3f} s")
    print(f"importing numpy, pandas, scipy, lmfit: {statistics.median(s for _, s in pairs):.3f} s")
    print(f"ratio: {statistics.median(p / s for p, s in pairs):.2f} (median of {ROUNDS})")


def plain_value(surface, cr, snr_db):
    form, p = FORMS[surface.form], surface.parameters
    count = len(form.levels)
    value = p[0] + (p[count - 1] - p[0]) * form.gain(np.log(cr), snr_db, p[count:])
    inside = Delaunay(surface.hull).find_simplex(np.stack([np.log(cr), snr_db], axis=1)) >= 0
    return value, inside


def plain_band(surface, cr, snr_db):
    value, inside = plain_value(surface, cr, snr_db)
    jacobian = FORMS[surface.form].jacobian(cr, snr_db, surface.parameters)
    variance = np.einsum("np,pq,nq->n", jacobian, surface.covariance, jacobian)
    sure = norm.ppf(0.975) if surface.dof is None else student.ppf(0.975, surface.dof)
    half = sure * np.sqrt(variance + surface.model_error_sd**2)
    return value, value - half, value + half, inside


def seconds(question):
    started = time.perf_counter()
    question()
    return time.perf_counter() - started


def throughput(surface):
    rng = np.random.default_rng(0)
    cr = np.exp(rng.uniform(*np.log(surface.cr_range), POINTS))
    snr_db = rng.uniform(*surface.snr_db_range, POINTS)
    # The plain band's intermediate arrays take gigabytes: a tenth of the points must do.
    few = slice(0, POINTS // 10)
    print(f"form {surface.form}, {len(surface.parameters)} parameters, one core")
    for what, level, plain in (("value", None, plain_value), ("value and band", 0.95, plain_band)):
        ours, theirs = [], []
        for _ in range(ROUNDS):
            own = seconds(lambda level=level: surface.predict(cr=cr, snr_db=snr_db, interval=level))
            ours.append(own / POINTS)
            other = seconds(lambda plain=plain: plain(surface, cr[few], snr_db[few]))
            theirs.append(other / (POINTS // 10))
        ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
        print(
            f"{what}: {1e-6 / statistics.median(ours):.1f} million predictions a second "
            f"(best round {1e-6 / min(ours):.1f}), plain numpy and scipy "
            f"{1e-6 / statistics.median(theirs):.1f}; ratio {ratio:.1f} (median of {ROUNDS})"
        )


def main():
    with tempfile.TemporaryDirectory() as folder:
        fit = str(Path(folder) / "fit.json")
        command = [sys.executable, "-m", "semloss", "fit", str(TABLE), "--metric", "psnr_db"]
        subprocess.run([*command, "--out", fit], check=True, capture_output=True)
        cold_start(fit)
        with threadpool_limits(1):
            throughput(semloss.load(fit))


if __name__ == "__main__":
    main()
