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

from semloss.codecs import CodecNetwork, transplant
from semloss.collect.attempts import Record, give_up, train_stage
from semloss.collect.experiment import Experiment
from semloss.collect.grid import Link, Unit
from semloss.collect.losses import Job, Range, Workshop, shared_task
from semloss.collect.measuring import check_codec, measure_cell
from semloss.collect.run import Run, UnitFolder
from semloss.errors import SemlossError
from semloss.identity import seed_for
from semloss.training.loop import Recipe, keep_freed_memory


@dataclass(frozen=True)
class Result:
    """What a worker tells of a finished unit: a headline, and seconds taken."""

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
        When the images cannot be read, the results not be written, the clean task model does
        not train, or a GPU's memory does not suffice.
    """
    prepare_process(job.experiment.compute.threads)
    started = time.monotonic()
    try:
        summary = _Bench(job).do(job.unit)
    except torch.cuda.OutOfMemoryError:
        raise SemlossError(
            f"{job.unit.name}: out of GPU memory; lower --jobs or the batch sizes"
        ) from None
    return Result(summary, time.monotonic() - started)


def missing_snrs_db(experiment: Experiment, unit: Unit, measured: Record | None) -> list[float]:
    """Test SNRs at which a cell is asked to be measured and is not, or not by all metrics."""
    assert unit.snr_db is not None
    grid = experiment.grid
    asked = sorted({unit.snr_db, *(grid.snr_db if grid.mismatch else ())})
    if measured is None:
        return asked
    if measured["status"] == "diverged":
        return []
    wanted, held = experiment.metrics.wanted(), measured["held"]
    return [snr_db for snr_db in asked if not wanted <= set(held.get(f"{snr_db:g}", ()))]


class _Bench:
    """One job at work: its workshop and its folders."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.shop = Workshop(job)
        self.run = Run(job.run)
        self.training = job.experiment.train
        self.recipes = job.experiment.task_training

    def do(self, unit: Unit) -> str:
        """Do one unit under its lock; returns a headline."""
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
            with folder.locked():
                if folder.load(stage, network) is None:
                    folder.forget(stage)
            self.do(unit)
            record = folder.load(stage, network)
        assert record is not None
        return record

    # -- codecs -----------------------------------------------------------------------------

    def trunk(self, unit: Unit, folder: UnitFolder) -> str:
        """Train the codec that the bases of all CRs start from."""
        record = folder.read("codec")
        if record is None:
            record = self._train_codec(unit, folder, self.training.base_snr_db, self.training.trunk)
        return _codec_summary(record)

    def base(self, unit: Unit, folder: UnitFolder) -> str:
        """Train the codec that all cells of one CR start from."""
        record = folder.read("codec")
        if record is None:
            trunk_link = self.job.units[unit.needs["trunk"]].link
            assert trunk_link is not None
            trunk = self.shop.new_codec(trunk_link, 0)
            if self.need(unit.needs["trunk"], "codec", trunk)["status"] == "diverged":
                record = give_up(folder, "codec", ["its trunk diverged"])
            else:
                assert unit.link is not None
                snr_db = self.training.base_snr_db
                recipe = self.training.base_recipe(unit.link.realisation.cr)
                record = self._train_codec(unit, folder, snr_db, recipe, start=trunk)
        return _codec_summary(record)

    def _train_codec(
        self,
        unit: Unit,
        folder: UnitFolder,
        snr_db: Range,
        recipe: Recipe,
        start: CodecNetwork | None = None,
    ) -> Record:
        """Train a codec from random weights or from those of `start`."""
        assert unit.link is not None
        link = unit.link

        def make(key: str) -> CodecNetwork:
            network = self.shop.new_codec(link, seed_for(key, "weights"))
            if start is not None:
                transplant(start, network)
            return network

        return train_stage(
            self.run,
            folder,
            "codec",
            recipe,
            self.training.retries,
            len(self.shop.split.train),
            make,
            lambda network: self.shop.codec_loss(network, link, snr_db),
            lambda network, key: check_codec(
                network,
                link.channel,
                self.shop.images,
                self.shop.split,
                sum(snr_db) / 2,
                key,
                self.shop.device,
            ),
        )

    # -- task models ------------------------------------------------------------------------

    def task(self, unit: Unit, folder: UnitFolder) -> str:
        """Train the clean task model, or take it from the cache that all runs share."""
        network = self.shop.new_task(0)
        record = folder.load("task", network)
        if record is None:
            shared = shared_task(self.job, unit)
            with shared.locked():
                record = shared.load("task", network)
                if record is None:
                    self._train_task(unit, shared)
                    record = shared.load("task", network)
            assert record is not None
            folder.write("task", record, network)
        return f"clean accuracy {record['accuracy']:.3f} on {record['n']} test images"

    def _train_task(self, unit: Unit, shared: UnitFolder) -> None:
        record = train_stage(
            self.run,
            shared,
            "task",
            self.recipes.clean,
            self.training.retries,
            len(self.shop.split.train),
            lambda key: self.shop.new_task(seed_for(key, "weights")),
            self.shop.task_loss,
            lambda network, _: self._clean_facts(network),
        )
        if record["status"] == "diverged":
            shared.forget("task")
            raise SemlossError(
                f"the task model does not train ({'; '.join(record['attempts'])}); "
                "lower task.clean.lr"
            )

    def _clean_facts(self, network: nn.Module) -> Record:
        network.eval()
        test = self.shop.split.test
        predictions = self.shop.predict(network, test)
        accuracy = float(np.mean(predictions == self.shop.images.labels[test]))
        return {"accuracy": accuracy, "n": len(test), "predictions": predictions.tolist()}

    def receiver(self, unit: Unit, folder: UnitFolder) -> str:
        """Adapt the task model to what one base delivers over a range of SNR."""
        assert unit.link is not None
        record = folder.read("receiver")
        if record is None:
            codec, clean = self.shop.new_codec(unit.link, 0), self.shop.new_task(0)
            if self.need(unit.needs["base"], "codec", codec)["status"] == "diverged":
                record = give_up(folder, "receiver", ["its base diverged"])
            else:
                self.need(unit.needs["task"], "task", clean)
                delivered = codec, unit.link, self.recipes.adapted_snr_db
                record = self._adapt(clean, delivered, self.recipes.adapted, folder)
        if record["status"] == "diverged":
            return "diverged: " + "; ".join(record["attempts"])
        return f"loss {record['losses'][-1]:.3f}" if record["losses"] else "not trained"

    def _adapt(
        self,
        start: nn.Module,
        delivered: tuple[CodecNetwork, Link, Range],
        recipe: Recipe,
        folder: UnitFolder,
    ) -> Record:
        """Fine-tune a task model on what a link delivers."""

        def make(_: str) -> nn.Module:
            network = self.shop.new_task(0)
            network.load_state_dict(start.state_dict())
            return network

        return train_stage(
            self.run,
            folder,
            "receiver",
            recipe,
            self.training.retries,
            len(self.shop.split.train),
            make,
            lambda network: self.shop.task_loss(network, delivered),
            lambda _network, _key: {},
        )

    # -- cells ------------------------------------------------------------------------------

    def cell(self, unit: Unit, folder: UnitFolder) -> str:
        """Specialise the codec to one SNR, then the task model to its receptions; measure."""
        assert unit.link is not None
        assert unit.snr_db is not None
        measured = folder.read("measured")
        missing = missing_snrs_db(self.job.experiment, unit, measured)
        if measured is not None and not missing:
            return str(measured["summary"])

        codec, matched = self.shop.new_codec(unit.link, 0), self.shop.new_task(0)
        sender = self._cell_codec(unit, folder, codec)
        receiver = sender
        if sender["status"] != "diverged":
            receiver = self._cell_receiver(unit, folder, codec, matched)
        cell = self._cell_row(unit, sender, receiver)
        record: Record = {"status": cell["status"], "cell": cell, "held": {}, "rows": []}
        if cell["status"] == "diverged":
            record["summary"] = f"diverged: {cell['attempts']}"
            folder.write("measured", record)
            return str(record["summary"])

        clean = self.shop.new_task(0)
        clean_record = self.need(unit.needs["task"], "task", clean)
        metrics = self.job.experiment.metrics
        rows = measure_cell(
            codec,
            unit.link.channel,
            {"clean": clean, "matched": matched},
            self.shop.images,
            self.shop.split.test,
            missing,
            metrics.make(),
            np.array(clean_record["predictions"]),
            unit.key,
            self.shop.device,
        )
        # what was measured before stays: at other SNRs, or by metrics not asked for now
        old = measured or record
        merged = {(r["snr_db"], r["task"], r["metric"]): r for r in [*old["rows"], *rows]}
        record["rows"] = list(merged.values())
        record["held"] = old["held"] | {
            f"{snr_db:g}": sorted(metrics.wanted() | set(old["held"].get(f"{snr_db:g}", ())))
            for snr_db in missing
        }
        record["summary"] = _cell_summary(record["rows"], unit.snr_db)
        folder.write("measured", record)
        return str(record["summary"])

    def _cell_codec(self, unit: Unit, folder: UnitFolder, codec: CodecNetwork) -> Record:
        """Load the cell's codec into `codec`, training it first if it is not there."""
        assert unit.link is not None
        assert unit.snr_db is not None
        record = folder.load("codec", codec)
        if record is not None:
            return record
        start, recipe = None, self.training.cell_recipe(unit.snr_db)
        if "base" in unit.needs:
            start = self.shop.new_codec(unit.link, 0)
            if self.need(unit.needs["base"], "codec", start)["status"] == "diverged":
                return give_up(folder, "codec", ["its base diverged"])
        own = (unit.snr_db, unit.snr_db)
        record = self._train_codec(unit, folder, own, recipe, start)
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
        origin = "receiver" if "receiver" in unit.needs else "task"
        start = self.shop.new_task(0)
        if self.need(unit.needs[origin], origin, start)["status"] == "diverged":
            return give_up(folder, "receiver", ["its receiver diverged"])
        recipe = self.recipes.matched_recipe(self.training, unit.snr_db)
        delivered = codec, unit.link, (unit.snr_db, unit.snr_db)
        record = self._adapt(start, delivered, recipe, folder)
        folder.load("receiver", matched)
        return record

    def _cell_row(self, unit: Unit, sender: Record, receiver: Record) -> Record:
        """What the cells table says of a cell."""
        assert unit.link is not None
        link = unit.link
        both = [sender["status"], receiver["status"]]
        status = next((one for one in ("diverged", "retried") if one in both), "ok")
        attempts = [f"codec at {text}" for text in sender["attempts"]]
        if receiver is not sender:
            attempts += [f"task model at {text}" for text in receiver["attempts"]]
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
            "status": status,
            "attempts": "; ".join(attempts),
            "lr": sender["lr"],
            "steps": sender["steps"],
            "validation_psnr_db": sender.get("validation_psnr_db"),
            "codec_cpu_s": sender["cpu_s"],
            "receiver_cpu_s": receiver["cpu_s"] if receiver is not sender else 0.0,
            "device": self.job.device,
            "precision": "bf16" if self.job.bf16 else "fp32",
            "threads": self.job.experiment.compute.threads,
            "code": self.job.code,
            "key": unit.key,
        }


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
