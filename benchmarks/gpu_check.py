"""One command for a machine with a GPU: whether packs work there, and how fast they are.

It runs the tests that need a GPU (a member does not depend on its pack, a stopped pack goes on),
reads the images a second of one codec and of packs against a plain fp32 loop with a DataLoader and
against the same training step by step, and measures a grid of 66 cells on 2,700 tiles of 64 x 64
px from images to tables. What it finds is printed and written as CSV. Where there is no GPU it says
so.

The grid trains every codec for a quarter of the preset's 4,000 steps, to be done in four minutes;
``--steps 4000`` is the whole. With ``--tiles``, a folder of EuroSAT RGB tiles, and the whole steps
its PSNR is held against the reference table, which a CPU measured on such tiles. Without, it takes
the built-in scenes: nothing is downloaded.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from training_time import Plain

from semloss.channels import Awgn
from semloss.codecs.deepjscc import DeepJSCC
from semloss.collect.stages.chain import Chain, images_at
from semloss.sources import SOURCES, open_cached
from semloss.storage import cache_dir
from semloss.tables import load_table
from semloss.training import Member, Recipe, draw_symmetry, loop, native_bf16, train_pack
from semloss.training.member import Training

ROOT = Path(__file__).parents[1]
SHAPE, SNR_DB = (3, 64, 64), 10.0
GRID = [
    'grid.cr=["1/48","1/32","1/24","1/16","1/12","1/6"]',
    "grid.snr_db=[-8,-6,-4,-2,0,2,4,7,10,14,18]",
]
WHOLE_STEPS = 4000

#: Batch size and codecs of a pack, and the images a second that are its target.
PACKS = ((16, 1, None), (16, 24, 60e3), (64, 1, None), (64, 11, 105e3), (64, 24, 105e3))


@dataclass(frozen=True)
class Reading:
    """A figure, and what it should be on one H100."""

    what: str
    figure: float
    unit: str
    target: str = ""
    met: bool | None = None


# -- images a second -------------------------------------------------------------------------------


def plain_rate(device, pixels, batch, steps):
    """Images a second of the loop that one writes first."""
    images = pixels.permute(0, 3, 1, 2).float().div(255).cpu().contiguous()
    loader = DataLoader(TensorDataset(images), batch_size=batch, shuffle=True, drop_last=True)
    network, channel = Plain().to(device), Awgn()
    generator = torch.Generator(device).manual_seed(0)
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)

    def run(n):
        done = 0
        while done < n:
            for (sent,) in loader:
                there = sent.to(device)
                loss = nn.functional.mse_loss(network(there, channel, generator), there)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                done += 1
                if done == n:
                    break
        return loss.item()  # waits for the device

    return batch * per_second(run, steps)


def members(device, pixels, count, batch, steps):
    """Codecs of CR 1/6, each from weights and random streams of its own."""
    codec, channel, found = DeepJSCC(), Awgn(), []
    for seed in range(count):
        network = codec.build(SHAPE, codec.realise(1 / 6, SHAPE), seed)
        network.to(device=device, memory_format=torch.channels_last)
        chain = Chain(network, channel, native_bf16(device))

        def loss(positions, draws, chain=chain):
            images = draw_symmetry(draws.augment)(images_at(pixels, positions, device))
            arrived, _ = chain.send(images, SNR_DB, draws.channel)
            return nn.functional.mse_loss(arrived, images)

        recipe = Recipe(steps=steps, batch_size=batch)
        found.append(Member(network, loss, len(pixels), recipe, f"seed {seed}"))
    return found


def step_by_step(pack):
    """The same training without a graph, as it was before there were packs."""
    trainings = [Training(one) for one in pack]
    while trainings[0].left:
        for one, losses in zip(trainings, loop._eager(trainings), strict=True):
            one.take_in(losses, 0.0)


def pack_rate(device, pixels, count, batch, steps, train=train_pack):
    """Images a second of a pack."""
    return (
        count * batch
        * per_second(lambda n: train(members(device, pixels, count, batch, n)), steps)
    )  # fmt: skip


def per_second(run, steps):
    """Steps a second in the long run: what a training begins with is left out."""
    took_s = []
    for n in (steps // 5, steps):
        started = time.perf_counter()
        run(n)
        took_s.append(time.perf_counter() - started)
    return (steps - steps // 5) / (took_s[1] - took_s[0])


def rates(device, pixels, steps, few_steps, packs=PACKS):
    """Images a second of all ways, in one run."""
    plain = plain_rate(device, pixels, 16, few_steps)
    yield Reading("plain fp32 loop, batch 16", plain, "images/s")
    eager = pack_rate(device, pixels, 1, 16, few_steps, step_by_step)
    yield Reading("step by step, batch 16, 1 codec", eager, "images/s")
    for batch, count, least in packs:
        rate = pack_rate(device, pixels, count, batch, steps)
        what = f"pack, batch {batch}, {count} codec{'s' * (count > 1)}"
        target, met = ("", None) if least is None else (f">= {least:,.0f}", rate >= least)
        yield Reading(what, rate, "images/s", target, met)
        if (batch, count) == (16, 24):
            yield Reading("the same over the plain loop", rate / plain, "", ">= 40",
                          rate >= 40 * plain)  # fmt: skip


# -- tests and a grid ------------------------------------------------------------------------------


def tests():
    """Whether the tests of packs pass, those on a GPU among them."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/training"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(done.stdout.strip().splitlines()[-1])
    passed = done.returncode == 0
    return Reading("tests of packs on this GPU", float(passed), "", "pass", passed)


def collected(device, folder, *what):
    """Wall seconds of a collect, and its table."""
    command = [sys.executable, "-m", "semloss", "collect", *what, "--device", device]
    started = time.perf_counter()
    subprocess.run([*command, "--out", str(folder)], cwd=ROOT, check=True, stdout=sys.stderr)
    return time.perf_counter() - started, load_table(folder)


def grid(device, folder, steps, tiles):
    """66 cells from images to tables."""
    place = [f"source.path={tiles}"] if tiles else ["source.kind=scenes", "source.per_class=270"]
    changes = [*place, *GRID, f"train.independent.steps={steps}"]
    if not tiles:  # drawing the scenes is no part of the measurement
        scenes = SOURCES.parse({"kind": "scenes", "per_class": 270}, "source")
        open_cached(scenes, cache_dir(), lambda _: None)
    sets = [part for change in changes for part in ("--set", change)]
    wall_s, table = collected(device, folder, "--preset", "eurosat", *sets)
    whole = steps >= WHOLE_STEPS
    cells = table.cell.nunique()
    yield Reading(f"{cells} cells of {steps} steps, images to tables", wall_s / 60, "min",
                  "<= 6" if whole else "", wall_s <= 360 if whole else None)  # fmt: skip
    yield Reading("of those, cells that diverged", 66 - cells, "", "0", cells == 66)
    psnr = means(table)
    if tiles and whole:
        psnr -= means(load_table(ROOT / "data" / "eurosat-awgn"))
    for cr, value in psnr.items():
        what = f"mean PSNR at CR 1/{1 / cr:.0f}"
        if tiles and whole:
            yield Reading(f"{what} over the reference", value, "dB", ">= 0", value >= 0)
        else:
            yield Reading(what, value, "dB")


def means(table):
    """Mean PSNR by CR."""
    rows = table[(table.metric == "psnr_db") & (table.receiver == "none")]
    return rows.groupby(rows.cr.round(6)).value.mean()


# -- what is told ----------------------------------------------------------------------------------


def told(readings, path):
    """Print readings as they come and write them as CSV; whether all targets are met."""
    found = []
    for one in readings:
        verdict = "" if one.met is None else f"{one.target}: {'met' if one.met else 'NOT MET'}"
        print(f"{one.what:<48} {one.figure:>12,.2f} {one.unit:<9} {verdict}", flush=True)
        found.append(one)
    with path.open("w", newline="") as file:
        rows = csv.DictWriter(file, ["what", "figure", "unit", "target", "met"])
        rows.writeheader()
        rows.writerows(asdict(one) for one in found)
    return all(one.met is not False for one in found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=WHOLE_STEPS // 4, help="of a cell's codec")
    parser.add_argument("--tiles", type=Path, help="folder of EuroSAT RGB tiles")
    parser.add_argument("--out", type=Path, default=Path("gpu-check.csv"))
    args = parser.parse_args()
    if not torch.cuda.is_available():
        print("gpu-check: skipped, there is no GPU here")
        return 0
    device = torch.device("cuda")
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}; targets are for one H100")
    pixels = torch.randint(0, 256, (2000, 64, 64, 3), dtype=torch.uint8, device=device)

    def everything():
        yield tests()
        yield from rates(device, pixels, 600, 200)
        torch.cuda.empty_cache()
        with tempfile.TemporaryDirectory() as folder:
            os.environ["SEMLOSS_CACHE"] = f"{folder}/cache"
            yield from grid("cuda", Path(folder) / "run", args.steps, args.tiles)

    met = told(everything(), args.out)
    print(f"written: {args.out}")
    return 0 if met else 3


if __name__ == "__main__":
    sys.exit(main())
