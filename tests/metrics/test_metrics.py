"""Metrics against known answers, independent computations and resampling."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from scipy.ndimage import convolve
from sklearn.metrics import accuracy_score, f1_score

from semloss.errors import SemlossError
from semloss.facts import metric_facts
from semloss.metrics import (
    IMAGE_METRICS,
    ImageMetric,
    Lpips,
    Measurement,
    image_metrics,
    mean_measurement,
    measure_classification,
    papr_db,
)
from semloss.metrics.perceptual import weight_shapes

BETAS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def landscape(images: int, channels: int, side: int, seed: int = 0) -> torch.Tensor:
    """Smooth random images (B, C, H, W) in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(images, channels, side // 8 + 2, side // 8 + 2, generator=generator)
    return torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)


def noisy(images: torch.Tensor, sigma: float, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (images + sigma * torch.randn(images.shape, generator=generator)).clamp(0, 1)


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random LPIPS weights of the right shapes; the heads, as the real ones, not negative."""
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for key, shape in weight_shapes().items():
        values = torch.randn(shape, generator=generator) / math.sqrt(math.prod(shape[1:]))
        weights[key] = values.abs() if key.startswith("lin") else values
    path = tmp_path_factory.mktemp("lpips") / "alex.safetensors"
    save_file(weights, path)
    return path


@pytest.fixture(scope="module")
def every_metric(weights_file: Path) -> list[ImageMetric]:
    return image_metrics(IMAGE_METRICS, lpips_weights=weights_file)


# --- What all image metrics share --------------------------------------------------------------


def test_the_names_are_those_of_the_metrics_table() -> None:
    expected = {"psnr_db", "psnr_mean_mse_db", "mse", "ssim", "ms_ssim", "ms_ssim_3", "lpips"}
    assert set(IMAGE_METRICS) == expected


def test_equal_images_reach_the_ceiling(every_metric: list[ImageMetric]) -> None:
    images = landscape(2, 3, 176)
    for metric in every_metric:
        measured = metric.summarise(metric.per_image(images, images.clone()))
        # PSNR has no ceiling of its own; it is cut at 100 dB.
        ceiling = 100.0 if measured.ceiling is None else measured.ceiling
        assert measured.value == pytest.approx(ceiling, abs=1e-5), metric.name


def test_each_metric_worsens_with_noise_in_its_direction(every_metric: list[ImageMetric]) -> None:
    images = landscape(4, 3, 176)
    for metric in every_metric:
        ladder = [
            metric.summarise(metric.per_image(images, noisy(images, sigma))).value
            for sigma in (0.3, 0.1, 0.03, 0.01)
        ]
        falling = sorted(ladder, reverse=metric_facts(metric.name).direction == "lower")
        assert ladder == falling, metric.name
        assert len(set(ladder)) == 4


def test_images_are_measured_one_by_one(every_metric: list[ImageMetric]) -> None:
    """A value depends on its own pair only, not on the batch around it."""
    images = landscape(5, 3, 176)
    received = noisy(images, 0.1)
    for metric in every_metric:
        together = metric.per_image(images, received)
        alone = torch.cat([metric.per_image(images[[i]], received[[i]]) for i in range(5)])
        assert together.shape == (5,)
        assert torch.allclose(together, alone, rtol=1e-4, atol=1e-6), metric.name


@pytest.mark.parametrize("channels", [1, 2, 13])
def test_any_number_of_bands_is_measured(channels: int) -> None:
    images = landscape(3, channels, 64)
    for metric in image_metrics(["psnr_db", "mse", "psnr_mean_mse_db", "ssim", "ms_ssim_3"]):
        assert metric.unavailable(channels, 64, 64) is None
        assert metric.per_image(images, noisy(images, 0.1)).isfinite().all()


def test_an_unknown_metric_is_named_with_its_nearest() -> None:
    with pytest.raises(SemlossError, match="did you mean ms_ssim"):
        image_metrics(["psnr_db", "msssim"])


# --- Summaries ---------------------------------------------------------------------------------


def test_a_mean_has_the_sample_spread() -> None:
    measured = mean_measurement("x", torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert measured == Measurement("x", 2.5, math.sqrt(5 / 3), 4, "higher", None, None)
    assert measured.se == math.sqrt(5 / 3) / 2


def test_outcomes_of_images_have_the_mean_and_the_spread_of_the_measurement(
    every_metric: list[ImageMetric],
) -> None:
    """Ratios and logarithms of means too: to first order the images' own influence (delta)."""
    reference = landscape(20, 3, 192)
    received = noisy(reference, 0.1)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 300)
    guesses = np.where(rng.random(300) < 0.7, labels, rng.integers(0, 4, 300))
    found = [one.summarise(one.per_image(reference, received)) for one in every_metric]
    judged = measure_classification(labels, guesses, n_classes=4, clean_accuracy=0.9)
    assert len(judged) == 3
    for one in [*found, *judged]:
        assert one.outcomes is not None
        exact = one.outcomes.astype(float)
        assert len(exact) == one.n
        assert exact.mean() == pytest.approx(one.value, rel=1e-6)
        assert exact.std(ddof=one not in judged) == pytest.approx(one.sd, rel=1e-4)
    assert judged[0].outcomes.tolist() == (labels == guesses).tolist()
    mse = [(one - other).square().mean() for one, other in zip(reference, received, strict=True)]
    slope = 10 / math.log(10) / np.mean(mse)
    of_mean = next(one for one in found if one.metric == "psnr_mean_mse_db")
    assert np.allclose(of_mean.outcomes, of_mean.value - slope * (mse - np.mean(mse)), atol=1e-4)


def test_one_image_has_no_spread() -> None:
    assert math.isnan(mean_measurement("x", torch.tensor([1.0])).sd)


@given(st.lists(st.floats(1e-5, 0.3), min_size=3, max_size=40))
@settings(max_examples=100, deadline=None)
def test_the_two_psnr_averages_are_ordered(mse: list[float]) -> None:
    """By Jensen, the mean of logarithms never falls below the logarithm of the mean."""
    values = torch.tensor(mse)
    psnr, of_mean = (
        IMAGE_METRICS[name]().summarise(values_db).value
        for name, values_db in (
            ("psnr_db", -10 * values.log10()),
            ("psnr_mean_mse_db", values),
        )
    )
    assert psnr >= of_mean - 1e-4


def test_psnr_of_known_errors() -> None:
    """An error of 0.1 everywhere is 20 dB, one of 0.01 is 40 dB; their mean MSE is 22.967 dB."""
    black = torch.zeros(2, 3, 8, 8)
    grey = torch.stack([black[0] + 0.1, black[1] + 0.01])
    psnr, of_mean, mse = image_metrics(["psnr_db", "psnr_mean_mse_db", "mse"])
    assert psnr.per_image(black, grey).tolist() == pytest.approx([20.0, 40.0], abs=1e-4)
    assert psnr.summarise(psnr.per_image(black, grey)).value == pytest.approx(30.0, abs=1e-4)
    expected = -10 * math.log10((0.01 + 0.0001) / 2)
    assert of_mean.summarise(of_mean.per_image(black, grey)).value == pytest.approx(expected)
    assert mse.per_image(black, grey).tolist() == pytest.approx([1e-2, 1e-4])


def test_the_error_of_the_mean_mse_psnr_is_that_of_resampling() -> None:
    rng = np.random.default_rng(0)
    mse = rng.lognormal(math.log(2e-3), 0.5, 500)
    measured = IMAGE_METRICS["psnr_mean_mse_db"]().summarise(torch.tensor(mse))
    draws = -10 * np.log10(rng.choice(mse, (4000, 500)).mean(axis=1))
    assert measured.se == pytest.approx(draws.std(), rel=0.05)
    assert measured.sd == pytest.approx(measured.se * math.sqrt(500))


# --- SSIM --------------------------------------------------------------------------------------


def reference_ssim(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """SSIM and contrast-structure of one band, from the definition, in float64."""
    i = np.arange(-5, 6)
    window = np.exp(-(i[:, None] ** 2 + i[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()

    def average(z: np.ndarray) -> np.ndarray:
        return convolve(z, window)[5:-5, 5:-5]

    mean_x, mean_y = average(x), average(y)
    var_x, var_y = average(x * x) - mean_x**2, average(y * y) - mean_y**2
    covariance = average(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
    contrast = (2 * covariance + 0.03**2) / (var_x + var_y + 0.03**2)
    return float((luminance * contrast).mean()), float(contrast.mean())


def reference_ms_ssim(x: np.ndarray, y: np.ndarray, betas: tuple[float, ...]) -> float:
    """MS-SSIM of one band of even sides at every scale."""
    product = 1.0
    for scale, beta in enumerate(betas):
        ssim, contrast = reference_ssim(x, y)
        product *= max(ssim if scale == len(betas) - 1 else contrast, 0.0) ** beta
        x, y = (
            z[: len(z) // 2 * 2].reshape(len(z) // 2, 2, -1, 2).mean(axis=(1, 3)) for z in (x, y)
        )
    return product


@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_follows_its_definition(sigma: float, channels: int) -> None:
    images = landscape(2, channels, 40)
    received = noisy(images, sigma)
    (ssim,) = image_metrics(["ssim"])
    expected = [
        np.mean([reference_ssim(x, y)[0] for x, y in zip(*pair, strict=True)])
        for pair in zip(images.double().numpy(), received.double().numpy(), strict=True)
    ]
    assert ssim.per_image(images, received).tolist() == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize(
    ("name", "side", "betas"),
    [("ms_ssim", 192, BETAS), ("ms_ssim_3", 64, tuple(b / sum(BETAS[:3]) for b in BETAS[:3]))],
)
def test_ms_ssim_follows_its_definition(name: str, side: int, betas: tuple[float, ...]) -> None:
    assert name != "ms_ssim_3" or sum(betas) == pytest.approx(1.0)
    images = landscape(2, 2, side)
    received = noisy(images, 0.1)
    (metric,) = image_metrics([name])
    expected = [
        np.mean([reference_ms_ssim(x, y, betas) for x, y in zip(*pair, strict=True)])
        for pair in zip(images.double().numpy(), received.double().numpy(), strict=True)
    ]
    assert metric.per_image(images, received).tolist() == pytest.approx(expected, abs=2e-5)


def test_sides_that_differ_are_not_mixed_up() -> None:
    images = landscape(2, 3, 64)[:, :, :, :48]
    received = noisy(images, 0.1)
    (ssim,) = image_metrics(["ssim"])
    turned = ssim.per_image(images.transpose(2, 3), received.transpose(2, 3))
    assert torch.allclose(ssim.per_image(images, received), turned, atol=1e-6)


def test_an_inverted_image_is_not_nan() -> None:
    """Negative structure counts as none: its fractional power would be no number."""
    images = landscape(2, 3, 64)
    (metric,) = image_metrics(["ms_ssim_3"])
    assert metric.per_image(images, 1 - images).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("name", "smallest"), [("ssim", 11), ("ms_ssim_3", 41), ("ms_ssim", 161)])
def test_a_size_limit_is_exact(name: str, smallest: int) -> None:
    (metric,) = image_metrics([name])
    assert metric.unavailable(3, smallest, smallest) is None
    image = landscape(1, 3, smallest)
    assert metric.per_image(image, image).item() == pytest.approx(1.0, abs=1e-5)
    reason = metric.unavailable(3, 512, smallest - 1)
    assert reason is not None
    assert str(smallest) in reason


# --- LPIPS -------------------------------------------------------------------------------------


def test_lpips_is_a_symmetric_distance(weights_file: Path) -> None:
    lpips = Lpips(weights_file)
    images = landscape(3, 3, 64)
    received = noisy(images, 0.1)
    there, back = lpips.per_image(images, received), lpips.per_image(received, images)
    assert torch.allclose(there, back)
    assert (there > 0).all()
    assert lpips.per_image(images, images).tolist() == [0.0, 0.0, 0.0]


def test_lpips_follows_its_formula(weights_file: Path) -> None:
    """The published sum, position by position, over features from a plain stack of modules."""
    weights = load_file(weights_file)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 64, 11, stride=4, padding=2),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(3, 2),
        torch.nn.Conv2d(64, 192, 5, padding=2),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(3, 2),
        torch.nn.Conv2d(192, 384, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(384, 256, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(256, 256, 3, padding=1),
        torch.nn.ReLU(),
    )
    network.load_state_dict(
        {key.removeprefix("features."): value for key, value in weights.items() if "lin" not in key}
    )
    images = landscape(1, 3, 35)
    received = noisy(images, 0.2)

    def features(image: torch.Tensor) -> list[np.ndarray]:
        mean = torch.tensor([-0.030, -0.088, -0.188])[:, None, None]
        sd = torch.tensor([0.458, 0.448, 0.450])[:, None, None]
        signal, taps = (2 * image - 1 - mean) / sd, []
        for module in network:
            signal = module(signal)
            if isinstance(module, torch.nn.ReLU):
                taps.append(signal[0].detach().double().numpy())
        return taps

    total = 0.0
    for layer, (a, b) in enumerate(zip(features(images), features(received), strict=True)):
        head = weights[f"lin{layer}.weight"].flatten().double().numpy()
        height, width = a.shape[1:]
        for row in range(height):
            for column in range(width):
                unit_a = a[:, row, column] / np.linalg.norm(a[:, row, column])
                unit_b = b[:, row, column] / np.linalg.norm(b[:, row, column])
                total += float(head @ (unit_a - unit_b) ** 2) / (height * width)
    assert Lpips(weights_file).per_image(images, received).item() == pytest.approx(total, rel=1e-4)


def test_lpips_without_weights_is_missing_not_zero() -> None:
    (lpips,) = image_metrics(["lpips"])
    reason = lpips.unavailable(3, 64, 64)
    assert reason is not None
    assert "weights" in reason
    with pytest.raises(SemlossError, match="weights"):
        lpips.per_image(landscape(1, 3, 64), landscape(1, 3, 64))


def test_lpips_says_which_images_it_cannot_measure(weights_file: Path) -> None:
    lpips = Lpips(weights_file)
    assert lpips.unavailable(3, 31, 31) is None
    assert lpips.per_image(landscape(1, 3, 31), landscape(1, 3, 31, seed=2)).isfinite().all()
    assert "13 band" in str(lpips.unavailable(13, 64, 64))
    assert "31" in str(lpips.unavailable(3, 64, 30))


def test_bad_weights_end_in_one_line(tmp_path: Path, weights_file: Path) -> None:
    good = load_file(weights_file)
    missing = {key: value for key, value in good.items() if key != "lin3.weight"}
    save_file(missing, tmp_path / "missing.safetensors")
    wrong = good | {"features.3.weight": torch.zeros(192, 64, 3, 3)}
    save_file(wrong, tmp_path / "wrong.safetensors")
    torch.save(good, tmp_path / "pickle.pth")
    (tmp_path / "cut.safetensors").write_bytes(weights_file.read_bytes()[:1000])
    for name, complaint in {
        "missing.safetensors": r"lin3\.weight is missing",
        "wrong.safetensors": r"features\.3\.weight has shape \(192, 64, 3, 3\), not",
        "pickle.pth": "not a readable safetensors file",
        "cut.safetensors": "not a readable safetensors file",
        "absent.safetensors": "no such file",
    }.items():
        with pytest.raises(SemlossError, match=complaint) as caught:
            Lpips(tmp_path / name)
        assert "\n" not in str(caught.value)


# --- Classification ----------------------------------------------------------------------------


def answers(n: int, classes: int, right: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Uneven labels and a classifier that is right this often and has favourites when wrong."""
    rng = np.random.default_rng(seed)
    labels = np.floor(classes * rng.random(n) ** 1.5).astype(np.int64)
    wrong = np.floor(classes * rng.random(n) ** 2).astype(np.int64)
    return labels, np.where(rng.random(n) < right, labels, wrong)


def measure(
    labels: np.ndarray, predictions: np.ndarray, classes: int, clean: float = 0.9
) -> dict[str, Measurement]:
    measured = measure_classification(labels, predictions, n_classes=classes, clean_accuracy=clean)
    return {m.metric: m for m in measured}


@pytest.mark.parametrize("right", [0.0, 0.4, 0.9, 1.0])
def test_accuracy_and_f1_agree_with_scikit_learn(right: float) -> None:
    labels, predictions = answers(700, 10, right)
    measured = measure(labels, predictions, 10)
    assert measured["accuracy"].value == pytest.approx(accuracy_score(labels, predictions))
    expected = f1_score(labels, predictions, average="macro", zero_division=0)
    assert measured["macro_f1"].value == pytest.approx(expected)


def test_accuracy_has_the_binomial_spread_and_its_bounds() -> None:
    measured = measure(np.array([0, 1, 2, 3]), np.array([0, 1, 2, 0]), 4)["accuracy"]
    spread = math.sqrt(0.75 * 0.25)
    assert measured == Measurement("accuracy", 0.75, spread, 4, "higher", 0.25, 0.9)
    assert measured.se == spread / 2


def test_semantic_loss_is_the_share_of_clean_accuracy_lost() -> None:
    labels, predictions = answers(700, 10, 0.5)
    measured = measure(labels, predictions, 10, clean=0.8)
    accuracy, loss = measured["accuracy"], measured["semantic_loss"]
    assert loss.value == pytest.approx((0.8 - accuracy.value) / 0.8)
    assert loss.se == pytest.approx(accuracy.se / 0.8)
    assert loss.direction == "lower"
    assert loss.ceiling == 0.0
    assert loss.floor == pytest.approx((0.8 - 0.1) / 0.8)


def test_the_error_of_macro_f1_is_that_of_resampling() -> None:
    labels, predictions = answers(700, 5, 0.6)
    measured = measure(labels, predictions, 5)["macro_f1"]
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(1000):
        chosen = rng.integers(0, 700, 700)
        draws.append(measure(labels[chosen], predictions[chosen], 5)["macro_f1"].value)
    assert measured.se == pytest.approx(np.std(draws), rel=0.1)
    assert measured.sd == pytest.approx(measured.se * math.sqrt(700))


def test_a_class_without_test_images_has_no_say_in_macro_f1() -> None:
    """Mistaking something for it still costs the true class."""
    labels = np.array([0, 0, 1, 1])
    assert measure(labels, labels, 10)["macro_f1"].value == 1.0
    mistaken = measure(labels, np.array([0, 9, 1, 1]), 10)["macro_f1"]
    assert mistaken.value == pytest.approx((2 / 3 + 1) / 2)
    assert math.isfinite(mistaken.se)


def test_one_answer_to_everything_is_the_floor() -> None:
    labels = np.repeat(np.arange(10), 20)
    measured = measure(labels, np.full(200, 3), 10)
    for metric in measured.values():
        assert metric.value == pytest.approx(metric.floor)


def test_torch_labels_are_taken_too() -> None:
    labels, predictions = answers(50, 3, 0.7)
    both = measure_classification(
        torch.tensor(labels), torch.tensor(predictions), n_classes=3, clean_accuracy=0.9
    )
    assert both == list(measure(labels, predictions, 3).values())


def test_no_loss_can_be_stated_against_a_task_model_that_is_never_right() -> None:
    with pytest.raises(SemlossError, match="clean accuracy 0"):
        measure(np.array([0]), np.array([0]), 2, clean=0.0)


@given(st.integers(2, 12), st.integers(1, 60), st.floats(0, 1), st.integers(0, 2**31))
@settings(max_examples=100, deadline=None)
def test_scores_stay_in_their_range(classes: int, n: int, right: float, seed: int) -> None:
    measured = measure(*answers(n, classes, right, seed), classes)
    for name in ("accuracy", "macro_f1"):
        assert 0 <= measured[name].value <= 1
        assert measured[name].se >= 0
        assert measured[name].n == n


# --- Waveform ----------------------------------------------------------------------------------


def test_papr_of_known_envelopes() -> None:
    """0 dB for a constant envelope; one symbol in four carrying everything is 6.02 dB."""
    symbols = torch.tensor([[1, 1j, -1, -1j], [2, 0, 0, 0]], dtype=torch.complex64)
    assert papr_db(symbols).tolist() == pytest.approx([0.0, 10 * math.log10(4)], abs=1e-5)


def test_papr_ignores_the_power_of_the_whole() -> None:
    generator = torch.Generator().manual_seed(0)
    symbols = torch.view_as_complex(torch.randn(4, 500, 2, generator=generator))
    assert torch.allclose(papr_db(symbols), papr_db(3.7 * symbols), atol=1e-5)
    assert (papr_db(symbols) > 6).all()


def test_the_psnr_of_the_mean_mse_has_the_error_of_the_delta_method():
    measured = IMAGE_METRICS["psnr_mean_mse_db"]().summarise(torch.tensor([0.01, 0.02, 0.03, 0.04]))
    # Mean 0.025, standard deviation sqrt(0.0005 / 3) = 0.0129099; 10 / ln 10 = 4.342945.
    assert measured.value == pytest.approx(16.0206, abs=1e-4)
    assert measured.sd == pytest.approx(4.342945 * 0.0129099 / 0.025, rel=1e-5)
    assert measured.se == pytest.approx(4.342945 * 0.0129099 / 0.025 / 2, rel=1e-5)


# --- What is told where a metric cannot be measured ---------------------------------------------


@pytest.mark.parametrize(
    ("name", "shape", "reason"),
    [
        ("ssim", (3, 64, 10), "ssim needs sides of at least 11 pixels for the 11-pixel window; "
                              "these images are 64x10."),
        ("ms_ssim", (3, 160, 512), "ms_ssim needs sides of at least 161 pixels for 5 scales; "
                                   "these images are 160x512."),
        ("ms_ssim_3", (3, 40, 64), "ms_ssim_3 needs sides of at least 41 pixels for 3 scales; "
                                   "these images are 40x64."),
        ("lpips", (3, 64, 64), "lpips needs the weights of its network: give a .safetensors file."),
        ("psnr_db", (1, 1, 1), None),
    ],
)  # fmt: skip
def test_a_metric_says_in_a_sentence_why_it_cannot_measure(name, shape, reason):
    (metric,) = image_metrics([name])
    assert metric.unavailable(*shape) == reason


def test_lpips_says_in_a_sentence_which_images_it_cannot_measure(weights_file: Path) -> None:
    lpips = Lpips(weights_file)
    assert lpips.unavailable(13, 64, 64) == (
        "lpips is defined for 3-band RGB images; these have 13 band(s)."
    )
    assert lpips.unavailable(3, 64, 30) == (
        "lpips needs sides of at least 31 pixels for AlexNet's pooling; these images are 64x30."
    )


def test_complaints_name_the_file_the_key_and_the_shapes(tmp_path, weights_file):
    good = load_file(weights_file)
    save_file({k: v for k, v in good.items() if k != "lin3.weight"}, tmp_path / "missing")
    save_file(good | {"lin1.weight": torch.zeros(1, 191, 1, 1)}, tmp_path / "wrong")
    for name, told in {
        "missing": "key lin3.weight is missing",
        "wrong": "lin1.weight has shape (1, 191, 1, 1), not (1, 192, 1, 1)",
        "absent": "no such file",
    }.items():
        with pytest.raises(SemlossError) as caught:
            Lpips(tmp_path / name)
        assert str(caught.value) == f"lpips weights {tmp_path / name}: {told}"
    with pytest.raises(SemlossError) as caught:
        image_metrics(["psnr_db", "msssim"], where="metrics.names")
    assert str(caught.value).startswith("metrics.names: msssim")
    with pytest.raises(SemlossError) as caught:
        image_metrics(["msssim"])
    assert str(caught.value).startswith("metrics: msssim")


def test_a_name_that_comes_twice_is_measured_once() -> None:
    assert [metric.name for metric in image_metrics(["mse", "psnr_db", "mse"])] == [
        "mse", "psnr_db",
    ]  # fmt: skip


def test_levels_of_a_mean_are_those_given_or_those_known() -> None:
    values = torch.tensor([0.2, 0.4])
    for given_, expected in (({}, (0.0, 1.0)), ({"floor": 0.1, "ceiling": 0.9}, (0.1, 0.9))):
        measured = mean_measurement("ssim", values, **given_)
        assert (measured.floor, measured.ceiling) == expected
    assert mean_measurement("lpips", values).direction == "lower"


def test_the_spread_of_the_mean_mse_psnr_needs_two_images() -> None:
    metric = IMAGE_METRICS["psnr_mean_mse_db"]()
    assert math.isnan(metric.summarise(torch.tensor([0.01])).sd)
    two = metric.summarise(torch.tensor([0.01, 0.03]))
    assert two.sd == pytest.approx(4.342945 / 0.02 * 0.0141421, rel=1e-5)
    assert (two.metric, two.n, two.direction) == ("psnr_mean_mse_db", 2, "higher")
    assert metric.summarise(torch.zeros(2)).value == pytest.approx(100.0)


def test_macro_f1_of_a_small_case_by_hand() -> None:
    """F1 of 0: 2·2/(3 + 2), of 1: 2·1/(1 + 2); the error from each image's influence on them."""
    labels, predictions = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    found = measure_classification(
        labels, predictions, n_classes=2, clean_accuracy=1.0, clean_macro_f1=0.8
    )[1]
    assert found.value == pytest.approx((0.8 + 2 / 3) / 2)
    # Shares n/size are 4/5 and 4/3; influences (2·hit·share − f1·share of both classes) / 2.
    of_0, of_1 = 0.8 * 4 / 5, 2 / 3 * 4 / 3
    influence = [(2 * 4 / 5 - 2 * of_0) / 2, (2 * 4 / 5 - 2 * of_0) / 2, (-of_0 - of_1) / 2,
                 (2 * 4 / 3 - 2 * of_1) / 2]  # fmt: skip
    sd = math.sqrt(sum(x**2 for x in influence) / 4)
    assert (found.sd, found.se) == pytest.approx((sd, sd / 2))
    assert (found.floor, found.ceiling, found.direction) == (pytest.approx(1 / 3), 0.8, "higher")


def test_a_clean_accuracy_may_be_one_and_not_more() -> None:
    one = np.array([0])
    assert measure(one, one, 2, clean=1.0)["accuracy"].ceiling == 1.0
    for clean in (1.1, 0.0, -0.5):
        with pytest.raises(SemlossError) as caught:
            measure(one, one, 2, clean=clean)
        assert str(caught.value) == (
            f"clean accuracy {clean}: semantic loss is stated against it, so the task model must "
            "get some clean test images right; train it longer or on more images"
        )
