"""One name for one thing, however a table of other origin spells it."""

import re
from collections.abc import Iterable

from semloss.facts import spelled
from semloss.tables.spread import error_name

_SNR = {"snr", "esn0", "es_n0", "esno", "es_no", "csnr"}
_CR = {"cr", "ratio", "k_n", "kn", "k_over_n", "rate", "compression", "bcr", "cbr", "r"}
_VALUE = {"score", "mean", "result", "val", "metric_value", "y"}
_OPTIONAL = {
    "sd": {"std", "stdev", "std_dev", "standard_deviation"},
    "se": {"sem", "stderr", "std_err", "standard_error"},
    "n": {"n_trials", "trials", "n_images", "images", "n_test", "n_samples", "num_images"},
}
_WORDS_ASIDE = {"db", "test", "eval", "channel", "bandwidth", "compression"}
"""Words that tell nothing more about which column it is."""
_MEAN = {"mean", "avg", "average"}


def plain(text: str) -> str:
    """Lower-case letters and digits of a name, everything between them as one underscore."""
    return re.sub(r"[\W_]+", "_", text.lower()).strip("_")


def metric_name(text: str) -> str:
    """Name of a metric as semloss writes it: "PSNR (dB)" -> psnr_db, "MS-SSIM" -> ms_ssim.

    Parameters
    ----------
    text
        Name of a metric or of the column that holds it.

    Returns
    -------
    str
        A name of our own where the text is a known spelling of it, else the text in lower case
        with everything but letters and digits as ``_``; ``value`` where nothing is left.
    """
    name = plain(text)
    return _spelt(name) or name or "value"


def canonical_metric(text: str) -> str:
    """The known metric that a text spells, else the text as it is."""
    return spelled(plain(text)) or text


def _spelt(name: str) -> str | None:
    """The known metric that a plain name spells, be it called its mean."""
    return spelled(name) or spelled("_".join(w for w in name.split("_") if w not in _MEAN))


def evident_column(wanted: str, columns: Iterable[str]) -> str | None:
    """What to map to a required column of ours, or None where no column evidently is it.

    For ``value`` these are all columns named after a metric, joined by commas; percentages with
    their conversion.
    """
    names = list(columns)
    if wanted == "value":
        metrics = [n for n in names if _spelt(plain(n)) and not n.endswith(error_name(""))]
        fractions = [f"{name}/100" if "%" in name else name for name in metrics]
        return ",".join(fractions) or _first(names, _VALUE)
    return _first(names, {"snr_db": _SNR, "cr": _CR}.get(wanted, {wanted}))


def optional_columns(columns: Iterable[str]) -> dict[str, str]:
    """Columns that say `sd`, `se` or `n` by another name: theirs -> ours, where ours is not there.

    An error that is left unread would be taken for none.
    """
    names = list(columns)
    found = {ours: _first(names, spellings) for ours, spellings in _OPTIONAL.items()}
    return {theirs: ours for ours, theirs in found.items() if theirs and ours not in names}


def count_of_repetitions(column: str) -> bool:
    """Whether a column of counts says how often a test was repeated, not on how many images."""
    return plain(column) in {"n_trials", "trials"}


def error_column(value: str, columns: Iterable[str]) -> tuple[str, str] | None:
    """Column with the error of another, and which it is, `sd` or `se`: PSNR -> (PSNR_std, sd).

    An error written beside the value, with ±, is a standard deviation. None where there is none.
    """
    names = list(columns)
    if error_name(value) in names:
        return error_name(value), "sd"
    of = set(plain(value).split("_")) - {"db", *_MEAN}
    for name in names:
        words = set(plain(name).split("_")) - {"db"}
        for ours in ("sd", "se"):
            if any(words == of | set(s.split("_")) for s in {ours, *_OPTIONAL[ours]}):
                return name, ours
    return None


def _first(names: list[str], spellings: set[str]) -> str | None:
    """First name that is one of the spellings, with or without words that tell nothing more."""
    for name in names:
        words = plain(name).split("_")
        rest = [word for word in words if word not in _WORDS_ASIDE]
        if "_".join(words) in spellings or "_".join(rest) in spellings:
            return name
    return None


def listing(names: Iterable[object]) -> str:
    """Names in one short line, whatever they hold."""
    texts = [" ".join(str(name).split()) for name in names]
    short = [text if len(text) <= 40 else f"{text[:39]}…" for text in texts]
    return ", ".join(short[:24]) + (f" … ({len(short)} in all)" if len(short) > 24 else "")
