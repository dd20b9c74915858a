"""A task model fine-tuned on what a codec delivers."""

import torch
from torch import Tensor, nn

from semloss.collect.stages.attempts import Doing, give_up
from semloss.collect.stages.base import Rates, Record, Stage, stage
from semloss.collect.stages.bench import Bench
from semloss.collect.stages.chain import Chain
from semloss.collect.units import Range, Unit
from semloss.training import BatchLoss, Draws, autocast


def adapted_loss(bench: Bench, network: nn.Module, chain: Chain, snr_db: Range) -> BatchLoss:
    """Loss of a task model on what a trained codec delivers."""

    def loss(positions: Tensor, draws: Draws) -> Tensor:
        batch = bench.batch(positions, draws)
        snr = bench.uniform(len(batch.images), snr_db, draws)
        with torch.no_grad():
            arrived, _ = chain.send(batch.images, snr, draws.channel)
        with autocast(bench.device, bench.job.bf16):
            outputs = network(arrived)
        return bench.task.loss(outputs, batch.truth)

    return loss


@stage
class Receiver(Stage):
    """Adapt the task model to a base over a range of SNR, or to a cell at its own."""

    name = "receiver"

    def do(self, unit: Unit, bench: Bench) -> Doing[str]:
        """Adapt it if it is not there; see `Stage.do`."""
        record = bench.folder(unit).read(self.name)
        if record is None:
            record = yield from self._train(unit, bench)
        if record["status"] == "diverged":
            return "diverged: " + ("; ".join(record["attempts"]) or "its codec did")
        return f"loss {record['losses'][-1]:.3f}" if record["losses"] else "not trained"

    def cost(self, unit: Unit, rates: Rates) -> float:
        """Seconds of its training."""
        return rates.training(rates.adapted, unit)

    def _train(self, unit: Unit, bench: Bench) -> Doing[Record]:
        scheme, lesson, folder = unit.scheme, unit.lesson, bench.folder(unit)
        assert scheme is not None
        assert lesson is not None
        assert lesson.snr_db is not None
        codec, start = bench.new_codec(scheme, 0), bench.new_task(0)
        sender = bench.job.needs.get("codec")
        if sender is not None and bench.load("codec", codec)["status"] == "diverged":
            # a cell's row tells of its codec itself
            reasons = [] if unit.kind == "cell" else [f"its {sender.kind} diverged"]
            return give_up(folder, self.name, reasons)
        if bench.load("start", start)["status"] == "diverged":
            return give_up(folder, self.name, ["its receiver diverged"])

        def make(_: str) -> nn.Module:
            network = bench.new_task(0)
            network.load_state_dict(start.state_dict())
            return network

        chain, snr_db = bench.chain(scheme, codec), lesson.snr_db
        record = yield from bench.attempts(unit).train(
            make,
            lambda network, _: (adapted_loss(bench, network, chain, snr_db), None),
            lambda _network, _key: {},
        )
        return record
