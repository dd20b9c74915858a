"""A cell, measured: what its link delivers, and what task models make of it."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

from torch import nn

from semloss.codecs import CodecNetwork
from semloss.codecs.cost import encoder_cost
from semloss.collect.experiment import Experiment
from semloss.collect.run import UnitFolder, rows_of
from semloss.collect.stages.attempts import Doing
from semloss.collect.stages.base import Rates, Record, Stage, stage
from semloss.collect.stages.bench import Bench
from semloss.collect.stages.chain import Chain, images_at
from semloss.collect.stages.rebuild import rebuild_record
from semloss.collect.stages.reception import Listeners, TestSet, measure, readable
from semloss.collect.stages.task_model import said_of
from semloss.collect.units import Unit

#: Test images that an encoder is timed on.
TIMED = 6

#: Record of a codec that is never trained, or of a receiver that there is none of.
_UNTRAINED: Record = {"status": "ok", "attempts": [], "lr": None, "steps": 0, "cpu_s": 0.0}


def tests_db(experiment: Experiment, unit: Unit) -> list[float]:
    """SNRs at which a cell is asked to be measured.

    A codec that serves all SNR has a cell for each; there is no mismatch to measure.
    """
    grid = experiment.grid
    others = grid.snr_db if grid.mismatch and unit.own_scheme.codec.training == "cell" else ()
    return sorted({unit.own_snr_db, *others})


@stage
class Measured(Stage):
    """Send the test images over a cell's link, and judge what arrives."""

    name = "measured"

    def do(self, unit: Unit, bench: Bench) -> Doing[str]:
        """Measure what is asked and not measured yet; see `Stage.do`."""
        yield from ()  # nothing is trained
        folder = bench.folder(unit)
        old = folder.read(self.name)
        missing = self._missing(unit, old, bench.experiment)
        if old is not None and not missing:
            return str(old["summary"])
        record = self._measure(unit, bench, old, missing)
        folder.write(self.name, record)
        return str(record["summary"])

    def finished(self, unit: Unit, folder: UnitFolder, experiment: Experiment) -> bool:
        """Whether it was measured at all SNRs and by all metrics that are asked for."""
        record = folder.read(self.name)
        return record is not None and not self._missing(unit, record, experiment)

    def cost(self, unit: Unit, rates: Rates) -> float:
        """Seconds of one measurement."""
        return rates.measured * rates.test_images

    def _missing(self, unit: Unit, record: Record | None, experiment: Experiment) -> list[float]:
        """Test SNRs that are asked for and not measured, or not by all metrics."""
        asked = tests_db(experiment, unit)
        if record is None:
            return asked
        if record["status"] == "diverged":
            return []
        wanted = _wanted(unit, experiment)
        first = [f"{use} {experiment.tasks[0].label}" for use in ("clean", "matched")]

        def held(snr_db: float) -> set[str]:
            told = set(record["held"].get(f"{snr_db:g}", ()))
            if told and not any(" of " in one for one in told):
                # there was one task model, and its two states were always measured
                told |= {f"{role} of {unit.needs[role]}" for role in first if role in unit.needs}
            return told

        return [snr_db for snr_db in asked if not wanted <= held(snr_db)]

    def _measure(
        self, unit: Unit, bench: Bench, old: Record | None, missing: list[float]
    ) -> Record:
        scheme, needs = unit.own_scheme, bench.job.needs
        codec = bench.new_codec(scheme, 0)
        sender = bench.load("codec", codec) if "codec" in needs else _UNTRAINED
        listeners, receivers = _listeners(unit, bench)
        cell = _cell_row(unit, bench, sender, receivers) | _encoder_row(codec, bench)
        record: Record = {"status": cell["status"], "cell": cell, "held": {}, "rows": []}
        if cell["status"] == "diverged":
            return record | {"summary": f"diverged: {cell['attempts']}"}
        wanted = _wanted(unit, bench.experiment)
        usable = readable(bench.experiment.metrics.make(), bench.images, scheme.codec.delivers)
        sent = TestSet(bench.images, bench.split.test, bench.device)
        chain, rows = Chain(codec, scheme.channel), []
        for snr_db in missing:
            rows += measure(chain, sent, snr_db, usable, listeners, unit.key)
        # what was measured before stays: at other SNRs, or by metrics not asked for now
        before = old or record
        merged = {
            (r["snr_db"], r["task"], r["receiver"], r["metric"]): r
            for r in [*rows_of(before, bench.experiment.tasks[0].label), *rows]
        }
        record["rows"] = list(merged.values())
        record["held"] = before["held"] | {
            f"{snr_db:g}": sorted(wanted | set(before["held"].get(f"{snr_db:g}", ())))
            for snr_db in missing
        }
        lost = {role for role, one in receivers.items() if one["status"] == "diverged"}
        able = {role: need for role, need in needs.items() if role not in lost}
        record["rebuild"] = rebuild_record(
            unit, able, bench.experiment.tasks, bench.shape, bench.images.classes
        )
        return record | {"summary": _summary(record["rows"], unit.snr_db)}


def _roles(unit: Unit, experiment: Experiment) -> list[tuple[str, str]]:
    """Task model and use of each network that judges a cell."""
    return [
        (entry.label, use)
        for entry in experiment.tasks
        for use in entry.training.uses
        if f"{use} {entry.label}" in unit.needs
    ]


def _wanted(unit: Unit, experiment: Experiment) -> set[str]:
    """What a measurement must hold: metrics, and the task models that judge, by their origin."""
    roles = [f"{use} {label}" for label, use in _roles(unit, experiment)]
    return experiment.metrics.wanted() | {f"{role} of {unit.needs[role]}" for role in roles}


def _listeners(unit: Unit, bench: Bench) -> tuple[list[Listeners], dict[str, Record]]:
    """The task models that judge a cell, and the records of those that were adapted, by role.

    A model that diverged does not judge.
    """
    codec = unit.own_scheme.codec
    listeners: list[Listeners] = []
    records: dict[str, Record] = {}
    for label, roles in groupby(_roles(unit, bench.experiment), key=lambda one: one[0]):
        subject = bench.subjects[label]
        clean = subject.network()
        said = said_of(bench.load(f"clean {label}", clean), subject)
        networks: dict[str, nn.Module] = {}
        for _, use in roles:
            network = clean
            if use != "clean":
                network = subject.network()
                record = bench.load(f"{use} {label}", network)
                records[f"{use} {label}"] = record
                if record["status"] == "diverged":
                    continue
            networks[use] = codec.listening(network, bench.shape)
        truth = subject.truth[bench.split.test].numpy()
        asked = bench.experiment.metrics.asked(bench.images.classes)
        listeners.append(Listeners(subject.task, networks, truth, said, asked))
    return listeners, records


def _cell_row(
    unit: Unit, bench: Bench, sender: Record, receivers: Mapping[str, Record]
) -> dict[str, Any]:
    """What the cells table says of a cell.

    It has diverged where its codec has, or the first task model that was matched to it.
    """
    scheme, training = unit.own_scheme, bench.experiment.train
    own = scheme.codec.training == "cell"
    matched = [role for role in receivers if role.startswith("matched ")]
    first = bench.experiment.tasks[0].label
    receiver = receivers.get(f"matched {first}", _UNTRAINED)
    both = [sender["status"], receiver["status"]]
    status = next((one for one in ("diverged", "retried") if one in both), "ok")
    attempts = [f"codec at {text}" for text in sender["attempts"]]
    for role, record in receivers.items():
        name = "task model" if record is receiver else role
        attempts += [f"{name} at {text}" for text in record["attempts"]]
    return {
        "cell": unit.name,
        "source": bench.images.name,
        **scheme.columns(),
        "snr_db": unit.snr_db,
        "train_snr_db": unit.snr_db if own else None,
        "strategy": training.strategy if own else scheme.codec.training,
        "status": status,
        "attempts": "; ".join(attempts),
        "lr": sender["lr"],
        "steps": sender["steps"],
        "validation_psnr_db": sender.get("validation_psnr_db"),
        "codec_cpu_s": sender["cpu_s"],
        "receiver_cpu_s": sum((receivers[role]["cpu_s"] for role in matched), 0.0),
        "device": bench.job.device,
        "precision": "bf16" if bench.job.bf16 else "fp32",
        "threads": bench.experiment.compute.threads,
        "code": bench.job.code,
        "key": unit.key,
    }


def _encoder_row(codec: CodecNetwork, bench: Bench) -> dict[str, Any]:
    """What the cells table says of the cost of sending."""
    images = images_at(bench.pixels, bench.split.test[:TIMED], bench.device)
    return {f"encoder_{name}": value for name, value in asdict(encoder_cost(codec, images)).items()}


def _summary(rows: list[dict[str, Any]], snr_db: float | None) -> str:
    """Headline of a cell: PSNR, and the first measure of each receiver, at its own SNR."""
    own = [row for row in rows if row["snr_db"] == snr_db]
    parts = [f"PSNR {row['value']:.2f} dB" for row in own if row["metric"] == "psnr_db"]
    answers = [row for row in own if row["receiver"] != "none"]
    headline = next((row["metric"] for row in answers), None)
    several = len({row["task"] for row in answers}) > 1
    judged = [
        f"{row['value']:.3f} {row['receiver']}" + (f" {row['task']}" if several else "")
        for row in answers
        if row["metric"] == headline
    ]
    return ", ".join([*parts, *([f"{headline} {', '.join(judged)}"] if judged else [])])
