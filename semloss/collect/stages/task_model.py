"""The task model on clean images, trained once for all runs on them."""

from typing import Any

import numpy as np
from torch import Tensor, nn

from semloss.collect.run import UnitFolder
from semloss.collect.stages.attempts import Doing
from semloss.collect.stages.base import Rates, Record, Stage, stage
from semloss.collect.stages.bench import Bench
from semloss.collect.units import Job, Unit
from semloss.errors import SemlossError
from semloss.identity import seed_for
from semloss.training import BatchLoss, Draws, autocast


def shared_folder(job: Job, unit: Unit) -> UnitFolder:
    """Where a clean task model lies for all runs on the same images."""
    return UnitFolder(job.cache / "tasks" / unit.name, unit.key)


def clean_loss(bench: Bench, network: nn.Module) -> BatchLoss:
    """Loss of a task model on clean images."""

    def loss(positions: Tensor, draws: Draws) -> Tensor:
        batch = bench.batch(positions, draws)
        with autocast(bench.device, bench.job.bf16):
            outputs = network(batch.images)
        return bench.task.loss(outputs, batch.truth)

    return loss


@stage
class TaskModel(Stage):
    """Train the task model on clean images, or take it from the cache that all runs share."""

    name = "task"

    def do(self, unit: Unit, bench: Bench) -> Doing[str]:
        """Train or take; see `Stage.do`."""
        network, folder = bench.new_task(0), bench.folder(unit)
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
        best = self._clean(bench, record["predictions"])[0]
        return f"clean {best.metric} {best.value:.3f} on {best.n} test images"

    def cost(self, unit: Unit, rates: Rates) -> float:
        """Seconds of its training."""
        return rates.training(rates.clean, unit)

    def _train(self, unit: Unit, bench: Bench, shared: UnitFolder) -> Doing[None]:
        def facts(network: nn.Module, _: str) -> Record:
            network.eval()
            answers = bench.answers(network, bench.split.test).tolist()
            clean = {one.metric: one.value for one in self._clean(bench, answers)}
            return {"clean": clean, "n": len(answers), "predictions": answers}

        record = yield from bench.attempts(unit, shared).train(
            lambda key: bench.new_task(seed_for(key, "weights")),
            lambda network, _: (clean_loss(bench, network), None),
            facts,
        )
        if record["status"] == "diverged":
            shared.forget(self.name)
            raise SemlossError(
                f"the task model does not train ({'; '.join(record['attempts'])}); "
                "lower task.clean.lr, in another folder (--out)"
            )

    def _clean(self, bench: Bench, answers: list[Any]) -> list[Any]:
        """Measurements of the task model on the clean test images."""
        truth = bench.truth[bench.split.test].numpy()
        said = np.array(answers, dtype=truth.dtype)
        return bench.task.measure(truth, said, said, len(bench.images.classes))
