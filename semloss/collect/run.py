"""A run: the folder of one experiment, which explains itself and can be taken up again.

::

    RUN/
      README.md            what was measured, the headline figures, what each file is
      experiment.toml      the experiment, every default written out
      environment.json     versions, machine, digest of semloss' own code
      images.png           some images of each class
      source.json          the images: where from, classes, bands, content hash
      split.json           which image is in which part
      identity.json        what all cells of the folder share
      log.txt              what happened when
      tasks/ trunks/ bases/ receivers/ cells/    one folder per unit of work
      metrics.parquet .csv, cells.parquet .csv    the tables
      metrics.outcomes.npz                        what became of each test image

In a unit's folder a stage is finished when its ``<stage>.json`` is there; the weights were
written before it. ``training-*.safetensors`` carries a training in progress.
"""

import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import tomli_w
import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from semloss import version
from semloss.collect.experiment import Experiment, grown_tasks
from semloss.collect.units import Unit
from semloss.errors import SemlossError
from semloss.identity import digest
from semloss.outcomes import decoded
from semloss.sources import ImageSet, Split
from semloss.storage import make_folder, read_json, read_toml, sweep, write_atomically, write_json
from semloss.tables.schema import SCHEMA

#: Sections of an experiment that every cell of one run shares; the rest are axes of its grid.
FIXED_SECTIONS = ("train", "compute")

#: Packages whose versions can change a result.
PACKAGES = ("torch", "numpy", "scipy", "pandas", "pillow", "safetensors", "scikit-learn")


class Busy(Exception):  # noqa: N818 - an answer, not a mistake
    """Another collect is at work on this unit."""


@dataclass(frozen=True)
class UnitFolder:
    """Folder of one unit: its finished stages and their weights."""

    path: Path
    key: str

    def read(self, stage: str) -> dict[str, Any] | None:
        """Record of a finished stage, or None; a damaged record counts as not there."""
        path = self.path / f"{stage}.json"
        if not path.exists():
            return None
        try:
            record = read_json(path)
        except SemlossError:
            return None
        return record if isinstance(record, dict) and record.get("key") == self.key else None

    def load(self, stage: str, network: nn.Module) -> dict[str, Any] | None:
        """Put the weights of a finished stage into `network`; None if they are not there whole."""
        record = self.read(stage)
        if record is None:
            return None
        if not record["weights"]:
            return record
        try:
            network.load_state_dict(load_file(self.path / f"{stage}.safetensors"))
        except (SafetensorError, OSError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            print(
                f"{self.path / stage}.safetensors is damaged ({reason}); it is trained again",
                file=sys.stderr,
            )
            return None
        network.eval()
        return record

    def write(self, stage: str, record: dict[str, Any], network: nn.Module | None = None) -> None:
        """Finish a stage: weights first, then the record that says they are whole."""
        if network is not None:
            state = {name: value.contiguous() for name, value in network.state_dict().items()}
            write_atomically(self.path / f"{stage}.safetensors", save(state))
        content = {"key": self.key, "weights": network is not None, **record}
        write_json(self.path / f"{stage}.json", content)

    def forget(self, stage: str) -> None:
        """Count a stage as not done."""
        (self.path / f"{stage}.json").unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the unit; the lock ends with the process, however that ends.

        Raises
        ------
        Busy
            When another process holds it.
        """
        make_folder(self.path)
        try:
            with _lock(self.path, timeout_s=0):
                sweep(self.path)
                yield
        except Timeout:
            raise Busy(self.path.name) from None


@dataclass(frozen=True)
class Run:
    """The folder of one experiment."""

    path: Path

    def folder(self, unit: Unit) -> UnitFolder:
        """Folder of one unit of work."""
        return UnitFolder(self.path / unit.folder, unit.key)

    def open(self, experiment: Experiment, identity: dict[str, Any], about: dict[str, Any]) -> None:
        """Create the folder, or take up one of the same experiment.

        Parameters
        ----------
        experiment
            What is asked; its grid may differ from what the folder holds.
        identity
            What must not differ: content of images and split, device, precision, procedure.
        about
            Contents of further JSON files by name, written anew.

        Raises
        ------
        SemlossError
            When the folder holds another experiment or something else, or cannot be written.
        """
        if self.path.exists() and not self.path.is_dir():
            raise SemlossError(f"{self.path} is a file; choose a folder with --out")
        found = {path.name for path in self.path.iterdir()} if self.path.exists() else set()
        if found and not found & {"experiment.toml", ".lock"}:
            raise SemlossError(
                f"{self.path} is not empty and holds no run; choose another folder with --out"
            )
        make_folder(self.path)
        with self.locked():
            sweep(self.path)
            tables = experiment.as_tables()
            snapshot = self.path / "experiment.toml"
            if snapshot.exists():
                tables = self._joined(tables, identity)
            for name, content in about.items():
                write_json(self.path / f"{name}.json", content)
            write_json(self.path / "identity.json", identity)
            # last: a folder with a snapshot has everything else
            write_atomically(snapshot, tomli_w.dumps(tables))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run's own files for a moment, against another collect on the same run."""
        with _lock(self.path):
            yield

    def _joined(self, tables: dict[str, Any], identity: dict[str, Any]) -> dict[str, Any]:
        """The asked experiment with the grid that is measured already; refuse another one."""
        try:
            old = read_toml(self.path / "experiment.toml")
        except SemlossError as error:
            raise SemlossError(f"{error}; choose another --out") from None
        lost = [f"[{name}]" for name in ("grid", "train", "task") if name not in old]
        if lost:
            raise SemlossError(
                f"{self.path / 'experiment.toml'} was cut short or edited: {', '.join(lost)} "
                "is missing; choose another --out"
            )
        with suppress(SemlossError):  # keys that are new since then have their defaults
            old = Experiment.from_tables(old).as_tables()
        pairs = [(section, old.get(section, {}), tables[section]) for section in FIXED_SECTIONS]
        tasks = grown_tasks(old["task"], tables["task"])
        pairs += tasks.pairs
        was = self._identity()
        # what is not known any more cannot differ
        pairs.append(("identity", was, identity if was.keys() == identity.keys() else
                      {key: identity.get(key) for key in was}))  # fmt: skip
        for section, was, now in pairs:
            for key in sorted(set(was) | set(now)):
                if was.get(key) != now.get(key):
                    raise SemlossError(
                        f"{self.path} holds another experiment: {section}.{key} was "
                        f"{_short(was.get(key))} and is {_short(now.get(key))}; "
                        "choose another folder with --out"
                    )
        joined = dict(tables)
        joined["task"] = tasks.joined
        for axis in ("codec", "channel", "objective"):
            joined[axis] = _union(old[axis], tables[axis])
        joined["grid"] = tables["grid"] | {
            axis: _union(old["grid"][axis], tables["grid"][axis])
            for axis in ("cr", "snr_db", "seeds")
        }
        return joined

    def _identity(self) -> dict[str, Any]:
        """What all cells share; of a lost file, what the other records tell of it."""
        whole = self._kept("identity.json")
        if whole:
            return whole
        parts = {"images": self._kept("source.json"), "split": self._kept("split.json")}
        hashes = {name: part.get("content_hash") for name, part in parts.items()}
        return {name: value for name, value in hashes.items() if value}

    def _kept(self, name: str) -> dict[str, Any]:
        path = self.path / name
        content = read_json(path) if path.exists() else {}
        if not isinstance(content, dict):
            raise SemlossError(f"{path} holds no record; delete it to have it made anew")
        return content

    def log(self, line: str) -> None:
        """Add a line with the time to the run's log; a log that cannot be written stops nothing."""
        with suppress(OSError), (self.path / "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {line}\n")

    def cell_records(self, task: str) -> list[dict[str, Any]]:
        """Records of all finished cells in the folder, in the order of their names.

        `task` is the task model's label, which older records do not tell; the outcomes of single
        images, which they do not tell either, are arrays here.
        """
        records = []
        for path in sorted((self.path / "cells").glob("*/measured.json")):
            with suppress(SemlossError):
                record = read_json(path)
                if isinstance(record, dict) and record.keys() >= {"status", "cell", "rows"}:
                    rows = rows_of(record, task)
                    # a row about some of the images tells of all: nan where not concerned
                    n = max((row["n"] for row in rows if "outcomes" in row), default=0)
                    rows = [
                        row | {"outcomes": decoded(row["outcomes"], n)}
                        if "outcomes" in row
                        else row
                        for row in rows
                    ]
                    now = {"cell": cell_of(record), "rows": rows}
                    records.append(record | now)
                    continue
            print(
                f"semloss: {path} is no measurement and is left out; collect its cell again, or "
                "delete its folder",
                file=sys.stderr,
            )
        return records


def _lock(folder: Path, timeout_s: float = -1) -> FileLock:
    path = folder / ".lock"
    if path.is_dir():
        raise SemlossError(f"{path} is a folder where a file should lock the one above; remove it")
    return FileLock(path, timeout_s)


def cell_of(record: dict[str, Any]) -> dict[str, Any]:
    """What a record says of its cell; an older one in today's words."""
    cell = dict(record["cell"])
    if "snr_db" not in cell:  # of its own SNR, older ones tell only how they are built
        cell["snr_db"] = record.get("rebuild", {}).get("snr_db", cell.get("train_snr_db"))
    if "setting" not in cell:
        cell["setting"] = f"filters={cell.pop('filters')}"
        cell["codec_label"], cell["objective"] = cell["codec"], "mse"
        cell["codec"] = cell["codec"].partition("-")[0]
    return cell


def rows_of(record: dict[str, Any], task: str) -> list[dict[str, Any]]:
    """Measurements of a record; those of before receivers had a name of their own likewise."""
    return [
        row
        if "receiver" in row
        else row | {"receiver": row["task"], "task": "none" if row["task"] == "none" else task}
        for row in record["rows"]
    ]


def _union(old: list[Any], new: list[Any]) -> list[Any]:
    return [*old, *(one for one in new if one not in old)]


def source_record(images: ImageSet) -> dict[str, Any]:
    """The images as JSON: where from, and what they are."""
    return {
        "name": images.name,
        "content_hash": images.content_hash,
        "images": len(images.labels),
        "shape": list(images.images.shape[1:]),
        "classes": list(images.classes),
        "bands": list(images.bands),
        "provenance": images.provenance,
    }


def split_record(split: Split) -> dict[str, Any]:
    """The split as JSON: positions of the images in each part."""
    return {
        "seed": split.seed,
        "content_hash": split.content_hash,
        "train": split.train.tolist(),
        "validation": split.validation.tolist(),
        "test": split.test.tolist(),
    }


def environment() -> dict[str, Any]:
    """Versions, machine and a digest of semloss' own code."""
    package = Path(version.__file__).parent
    sources = {
        str(path.relative_to(package)): path.read_text(encoding="utf-8")
        for path in sorted(package.rglob("*.py"))
    }
    return {
        "semloss": version.__version__,
        "table_schema": SCHEMA,
        "code_digest": digest(sources)[:16],
        "commit": _commit(package),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "platform": platform.platform(terse=True),
        "processor": _processor(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "written": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
    }


def _commit(package: Path) -> str | None:
    """Commit of the checkout that semloss runs from; None for an installed package."""
    if not (package.parent / ".git").exists():
        return None
    git = ["git", "-C", str(package.parent)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
        changed = subprocess.run(
            [*git, "status", "--porcelain", "semloss"], capture_output=True, text=True
        )
    except FileNotFoundError:  # no git on this machine
        return None
    if commit.returncode:
        return None
    return commit.stdout.strip() + (" with changes" if changed.stdout.strip() else "")


def _processor() -> str:
    """Processor as the system names it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _short(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
