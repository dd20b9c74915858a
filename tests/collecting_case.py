"""`collect` on the tiny experiment, as the tests of its doors use it."""

from semloss.cli import main
from semloss.tables import load_table


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
