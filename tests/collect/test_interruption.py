"""Signals to stop: one line and exit code 130, however many come, in every engine."""

import importlib.util
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from tiny_experiment import TINY

LONG = TINY.replace("trunk = {steps = 40", "trunk = {steps = 100000")


def started(tmp_path, engine, until):
    """A collect in a group of its own, once its progress tells of `until`."""
    (tmp_path / "long.toml").write_text(LONG)
    command = [
        sys.executable, "-m", "semloss", "collect", str(tmp_path / "long.toml"),
        "--out", str(tmp_path / "run"), "--engine", engine,
        *([] if engine == "serial" else ["--jobs", "2"]),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        start_new_session=True,
    )  # fmt: skip
    for line in process.stderr:
        if until in line:
            break
    return process


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("engine", ["serial", "processes", "ray"])
def test_signals_to_the_whole_group_end_it_in_one_line(tmp_path, engine, first):
    if engine == "ray" and importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is an optional extra")
    until = "to go" if engine == "serial" else "clean accuracy"
    process = started(tmp_path, engine, until)
    children = psutil.Process(process.pid).children(recursive=True)
    time.sleep(1.0)
    for one in [first, signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGTERM]:
        try:
            os.killpg(process.pid, one)  # what `timeout` and a terminal do
        except ProcessLookupError:
            break
        time.sleep(0.15)
    rest = process.stderr.read()
    assert process.wait(timeout=60) == 130, rest
    assert [line for line in rest.splitlines() if not line.startswith("[")] == [
        "semloss: interrupted"
    ]
    _, alive = psutil.wait_procs(children, timeout=15)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


def test_a_killed_worker_leaves_no_traceback(tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY.replace("trunk = {steps = 40", "trunk = {steps = 400"))
    command = [
        sys.executable, "-m", "semloss", "collect", str(tmp_path / "tiny.toml"), "--out",
        str(tmp_path / "run"), "--jobs", "2",
    ]  # fmt: skip
    with (tmp_path / "log").open("w+") as log:
        process = subprocess.Popen(command, stderr=log, stdout=subprocess.DEVNULL)
        while not list((tmp_path / "run").glob("trunks/*/.lock")):
            assert process.poll() is None
            time.sleep(0.05)
        for child in psutil.Process(process.pid).children(recursive=True):
            if "spawn_main" in " ".join(child.cmdline()):
                child.kill()
                break
        assert process.wait(timeout=300) == 0
        log.seek(0)
        told = log.read()
    assert "a worker process was killed" in told
    assert "Traceback" not in told
    assert "KeyError" not in told


def test_a_script_without_a_main_guard_is_told_what_to_change(tmp_path):
    (tmp_path / "tiny.toml").write_text(TINY)
    (tmp_path / "script.py").write_text(
        "import sys\nfrom semloss.cli import main\n"
        f"sys.exit(main(['collect', {str(tmp_path / 'tiny.toml')!r}, '--out', "
        f"{str(tmp_path / 'run')!r}, '--jobs', '2']))\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert 'if __name__ == "__main__":' in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
