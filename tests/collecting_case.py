"""`collect` on the tiny experiment, as the tests of its doors use it."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress

from semloss.cli import main
from semloss.tables import load_table

#: What an interrupted collect says last.
GOES_ON = "semloss: interrupted; the same command goes on from what is done"


def collected(folder, experiment, *options, engine="serial", code=0):
    """Collect an experiment in a folder; its metrics where that went well and gave some."""
    (folder / "tiny.toml").write_text(experiment)
    command = ["collect", str(folder / "tiny.toml"), "--out", str(folder / "run")]
    assert main([*command, "--engine", engine, *options]) == code
    rows = 0 if code else len((folder / "run" / "metrics.csv").read_text().splitlines()) - 1
    return load_table(folder / "run") if rows else None


def value(table, metric, receiver="none"):
    """Values of a metric over (CR, SNR)."""
    rows = table[(table.metric == metric) & (table.receiver == receiver)]
    return rows.set_index(["cr", "snr_db"]).value.sort_index()


@contextmanager
def started(world, folder, engine, *options, file="tiny.toml"):
    """A collect of an experiment in `world` as a process, the first of a group that ends here."""
    command = [
        sys.executable, "-m", "semloss", "collect", str(world / file), "--out",
        str(folder / "run"), "--engine", engine, *options,
    ]  # fmt: skip
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
