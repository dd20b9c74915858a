"""Link budgets in one call against one call each, in the same run, and a cold ledger.

The figure that travels between machines is the ratio: evaluations a second of one vectorised
call over those of a loop of scalar calls on the same links.
"""

import statistics
import subprocess
import sys
import time

import numpy as np

from semloss.planning.planner import read_link

COUNT, LOOP, ROUNDS = 100_000, 1_000, 5
LINKS = {"fixed losses": "cubesat-s-band", "rain by P.618": "ka-band-leo"}


def per_second(call, evaluations):
    started = time.perf_counter()
    call()
    return evaluations / (time.perf_counter() - started)


def compare(link):
    rng = np.random.default_rng(0)
    fields = {
        "elevation_deg": rng.uniform(5, 90, COUNT),
        "height_km": rng.uniform(400, 1500, COUNT),
        "freq_ghz": link.freq_ghz * rng.uniform(0.99, 1.01, COUNT),
        "bandwidth_mhz": link.bandwidth_mhz * rng.uniform(0.5, 2, COUNT),
    }
    points = [{name: column[i] for name, column in fields.items()} for i in range(LOOP)]

    def loop():
        for point in points:
            link.budget(**point)

    together = per_second(lambda: link.budget(**fields), COUNT)
    return together, per_second(loop, LOOP)


def cold_s():
    """Wall time of a process that reads a link and lays out its ledger, and of numpy alone."""
    ledger = "from semloss.planning.planner import read_link; read_link('ka-band-leo').ledger()"
    times = []
    for code in (ledger, "import numpy"):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - started)
    return times


def main():
    for kind, preset in LINKS.items():
        link = read_link(preset)
        compare(link)
        rounds = [compare(link) for _ in range(ROUNDS)]
        together = statistics.median(t for t, _ in rounds)
        ratio = statistics.median(t / one for t, one in rounds)
        print(f"{kind}: {together:,.0f} ledgers a second in one call of {COUNT:,}")
        print(f"{kind}: {ratio:,.0f} times a loop of scalar calls (median of {ROUNDS})")
    cold_s()
    pairs = [cold_s() for _ in range(ROUNDS)]
    print(f"a ledger, cold: {statistics.median(a for a, _ in pairs):.3f} s")
    print(f"importing numpy alone: {statistics.median(b for _, b in pairs):.3f} s")


if __name__ == "__main__":
    main()
