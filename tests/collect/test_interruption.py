"""Signals to stop: one line and exit code 130, however many come, in every engine."""

import importlib.util
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from collecting_case import GOES_ON, started
from tiny_experiment import TINY

LONG = TINY.replace("trunk = {steps = 40", "trunk = {steps = 100000")


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("engine", ["serial", "processes", "ray"])
def test_signals_to_the_whole_group_end_it_in_one_line(tmp_path, engine, first):
    if engine == "ray" and importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is an optional extra")
    (tmp_path / "long.toml").write_text(LONG)
    two = engine != "serial" and first == signal.SIGTERM
    with started(
        tmp_path, tmp_path, engine, "--jobs", "2" if two else "1", file="long.toml"
    ) as process:
        until = "clean accuracy" if two else "to go"  # at work, or just begun
        next(line for line in process.stderr if until in line)
        time.sleep(0.5)
        children = psutil.Process(process.pid).children(recursive=True)
        for one in [first, signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGTERM]:
            try:
                os.killpg(process.pid, one)  # what `timeout` and a terminal do
            except ProcessLookupError:
                break
            time.sleep(0.15)
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 130, rest
        assert [line for line in rest.splitlines() if not line.startswith("[")] == [GOES_ON]
        _, alive = psutil.wait_procs(children, timeout=15)
        assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


def test_a_killed_worker_costs_only_time_and_leaves_no_traceback(world, reference, tmp_path):
    with started(world, tmp_path, "processes", "--jobs", "2") as process:
        while not list((tmp_path / "run").glob("trunks/*/.lock")):
            assert process.poll() is None
            time.sleep(0.02)
        for child in psutil.Process(process.pid).children(recursive=True):
            if "spawn_main" in " ".join(child.cmdline()):
                child.kill()
                break
        told = process.stderr.read()
        assert process.wait() == 0
    assert "a worker process was killed" in told
    assert "Traceback" not in told
    assert "KeyError" not in told
    tables = [(run / "metrics.csv").read_bytes() for run in (tmp_path / "run", reference)]
    assert tables[0] == tables[1]


def test_a_script_without_a_main_guard_is_told_what_to_change(world, tmp_path):
    (tmp_path / "script.py").write_text(
        "import sys\nfrom semloss.cli import main\n"
        f"sys.exit(main(['collect', {str(world / 'tiny.toml')!r}, '--out', "
        f"{str(tmp_path / 'run')!r}, '--jobs', '1', '--engine', 'processes']))\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert 'if __name__ == "__main__":' in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
