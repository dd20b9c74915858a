"""A task model fine-tuned on what a codec delivers, or the codecs of a whole grid."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from semloss.codecs import CodecNetwork
from semloss.collect.scheme import Scheme, points
from semloss.collect.stages.attempts import Doing, give_up
from semloss.collect.stages.base import Rates, Record, Stage, stage
from semloss.collect.stages.bench import Bench
from semloss.collect.stages.chain import Chain
from semloss.collect.stages.subject import Subject
from semloss.collect.units import Range, Unit
from semloss.training import BatchLoss, Draws, autocast

#: Cells whose receptions stand in one batch of a model that is trained for a whole grid.
CELLS_A_BATCH = 8

#: What arrives of images (B, C, H, W), given the random streams.
Arrival = Callable[[Tensor, Draws], Tensor]


def adapted_loss(bench: Bench, subject: Subject, network: nn.Module, arrival: Arrival) -> BatchLoss:
    """Loss of a task model on what trained codecs deliver."""

    def loss(positions: Tensor, draws: Draws) -> Tensor:
        batch = bench.batch(positions, draws, subject)
        with torch.no_grad():
            arrived = arrival(batch.images, draws)
        with autocast(bench.device, bench.job.bf16):
            outputs = network(arrived)
        return subject.task.loss(outputs, batch.truths[subject.label])

    return loss


def over_range(bench: Bench, chain: Chain, ends: Range) -> Arrival:
    """What arrives over one link, each image at an SNR uniform over a range."""

    def arrival(images: Tensor, draws: Draws) -> Tensor:
        snr_db = bench.uniform(len(images), ends, draws)
        return chain.send(images, snr_db, draws.channel)[0]

    return arrival


def over_grid(links: Sequence[tuple[Chain, float]]) -> Arrival:
    """What arrives over links drawn from the cells of a grid, a part of the batch over each."""

    def arrival(images: Tensor, draws: Draws) -> Tensor:
        parts = images.chunk(min(CELLS_A_BATCH, len(images)))
        stream = draws.augment
        drawn = torch.randint(len(links), (len(parts),), generator=stream, device=stream.device)
        arrived = []
        for part, at in zip(parts, drawn.tolist(), strict=True):
            chain, snr_db = links[at]
            arrived.append(chain.send(part, snr_db, draws.channel)[0])
        return torch.cat(arrived)

    return arrival


@stage
class Receiver(Stage):
    """Adapt a task model to a base over a range of SNR, to a cell at its own, or to all cells."""

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
        return rates.training(rates.adapted[unit.task], unit)

    def _train(self, unit: Unit, bench: Bench) -> Doing[Record]:
        scheme, lesson, folder = unit.own_scheme, unit.own_lesson, bench.folder(unit)
        subject = bench.subjects[unit.task]
        start = subject.network()
        if lesson.snr_db is None:
            links = [
                (bench.chain(cell.scheme, codec), cell.snr_db)
                for cell in points(bench.experiment, scheme, bench.shape)
                if (codec := self._codec(bench, cell.scheme, cell.role)) is not None
            ]
            if not links:
                return give_up(folder, self.name, ["all codecs of its grid diverged"])
            arrival = over_grid(links)
        else:
            codec = self._codec(bench, scheme, "codec")
            if codec is None:
                # a cell's row tells of its codec itself
                sender = bench.job.needs["codec"]
                reasons = [] if unit.kind == "cell" else [f"its {sender.kind} diverged"]
                return give_up(folder, self.name, reasons)
            arrival = over_range(bench, bench.chain(scheme, codec), lesson.snr_db)
        if bench.load("start", start)["status"] == "diverged":
            return give_up(folder, self.name, ["its receiver diverged"])

        def make(_: str) -> nn.Module:
            network = subject.network()
            network.load_state_dict(start.state_dict())
            return scheme.codec.listening(network, bench.shape)

        record = yield from bench.attempts(unit).train(
            make,
            lambda network, _: (adapted_loss(bench, subject, network, arrival), None),
            lambda _network, _key: {},
        )
        return record

    def _codec(self, bench: Bench, scheme: Scheme, role: str) -> CodecNetwork | None:
        """A scheme's codec as the unit of a role left it; None where it diverged."""
        codec = bench.new_codec(scheme, 0)
        if role in bench.job.needs and bench.load(role, codec)["status"] == "diverged":
            return None
        return codec
