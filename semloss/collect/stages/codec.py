"""A codec, trained from random weights or from those of an earlier one."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from semloss.codecs import CodecNetwork, Trial, transplant
from semloss.collect.stages.attempts import Doing, Teaching, give_up
from semloss.collect.stages.base import Rates, Record, Stage, stage
from semloss.collect.stages.bench import Bench
from semloss.collect.stages.chain import Chain, images_at
from semloss.collect.stages.reception import BATCH
from semloss.collect.units import Range, Unit
from semloss.identity import seed_for
from semloss.objectives import Batch, Judge
from semloss.training import Companion, Draws, autocast

#: Images that the mean image of the training set is taken from.
MEAN_OF = 500


@stage
class Codec(Stage):
    """Train the codec of a trunk, of a base or of a cell for its objective."""

    name = "codec"

    def do(self, unit: Unit, bench: Bench) -> Doing[str]:
        """Train it if it is not there; see `Stage.do`."""
        folder = bench.folder(unit)
        record = folder.read(self.name)
        if record is None:
            record = yield from self._train(unit, bench)
        if record["status"] == "diverged":
            return "diverged: " + "; ".join(record["attempts"])
        if (psnr_db := record.get("validation_psnr_db")) is not None:
            return f"validation PSNR {psnr_db:.2f} dB mid-range"
        if (lost := record.get("validation_map_error")) is not None:
            return f"validation maps without {100 * lost:.1f} % of their variance mid-range"
        return "trained"

    def cost(self, unit: Unit, rates: Rates) -> float:
        """Seconds of its training."""
        return rates.training(rates.codec[unit.own_scheme.objective.label], unit)

    def _train(self, unit: Unit, bench: Bench) -> Doing[Record]:
        scheme = unit.own_scheme
        start: CodecNetwork | None = None
        origin = bench.job.needs.get("start")
        if origin is not None:
            start = bench.new_codec(origin.own_scheme, 0)
            if bench.load("start", start)["status"] == "diverged":
                return give_up(bench.folder(unit), self.name, [f"its {origin.kind} diverged"])
        tasks: dict[str, nn.Module] = {}
        for entry in bench.experiment.tasks_of(scheme.objective):
            clean = bench.subjects[entry.label].network()
            bench.load(f"clean {entry.label}", clean)
            tasks[entry.label] = clean.requires_grad_(False)

        def make(key: str) -> CodecNetwork:
            network = bench.new_codec(scheme, seed_for(key, "weights"))
            if start is not None:
                transplant(start, network)
            return network

        def teach(network: CodecNetwork, key: str) -> Teaching:
            judge = scheme.objective.build(bench.shape[0], tasks, seed_for(key, "judge"))
            loss = CodecLoss(bench, unit, network, judge.to(bench.device))
            return loss, loss.companion()

        check = partial(check_codec, unit, bench)
        record = yield from bench.attempts(unit).train(make, teach, check)
        return record


class CodecLoss:
    """Loss of a batch after the channel, each image at an SNR uniform over a range.

    A codec that serves all CR sends each image at one of its own, uniform on a log scale.
    """

    def __init__(self, bench: Bench, unit: Unit, network: CodecNetwork, judge: Judge) -> None:
        scheme, lesson = unit.own_scheme, unit.own_lesson
        assert lesson.snr_db is not None
        self._bench, self._judge = bench, judge
        self._objective, self._snr_db, self._cr = scheme.objective, lesson.snr_db, lesson.cr
        self._low_cr_share = lesson.low_cr_share
        tasks = bench.experiment.tasks_of(self._objective)
        self._subjects = [bench.subjects[entry.label] for entry in tasks]
        #: A schedule of the objective is run through once, from random weights.
        self._goes_on = "start" in unit.needs
        self._chain = bench.chain(scheme.of_training, network)
        self._last: tuple[Batch, Tensor] | None = None

    def __call__(self, positions: Tensor, draws: Draws) -> Tensor:
        """Loss of the codec."""
        batch = self._bench.batch(positions, draws, *self._subjects)
        if self._goes_on:
            batch = replace(batch, progress=1.0)
        n, cr = len(batch.images), None
        snr_db = self._bench.uniform(n, self._snr_db, draws)
        if self._cr is not None:
            ends = math.log(self._cr[0]), math.log(self._cr[1])
            logs = self._bench.uniform(n, ends, draws)
            cr = lower(logs, ends, self._low_cr_share).exp()
        with autocast(batch.images.device, self._chain.bf16):
            batch = replace(batch, aim=self._chain.codec.aim(batch.images))
        arrived, _ = self._chain.send(batch.images, snr_db, draws.channel, cr)
        self._last = batch, arrived.detach()
        with autocast(arrived.device, self._chain.bf16):
            return self._objective.loss(self._judge, batch, arrived)

    def companion(self) -> Companion | None:
        """The objective's own network, where it has one."""
        if not any(one.requires_grad for one in self._judge.parameters()):
            return None
        return Companion(self._judge, self._own)

    def _own(self) -> Tensor:
        """Loss of the objective's own network, for the batch that the codec's was taken of."""
        assert self._last is not None
        return self._judge.own_loss(*self._last)


def lower(draws: Tensor, ends: Range, share: float) -> Tensor:
    """Uniform draws between two ends, moved so that a share of them lies in the lower half."""
    if share == 0.5:
        return draws
    low, high = ends
    # to this power, a uniform draw in [0, 1] is below a half as often as the share says
    power = -1 / math.log2(share)
    return low + (high - low) * ((draws - low) / (high - low)) ** power


def check_codec(unit: Unit, bench: Bench, network: CodecNetwork, key: str) -> Record:
    """What the codec says of its training, from the validation images in the middle of its SNR.

    Where some of its weights serve other CR alone, it is the mean over what both say.

    Raises
    ------
    Diverged
        When it, or such a part of it, learnt nothing.
    """
    scheme, split, heard_db = unit.own_scheme, bench.split, unit.own_lesson.snr_db
    assert heard_db is not None
    snr_db = sum(heard_db) / 2
    generator = torch.Generator(bench.device).manual_seed(seed_for(key, "validate"))
    some = split.train[np.linspace(0, len(split.train) - 1, MEAN_OF, dtype=np.int64)]
    chain = Chain(network, scheme.channel.of_training)
    records = []
    network.eval()
    with torch.inference_mode():
        mean = network.aim(images_at(bench.pixels, some, bench.device)).mean(0, keepdim=True)
    for at in scheme.codec.tried_at(scheme.realisation):
        batches = []
        with torch.inference_mode():
            for begin in range(0, len(split.validation), BATCH):
                chosen = split.validation[begin : begin + BATCH]
                sent = images_at(bench.pixels, chosen, bench.device)
                other = at is not scheme.realisation
                cr = torch.full((len(sent),), at.cr, device=bench.device) if other else None
                batches.append((network.aim(sent), chain.send(sent, snr_db, generator, cr)[0]))
        bits = at.k * math.log2(1 + 10 ** (snr_db / 10))
        trial = Trial(batches, mean, bits, scheme.objective.of_pixels)
        records.append(scheme.codec.check(trial))
    return {name: sum(one[name] for one in records) / len(records) for name in records[0]}
