"""Task models: shapes, determinism, independence of the batch, learning and adapting."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from semloss.errors import SemlossError
from semloss.tasks import TASKS, ResNet8, say
from semloss.training import Draws, Recipe, train

N_CLASSES = 3


def striped_tiles(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Land in stripes: the class is the stripes' direction (or none), phase and colour vary."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % N_CLASSES
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    along = torch.stack([rows, columns, torch.zeros_like(rows)])[labels]
    phase = 6.3 * torch.rand(n, 1, 1, generator=generator)
    stripes = 0.2 * torch.sin(1.6 * along + phase).unsqueeze(1)
    colour = 0.3 + 0.4 * torch.rand(n, 3, 1, 1, generator=generator)
    noise = 0.05 * torch.randn(n, 3, 16, 16, generator=generator)
    return (colour + stripes + noise).clamp(0, 1), labels


def blurred(images: Tensor) -> Tensor:
    """Lose detail as a coarse link does: means over 3x3 pixels, and less contrast."""
    return 0.25 + 0.5 * nn.functional.avg_pool2d(images, 3, stride=1, padding=1)


def fit(network: nn.Module, images: Tensor, labels: Tensor, steps: int) -> None:
    def loss(positions: Tensor, draws: Draws) -> Tensor:
        return nn.functional.cross_entropy(network(images[positions]), labels[positions])

    train(network, loss, len(images), Recipe(steps=steps, batch_size=32, lr=0.03), "fit")


def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    return float(np.mean(say(ResNet8(), network, images.split(128)).answers == labels.numpy()))


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    network = ResNet8(width=8).build(3, N_CLASSES, seed=0)
    fit(network, *striped_tiles(240, seed=0), steps=80)
    return network


# -- shapes ---------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(
    bands=st.integers(1, 13),
    height=st.integers(16, 70),
    width=st.integers(16, 70),
    n_classes=st.integers(2, 12),
    batch=st.integers(1, 3),
)
def test_any_bands_and_size_give_finite_logits(bands, height, width, n_classes, batch):
    network = ResNet8(width=4).build(bands, n_classes, seed=0).eval()
    logits = network(torch.rand(batch, bands, height, width))
    assert logits.shape == (batch, n_classes)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


def test_the_default_is_a_resnet8():
    network = ResNet8().build(3, 10, seed=0)
    on_the_path = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and "shortcut" not in name
    ]
    assert len(on_the_path) == 8
    # counted by hand: stem, three blocks with two projections, two values per normalised map, head
    kernels = 3 * 16 * 36 + 9 * (2 * 16**2 + 16 * 32 + 32**2 + 32 * 64 + 64**2) + 16 * 32 + 32 * 64
    norms = 2 * (3 * 16 + 3 * 32 + 3 * 64)
    assert sum(p.numel() for p in network.parameters()) == kernels + norms + 64 * 10 + 10


def test_every_pixel_counts():
    """The stem's stride skips no pixel: each one moves the logits."""
    network = ResNet8().build(3, 10, seed=0).eval()
    images = torch.rand(1, 3, 16, 16, requires_grad=True)
    network(images).square().sum().backward()
    assert (images.grad.abs().sum(dim=1) > 0).all()


def test_logits_stay_float32_under_autocast():
    network = ResNet8().build(3, 10, seed=0)
    with torch.autocast("cpu", torch.bfloat16):
        assert network(torch.rand(2, 3, 16, 16)).dtype == torch.float32


# -- determinism ----------------------------------------------------------------------------------


def test_weights_follow_from_the_seed_alone():
    torch.manual_seed(1)
    first = ResNet8().build(3, 10, seed=7).state_dict()
    torch.manual_seed(2)
    again = ResNet8().build(3, 10, seed=7).state_dict()
    other = ResNet8().build(3, 10, seed=8).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["stem.weight"], other["stem.weight"])


def test_building_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    ResNet8().build(3, 10, seed=7)
    assert torch.equal(torch.get_rng_state(), before)


# -- evaluation mode ------------------------------------------------------------------------------


def test_an_image_is_judged_by_itself(trained):
    """In evaluation mode company does not matter: not its size, not its content."""
    images, _ = striped_tiles(8, seed=3)
    with torch.inference_mode():
        alone = torch.cat([trained(image[None]) for image in images])
        together = trained(torch.cat([images, torch.ones(5, 3, 16, 16)]))[:8]
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-4)


def test_predict_takes_the_largest_logit_in_evaluation_mode(trained):
    images, _ = striped_tiles(10, seed=4)
    state = {name: value.clone() for name, value in trained.state_dict().items()}
    trained.train()
    answers = torch.from_numpy(say(ResNet8(), trained, images.split(4)).answers)
    assert trained.training, "the mode is handed back"
    trained.eval()
    assert all(torch.equal(state[name], value) for name, value in trained.state_dict().items())
    assert answers.dtype == torch.int64
    assert torch.equal(answers, trained(images).argmax(1))


# -- learning -------------------------------------------------------------------------------------


def test_it_learns_stripes_it_has_not_seen(trained):
    assert accuracy(trained, *striped_tiles(120, seed=1)) >= 0.95


def test_adapting_to_blur_wins_back_what_blur_took(trained):
    images, labels = striped_tiles(240, seed=0)
    test_images, test_labels = striped_tiles(120, seed=1)
    as_it_is = accuracy(trained, blurred(test_images), test_labels)
    adapted = ResNet8(width=8).build(3, N_CLASSES, seed=5)
    adapted.load_state_dict(trained.state_dict())
    fit(adapted, blurred(images), labels, steps=25)
    fresh = ResNet8(width=8).build(3, N_CLASSES, seed=5)
    fit(fresh, blurred(images), labels, steps=25)
    after = accuracy(adapted, blurred(test_images), test_labels)
    assert after > as_it_is + 0.1
    assert after > accuracy(fresh, blurred(test_images), test_labels), "the start counts"


# -- registry -------------------------------------------------------------------------------------


def test_the_registry_round_trips_a_task():
    task = TASKS.parse({"kind": "resnet8", "width": 24}, "task")
    assert task == ResNet8(width=24)
    assert TASKS.parse(TASKS.dump(task), "task") == task


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"kind": "resnet9"}, "task.kind = 'resnet9': no such task model; there are "),
        ({"kind": "resnet8", "widht": 8}, "task.widht: unknown key; did you mean width?"),
        ({"kind": "resnet8", "width": 0}, "task.width = 0: "),
    ],
)
def test_a_wrong_option_is_named_in_one_line(table, line):
    with pytest.raises(SemlossError) as error:
        TASKS.parse(table, "task")
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("width", [4, 12, 16])
def test_a_narrow_resnet8_has_no_convolution_that_its_library_computes_wrong(width):
    """oneDNN's issue 6035: a strided 1×1 convolution of few channels overruns its workspace."""
    model = ResNet8(width=width).build(3, N_CLASSES, seed=0)
    convolutions = [one for one in model.modules() if isinstance(one, nn.Conv2d)]
    assert not any(
        one.kernel_size == (1, 1) and one.stride != (1, 1) and one.in_channels < 16
        for one in convolutions
    )
    for block in (one for one in model.modules() if hasattr(one, "shortcut")):
        if isinstance(block.shortcut, nn.Identity):
            continue
        maps = torch.rand(2, block.conv1.in_channels, 10, 10)
        kernel = block.shortcut[0].weight
        thinned = block.shortcut[0](maps[:, :, :: block.thinned, :: block.thinned])
        expected = nn.functional.conv2d(maps, kernel, stride=block.conv1.stride)
        torch.testing.assert_close(thinned, expected)
