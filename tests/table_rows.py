"""Rows of a metrics table as semloss collect writes them, and small CSV files."""


def metric_row(cr=1 / 12, snr_db=4.0, metric="accuracy", receiver="clean", value=0.8, **more):
    row = {
        "cell": f"cr{cr:.4f}-{snr_db:g}dB", "source": "scenes", "codec": "deepjscc",
        "codec_label": "deepjscc", "objective": "mse", "channel": "awgn", "cr": cr,
        "cr_nominal": cr, "train_snr_db": snr_db, "snr_db": snr_db, "seed": 0,
        "task": "none" if receiver == "none" else "resnet8", "receiver": receiver,
        "metric": metric, "value": value, "sd": 0.4, "n": 400, "se": 0.02,
        "direction": "higher", "floor": 0.1, "ceiling": 0.9, "status": "ok",
    }  # fmt: skip
    return row | more


def grid_rows(**more):
    return [
        metric_row(cr, snr, value=0.3 + 0.02 * snr + cr, **more)
        for cr in (1 / 24, 1 / 12, 1 / 6)
        for snr in (0.0, 5.0, 10.0)
    ]


def csv(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path
