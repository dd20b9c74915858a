"""Names of the columns (their meaning: `semloss.tables`)."""

SCHEMA = 2
"""Version of the columns; 1 had the receiver in `task` (`semloss.tables.older`)."""
METRICS_COLUMNS = (
    "cell", "source", "codec", "codec_label", "objective", "channel", "cr", "cr_nominal",
    "train_snr_db", "snr_db", "seed", "task", "receiver", "metric", "value", "sd", "n", "se",
    "direction", "floor", "ceiling", "status",
)  # fmt: skip
CELLS_COLUMNS = (
    "cell", "source", "codec", "codec_label", "objective", "channel", "cr", "cr_nominal",
    "setting", "k", "train_snr_db", "snr_db", "seed", "strategy", "status", "attempts", "lr",
    "steps", "validation_psnr_db", "codec_cpu_s", "receiver_cpu_s", "encoder_weights",
    "encoder_macs", "encoder_cpu_ms", "device", "precision", "threads", "key",
)  # fmt: skip
REQUIRED = ("snr_db", "cr", "value", "metric")
NUMBERS = ("snr_db", "value", "train_snr_db", "cr_nominal", "sd", "n", "se", "floor", "ceiling")
