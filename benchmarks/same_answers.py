"""Does the command line still give the same answers? For changes that must not move a number.

    same_answers.py record CHECKOUT RECORD.json [--only ID…] [--spelling old|new] [--jobs N]
    same_answers.py compare OLD.json NEW.json [--only ID…]
    same_answers.py list

`record` runs every case of `CASES` with the code of a checkout, each in an empty folder of its
own, and keeps exit codes, both streams and all files that were written. What no two runs have in
common (times, versions, absolute paths) is replaced by a word. `compare` sets two records side by
side and ends with 1 when a case differs. Both records want the same machine and the same
packages: the last digit of a fit depends on them. Run with the interpreter that has the packages;
the checkout comes first on its path, whatever is installed.
"""

import argparse
import csv
import difflib
import fnmatch
import hashlib
import io
import json
import os
import platform
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from tiny_experiment import TINY

TIMEOUT_S = 300.0
DIFF_LINES = 20
LINE_WIDTH = 180

# ------------------------------------------------------------- what may differ, and is not kept

#: Values under these names, in JSON at any depth and in columns of CSV, are the run's or the
#: machine's own. The checksum of a fit file covers such values; what it sums up is compared.
VOLATILE_NAMES = frozenset(
    ("code", "code_digest", "codec_cpu_s", "commit", "cpu_s", "checksum", "estimate_s", "gpu",
     "packages", "platform", "processor", "python", "receiver_cpu_s", "seconds", "semloss",
     "written")
)  # fmt: skip
VOLATILE = "{volatile}"

_DURATION = r"(?:\d+ h \d\d min|\d+ min \d\d s|\d+ s)"
#: Pattern and what stands for it; applied in order to every text, streams and files.
VOLATILE_TEXT: tuple[tuple[str, str], ...] = (
    (r"(?m)^semloss: this is now spelled: .*\n", ""),
    (rf"\babout {_DURATION} to go", "about {time} to go"),
    (rf"; {_DURATION} to go", "; {time} to go"),
    (rf"\bdone in {_DURATION}", "done in {time}"),
    (rf"\bestimate: {_DURATION}", "estimate: {time}"),
    (r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?= [a-z])",
     "{date}"),
    (r"(?m) \(\d+\.\d s\)$", " ({time})"),
    (r"\bsemloss \d+\.\d+\.\d+\S*", "semloss {version}"),
    (r"\.py:\d+\b", ".py:{line}"),
    (r"\b[0-9a-f]{40}\b", "{commit}"),
    (r"(?m)^Matplotlib is building the font cache.*\n", ""),
    (r"(?m)^\[.*\] at work on .*\n", ""),
)  # fmt: skip
#: Several workers finish in any order: lines are sorted, without the count and the waiting.
UNORDERED_TEXT: tuple[tuple[str, str], ...] = (
    (r"(?m)^\[ *\d+/(\d+)\]", r"[n/\1]"),
    (r"(?m)^.* waits: .*\n", ""),
)

# ------------------------------------------- what is new on purpose; the record of today's code
# is put into the words of the old one before the two are compared

#: Keys that stand in place of others, in one object or row: new -> old. The new value is the old
#: one; what the old key says today is a fact that the old record had not.
RENAMED_KEYS = {"codec_label": "codec", "receiver": "task"}
#: Keys that came in addition.
ADDED_KEYS = frozenset(("objective", "table_schema"))
#: Pattern in texts of today -> how it was said; applied in order.
REWORDED_TEXT: tuple[tuple[str, str], ...] = (
    (r"(?m)^semloss: --(task|group-by|where) \S+ is now --.*\n", ""),
    (r"test SNR, receiver and metric", "test SNR, task and metric"),
    (r"(?m)^(\[n/N\]|\{date\}) cell .*, (codec|receiver): .*\n", ""),  # parts of a cell are units
    (r"(?m)^(  CR asked) +CR +setting  ", r"\1         CR filters  "),
    (r"\bfilters=(\d+)", r"\1"),
    (r"(?m)^objective = \[\n    \{ kind = \"mse\", reduce = \"mean\" \},\n\]\n", ""),
    (r"(?m)^range_(cr|snr_db) = \[\n    .*\n    .*\n\]\n", ""),
    (r"semloss plan ledger FIT.json --link", "semloss predict FIT.json --link"),
    (r"--link FILE or a preset; plan template --preset", "--link FILE or a preset; --preset"),
    (r"\bplan solve (\w+) asks", r"--solve \1 asks"),
)
#: Files that had twelve digits and have all of them: compared to twelve.
ROUNDED_FILES = frozenset(("two.csv", "tornado.csv"))
#: What changes on purpose: a case, the command or "file NAME", and why; patterns as of file names.
INTENDED: tuple[tuple[str, str, str], ...] = (
    ("predict-outside", "*--cr 1/100 * --strict", "one sentence for every answer outside"),
    ("plan-ledger-strict", "*elevation_deg=90 --strict", "one sentence for every answer outside"),
    ("plan-sweep", "*target=0.97:0.99:2*", "no point meets its target: 3, as everywhere"),
    ("plan-bad-solve", "*--csv x.csv", "every answer can be written as CSV"),
    ("plan-bad-solve", "file x.csv", "every answer can be written as CSV"),
    ("plan-bad-pass", "*--day --plot x.png", "a day draws its highest pass"),
    ("plan-bad-pass", "file x.*", "a day draws its highest pass"),
    ("allocate-least-power", "file least.csv", "what there is not is empty, not nan"),
    (
        "fit-joint-and-prior",
        "*new.json*",
        "task names the task model; a receiver is another column",
    ),
    ("fit-report*", "file report*README.md", "equations follow from the form's expression"),
    ("collect-diverged", "file *receiver.json", "a cell's receiver is a unit of its own"),
    ("allocate-template", "allocate", "a refusal in today's words"),
)

# ------------------------------------------------------------------------------------- cases


@dataclass(frozen=True)
class Case:
    """Commands that run one after another in one folder.

    Attributes
    ----------
    name
        Short and unique; the first word is the command.
    old, new
        A command a line, without `semloss`, quoted as in a shell; `new` where its spelling is
        another after the change. {root} is the checkout; the names of `PLACES` are files in it.
    files
        Texts to set up beforehand by file name; {root} and `PLACES` are filled in.
    copies
        Files to copy beforehand: name in the folder -> path in the checkout.
    stdin
        What every command reads.
    unordered
        The order of lines on stderr and in logs means nothing.
    """

    name: str
    old: str
    new: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    unordered: bool = False


#: Files of the checkout that cases name in braces.
PLACES = {
    "{data}": "{root}/data/eurosat-awgn",
    "{matched}": "{root}/fits/eurosat-awgn-accuracy-matched.json",
    "{clean}": "{root}/fits/eurosat-awgn-accuracy-clean.json",
    "{psnr}": "{root}/fits/eurosat-awgn-psnr.json",
    "{ssim}": "{root}/fits/eurosat-awgn-ssim.json",
}

#: Where fits lie since they come with the package.
_SHIPPED = "{root}/semloss/surfaces/shipped/eurosat-"
MOVED_PLACES = {
    "{matched}": f"{_SHIPPED}accuracy.json",
    "{clean}": f"{_SHIPPED}accuracy-clean.json",
    "{psnr}": f"{_SHIPPED}psnr.json",
    "{ssim}": f"{_SHIPPED}ssim.json",
}

#: Two fading channels beside each other, every cell tested at every SNR.
FADING = TINY.replace('name = "tiny"', 'name = "fading"').replace(
    "[codec]",
    '[[channel]]\nkind = "rician"\nk_db = 10.0\nfading = "slow"\nequaliser = "mmse"\n'
    '[[channel]]\nkind = "rayleigh"\nfading = "fast"\nequaliser = "zf"\n[[codec]]',
)
#: The default optimiser from the base on, steps that grow with distance, two replicates.
MUON = (
    TINY.replace('name = "tiny"', 'name = "muon"\ndescription = "two replicates"')
    .replace('base = {steps = 10, optimiser = "adam", lr = 2e-3}', "base = {steps = 6, lr = 2e-3}")
    .replace('cell = {steps = 8, optimiser = "adam", lr = 5e-4}', "cell = {steps = 2, lr = 5e-4}")
    .replace("_steps_per_db = 0", "_steps_per_db = 0.5")
    .replace("[train]", 'seeds = [0, 1]\n[train]\nbase_steps_per_octave = 2\nprecision = "fp32"')
    .replace("[task]", '[metrics]\nnames = ["psnr_db", "ssim"]\n[task]')
    .replace('cr = ["1/24", "1/6"]', 'cr = "1/5"')
)
#: A tree of pictures, one cell.
FOLDER = (
    TINY.replace('"scenes"\nper_class = 12', '"folder"\npath = "tiles"')
    .replace('cr = ["1/24", "1/6"]\nsnr_db = [0, 10]', 'cr = "1/6"\nsnr_db = 5')
    .replace("trunk = {steps = 40", "trunk = {steps = 150")
)

#: The tests' weak link, its images as large as the tiles.
WEAK = (
    (Path(__file__).parents[1] / "tests" / "data" / "weak_link.toml")
    .read_text(encoding="utf-8")
    .replace("height_px = 512\nwidth_px = 512\n", "")
)
#: A digital link of a published ledger: no imagery, a range, an Eb/N0.
DICE = """
name = "DICE"
[transmitter]
power_dbw = 0.0
tx_gain_dbi = -3.5
tx_line_loss_db = 0.5
[path]
freq_ghz = "465 MHz"
range_km = 1944
[atmosphere]
other_loss_db = 1.5
[receiver]
g_over_t_db_k = 9.03
[signal]
bit_rate_mbps = 1.5
required_eb_n0_db = 11.6
"""
#: Rain by ITU-R statistics that also warms the sky, at Ka band.
RAINY = WEAK.replace("freq_ghz = 8.2", "freq_ghz = 26.0").replace(
    "tx_gain_dbi = 6.0", "tx_gain_dbi = 30.0"
).replace("t_ant_k = 60", "t_ant_k = 60\nrain_warms_sky = true")  # fmt: skip
CURVE = "bits_per_pixel,metric,task,codec,value\n" + "".join(
    f"{rate},accuracy,{task},{codec},{round(value - worse, 4)}\n"
    for task, better in (("clean", 0.0), ("matched", 0.05))
    for codec, worse in (("jp2", -better), ("jpeg", 0.05 - better))
    for rate, value in ((0.05, 0.3), (0.2, 0.6), (0.6, 0.75), (1.5, 0.86), (3.0, 0.89))
)
TLE = """ISS (ZARYA)
1 25544U 98067A   14020.93268519  .00009878  00000-0  18200-3 0  5082
2 25544  51.6498 109.4756 0003572  55.9686 274.8005 15.49815350868473
"""
TOLERANCES = "[tolerances]\npower_dbw = 1.0\nrx_dish_m = { uniform = [-0.2, 0.1] }\n"
PLAN_FILES = {
    "weak.toml": WEAK, "dice.toml": DICE, "rainy.toml": RAINY, "curve.csv": CURVE,
    "iss.tle": TLE, "bad.tle": TLE.replace("5082", "5083"), "tolerances.toml": TOLERANCES,
}  # fmt: skip

CASES_CSV = """id,cr,snr_db,target,elevation_deg,power_dbw
plain,1/12,4,,,
backwards,,4,0.7,,
needed,1/12,,0.8,,
link,1/24,,,35,
watts,,,0.75,40,2 W
high,1/12,,0.999,10,
"""
CASES_LINES = """{"id": 1, "snr_db": 5, "target": 0.8, "cr": null}
{"id": 2, "elevation_deg": "30 deg", "cr": "1/16", "note": "kept"}
{"id": 3, "elevation_deg": -3}
{"id": 4, "snr_db": 5, "target": 0.99}
"""

USERS = """
[pool]
total_power_w = 4.0
bandwidth_mhz = 0.96
subbands = 8

[[user]]
name = "harbour"
fit = "{matched}"
c_n0_dbhz_at_1w = 60.0
images_per_s = 100
target = 0.7
floor = 0.1
ceiling = 0.93
states = [[0.0, 0.9], [-4.0, 0.1]]

[[user]]
name = "forest"
fit = "{psnr}"
weight = 0.8
c_n0_dbhz_at_1w = 58.0
images_per_s = 80
target = 25.0
floor = 8.0
ceiling = 40.0

[[user]]
name = "coast"
fit = "{clean}"
c_n0_dbhz_at_1w = 59.0
images_per_s = 60
target = 0.6
"""
OUTAGE_USERS = USERS.replace(
    "subbands = 8",
    'subbands = 12\nroll_off = 0.1\nobjective = "loss"\ncriterion = "outage"\n'
    "outage_probability = 0.15",
)
EXPECTED_USERS = USERS.replace("subbands = 8", 'subbands = 8\ncriterion = "expected"')
LINK_USERS = USERS.replace("c_n0_dbhz_at_1w = 60.0", 'link = "weak.toml"')

FOREIGN = "symbols,SNR,acc,PSNR,lpips,kind\n" + "".join(
    f"{k},{snr},{100 / (1 + 2.7 ** (-snr / 4 - k / 8)):.6f},"
    f"{15 + 20 / (1 + 2.7 ** (1 - snr / 9 - k / 20)):.6f},"
    f"{0.9 - 0.8 / (1 + 2.7 ** (-snr / 5 - k / 10)):.6f},{'even' if k % 8 == 0 else 'odd'}\n"
    for k in (4, 8, 16, 32)
    for snr in range(-10, 21, 5)
)
LINEAR = "cr,snr_db,metric,value\n" + "".join(
    f"{cr},{10 ** (snr / 10)},accuracy,0.5\n" for cr in (0.05, 0.1) for snr in range(0, 30, 3)
)
LONG = "cr,snr_db,metric,value,n,direction,floor,ceiling,seed\n" + "".join(
    f"1/{r},{snr},lpips,{0.9 - 0.8 / (1 + 2.7 ** (-snr / 5 - 4 / r)) + 0.004 * ((3 * i) % 5):.5f},"
    f"500,lower,0.9,0.1,{i % 2}\n"
    for r in (4, 8, 16, 32)
    for i, snr in enumerate((-10, -6, -2, 2, 6, 10, 14, 18))
)
FEW = "cr,snr_db,metric,task,value,n\n" + "".join(
    f"{cr},{snr},accuracy,new,{value},400\n"
    for cr, snr, value in (
        ("1/48", -4, 0.36), ("1/48", 10, 0.66), ("1/12", 0, 0.72), ("1/12", 14, 0.88),
        ("1/6", -6, 0.55), ("1/6", 7, 0.89),
    )
)  # fmt: skip

FORMS = (
    "constant", "logistic_snr", "additive", "capacity_additive", "separable", "hill", "capped",
    "capacity_capped", "sigmoid_exponential", "unified", "capacity_unified", "pair",
)  # fmt: skip


def _ppm(size: int, shade: int) -> str:
    """A picture as text: a gradient."""
    pixels = (
        f"{3 * x + 4 * shade} {5 * y + shade} {200 - 2 * x - 2 * y + shade}"
        for y in range(size)
        for x in range(size)
    )
    return f"P3\n{size} {size}\n255\n" + "\n".join(pixels) + "\n"


PICTURES = {
    f"tiles/{name}/{i}.png": _ppm(32, 3 * i + j)
    for j, name in enumerate(("field", "water"))
    for i in range(10)
}


def _lines(template: str, *values: str) -> str:
    """One command for every value."""
    return "\n".join(template.replace("<>", value) for value in values)


def _collect_cases() -> Iterator[Case]:
    tiny = {"tiny.toml": TINY}
    yield Case("collect-presets", "collect --preset list")
    yield Case("collect-dry-run", "collect tiny.toml --dry-run --engine serial", files=tiny)
    yield Case(
        "collect-dry-run-json",
        "collect tiny.toml --dry-run --jobs 2 --json --set grid.mismatch=true "
        "--set 'grid.cr=1/48,1/12' --set train.strategy=independent",
        files=tiny,
    )
    yield Case(
        "collect-serial-and-fit",
        "collect tiny.toml --engine serial --out run --set grid.snr_db=-5,0,10\n"
        "fit run --metric psnr_db --form constant --bootstraps 20\n"
        "fit run --form logistic_snr --task matched --bootstraps 20 --json",
        files=tiny,
    )
    yield Case(
        "collect-processes-and-again",
        "collect tiny.toml --engine processes --jobs 2 --json\n"
        "collect tiny.toml --engine processes --jobs 2 --dry-run\n"
        "collect tiny.toml --engine processes --jobs 2",
        files=tiny,
        unordered=True,
    )
    yield Case(
        "collect-grows",
        "collect tiny.toml --engine serial --out run --set grid.cr=1/6 --set grid.snr_db=10 "
        "--json\n"
        "collect tiny.toml --engine serial --out run --set grid.cr=1/6 --dry-run\n"
        "collect tiny.toml --engine serial --out run --set grid.cr=1/6 --set grid.mismatch=true\n"
        "collect run/experiment.toml --engine serial --out run --json",
        files=tiny,
    )
    yield Case(
        "collect-fading-mismatch",
        "collect fading.toml --engine serial --set grid.cr=1/12 --set grid.mismatch=true --json",
        files={"fading.toml": FADING},
    )
    yield Case(
        "collect-independent",
        "collect tiny.toml --engine serial --set train.strategy=independent --set grid.cr=1/12 "
        "--set channel.kind=rician --set channel.k_db=3 --set channel.fading=fast "
        "--set channel.equaliser=none",
        files=tiny,
    )
    yield Case(
        "collect-diverged",
        "collect tiny.toml --engine serial --set grid.cr=1/12 --set grid.snr_db=10 --json "
        "--set train.strategy=independent --set train.independent.steps=3 --set train.retries=1",
        files=tiny,
    )
    yield Case(
        "collect-muon-seeds",
        "collect muon.toml --engine serial --json",
        files={"muon.toml": MUON},
    )
    yield Case(
        "collect-folder",
        "collect folder.toml --engine serial --out rgb\n"
        "collect folder.toml --engine serial --out gray --set source.fit=resize "
        "--set source.size=48 --set source.colour=gray --json",
        files=PICTURES | {"folder.toml": FOLDER},
    )
    yield Case(
        "collect-bad",
        "collect none.toml\ncollect --preset moon\ncollect broken.toml\n"
        + _lines(
            "collect tiny.toml --dry-run --set <>",
            "grid.snr=0,4",
            "grid.snr_db=warm",
            "grid.snr_db=",
            "grid.cr=2",
            "grid.cr=1/100000",
            "channel.kind=fog",
            "codec.kind=jpeg",
            "train.strategy=cold",
            "split.test=0.9",
            "source.kind=moon",
            "source.per_class=1",
            "metrics.names=psnr",
            "grid",
            "compute.threads=0",
            "train.base_snr_db=[8,2]",
            "grid.snr_db=4,4",
        )
        + "\ncollect tiny.toml --jobs 0\ncollect tiny.toml --engine magic\n"
        "collect tiny.toml --engine serial --out foreign",
        files=tiny | {"broken.toml": "name = ", "foreign/thesis.tex": "years of work"},
    )
    yield Case(
        "collect-another-experiment",
        "collect tiny.toml --engine serial --out run --set grid.cr=1/6 --set grid.snr_db=10\n"
        "collect tiny.toml --engine serial --out run --set train.cell.steps=9\n"
        "collect tiny.toml --engine serial --out run --set source.seed=1",
        files=tiny,
    )


def _fit_cases() -> Iterator[Case]:
    yield Case("fit-forms", "fit --form list\nfit --form list --json")
    yield Case(
        "fit-accuracy-matched",
        "fit {data} --metric accuracy --task matched --out fit.json --plot fit.png",
    )
    yield Case("fit-default-json", "fit {data} --out fit.json --json")
    yield Case("fit-psnr", "fit {data} --metric psnr_db --out fit.json")
    yield Case("fit-ssim-json", "fit {data} --metric ssim --out fit.json --bootstraps 200 --json")
    yield Case(
        "fit-every-metric",
        "fit {data} --group-by metric,task --bootstraps 30 --out fits",
    )
    yield Case(
        "fit-one-group-json",
        "fit {data} --group-by task --metric macro_f1 --bootstraps 30 --out fits --json",
    )
    for form in FORMS:
        yield Case(
            f"fit-form-{form}",
            f"fit {{data}} --metric psnr_db --form {form} --bootstraps 30 --out fit.json",
        )
    yield Case(
        "fit-rules",
        _lines(
            "fit {data} --metric ms_ssim_3 --rule <> --bootstraps 0 --out <>.json",
            "one-se", "held-out", "aicc", "bic",
        ),
    )  # fmt: skip
    yield Case(
        "fit-robust-confidence-seed",
        "fit {data} --task clean --form capped --robust --out robust.json --bootstraps 100\n"
        "fit {data} --task clean --form capped --confidence 0.8 --out fit80.json --bootstraps 100\n"
        "fit {data} --task clean --form capped --seed 7 --out seed7.json --bootstraps 100 --json",
    )
    yield Case(
        "fit-run-folder-where",
        "fit run --metric psnr_db --form additive --bootstraps 20 --json\n"
        "fit run --metric psnr_db --form additive --bootstraps 20 --where seed=0 "
        "--where channel=awgn --mismatch\n"
        "fit run --metric psnr_db --form additive --where seed=5",
        copies={"run/metrics.csv": "data/eurosat-awgn/metrics.csv"},
    )
    yield Case(
        "fit-beside-table",
        "fit long.csv --bootstraps 50\nfit long.csv --group-by metric,seed --form capped "
        "--bootstraps 20",
        files={"long.csv": LONG},
    )
    yield Case(
        "fit-foreign",
        "fit theirs.csv --form additive\n"
        "fit theirs.csv --columns cr=symbols/96,snr_db=SNR,value=acc/100 --form additive "
        "--bootstraps 50\n"
        "fit theirs.csv --columns cr=symbols/96 --columns snr_db=SNR,value=PSNR,lpips "
        "--group-by metric --form capped --bootstraps 20 --out fits\n"
        "fit theirs.csv --columns cr=symbols/96,snr_db=SNR,value=lpips --where kind=even "
        "--form capped --bootstraps 20 --out where.json --json",
        files={"theirs.csv": FOREIGN},
    )
    yield Case(
        "fit-joint-and-prior",
        "fit {data} --group-by metric,task --metric accuracy --joint --form capped "
        "--bootstraps 30 --out fits\n"
        "fit few.csv --form capped\n"
        "fit few.csv --prior fits/shared.json --bootstraps 30 --out new.json\n"
        "fit few.csv --prior fits/shared.json --form pair --out new.json\n"
        "predict new.json --cr 1/12 --snr-db 4 --json",
        files={"few.csv": FEW},
    )
    yield Case(
        "fit-joint-auto-json",
        "fit {data} --group-by metric,task --metric semantic_loss --joint --bootstraps 20 "
        "--out fits --json",
    )
    yield Case(
        "fit-report",
        "fit {data} --metric psnr_db --form capped --bootstraps 50 --out fit.json --report report",
    )
    yield Case(
        "fit-report-groups",
        "fit {data} --group-by metric,task --metric accuracy --bootstraps 50 --out fits "
        "--report report\n"
        "fit {data} --group-by metric,task --metric accuracy --form capped --bootstraps 20 "
        "--out fits --report report --json",
    )
    yield Case(
        "fit-bad",
        "fit\nfit none.csv\nfit linear.csv\nfit few.csv --form pair\n"
        + _lines(
            "fit {data} <>",
            "--metric moon",
            "--task x",
            "--form x",
            "--where cr",
            "--frm x",
            "--confidence 95",
            "--bootstraps -1",
            "--seed -1",
            "--report .",
            "--report r --out r/f.json",
            "--joint",
            "--rule best --task clean",
            "--plot a.bmp",
            "--columns x",
            "--columns cr=moon",
            "--prior none.json",
            "--group-by moon",
            "--group-by metric --plot a.png",
            "--joint --group-by metric --prior x.json",
        )
        + "\nfit few.csv --out /dev/full --form constant --bootstraps 0",
        files={"few.csv": FEW, "linear.csv": LINEAR},
    )


def _predict_cases() -> Iterator[Case]:
    fits = ("{matched}", "{clean}", "{psnr}", "{ssim}")
    yield Case("predict-value", _lines("predict <> --cr 1/12 --snr-db 4", *fits))
    yield Case("predict-value-json", _lines("predict <> --cr 0.03 --snr-db -2.5 --json", *fits))
    yield Case(
        "predict-snr-for-target",
        "predict {matched} --target 0.8 --cr 1/12\n"
        "predict {psnr} --target '>= 30' --cr 1/12 --interval 0.8 --json\n"
        "predict {ssim} --target 0.9 --cr 1/16 --confidence 0.9\n"
        "predict {matched} --target 0.3 --cr 1/6\n"
        "predict {matched} --target 'at least 0.8' --cr 1/24 --confidence 0.95 --json",
    )
    yield Case(
        "predict-cr-for-target",
        "predict {matched} --target 0.8 --snr-db 4\n"
        "predict {psnr} --target 28 --snr-db 7 --json\n"
        "predict {clean} --target 0.7 --snr-db 4 --confidence 0.95 --interval 0.9 --json\n"
        "predict {ssim} --target 0.5 --snr-db 18",
    )
    yield Case(
        "predict-interval-plot",
        "predict {matched} --cr 1/12 --snr-db 4 --interval 0.5 --plot value.png\n"
        "predict {matched} --target 0.8 --cr 1/12 --plot needed.png --json",
    )
    yield Case(
        "predict-outside",
        "predict {psnr} --cr 1/100 --snr-db 5\n"
        "predict {psnr} --cr 1/100 --snr-db 5 --strict\n"
        "predict {psnr} --cr 1/12 --snr-db 30 --json\n"
        "predict {psnr} --cr 1/12 --snr-db 5 --strict --json",
    )
    yield Case(
        "predict-not-attainable",
        "predict {matched} --target 0.99 --cr 1/12\n"
        "predict {matched} --target 0.99 --snr-db 4 --json\n"
        "predict {psnr} --target 36 --cr 1/48\n"
        "predict {matched} --target 0.905 --cr 1/12 --confidence 0.99",
    )
    yield Case(
        "predict-falling-metric",
        "fit {data} --metric semantic_loss --task clean --form capped --bootstraps 100 "
        "--out loss.json\n"
        "predict loss.json --cr 1/12 --snr-db 4\n"
        "predict loss.json --cr 1/12 --target 'at most 0.2' --json\n"
        "predict loss.json --snr-db 4 --target '<= 0.2' --confidence 0.9\n"
        "predict loss.json --snr-db 4 --target 'at least 0.2'\n"
        "predict loss.json --link eo-leo-x-band --target 0.2\n"
        "predict loss.json --link eo-leo-x-band --target 0.2 --solve power_dbw --json",
    )
    yield Case(
        "predict-bad",
        "predict\npredict none.json --cr 1/6 --snr-db 4\npredict broken.json --cr 1/6 --snr-db 4\n"
        + _lines(
            "predict {matched} <>",
            "--cr 1/12",
            "--cr 0 --snr-db 4",
            "--cr 1/x --snr-db 4",
            "--cr 1/6 --snr-db four",
            "--cr 1/6 --snr-db nan",
            "--cr 1/6 --snr-db 4 --interval 95",
            "--cr 1/6 --snr-db 4 --plot a.bmp",
            "--cr 1/6 --snr-db 4 --target 0.5",
            "--cr 1/6 --snr-db 4 --confidence 0.9",
            "--target much --cr 1/6",
            "--target 'at most 0.3' --cr 1/6",
            "--target 0.8 --cr 1/6 --confidence 0.3",
        )
        + "\nmeasure\n--version",
        files={"broken.json": "{"},
    )


def _plan(name: str, *questions: str, stdin: str = "", **more: str) -> Case:
    """Questions to the surface of matched accuracy and a link; <weak> is the weak link at 20°."""
    weak = "--link weak.toml --set elevation_deg=20"
    old = "\n".join(f"predict {{matched}} {words}" for words in questions)
    return Case(f"plan-{name}", old.replace("<weak>", weak), files=PLAN_FILES | more, stdin=stdin)


def _ledger_cases() -> Iterator[Case]:
    yield Case(
        "plan-ledger-without-fit",
        "predict --link dice.toml\npredict --link dice.toml --json\n"
        "predict --link eo-leo-x-band --ledger ledger.md\n"
        "predict --link weak.toml --set elevation_deg=45 --json",
        files=PLAN_FILES,
    )
    for preset in ("eo-leo-x-band", "ka-band-leo", "cubesat-s-band"):
        yield _plan(
            f"ledger-{preset}",
            f"--link {preset} --target 0.85",
            f"--link {preset} --target 0.85 --confidence 0.95 --interval 0.9 --json",
        )
    kinds = ("txt", "md", "csv", "json", "xlsx", "png")
    files = " ".join(f"--ledger ledger.{kind}" for kind in kinds)
    yield _plan(
        "ledger-files",
        f"<weak> --target 0.8 {files} --plot chart.png",
        f"--link eo-leo-x-band {files.replace('ledger.', 'eo.')} --json",
    )
    yield _plan(
        "ledger-set",
        "--link eo-leo-x-band --set 'power_dbw=10 W' --set obo_db= --json",
        "--link eo-leo-x-band --set obo_db=8.25 --target 0.85",
        "--link eo-leo-x-band --set eirp_dbw=9 --cr 1/24",
        "--link eo-leo-x-band --set 'freq_ghz=8100 MHz' --set g_over_t_db_k= --set rx_dish_m=9 "
        "--set t_ant_k=50 --set 'noise_figure_db=120 K' --json",
        "<weak> --set cr= --set images_per_s=20000 --target 0.6",
        "<weak> --set images_per_s=20000 --target 0.6",
        "<weak> --set c_over_i_db=12 --set tile_px=48 --set bands=4 --json",
    )
    yield _plan(
        "ledger-rain-papr",
        "--link rainy.toml --set elevation_deg=30 --target 0.8",
        "--link rainy.toml --set elevation_deg=30 --set availability_percent=99.9 --json",
        "--link eo-leo-x-band --rain-loss-db 0 --json",
        "--link eo-leo-x-band --rain-loss-db '3 dB'",
        "--link eo-leo-x-band --papr-db 9 --json",
        "--link eo-leo-x-band --papr-db 2",
    )
    yield _plan("ledger-itu", "<weak> --set atmosphere_model=itu --set r001_mm_h= --json")
    yield _plan(
        "ledger-strict",
        "--link eo-leo-x-band --set elevation_deg=90",
        "--link eo-leo-x-band --set elevation_deg=90 --strict",
        "--link eo-leo-x-band --strict",
    )
    yield Case(
        "plan-ledger-other-metrics",
        _lines("predict <> --link eo-leo-x-band --target 0.5", "{clean}", "{ssim}")
        + "\npredict {psnr} --link eo-leo-x-band --target '30 dB'\n"
        "predict {psnr} --link eo-leo-x-band --target 30 --set cr=1/16 --json",
    )
    yield Case(
        "plan-template",
        "predict --template -\npredict --template new.toml\npredict --template new.toml\n"
        "predict {matched} --link new.toml --cr 1/12\n"
        "predict --template ka.toml --preset ka-band-leo --json\npredict --preset list\n"
        "predict --preset list --json",
    )


def _solve_cases() -> Iterator[Case]:
    for unknown in (
        "snr_db", "cr", "eirp_dbw", "power_dbw", "rx_dish_m", "bandwidth_mhz", "range_km",
        "elevation_deg", "availability_percent",
    ):  # fmt: skip
        link = "--link weak.toml" if unknown == "elevation_deg" else "<weak>"
        if unknown == "availability_percent":  # a band where rain matters
            link += " --set freq_ghz=20 --set power_dbw=5"
        yield _plan(
            f"solve-{unknown}",
            f"{link} --solve {unknown} --target 0.75",
            f"{link} --solve {unknown} --target 0.75 --confidence 0.95 --interval 0.9 --json",
        )
    yield _plan(
        "solve-more",
        "--link eo-leo-x-band --set obo_db=8.25 --target 0.85 --solve power_dbw --strict",
        "<weak> --solve power_dbw --target 0.8 --ledger solved.json --ledger solved.md "
        "--plot solved.png",
        "<weak> --set cr= --set images_per_s=20000 --solve bandwidth_mhz --target 0.6 --json",
        "--link ka-band-leo --solve rx_dish_m --target 0.85",
        "--link ka-band-leo --solve elevation_deg --target 0.88 --cr 1/12 --papr-db 6",
    )
    yield _plan(
        "solve-out-of-reach",
        "<weak> --set power_dbw=-30 --solve elevation_deg --target 0.7",
        "<weak> --solve cr --target 0.99",
        "<weak> --solve snr_db --target 0.99 --json",
        "<weak> --set power_dbw=-40 --solve rx_dish_m --target 0.85",
    )


def _pass_cases() -> Iterator[Case]:
    yield _plan(
        "pass",
        "--link weak.toml --pass 60 --target 0.8 --csv pass.csv --plot pass.png --step 10",
        "--link weak.toml --pass 60 --target 0.8 --json",
        "--link eo-leo-x-band --pass 35 --cr 1/24",
    )
    yield _plan(
        "pass-options",
        "--link weak.toml --pass 60 --target 0.8 --step 2 --min-elevation 15 --inclination 97.4",
        "--link weak.toml --pass 60 --target 0.8 --confidence 0.9 --interval 0.8 "
        "--set margin_db=2 --json",
        "--link rainy.toml --pass 80 --rain-loss-db 2 --json",
    )
    yield _plan(
        "pass-fading",
        "--link weak.toml --pass 60 --target 0.8 --fading rician:6 --csv pass.csv --step 20",
        "--link weak.toml --pass 60 --target 0.8 --fading rayleigh --json",
        "--link weak.toml --pass 60 --fading shadowing:2.5 --json",
    )
    yield _plan(
        "day",
        "--link weak.toml --day --target 0.8 --csv day.csv",
        "--link weak.toml --day --target 0.8 --inclination 60 --step 5 --json",
        "--link eo-leo-x-band --day --step 10 --fading rician:10 --target 0.85",
    )
    yield _plan(
        "tle",
        "--link weak.toml --tle iss.tle --start 2014-01-21T00:00 --days 2 --satellite 25544 "
        "--target 0.8 --step 5 --json",
        "--link weak.toml --tle iss.tle --start 2014-01-21T00:00 --csv iss.csv --plot iss.png",
        "--link weak.toml --tle iss.tle --start 2014-01-21T00:00 --site -33.9,18.4,0.1 --step 5",
        "--link cubesat-s-band --tle iss.tle --start 2014-01-21 --site 48.1,11.6 --step 5 "
        "--min-elevation 25 --target 0.7",
    )
    yield _plan(
        "adaptive-table",
        "--link weak.toml --adaptive --target 0.75 --plot table.png",
        "--link weak.toml --adaptive --target 0.75 --crs 1/6,1/8,1/16 --hysteresis-db 1 "
        "--csv table.csv --json",
        "--link eo-leo-x-band --adaptive --target 0.85 --confidence 0.95 --interval 0.9 --json",
    )
    yield _plan(
        "adaptive-pass",
        "--link eo-leo-x-band --set obo_db=8.25 --target 0.85 --adaptive --pass 60 "
        "--plot pass.png --csv series.csv --step 5",
        "--link weak.toml --adaptive --target 0.75 --pass 70 --json",
        "--link weak.toml --adaptive --target 0.75 --pass 70 --fading rician:10 "
        "--hold-percent 95 --json",
    )
    yield _plan(
        "adaptive-many",
        "--link weak.toml --adaptive --target 0.75 --day --step 10 --csv days.csv --json",
        "--link weak.toml --adaptive --target 0.75 --day --step 10",
        "--link weak.toml --adaptive --target 0.75 --tle iss.tle --start 2014-01-21T00:00 "
        "--step 10 --plot high.png --csv tle.csv",
    )
    yield _plan(
        "outage",
        "<weak> --outage --target 0.75 --fading shadowing:2 --percents 99,50,90 "
        "--plot outage.png --csv out.csv",
        "<weak> --outage --target 0.75 --fading rayleigh --confidence 0.9 --json",
        "<weak> --outage --fading rician:10 --interval 0.8",
        "--link rainy.toml --set elevation_deg=30 --outage --target 0.75",
    )
    yield _plan(
        "outage-pass",
        "--link weak.toml --outage --pass 60",
        "--link eo-leo-x-band --outage --pass 60 --fading rician:10 --target 0.85 --json",
    )


def _study_cases() -> Iterator[Case]:
    yield _plan(
        "against",
        "<weak> --against curve.csv --codec jp2 --target 0.7 --modcod 'QPSK 3/4' "
        "--csv against.csv --plot map.png",
        "<weak> --against curve.csv --codec jp2 --target 0.7 --json",
        "<weak> --against curve.csv --codec jpeg --cr 1/8 --modcod-margin-db 2 --json",
        "<weak> --set obo_db=3 --against curve.csv --codec jp2 --digital-obo-db 0 --target 0.6",
        "--link weak.toml --set elevation_deg=5 --against curve.csv --codec jp2 --target 0.85",
    )
    yield _plan("against-no-curve", "<weak> --against", "<weak> --against --json")
    yield _plan(
        "sweep",
        "--link weak.toml --sweep elevation_deg=10:90:5 --plot one.png",
        "<weak> --sweep cr=1/32:1/8:3 --sweep 'obo_db=0:4 dB:2' --target 0.6 --csv two.csv "
        "--plot two.png",
        "--sweep snr_db=-8:12:3 --target 0.6 --json",
        "--sweep target=0.5:0.9:4 --cr 1/12 --interval 0.9",
        "--sweep cr=1/48:1/6:4 --sweep snr_db=-5:15:3 --json",
        "--sweep target=0.97:0.99:2 --cr 1/12",
    )
    yield _plan(
        "tornado",
        "<weak> --tornado --target 0.75 --plot tornado.png --csv tornado.csv",
        "<weak> --tornado --tolerances tolerances.toml",
        "--link eo-leo-x-band --tornado --target 0.85 --json",
        "--tornado --tolerances point.toml --cr 1/12 --snr-db 4 --json",
        **{"point.toml": "[tolerances]\nsnr_db = 1.5\ncr = { uniform = [-0.01, 0.02] }\n"},
    )
    yield _plan(
        "monte-carlo",
        "<weak> --monte-carlo 300 --target 0.75 --seed 0 --csv draws.csv --plot mc.png",
        "<weak> --monte-carlo 2000 --target 0.75 --seed 1 --json",
        "--link eo-leo-x-band --monte-carlo 2000 --target 0.85",
        "--link ka-band-leo --monte-carlo --json",
        "<weak> --monte-carlo 1000 --tolerances tolerances.toml --target 0.7 --json",
    )
    yield _plan(
        "cases-csv",
        "<weak> --cases -",
        "--cases - --target 0.7",
        "<weak> --cases cases.csv --interval 0.8",
        stdin=CASES_CSV,
        **{"cases.csv": CASES_CSV},
    )
    yield _plan(
        "cases-lines",
        "<weak> --cases -",
        "--cases snr.csv --target 0.999",
        stdin=CASES_LINES,
        **{"snr.csv": "snr_db\n12\n"},
    )


def _bad_plan_cases() -> Iterator[Case]:
    def bad(name: str, *words: str) -> Case:
        return _plan(f"bad-{name}", *(w.replace("<x>", "--link eo-leo-x-band") for w in words))

    yield bad(
        "ledger",
        "--cr 1/12 --ledger x.md", "--pass 40", "--solve snr_db --target 0.5", "--link none.toml",
        "--link weak.toml", "<x> --set obo=3", "<x> --set obo_db", "<x> --set freq_ghz=",
        "<x> --set obo_db=1 --set obo_db=2", "<x> --set 'freq_ghz=8 furlong'",
        "<x> --set elevation_deg=-1", "<x> --snr-db 3", "<x> --cr 2", "<x> --target much",
        "<x> --target 'at most 0.3'", "<x> --confidence 0.9", "<x> --target 0.5 --confidence 90",
        "<x> --interval 95", "<x> --ledger x.doc", "<x> --plot x.doc",
        "<x> --set eirp_dbw=9 --papr-db 9", "<x> --rain-loss-db -1",
    )  # fmt: skip
    yield bad(
        "solve",
        "<x> --solve power_dbw", "<x> --solve gain --target 0.5",
        "<x> --solve rx_dish_m --target 0.5", "<x> --solve cr --cr 1/6 --target 0.5",
        "<x> --solve snr_db --target 0.5 --ledger x.md", "<x> --solve cr --target 0.5 --pass 40",
        "<x> --solve cr --target 0.5 --csv x.csv",
    )  # fmt: skip
    yield bad(
        "pass",
        "<x> --pass 40 --ledger x.md", "<x> --pass 40 --tle iss.tle", "<x> --pass 40 --day",
        "<x> --pass 5", "<x> --pass 40 --step 0", "<x> --pass 40 --set elevation_deg=9",
        "<x> --pass 40 --fading fog", "<x> --min-elevation 5", "<x> --site 1,2",
        "--link dice.toml --pass 40", "--link cubesat-s-band --day",
        "--link cubesat-s-band --tle iss.tle", "<x> --tle curve.csv", "<x> --tle bad.tle",
        "<x> --tle iss.tle --start soon", "<x> --tle iss.tle --start 2026-01-01",
        "<x> --tle iss.tle --satellite NOAA", "<x> --tle iss.tle --site north",
        "<x> --tle iss.tle --start 2014-01-21 --site 85,0", "<x> --day --plot x.png",
    )  # fmt: skip
    yield bad(
        "adaptive-outage",
        "<x> --adaptive", "<x> --adaptive --target 0.5 --cr 1/6",
        "<x> --adaptive --target 0.5 --crs ,", "<x> --adaptive --target 0.5 --fading rayleigh",
        "<x> --adaptive --target 0.5 --hold-percent 9", "<x> --adaptive --outage --target 0.5",
        "<x> --adaptive --target 0.99", "<x> --outage --day", "<x> --outage --percents some",
        "<x> --outage --percents 100", "<x> --hysteresis-db 1",
    )  # fmt: skip
    yield bad(
        "against",
        "<x> --against none.csv", "<x> --against curve.csv", "<x> --against --codec jp2",
        "<x> --against --modcod QPSK", "<x> --against --modcod-margin-db -1",
        "<x> --modcod 'QPSK 1/2'", "<x> --against --digital-obo-db -1",
    )  # fmt: skip
    yield bad(
        "studies",
        "<x> --sweep obo_db=0:3", "<x> --sweep obo=0:3:4", "<x> --sweep name=0:3:4",
        "<x> --sweep obo_db=0:3:4 --sweep obo_db=0:3:4", "--sweep obo_db=0:3:4 --cr 1/6",
        "<x> --tornado --tolerances none.toml", "--tornado --cr 1/6 --snr-db 3",
        "<x> --monte-carlo 0", "<x> --monte-carlo --seed -1", "<x> --seed 1",
        "<x> --cases none.csv", "<x> --cases curve.csv", "<x> --cases - --json",
        "<x> --template t.toml", "--preset ka-band-leo", "--preset moon --template t.toml",
    )  # fmt: skip
    yield Case(
        "plan-bad-no-fit",
        "predict --link eo-leo-x-band --target 0.5\npredict --link eo-leo-x-band --pass 40\n"
        "predict --tornado",
    )


def _allocate_cases() -> Iterator[Case]:
    files = {
        "users.toml": USERS, "outage.toml": OUTAGE_USERS, "expected.toml": EXPECTED_USERS,
        "link.toml": LINK_USERS,
        "weak.toml": WEAK.replace("height_km = 500", "height_km = 500\nelevation_deg = 30"),
    }  # fmt: skip
    yield Case("allocate-template", "allocate --template\nallocate")
    yield Case(
        "allocate",
        "allocate users.toml\nallocate users.toml --json --csv shares.csv\n"
        "allocate users.toml --power-w 12\nallocate users.toml --power-w 0.2 --json",
        files=files,
    )
    yield Case(
        "allocate-criteria",
        "allocate outage.toml\nallocate outage.toml --json\nallocate expected.toml --json\n"
        "allocate link.toml --json --csv link.csv",
        files=files,
    )
    yield Case(
        "allocate-least-power",
        "allocate users.toml --least-power\nallocate users.toml --least-power --json "
        "--csv least.csv\nallocate expected.toml --least-power --power-w 50 --json\n"
        "allocate users.toml --least-power --power-w 0.01",
        files=files,
    )
    changes = {
        "sub_bands": ("subbands = 8", "sub_bands = 8"),
        "no_subbands": ("subbands = 8", ""),
        "half_a_band": ("subbands = 8", "subbands = 8.5"),
        "pol": ("[pool]", "[pol]"),
        "negative": ("total_power_w = 4.0", "total_power_w = -1"),
        "both_powers": ("total_power_w = 4.0", "total_power_w = 4\ntotal_power_dbw = 6"),
        "weigth": ("weight = 0.8", "weigth = 0.8"),
        "weight_x": ("weight = 0.8", 'weight = "x"'),
        "no_rate": ("images_per_s = 80", ""),
        "no_fit": ('fit = "{psnr}"', ""),
        "none_fit": ('fit = "{psnr}"', 'fit = "none.json"'),
        "no_channel": ("c_n0_dbhz_at_1w = 58.0", ""),
        "states": ("[-4.0, 0.1]]", "[-4.0]]"),
        "scale": ("floor = 8.0", "floor = 60.0"),
        "no_scale": ("floor = 8.0", ""),
        "broken": ("[pool]", "[pool"),
    }
    yield Case(
        "allocate-bad",
        "allocate none.toml\n" + _lines("allocate <>.toml", *changes),
        files={f"{name}.toml": USERS.replace(*change) for name, change in changes.items()},
    )


CASES: tuple[Case, ...] = (
    *_predict_cases(), *_ledger_cases(), *_solve_cases(), *_pass_cases(), *_study_cases(),
    *_bad_plan_cases(), *_allocate_cases(), *_fit_cases(), *_collect_cases(),
)  # fmt: skip

# ------------------------------------------------------------------------------------ record

Content = dict[str, Any]
"""What is kept of a stream or file: its kind and its content without what is volatile."""


@dataclass(frozen=True)
class Place:
    """Where a case runs, and the words that stand for these folders."""

    root: Path
    work: Path
    cache: Path

    def filled(self, text: str) -> str:
        """Text with the braces filled in."""
        for brace, path in PLACES.items():
            moved = MOVED_PLACES.get(brace, path)
            there = Path(moved.replace("{root}", str(self.root))).exists()
            text = text.replace(brace, moved if there else path)
        return text.replace("{root}", str(self.root))

    def bare(self, text: str, unordered: bool = False) -> str:
        """Text without what is volatile."""
        for path, word in ((self.work, "{work}"), (self.cache, "{cache}"), (self.root, "{root}")):
            text = text.replace(str(path), word)
        for pattern, word in VOLATILE_TEXT:
            text = re.sub(pattern, word, text)
        if unordered:
            for pattern, word in UNORDERED_TEXT:
                text = re.sub(pattern, word, text)
            text = "".join(sorted(text.splitlines(keepends=True)))
        return text


def record(
    root: Path, cases: Sequence[Case], spelling: str, jobs: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Run cases with the code of a checkout; give exit codes, streams and files by case."""
    _check_origin(root)

    def one(case: Case) -> tuple[str, dict[str, Any]]:
        started = time.monotonic()
        answer = _run(case, root, spelling)
        answer["seconds"] = round(time.monotonic() - started, 2)
        codes = " ".join(str(step["code"]) for step in answer["steps"])
        say(f"{case.name}: {codes} ({answer['seconds']:.1f} s)")
        return case.name, answer

    with ThreadPoolExecutor(jobs) as pool:
        return dict(pool.map(one, cases))


def about() -> dict[str, str]:
    """What the last digit depends on beside the code."""
    packages = ("numpy", "scipy", "pandas", "scikit-learn", "torch", "matplotlib", "skyfield")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processor": _processor(),
        **{name: metadata.version(name) for name in packages},
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


def _environment(root: Path, cache: Path) -> dict[str, str]:
    """The environment with the checkout first on the path and a cache of its own."""
    return os.environ | {"PYTHONPATH": str(root), "SEMLOSS_CACHE": str(cache)}


def _check_origin(root: Path) -> None:
    """Refuse to record another code than the checkout's."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", "import semloss; print(semloss.__file__)"],
            cwd=folder, env=_environment(root, Path(folder)), capture_output=True, text=True,
        )  # fmt: skip
    if not done.stdout or not Path(done.stdout.strip()).is_relative_to(root):
        raise SystemExit(f"semloss is not that of {root}: {done.stdout}{done.stderr}")


def _run(case: Case, root: Path, spelling: str) -> dict[str, Any]:
    """Run one case in folders that are removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="same-answers-") as folder:
        place = Place(root, Path(folder, "work").resolve(), Path(folder, "cache").resolve())
        place.work.mkdir()
        before = _set_up(case, place)
        lines = case.new if spelling == "new" and case.new is not None else case.old
        steps = [_step(shlex.split(line), case, place) for line in lines.splitlines()]
        files = {}
        for path in sorted(path for path in place.work.rglob("*") if path.is_file()):
            name = path.relative_to(place.work).as_posix()
            if path.name == ".lock" or before.get(name) == path.read_bytes():
                continue
            files[name] = _file(path, place, case.unordered and path.suffix == ".txt")
        return {"steps": steps, "files": files}


def _set_up(case: Case, place: Place) -> dict[str, bytes]:
    """Write the files that a case starts from; give them by name."""
    before = {name: place.filled(text).encode() for name, text in case.files.items()}
    before |= {name: (place.root / path).read_bytes() for name, path in case.copies.items()}
    for name, content in before.items():
        (place.work / name).parent.mkdir(parents=True, exist_ok=True)
        (place.work / name).write_bytes(content)
    return before


def _step(words: list[str], case: Case, place: Place) -> dict[str, Any]:
    """Run one command."""
    command = [sys.executable, "-m", "semloss", *(place.filled(word) for word in words)]
    process = subprocess.Popen(
        command, cwd=place.work, env=_environment(place.root, place.cache), text=True,
        encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    code: int | str
    try:
        out, err = process.communicate(case.stdin, TIMEOUT_S)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        code = f"stopped after {TIMEOUT_S:g} s"
    return {
        "words": words,
        "code": code,
        "stdout": _text(out, place),
        "stderr": {"kind": "text", "content": place.bare(err, case.unordered)},
    }


def _text(text: str, place: Place) -> Content:
    """A text, parsed where it is JSON."""
    if text[:1] in ("{", "["):
        try:
            return {"kind": "json", "content": _plain(json.loads(text), place)}
        except ValueError:  # a JSON object on each line, or no JSON at all
            pass
    return {"kind": "text", "content": place.bare(text)}


def _plain(value: Any, place: Place) -> Any:
    """JSON without what is volatile."""
    if isinstance(value, dict):
        return {
            key: VOLATILE if key in VOLATILE_NAMES else _plain(item, place)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_plain(item, place) for item in value]
    return place.bare(value) if isinstance(value, str) else value


def _file(path: Path, place: Place, unordered: bool) -> Content:
    """What is kept of a file, by its suffix; of pictures only that they are there."""
    kind = path.suffix.lower()
    if kind == ".xlsx":
        return {"kind": "json", "content": _workbook(path)}
    if kind == ".safetensors":
        return {"kind": "json", "content": _weights(path.read_bytes())}
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return {"kind": "there", "content": ""}
    if kind in (".png", ".parquet"):
        return {"kind": "there", "content": ""}
    if kind == ".csv":
        return {"kind": "csv", "content": place.bare(_csv(text))}
    if kind == ".json":
        return _text(text, place)
    return {"kind": "text", "content": place.bare(text, unordered)}


def _csv(text: str) -> str:
    """A table without its volatile columns; untouched where it has none."""
    rows = list(csv.reader(io.StringIO(text)))
    gone = {i for i, name in enumerate(rows[0] if rows else []) if name in VOLATILE_NAMES}
    if not gone:
        return text
    kept = io.StringIO()
    writer = csv.writer(kept, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([VOLATILE if i in gone else c for i, c in enumerate(row)] for row in rows[1:])
    return kept.getvalue()


def _workbook(path: Path) -> dict[str, dict[str, Any]]:
    """Cells of a spreadsheet by sheet: formulas as such, else values."""
    from openpyxl import load_workbook

    return {
        sheet.title: {
            cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row
            if cell.value is not None
        }
        for sheet in load_workbook(path).worksheets
    }  # fmt: skip


def _weights(data: bytes) -> dict[str, str]:
    """Tensors of a safetensors file by name: type, shape and a digest of the numbers."""
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = json.loads(data[8:start])
    tensors.pop("__metadata__", None)

    def digest(first: int, last: int) -> str:
        return hashlib.sha256(data[start + first : start + last]).hexdigest()[:16]

    return {
        name: f"{one['dtype']} {one['shape']} {digest(*one['data_offsets'])}"
        for name, one in sorted(tensors.items())
    }


# ----------------------------------------------------------------------------------- compare


def differences(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Tell how two answers to one case differ; empty where they are the same."""
    found: list[str] = []
    if len(old["steps"]) != len(new["steps"]):
        found.append(f"{len(old['steps'])} commands were given and {len(new['steps'])} are")
    for was, now in zip(old["steps"], new["steps"], strict=False):
        command = shlex.join(now["words"])
        if _intended(name, command):
            continue
        if "-bad" in name and was["code"] == now["code"] == 2 and _is_refusal(now):
            continue  # refused before and after, be it in other words
        parts = _changed(("stdout", was["stdout"], now["stdout"]),
                         ("stderr", was["stderr"], now["stderr"]))  # fmt: skip
        if was["code"] != now["code"]:
            parts.insert(0, f"exit code {was['code']} -> {now['code']}")
        if parts:
            found += [f"$ semloss {command}", *parts]
    before, after = (
        {file: one for file, one in side["files"].items() if not _intended(name, f"file {file}")}
        for side in (old, new)
    )
    found += [f"file {file} is no longer written" for file in before if file not in after]
    found += [f"file {file} was not written" for file in after if file not in before]
    return found + _changed(
        *((f"file {file}", before[file], after[file]) for file in before if file in after)
    )


def _intended(name: str, what: str) -> bool:
    return any(
        fnmatch.fnmatch(name, case) and fnmatch.fnmatch(what, pattern)
        for case, pattern, _ in INTENDED
    )


def _is_refusal(step: Mapping[str, Any]) -> bool:
    """Nothing but one line that says why, below the progress of a collect."""
    lines = str(step["stderr"]["content"]).splitlines()
    told = [line for line in lines if line.startswith("semloss: ")]
    return len(told) == 1 and told[0] == lines[-1] and not step["stdout"]["content"]


def _changed(*pairs: tuple[str, Content, Content]) -> list[str]:
    found: list[str] = []
    for title, was, now in pairs:
        sides = _parsed(was), _in_old_words(_parsed(now))
        if title.removeprefix("file ") in ROUNDED_FILES:
            sides = _rounded(sides[0]), _rounded(sides[1])
        diff = _diff(*map(_shown, sides))
        if diff:
            found += [f"{title}:", *diff]
    return found


def _rounded(table: Content) -> Content:
    """A table with its numbers to twelve digits."""

    def plain(cell: str) -> str:
        try:
            return f"{float(cell):.12g}"
        except ValueError:
            return cell

    rows = [{key: plain(cell) for key, cell in row.items()} for row in table["content"]]
    return {"kind": "json", "content": rows}


def _settled(text: str) -> str:
    """Progress without its count: what a unit is has changed."""
    return re.sub(r"(?m)^\[[ n\d]+/\d+\]", "[n/N]", text)


def _parsed(content: Content) -> Content:
    """Tables, and objects a line, as lists of objects."""
    text = content["content"]
    first = text.partition("\n")[0] if isinstance(text, str) else ""
    if content["kind"] == "csv" or re.fullmatch(r"\w+(,\w+){5,}", first):
        head, *rows = csv.reader(io.StringIO(text))
        rows = [dict(zip(head, row, strict=True)) for row in rows]
        return {"kind": "json", "content": rows}
    if first.startswith('{"'):
        return {"kind": "json", "content": [json.loads(line) for line in text.splitlines()]}
    return content | {"content": _settled(text)} if isinstance(text, str) else content


def _in_old_words(content: Content) -> Content:
    """Content of today in the words of the old record."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            known = {k: plain(item) for k, item in value.items() if k not in ADDED_KEYS}
            for new, old in RENAMED_KEYS.items():
                if new in known:
                    known[old] = known.pop(new)
            if str(value.get("setting", "")).startswith("filters="):
                filters = known.pop("setting").removeprefix("filters=")
                known["filters"] = filters if isinstance(value["k"], str) else int(filters)
            if known.get("schema") == "semloss-fit" and known["version"] == 3:
                known["version"] = 2
            if "attempts" in known and isinstance(known.get("clean"), dict):  # a task model's
                known["accuracy"] = known.pop("clean")["accuracy"]
            return known
        if isinstance(value, list):
            return [plain(item) for item in value]
        return reworded(value) if isinstance(value, str) else value

    def reworded(text: str) -> str:
        for pattern, words in REWORDED_TEXT:
            text = re.sub(pattern, words, text)
        return text

    return {"kind": content["kind"], "content": plain(content["content"])}


def _shown(content: Content) -> list[str]:
    """Content as lines: JSON with a value a line, in the order of its keys."""
    if content["kind"] == "json":
        text = json.dumps(content["content"], indent=1, sort_keys=True, ensure_ascii=False)
        return text.splitlines()
    lines = str(content["content"]).splitlines() or [""]
    # another word may be wider: columns are laid out anew
    return [re.sub(r" {2,}|-{3,}", "  ", line) for line in lines]


def _diff(old: list[str], new: list[str]) -> list[str]:
    """A short unified diff; empty where the lines are the same."""
    if old == new:
        return []
    first = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
        min(len(old), len(new)),
    )
    start, length = max(0, first - 3), 20 * DIFF_LINES  # enough of long texts, and quick
    parts = (old[start : start + length], new[start : start + length])
    lines = list(difflib.unified_diff(*parts, n=1, lineterm=""))[2:]
    shown = [line if len(line) <= LINE_WIDTH else _cut(line, lines) for line in lines[:DIFF_LINES]]
    equal = sum(a == b for a, b in zip(old, new, strict=False))
    more = f"({len(old)} lines before, {len(new)} after, {equal} equal in place)"
    return [*shown, more] if len(lines) > DIFF_LINES else shown


def _cut(line: str, lines: list[str]) -> str:
    """A long line around where it parts from its most similar counterpart."""
    others = [o[1:] for o in lines if o[:1] in "+-" and o[:1] != line[:1] and line[:1] in "+-"]
    common = max((_common(line[1:], other) for other in others), default=0)
    start = max(0, common - LINE_WIDTH // 2)
    return f"{line[:1]}{'…' if start else ''}{line[1:][start : start + LINE_WIDTH]}…"


def _common(one: str, other: str) -> int:
    """Characters that two texts begin with alike."""
    ends = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(ends, min(len(one), len(other)))


def compare(old: Mapping[str, Any], new: Mapping[str, Any], wanted: Callable[[str], bool]) -> int:
    """Print for every case whether it is the same; give the exit code."""
    for key in sorted(set(old["about"]) | set(new["about"])):
        was, now = old["about"].get(key), new["about"].get(key)
        if was != now:
            print(f"note: {key} was {was} and is {now}; last digits may depend on it")
    count = {"same": 0, "different": 0}
    for name in [*old["cases"], *(name for name in new["cases"] if name not in old["cases"])]:
        if not wanted(name):
            continue
        sides = old["cases"].get(name), new["cases"].get(name)
        if sides[0] is None or sides[1] is None:
            missing = "the old" if sides[0] is None else "the new"
            found = [f"{missing} record has no such case"]
        else:
            found = differences(name, *sides)
        verdict = "same" if not found else "different"
        count[verdict] += 1
        print(f"{verdict.upper() if found else verdict:<9} {name}")
        for line in found:
            print(f"    {line}")
    print(", ".join(f"{number} {word}" for word, number in count.items()))
    return int(count["different"] > 0)


# -------------------------------------------------------------------------------------- main


def main() -> int:
    """Record, compare or list, as the command line asks."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("record", help="run the cases with the code of a checkout")
    one.add_argument("checkout", type=Path)
    one.add_argument("record", type=Path, help="with --only, an existing one is brought up to date")
    one.add_argument("--spelling", choices=("old", "new"), default="old")
    one.add_argument("--jobs", type=int, default=1)
    two = commands.add_parser("compare", help="set two records side by side")
    two.add_argument("old", type=Path)
    two.add_argument("new", type=Path)
    for sub in (one, two):
        sub.add_argument("--only", nargs="+", metavar="ID", help="names or patterns: plan-solve-*")
    commands.add_parser("list", help="print the cases with their commands")
    args = parser.parse_args()
    if args.command == "list":
        for case in CASES:
            print(f"{case.name}\n    {case.old.replace(chr(10), chr(10) + '    ')}")
        return 0

    def wanted(name: str) -> bool:
        return not args.only or any(fnmatch.fnmatch(name, pattern) for pattern in args.only)

    if args.command == "compare":
        return compare(json.loads(args.old.read_text()), json.loads(args.new.read_text()), wanted)
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names), "every case has a name of its own"
    chosen = [case for case in CASES if wanted(case.name)]
    if not chosen:
        raise SystemExit("no such case; list names them")

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    started = time.monotonic()
    answers = record(args.checkout.resolve(), chosen, args.spelling, args.jobs, say)
    if args.only and args.record.exists():
        answers = json.loads(args.record.read_text())["cases"] | answers
    content = {"about": about(), "cases": answers}
    args.record.write_text(json.dumps(content, ensure_ascii=False) + "\n")
    say(f"{len(chosen)} cases in {time.monotonic() - started:.0f} s -> {args.record}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
