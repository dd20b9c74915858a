"""Memory that `semloss collect` takes for 27,000 tiles of 64x64 RGB with two workers.

The tiles are 331.8 MB decoded. Printed is the peak, over the run, of the memory that parent and
workers hold of the decoded images together (proportional set size: a page shared by several
processes counts once), and what each process holds beside it.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

TILES_PER_CLASS = 2700
CHANGES = {
    "source.per_class": TILES_PER_CLASS, "grid.cr": "1/6", "grid.snr_db": "0,10",
    "train.base.steps": 50, "train.cell.steps": 10, "task.clean.steps": 50,
    "task.adapted.steps": 5, "task.matched.steps": 5,
}  # fmt: skip


def main():
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "semloss", "collect", "--out", f"{folder}/run"]
        for key, value in CHANGES.items():
            command += ["--set", f"{key}={value}"]
        run = psutil.Popen([*command, "--jobs", "2"], stdout=subprocess.DEVNULL)
        images_mb, private_mb, processes = 0.0, 0.0, 0
        while run.poll() is None:
            mapped = 0.0
            family = [run, *run.children(recursive=True)]
            for process in family:
                try:
                    maps = process.memory_maps()
                    private_mb = max(private_mb, process.memory_full_info().uss / 1e6)
                except psutil.Error:
                    continue
                mapped += sum(m.pss for m in maps if Path(m.path).name == "images.npy") / 1e6
            images_mb, processes = max(images_mb, mapped), max(processes, len(family))
            time.sleep(0.3)
    print(f"{TILES_PER_CLASS * 10} tiles, exit code {run.returncode}, up to {processes} processes")
    print(f"decoded images, all processes together: {images_mb:.0f} MB")
    print(f"private memory of the largest process:  {private_mb:.0f} MB")


if __name__ == "__main__":
    main()
