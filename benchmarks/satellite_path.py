"""What AWGN hides, and what symbols that can be sent cost: decibels of SNR at equal PSNR.

One `adaptive` codec is trained and measured for each channel of a satellite path, and over AWGN
one for each way of keeping its symbols to what a transmitter can send, and the layered one. Printed
is, for each CR, by how many dB more each needs than the free symbols of `adaptive` over AWGN for
the same PSNR, on average over the SNRs where both have it. Through an amplifier SNR is that at
saturation. Without a GPU it is a matter of hours at the steps of the preset; fewer are given with
--set train.independent.steps=N, or by images of the built-in scenes, the default here.

    python benchmarks/satellite_path.py [--set KEY=VALUE]... [--preset NAME] [--out DIR]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import tomli_w

import semloss

CHANNELS = [
    {"kind": "awgn"},
    {"kind": "rician", "k_db": 10.0},
    {"kind": "rician", "k_db": 10.0, "csi_error_db": -15.0},
    {"kind": "shadowed_rician"},
    {"kind": "land_mobile"},
    {"kind": "carrier"},
    {"kind": "quantised", "bits": 6, "full_scale": 3.3},
    {"kind": "amplifier", "input_back_off_db": 8.25},
    {"kind": "amplifier", "input_back_off_db": -2.0},
    {"kind": "amplifier", "input_back_off_db": -2.0, "acpr_limit_dbc": -25.0},
]
CODECS = [
    {"kind": "adaptive", "papr_db": 1.0},
    {"kind": "adaptive", "constellation": 16},
    {"kind": "adaptive", "constellation": 64},
    {"kind": "layered"},
]


def collect(out, name, changes, preset, codecs, channels):
    file = out / f"{name}.toml"
    tables = {"name": name, "codec": codecs, "channel": channels, "task": {"kind": "none"}}
    file.write_text(tomli_w.dumps(tables))
    command = [sys.executable, "-m", "semloss", "collect", str(file), "--preset", preset]
    changes = ['metrics.names=["psnr_db"]', *changes]
    options = [word for change in changes for word in ("--set", change)]
    subprocess.run([*command, "--out", str(out / name), *options], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return semloss.load_table(out / name)


def curves(table):
    psnr = table[table.metric == "psnr_db"]
    for link, rows in psnr.groupby(["codec_label", "channel"]):
        yield (
            " over ".join(link),
            {
                cr: some.sort_values("snr_db")[["snr_db", "value"]].to_numpy()
                for cr, some in rows.groupby("cr_nominal")
            },
        )


def more_db(reference, other):
    """SNR that `other` needs beyond `reference`, mean over the PSNRs that both reach; rows dB."""
    rising = np.maximum.accumulate(other[:, 1])
    shared = (reference[:, 1] >= rising[0]) & (reference[:, 1] <= rising[-1])
    if not shared.any():
        return np.nan
    needed = np.interp(reference[shared, 1], rising, other[:, 0])
    return float(np.mean(needed - reference[shared, 0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", action="append", default=[], dest="changes")
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = args.out or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        free = [{"kind": "adaptive"}]
        found = dict(curves(collect(out, "channels", args.changes, args.preset, free, CHANNELS)))
        found |= curves(collect(out, "symbols", args.changes, args.preset, CODECS, CHANNELS[:1]))
    reference = found.pop("adaptive over awgn")
    width = max(map(len, found))
    print(" " * width, *(f"CR 1/{1 / cr:.0f}".rjust(8) for cr in sorted(reference)))
    for link, by_cr in found.items():
        # pilots count in CR: the cell asked for is the one to compare with
        lost = (more_db(reference[cr], by_cr[cr]) for cr in sorted(reference))
        print(link.ljust(width), *(f"{one:+8.2f}" for one in lost))


if __name__ == "__main__":
    main()
