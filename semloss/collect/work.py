"""What each kind of unit does, from disk to disk.

Every function finds its finished stages on disk and does only the rest, so a unit can be
killed at any moment and called again.
"""

import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import nn

from semloss.codecs import CodecNetwork
from semloss.collect.codec_training import Record, give_up, train_codec
from semloss.collect.grid import Link, Unit
from semloss.collect.measuring import measure_cell
from semloss.collect.run import Run, UnitFolder
from semloss.collect.workshop import Job, Range, Workshop
from semloss.identity import digest, seed_for
from semloss.storage import cache_dir
from semloss.training import Recipe, keep_freed_memory, train


@dataclass(frozen=True)
class Result:
    """What a worker tells of a finished unit: its status, a headline, and seconds taken."""

    status: str
    summary: str
    seconds: float


@lru_cache(maxsize=1)
def prepare_process(threads: int) -> None:
    """Settle a process, once: threads decide the order of sums, hence the result."""
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    keep_freed_memory()


def do_job(job: Job) -> Result:
    """Do what is left of a unit: the entry point of every engine.

    Raises
    ------
    Busy
        When another collect is at work on the unit.
    SemlossError
        When the images cannot be read or the results not be written.
    """
    prepare_process(job.experiment.compute.threads)
    started = time.monotonic()
    status, summary = _Bench(job).do(job.unit)
    return Result(status, summary, time.monotonic() - started)


class _Bench:
    """One job at work: its workshop and its folders."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.shop = Workshop(job)
        self.run = Run(job.run)
        self.training = job.experiment.train
        self.recipes = job.experiment.task_training

    def do(self, unit: Unit) -> tuple[str, str]:
        """Do one unit under its lock; returns its status and a headline."""
        kinds = {
            "task": self.task,
            "trunk": self.trunk,
            "base": self.base,
            "receiver": self.receiver,
            "cell": self.cell,
        }
        folder = self.run.folder(unit)
        with folder.locked():
            return kinds[unit.kind](unit, folder)

    def need(self, name: str, stage: str, network: nn.Module) -> Record:
        """Put an earlier unit's weights into `network`; do that unit again if they are damaged."""
        unit = self.job.units[name]
        folder = self.run.folder(unit)
        record = folder.load(stage, network)
        if record is None:
            folder.forget(stage)
            self.do(unit)
            record = folder.load(stage, network)
        assert record is not None
        return record

    # -- the task model on clean images -----------------------------------------------------

    def task(self, unit: Unit, folder: UnitFolder) -> tuple[str, str]:
        """Train the clean task model, or take it from the cache that all runs share."""
        network = self.shop.new_task(seed_for(unit.key, "weights"))
        record = folder.load("task", network)
        if record is None:
            shared = UnitFolder(cache_dir() / "tasks" / unit.name, unit.key)
            with shared.locked():
                record = shared.load("task", network)
                if record is None:
                    record = self._train_task(network, unit, shared)
            folder.write("task", record, network)
        return "ok", f"clean accuracy {record['accuracy']:.3f} on {record['n']} test images"

    def _train_task(self, network: nn.Module, unit: Unit, shared: UnitFolder) -> Record:
        trained = train(
            network,
            self.shop.task_loss(network),
            len(self.shop.split.train),
            self.recipes.clean,
            unit.key,
            shared.path / "training-task.safetensors",
        )
        test = self.shop.split.test
        predictions = self.shop.predict(network, test)
        record = {
            "accuracy": float(np.mean(predictions == self.shop.images.labels[test])),
            "n": len(test),
            "predictions": predictions.tolist(),
            "cpu_s": trained.cpu_s,
            "losses": trained.losses,
        }
        shared.write("task", record, network)
        return record

    # -- codecs -----------------------------------------------------------------------------

    def _train(
        self,
        unit: Unit,
        folder: UnitFolder,
        snr_db: Range,
        recipe: Recipe,
        start: CodecNetwork | None = None,
    ) -> Record:
        return train_codec(self.shop, self.run, unit, folder, snr_db, recipe, start)

    def trunk(self, unit: Unit, folder: UnitFolder) -> tuple[str, str]:
        """Train the codec that the bases of all CRs start from."""
        record = folder.read("codec")
        if record is None:
            record = train_codec(
                self.shop, self.run, unit, folder, self.training.base_snr_db, self.training.trunk
            )
        return record["status"], _codec_summary(record)

    def base(self, unit: Unit, folder: UnitFolder) -> tuple[str, str]:
        """Train the codec that all cells of one CR start from."""
        record = folder.read("codec")
        if record is None:
            trunk_link = self.job.units[unit.needs["trunk"]].link
            assert trunk_link is not None
            trunk = self.shop.new_codec(trunk_link, 0)
            if self.need(unit.needs["trunk"], "codec", trunk)["status"] == "diverged":
                record = give_up(folder, ["its trunk diverged"])
            else:
                snr_db, recipe = self.training.base_snr_db, self.training.base
                record = self._train(unit, folder, snr_db, recipe, start=trunk)
        return record["status"], _codec_summary(record)

    # -- the task model on receptions -------------------------------------------------------

    def receiver(self, unit: Unit, folder: UnitFolder) -> tuple[str, str]:
        """Adapt the task model to what one base delivers over a range of SNR."""
        assert unit.link is not None
        codec = self.shop.new_codec(unit.link, 0)
        if self.need(unit.needs["base"], "codec", codec)["status"] == "diverged":
            return "diverged", "its base diverged"
        record = folder.read("receiver")
        if record is None:
            network = self.shop.new_task(0)
            self.need(unit.needs["task"], "task", network)
            delivered = codec, unit.link, self.recipes.adapted_snr_db
            record = self._adapt(network, delivered, self.recipes.adapted, unit.key, folder)
        return "ok", f"loss {record['losses'][-1]:.3f}" if record["losses"] else "not trained"

    def _adapt(
        self,
        network: nn.Module,
        delivered: tuple[CodecNetwork, Link, Range],
        recipe: Recipe,
        key: str,
        folder: UnitFolder,
    ) -> Record:
        trained = train(
            network,
            self.shop.task_loss(network, delivered),
            len(self.shop.split.train),
            recipe,
            digest([key, "receiver"]),
            folder.path / "training-receiver.safetensors",
        )
        record = {"cpu_s": trained.cpu_s, "losses": trained.losses}
        folder.write("receiver", record, network)
        return record

    # -- cells ------------------------------------------------------------------------------

    def cell(self, unit: Unit, folder: UnitFolder) -> tuple[str, str]:
        """Specialise the codec to one SNR, then the task model to its receptions; measure."""
        assert unit.link is not None
        assert unit.snr_db is not None
        grid, metrics = self.job.experiment.grid, self.job.experiment.metrics
        test_snrs = sorted({unit.snr_db, *(grid.snr_db if grid.mismatch else ())})
        asked = {"snr_db": test_snrs, **metrics.model_dump(mode="json")}
        measured = folder.read("measured")
        if measured is not None and _covers(measured["asked"], asked):
            return measured["status"], measured["summary"]

        codec = self.shop.new_codec(unit.link, 0)
        trained = self._cell_codec(unit, folder, codec)
        matched_cpu_s, rows = 0.0, []
        if trained["status"] == "diverged":
            summary = "diverged: " + "; ".join(trained["attempts"])
        else:
            clean, matched = self.shop.new_task(0), self.shop.new_task(0)
            clean_record = self.need(unit.needs["task"], "task", clean)
            matched_cpu_s = self._cell_receiver(unit, folder, codec, matched)["cpu_s"]
            rows = measure_cell(
                codec,
                unit.link.channel,
                {"clean": clean, "matched": matched},
                self.shop.images,
                self.shop.split.test,
                test_snrs,
                metrics.make(),
                np.array(clean_record["predictions"]),
                unit.key,
                self.shop.device,
            )
            summary = _cell_summary(rows, unit.snr_db)
        cell = self._cell_row(unit, trained, matched_cpu_s)
        record = {"status": trained["status"], "summary": summary, "asked": asked}
        folder.write("measured", record | {"cell": cell, "rows": rows})
        return trained["status"], summary

    def _cell_codec(self, unit: Unit, folder: UnitFolder, codec: CodecNetwork) -> Record:
        """Load the cell's codec into `codec`, training it first if it is not there."""
        assert unit.link is not None
        assert unit.snr_db is not None
        record = folder.load("codec", codec)
        if record is not None:
            return record
        start, recipe = None, self.training.cell_recipe(unit.snr_db)
        if self.training.strategy == "warm":
            start = self.shop.new_codec(unit.link, 0)
            if self.need(unit.needs["base"], "codec", start)["status"] == "diverged":
                return give_up(folder, ["its base diverged"])
        record = train_codec(
            self.shop, self.run, unit, folder, (unit.snr_db, unit.snr_db), recipe, start
        )
        folder.load("codec", codec)
        return record

    def _cell_receiver(
        self, unit: Unit, folder: UnitFolder, codec: CodecNetwork, matched: nn.Module
    ) -> Record:
        """Load the cell's matched task model into `matched`, training it first if need be."""
        assert unit.link is not None
        assert unit.snr_db is not None
        record = folder.load("receiver", matched)
        if record is not None:
            return record
        start = "receiver" if "receiver" in unit.needs else "task"
        self.need(unit.needs[start], start, matched)
        recipe = self.recipes.matched_recipe(self.training, unit.snr_db)
        delivered = codec, unit.link, (unit.snr_db, unit.snr_db)
        return self._adapt(matched, delivered, recipe, unit.key, folder)

    def _cell_row(self, unit: Unit, codec: Record, receiver_cpu_s: float) -> Record:
        """What the cells table says of a cell."""
        assert unit.link is not None
        link = unit.link
        return {
            "cell": unit.name,
            "source": self.shop.images.name,
            "codec": link.codec.label,
            "channel": link.channel.label,
            "cr": link.realisation.cr,
            "cr_nominal": link.realisation.cr_nominal,
            "filters": link.realisation.filters,
            "k": link.realisation.k,
            "train_snr_db": unit.snr_db,
            "seed": link.seed,
            "strategy": self.training.strategy,
            "status": codec["status"],
            "attempts": "; ".join(codec["attempts"]),
            "lr": codec["lr"],
            "steps": codec["steps"],
            "validation_psnr_db": codec["validation_psnr_db"],
            "codec_cpu_s": codec["cpu_s"],
            "receiver_cpu_s": receiver_cpu_s,
            "device": self.job.device,
            "precision": "bf16" if self.job.bf16 else "fp32",
            "threads": self.job.experiment.compute.threads,
            "key": unit.key,
        }


def _covers(measured: Record, asked: Record) -> bool:
    """Whether what was measured holds all that is asked."""
    same = measured | {"snr_db": None} == asked | {"snr_db": None}
    return same and set(asked["snr_db"]) <= set(measured["snr_db"])


def _codec_summary(record: Record) -> str:
    if record["status"] == "diverged":
        return "diverged: " + "; ".join(record["attempts"])
    return f"validation PSNR {record['validation_psnr_db']:.2f} dB mid-range"


def _cell_summary(rows: list[Record], snr_db: float) -> str:
    """Headline of a cell: PSNR and both accuracies at its own SNR."""
    own = {(r["metric"], r["task"]): r["value"] for r in rows if r["snr_db"] == snr_db}
    psnr = own.get(("psnr_db", "none"))
    clean, matched = own["accuracy", "clean"], own["accuracy", "matched"]
    start = "" if psnr is None else f"PSNR {psnr:.2f} dB, "
    return f"{start}accuracy {clean:.3f} clean, {matched:.3f} matched"
