"""Quality and CPU time of the `warm` strategy against `independent` training, on one grid.

Both collect the same cells with the same network and data: `independent` trains each cell from
random weights for as long as the trunk is trained, `warm` grows bases from the trunk and cells
from the bases. Printed are the mean PSNR of both grids and the ratio of the CPU time spent on
codecs, trunk and bases included. On two cores the demo's images and grid, below with a recipe of
either strategy, take a quarter of an hour.

    python benchmarks/warm_against_independent.py [--set KEY=VALUE]... [--out DIR]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import semloss

# Task models are not what is compared.
RECIPE = """
[codec]
kind = "deepjscc"
stem = 12
width = 24
[objective]
kind = "mse"
reduce = "mean"
[train]
trunk = { steps = 800 }
base = { steps = 240 }
base_steps_per_octave = 140
cell = { steps = 10, lr = 0.003, warmup = 0.0 }
cell_steps_per_db = 6
independent = { steps = 800 }
[task]
kind = "none"
"""


def collect(out, strategy, changes):
    out.mkdir(parents=True)
    file = out.with_suffix(".toml")
    file.write_text(RECIPE)
    command = [sys.executable, "-m", "semloss", "collect", str(file), "--preset", "demo"]
    command += ["--out", str(out)]
    for change in [*changes, f"train.strategy={strategy}"]:
        command += ["--set", change]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    cpu_s = sum(json.loads(path.read_text())["cpu_s"] for path in out.glob("*/*/codec.json"))
    table = semloss.load_table(out)
    psnr = table[table.metric == "psnr_db"].set_index(["cr", "snr_db"]).value
    return psnr, cpu_s


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", action="append", default=[], dest="changes")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = args.out or Path(scratch)
        warm, warm_s = collect(out / "warm", "warm", args.changes)
        alone, alone_s = collect(out / "independent", "independent", args.changes)
    both = warm.to_frame("warm").join(alone.rename("independent"))
    both["difference"] = both.warm - both.independent
    print(both.unstack("snr_db").round(2).to_string())
    print(f"mean PSNR: warm {warm.mean():.2f} dB, independent {alone.mean():.2f} dB, "
          f"difference {both.difference.mean():+.2f} dB")  # fmt: skip
    print(f"CPU time of the codecs: warm {warm_s:.0f} s, independent {alone_s:.0f} s, "
          f"ratio {warm_s / alone_s:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
