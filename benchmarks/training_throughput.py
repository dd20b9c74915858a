"""Training throughput of one cell against a plain fp32 loop with a DataLoader.

Both train the same DeepJSCC architecture (CR 1/6) on the same images with the same batch size,
one thread, for equal numbers of steps, in turns. The figure is the ratio of CPU time per image.
The plain loop is what one writes first: torch layers, NCHW, float32, Adam, DataLoader workers 0.
"""

import statistics
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from semloss.channels import Awgn
from semloss.codecs.base import from_symbols, to_symbols
from semloss.codecs.deepjscc import DeepJSCC
from semloss.collect.stages.chain import Chain, images_at
from semloss.objectives import Batch, Mse
from semloss.sources import SOURCES
from semloss.training import Recipe, draw_symmetry, keep_freed_memory, native_bf16, train

STEPS, BATCH, ROUNDS = 40, 16, 5
SNR_DB = 10.0


class Plain(nn.Module):
    """The network of Bourtsoulatze et al. 2019 in torch's own layers."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 16, 5, 2, 2), nn.PReLU(16), nn.Conv2d(16, 32, 5, 2, 2), nn.PReLU(32),
            nn.Conv2d(32, 32, 5, 1, 2), nn.PReLU(32), nn.Conv2d(32, 32, 5, 1, 2), nn.PReLU(32),
            nn.Conv2d(32, 16, 5, 1, 2),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(16, 32, 5, 1, 2), nn.PReLU(32),
            nn.ConvTranspose2d(32, 32, 5, 1, 2), nn.PReLU(32),
            nn.ConvTranspose2d(32, 32, 5, 1, 2), nn.PReLU(32),
            nn.ConvTranspose2d(32, 16, 5, 2, 2, 1), nn.PReLU(16),
            nn.ConvTranspose2d(16, 3, 5, 2, 2, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, images, channel, generator):
        received = channel.transmit(to_symbols(self.encoder(images)), SNR_DB, generator)
        return self.decoder(from_symbols(received, (16, 16, 16)))


def plain(images):
    loader = DataLoader(
        TensorDataset(images.permute(0, 3, 1, 2).float().div(255)), batch_size=BATCH, shuffle=True
    )
    network, channel, generator = Plain(), Awgn(), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)

    def loop(steps):
        done = 0
        while done < steps:
            for (batch,) in loader:
                loss = nn.functional.mse_loss(network(batch, channel, generator), batch)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                done += 1
                if done == steps:
                    return

    return loop


def ours(images):
    pixels = images.numpy()
    device, channel = torch.device("cpu"), Awgn()
    codec, shape = DeepJSCC(), (3, 64, 64)
    network = codec.build(shape, codec.realise(1 / 6, shape), 0)
    network.to(memory_format=torch.channels_last)
    chain = Chain(network, channel, native_bf16(device))
    judge, objective = Mse().build(3, {}, 0), Mse()

    def loss(positions, draws):
        batch = draw_symmetry(draws.augment)(images_at(pixels, positions.numpy(), device))
        received, _ = chain.send(batch, SNR_DB, draws.channel)
        return objective.loss(judge, Batch(batch, {}), received)

    def loop(steps):
        train(network, loss, len(pixels), Recipe(steps=steps, batch_size=BATCH), "bench")

    return loop


def main():
    torch.set_num_threads(1)
    source = SOURCES.parse({"kind": "scenes", "per_class": 50}, "source")
    images = torch.from_numpy(source.load(lambda _: None).images)
    loops = {"plain": plain(images), "semloss": ours(images)}
    per_image = {name: [] for name in loops}
    for round_ in range(ROUNDS + 1):
        for name, loop in loops.items():
            started = time.process_time()
            loop(STEPS)
            if round_:
                per_image[name].append((time.process_time() - started) / STEPS / BATCH * 1e3)
    medians = {name: statistics.median(times) for name, times in per_image.items()}
    ratios = [a / b for a, b in zip(per_image["plain"], per_image["semloss"], strict=True)]
    for name, median in medians.items():
        print(f"{name:>8}: {median:.2f} ms CPU per image (median of {ROUNDS})")
    print(
        f"   ratio: {statistics.median(ratios):.2f} (min {min(ratios):.2f}, max {max(ratios):.2f})"
    )


if __name__ == "__main__":
    keep_freed_memory()  # helps both sides alike
    main()
