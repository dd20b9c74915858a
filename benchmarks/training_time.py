"""What a trained codec costs in CPU time, against the loop that one writes first.

The plain loop has torch's layers, NCHW, float32, Adam and a DataLoader. Both train the DeepJSCC of
one cell (CR 1/12, 6 dB) on the same images with 16 images a step, on as many threads, with the same
course of the learning rate; the plain loop's is the best of three, found with the first seed.

*Time to its PSNR*: the plain loop trains for so many steps; semloss is trained for a tenth of
them, then for half as many again and so on, each from random weights, until it is as good on
images that neither has seen. The figure is the CPU time of that last training over the plain
loop's.

*Step*: CPU time of a step, taken in turns: the plain loop's over semloss'.
"""

import argparse
import statistics
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from semloss.channels import Awgn
from semloss.codecs.base import from_symbols, to_symbols
from semloss.codecs.deepjscc import DeepJSCC
from semloss.collect.stages.chain import Chain, images_at
from semloss.metrics.distortion import Psnr
from semloss.objectives import Batch, Mse
from semloss.sources import SOURCES
from semloss.training import Recipe, draw_symmetry, keep_freed_memory, native_bf16, train

BATCH, SNR_DB, SHAPE = 16, 6.0, (3, 64, 64)
RATES = (1e-3, 2e-3, 4e-3)
TIMED, ROUNDS = 40, 5


class Plain(nn.Module):
    """The network of Bourtsoulatze et al. 2019 in torch's own layers, 8 filters: CR 1/12."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 16, 5, 2, 2), nn.PReLU(16), nn.Conv2d(16, 32, 5, 2, 2), nn.PReLU(32),
            nn.Conv2d(32, 32, 5, 1, 2), nn.PReLU(32), nn.Conv2d(32, 32, 5, 1, 2), nn.PReLU(32),
            nn.Conv2d(32, 8, 5, 1, 2),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(8, 32, 5, 1, 2), nn.PReLU(32),
            nn.ConvTranspose2d(32, 32, 5, 1, 2), nn.PReLU(32),
            nn.ConvTranspose2d(32, 32, 5, 1, 2), nn.PReLU(32),
            nn.ConvTranspose2d(32, 16, 5, 2, 2, 1), nn.PReLU(16),
            nn.ConvTranspose2d(16, 3, 5, 2, 2, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, images, channel, generator):
        received = channel.transmit(to_symbols(self.encoder(images)), SNR_DB, generator)
        return self.decoder(from_symbols(received, (8, 16, 16)))


def trained_plainly(pixels, steps, seed, rate):
    """What sends images, after so many steps of the plain loop."""
    torch.manual_seed(seed)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255).contiguous()
    loader = DataLoader(TensorDataset(images), batch_size=BATCH, shuffle=True, drop_last=True)
    network, channel, generator = Plain(), Awgn(), torch.Generator().manual_seed(seed)
    optimiser, course = torch.optim.Adam(network.parameters()), Recipe(steps=steps, lr=rate)
    done = 0
    while done < steps:
        for (batch,) in loader:
            loss = nn.functional.mse_loss(network(batch, channel, generator), batch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.param_groups[0]["lr"] = course.lr_at(done)
            optimiser.step()
            done += 1
            if done == steps:
                break
    return lambda batch, noise: network(batch, channel, noise)


def trained_by_semloss(pixels, steps, seed):
    """What sends images, after so many steps of semloss' own training."""
    device, channel, codec = torch.device("cpu"), Awgn(), DeepJSCC()
    network = codec.build(SHAPE, codec.realise(1 / 12, SHAPE), seed)
    network.to(memory_format=torch.channels_last)
    chain = Chain(network, channel, native_bf16(device))
    judge, objective = Mse().build(3, {}, 0), Mse()

    def loss(positions, draws):
        batch = draw_symmetry(draws.augment)(images_at(pixels, positions.numpy(), device))
        received, _ = chain.send(batch, SNR_DB, draws.channel)
        return objective.loss(judge, Batch(batch, {}), received)

    train(network, loss, len(pixels), Recipe(steps=steps, batch_size=BATCH), f"seed {seed}")
    return lambda batch, noise: Chain(network, channel).send(batch, SNR_DB, noise)[0]


def timed(loop, *what):
    """A loop's result and its CPU seconds."""
    started = time.process_time()
    found = loop(*what)
    return found, time.process_time() - started


def psnr_db(send, pixels):
    """Mean PSNR of images that are sent, over one draw of the channel."""
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255)
    with torch.inference_mode():
        arrived = send(images, torch.Generator().manual_seed(1))
    return float(Psnr().per_image(images, arrived).mean())


def time_to_psnr(pixels, unseen, steps, seeds):
    """Ratio of CPU times to the PSNR that the plain loop ends with, for each seed."""
    rate, ratios = None, []
    for seed in seeds:
        tried = []
        for one in RATES if rate is None else [rate]:
            send, cpu_s = timed(trained_plainly, pixels, steps, seed, one)
            tried.append((psnr_db(send, unseen), one, cpu_s))
            print(f"  plain, seed {seed}, lr {one:g}: {tried[-1][0]:.2f} dB in {cpu_s:.0f} s")
        aim, rate, plain_s = max(tried)
        own, reached = steps / 10, -1.0
        while reached < aim and own <= 2 * steps:
            send, cpu_s = timed(trained_by_semloss, pixels, round(own), seed)
            reached = psnr_db(send, unseen)
            print(f"  semloss, {round(own)} steps: {reached:.2f} dB in {cpu_s:.0f} s", flush=True)
            own *= 1.5
        ratios.append(cpu_s / plain_s if reached >= aim else float("inf"))
    return ratios


def step_ratios(pixels):
    """CPU time of a plain step over that of semloss, in turns."""
    loops = {
        "plain": lambda: trained_plainly(pixels, TIMED, 0, RATES[0]),
        "semloss": lambda: trained_by_semloss(pixels, TIMED, 0),
    }
    rounds = [{name: timed(loop)[1] for name, loop in loops.items()} for _ in range(ROUNDS + 1)]
    for name in loops:
        ms = statistics.median(one[name] for one in rounds[1:]) / TIMED / BATCH * 1e3
        print(f"{name:>8}: {ms:.2f} ms CPU per image (median of {ROUNDS})")
    return [one["plain"] / one["semloss"] for one in rounds[1:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, nargs="*", default=[1500, 6000])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    keep_freed_memory()  # helps both sides alike
    source = SOURCES.parse({"kind": "scenes", "per_class": 60}, "source")
    images = source.load(lambda _: None).images
    unseen, pixels = images[::6], images[[at for at in range(len(images)) if at % 6]]
    ratios = step_ratios(pixels)
    print(
        f"   step: {statistics.median(ratios):.2f} (min {min(ratios):.2f}, max {max(ratios):.2f})",
        flush=True,
    )
    for steps in args.steps:
        ratios = time_to_psnr(pixels, unseen, steps, range(args.seeds))
        each = ", ".join(f"{one:.2f}" for one in ratios)
        print(f"CPU time to the plain loop's PSNR of {steps} steps: {max(ratios):.2f} ({each})")


if __name__ == "__main__":
    main()
