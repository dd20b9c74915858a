"""CPU time of a training step for each objective, over that of plain MSE: at most 1.6 is wanted.

DeepJSCC at CR 1/48 on 64x64 images, batches of 16, one thread, in the precision that `collect`
trains in here; steps of all objectives take turns. The task model is ResNet8, untrained: its cost
is that of a trained one. `three` reads three task models, as a task-agnostic codec does.

Read beside other work in bf16: features 1.45, importance 1.55, answers 1.40, cross-entropy 1.25,
pixels 1.29, three 2.60. Convolutions alone, forward on both images and back to one, take 0.24 of a
step of plain MSE for the model of width 16, and 0.95 for the three: 1.6 is not to be had for three
models of 52 million multiplications beside a codec of 45, while each step runs all of them.
"""

import statistics
import time

import torch

from semloss.channels import Awgn
from semloss.codecs.deepjscc import DeepJSCC
from semloss.collect.stages.chain import Chain, images_at
from semloss.objectives import OBJECTIVES, Batch
from semloss.sources import SOURCES
from semloss.tasks import TASKS
from semloss.training import (
    Recipe,
    autocast,
    draw_symmetry,
    keep_freed_memory,
    native_bf16,
    train,
)

STEPS, BATCH, ROUNDS = 20, 16, 7
SNR_DB = 0.0
KINDS = ("mse", "features", "importance", "answers", "cross_entropy", "pixels")


def objectives():
    """Name, objective beside a share of MSE, and the task models that it reads."""
    one = ["resnet8-width16"]
    for kind in KINDS:
        parts = [{"kind": "mse", "weight": 0.05}, {"kind": kind, "weight": 3e-3}]
        table = {"kind": "mse"} if kind == "mse" else {"kind": "sum", "parts": parts}
        yield kind, OBJECTIVES.parse(table, "objective"), one
    parts = [{"kind": "mse", "weight": 0.05}, {"kind": "features", "weight": 3e-3}]
    table = {"kind": "sum", "parts": parts}
    three = [*one, "resnet8-width12", "resnet8-width24"]
    yield "three", OBJECTIVES.parse(table, "objective"), three


def loop_of(objective, labels, pixels, truth):
    device, bf16 = torch.device("cpu"), native_bf16(torch.device("cpu"))
    codec, shape = DeepJSCC(), (3, 64, 64)
    network = codec.build(shape, codec.realise(1 / 48, shape), 0)
    network.to(memory_format=torch.channels_last)
    chain = Chain(network, Awgn(), bf16)
    tasks = {}
    for label in labels:
        width = int(label.removeprefix("resnet8-width"))
        task = TASKS.parse({"kind": "resnet8", "width": width}, "task").build(3, 10, 0)
        tasks[label] = task.to(memory_format=torch.channels_last).eval().requires_grad_(False)
    judge = objective.build(3, tasks if objective.tasks_read(labels) else {}, 0)

    def loss(positions, draws):
        images = draw_symmetry(draws.augment)(images_at(pixels, positions.numpy(), device))
        batch = Batch(images, dict.fromkeys(labels, truth[positions]))
        received, _ = chain.send(images, SNR_DB, draws.channel)
        with autocast(device, bf16):
            return objective.loss(judge, batch, received)

    def loop(steps):
        train(network, loss, len(pixels), Recipe(steps=steps, batch_size=BATCH), "bench")

    return loop


def main():
    torch.set_num_threads(1)
    keep_freed_memory()
    source = SOURCES.parse({"kind": "scenes", "per_class": 50}, "source").load(lambda _: None)
    truth = torch.from_numpy(source.labels)
    loops = {
        name: loop_of(objective, labels, source.images, truth)
        for name, objective, labels in objectives()
    }
    steps_s = {name: [] for name in loops}
    for round_ in range(ROUNDS + 1):
        for name, loop in loops.items():
            started = time.process_time()
            loop(STEPS)
            if round_:
                steps_s[name].append((time.process_time() - started) / STEPS)
    base = statistics.median(steps_s["mse"])
    for name, times in steps_s.items():
        median = statistics.median(times)
        print(f"{name:>13}: {1e3 * median:6.1f} ms CPU a step, {median / base:.2f} of plain MSE")


if __name__ == "__main__":
    main()
