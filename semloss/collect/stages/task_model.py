"""The task model on clean images, trained once for all runs on them."""

import base64
import zlib
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from semloss.collect.run import UnitFolder
from semloss.collect.stages.attempts import Doing
from semloss.collect.stages.base import Rates, Record, Stage, stage
from semloss.collect.stages.bench import Bench
from semloss.collect.stages.chain import images_at
from semloss.collect.stages.subject import Subject
from semloss.collect.units import Job, Unit
from semloss.errors import SemlossError
from semloss.identity import seed_for
from semloss.interruption import look
from semloss.metrics import Measurement
from semloss.tasks import Said
from semloss.training import SYMMETRIES, BatchLoss, Draws, autocast, turned_at_once

#: Images per pass of a teacher.
HEARD = 128


def shared_folder(job: Job, unit: Unit) -> UnitFolder:
    """Where a clean task model lies for all runs on the same images."""
    return UnitFolder(job.cache / "tasks" / unit.name, unit.key)


def clean_loss(
    bench: Bench, subject: Subject, network: nn.Module, lore: Tensor | None = None
) -> BatchLoss:
    """Loss of a task model on clean images; `lore` (n, T, ...) is what its teachers say of them."""

    def loss(positions: Tensor, draws: Draws) -> Tensor:
        batch = bench.batch(positions, draws, subject)
        with autocast(bench.device, bench.job.bf16):
            outputs = network(batch.images)
        truth = batch.truths[subject.label]
        if lore is None:
            return subject.task.loss(outputs, truth)
        return subject.task.taught(outputs, truth, lore.index_select(0, positions))

    return loss


def _lore(bench: Bench, subject: Subject) -> Tensor | None:
    """Outputs (n, T, ...) of a model's teachers for the training images, on the device.

    Each is the mean over the symmetries of a square.
    """
    told = []
    for label in subject.task.listens_to():
        teacher = bench.subjects[label].network()
        bench.load(f"teacher {label}", teacher)
        parts = []
        with torch.no_grad():
            train = bench.split.train
            for first in range(0, len(train), HEARD):
                look()
                images = images_at(bench.pixels, train[first : first + HEARD], bench.device)
                turns = (turned_at_once(torch.tensor(way), images) for way in range(SYMMETRIES))
                parts.append(torch.stack([teacher(one) for one in turns]).mean(0))
        told.append(torch.cat(parts))
    return torch.stack(told, 1) if told else None


@stage
class TaskModel(Stage):
    """Train the task model on clean images, or take it from the cache that all runs share."""

    name = "task"

    def do(self, unit: Unit, bench: Bench) -> Doing[str]:
        """Train or take; see `Stage.do`."""
        subject, folder = bench.subjects[unit.task], bench.folder(unit)
        network = subject.network()
        record = folder.load(self.name, network)
        if record is None:
            shared = shared_folder(bench.job, unit)
            with shared.locked():
                record = shared.load(self.name, network)
                if record is None:
                    yield from self._train(unit, bench, shared)
                    record = shared.load(self.name, network)
            assert record is not None
            folder.write(self.name, record, network)
        best = self._clean(bench, subject, said_of(record, subject))[0]
        return f"clean {best.metric} {best.value:.3f} on {best.n} test images"

    def cost(self, unit: Unit, rates: Rates) -> float:
        """Seconds of its training."""
        return rates.training(rates.clean[unit.task], unit)

    def _train(self, unit: Unit, bench: Bench, shared: UnitFolder) -> Doing[None]:
        subject = bench.subjects[unit.task]

        def facts(network: nn.Module, _: str) -> Record:
            network.eval()
            said = bench.say(subject.task, network, bench.split.test)
            clean = {one.metric: one.value for one in self._clean(bench, subject, said)}
            return {"clean": clean, "n": len(said.answers), **_recorded(said)}

        def make(key: str) -> nn.Module:
            network = subject.network(seed_for(key, "weights"))
            subject.task.start(network)
            return network

        lore = _lore(bench, subject)
        record = yield from bench.attempts(unit, shared).train(
            make,
            lambda network, _: (clean_loss(bench, subject, network, lore), None),
            facts,
        )
        if record["status"] == "diverged":
            shared.forget(self.name)
            raise SemlossError(
                f"the task model {unit.task} does not train ({'; '.join(record['attempts'])}); "
                "lower task.clean.lr, in another folder (--out)"
            )

    def _clean(self, bench: Bench, subject: Subject, said: Said) -> list[Measurement]:
        """Measurements of the task model on the clean test images."""
        truth = subject.truth[bench.split.test].numpy()
        return subject.task.measure(truth, said.answers, said.answers, len(bench.images.classes))


def said_of(record: Record, subject: Subject) -> Said:
    """What the record of a clean task model says that it said of the clean test images.

    Records of before confidence was kept tell none.
    """
    told, confidence = record["predictions"], record.get("confidence")
    if isinstance(told, dict):
        data = zlib.decompress(base64.b64decode(told["zlib"]))
        told = np.frombuffer(data, told["dtype"]).reshape(told["shape"])
    answers = np.array(told, dtype=subject.truth.numpy().dtype)
    return Said(answers, None if confidence is None else np.array(confidence, dtype=np.float32))


def _recorded(said: Said) -> Record:
    """What was said as JSON can hold it: maps packed, one answer an image as it is."""
    answers = said.answers
    predictions: Any = answers.tolist()
    if answers.ndim > 1:
        data = base64.b64encode(zlib.compress(np.ascontiguousarray(answers).tobytes()))
        predictions = {
            "dtype": answers.dtype.str, "shape": list(answers.shape), "zlib": data.decode()
        }  # fmt: skip
    confidence = {} if said.confidence is None else {"confidence": said.confidence.tolist()}
    return {"predictions": predictions, **confidence}
