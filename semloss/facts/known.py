"""The metrics that semloss knows, one registration each."""

import math

from semloss.facts.metric import SHARE, Metric, register

_DISTANCE = (0.0, math.inf)

register(Metric(
    "psnr_db", "PSNR", "dB", "higher", floor_is_reached=False, spellings=("psnr", "mean_psnr"),
))  # fmt: skip
register(Metric("psnr_mean_mse_db", "PSNR of mean MSE", "dB", "higher", floor_is_reached=False))
register(Metric("mse", "MSE", "", "lower", _DISTANCE, ceiling=0.0, floor_is_reached=False))
for _name, _label, _spellings in (
    ("ssim", "SSIM", ("mean_ssim",)),
    ("ms_ssim", "MS-SSIM", ("msssim",)),
    ("ms_ssim_3", "MS-SSIM (3 scales)", ()),
):
    register(Metric(
        _name, _label, "", "higher", (-1.0, 1.0), SHARE, floor=0.0, ceiling=1.0,
        floor_is_reached=False, spellings=_spellings,
    ))  # fmt: skip
register(Metric("lpips", "LPIPS", "", "lower", _DISTANCE, SHARE, ceiling=0.0,
                floor_is_reached=False))  # fmt: skip
register(Metric("papr_db", "PAPR", "dB", "lower", of_sent=True))
register(Metric("acpr_dbc", "power in the neighbouring channel", "dBc", "lower", of_sent=True))
register(Metric("input_back_off_db", "input back-off", "dB", "lower", of_sent=True))
register(Metric(
    "delivered", "images delivered", "", "higher", SHARE, floor=0.0, ceiling=1.0, noise="binomial",
))  # fmt: skip
register(Metric(
    "accuracy", direction="higher", values=SHARE, noise="binomial",
    spellings=(
        "acc", "acc_1", "top1", "top_1", "top1_acc", "top_1_acc", "top1_accuracy",
        "top_1_accuracy", "test_acc", "test_accuracy", "classification_accuracy", "correct",
    ),
))  # fmt: skip
register(Metric(
    "error_rate", direction="lower", values=SHARE, noise="binomial",
    spellings=("classification_error", "test_error", "top1_error", "top_1_error"),
))  # fmt: skip
register(Metric("worst_class_accuracy", "accuracy of the worst class", "", "higher", SHARE,
                noise="binomial"))  # fmt: skip
register(Metric("flip_rate", direction="lower", values=SHARE, ceiling=0.0, noise="binomial"))
register(Metric("ece", "ECE", "", "lower", SHARE,
                spellings=("expected_calibration_error",)))  # fmt: skip
register(Metric("macro_f1", "macro F1", "", "higher", SHARE, spellings=("f1_macro",)))
register(Metric("f1", direction="higher", values=SHARE))
register(Metric("miou", "mIoU", "", "higher", SHARE, spellings=("mean_iou",)))
register(Metric("pixel_accuracy", direction="higher", values=SHARE))
register(Metric("semantic_loss", "", "", "lower", (-math.inf, 1.0), SHARE, ceiling=0.0))
