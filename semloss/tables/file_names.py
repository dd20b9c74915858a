"""What the name of a file tells of every row in it: "cr1_24.csv", "psnr_cr=0.25_snr=-4dB.csv"."""

import re
from pathlib import Path

_TOLD = {
    "cr": r"(?:cr|cbr|bcr|ratio)[=_\- ]?(1(?:[_-]|over)\d+|0?\.\d+)",
    "snr_db": r"(?:snr|esn0)[=_ ]?([-\u2212]?\d+(?:\.\d+)?)(?:_?db)?",
    "seed": r"(?:seed|run|trial|rep)[=_\- ]?(\d+)",
}


def told_by_name(path: Path) -> dict[str, str]:
    """Compression ratio, SNR in dB and seed, as texts, of those that the name tells."""
    name = re.sub(r"\.(csv|parquet|pq|jsonl?|txt)$", "", path.name.lower())
    found = {
        column: re.search(rf"(?<![a-z]){pattern}(?![\d.a-z])", name)
        for column, pattern in _TOLD.items()
    }
    return {
        column: re.sub(r"^1(?:[_-]|over)", "1/", match[1])
        for column, match in found.items() if match
    }  # fmt: skip
