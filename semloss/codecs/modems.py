"""What MODCODs lose through an amplifier, each constellation at the back-off that suits it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch

from semloss.arrays import Array
from semloss.channels.amplifier import Amplifier
from semloss.codecs.constellations import constellation
from semloss.errors import SemlossError, TargetNotAttainable
from semloss.modcods import ModCod, Modcods

#: Input back-offs that are tried, in dB: the least, where PSK is all but a hard limiter's, is so
#: deep that nothing is gained by going further, and the best of each MODCOD lies between.
BACK_OFFS_DB = np.arange(-24.0, 20.25, 0.25)
#: Symbols of the period that is simulated, and the seed of their draw.
SYMBOLS, SEED = 4096, 0


@dataclass(frozen=True)
class Distorted:
    """A constellation through an amplifier at each of `BACK_OFFS_DB`; all (N,).

    Attributes
    ----------
    gain
        |gain|² of the way, for saturation of power one.
    distortion
        Power at the sampling instants that the gain does not explain.
    acpr_dbc
        Power in a neighbouring channel.
    """

    gain: Array
    distortion: Array
    acpr_dbc: Array

    def needed_db(self, threshold_db: float) -> Array:
        """SNR at saturation at which the demodulator has a threshold; inf where none is enough."""
        room = self.gain / 10 ** (threshold_db / 10) - self.distortion
        return np.where(room > 0, -10 * np.log10(np.maximum(room, 1e-300)), np.inf)


def distorted(amplifier: Amplifier, modcod: str) -> Distorted:
    """Send random points of a MODCOD's constellation through an amplifier.

    Raises
    ------
    SemlossError
        When the constellation is none of DVB-S2 or CCSDS 131.2, whose rings are known.
    """
    try:
        points = constellation(modcod)
    except (KeyError, ValueError):
        raise SemlossError(
            f"{modcod}: only the rings of DVB-S2's constellations are known (EN 302 307-1, Tables "
            "9 and 10) and those of CCSDS 131.2; give --modcods dvb-s2"
        ) from None
    told = amplifier.model_dump(include={"model", "smoothness", "roll_off"})
    return _distorted(tuple(points), tuple(told.items()))


@cache
def _distorted(points: tuple[complex, ...], options: tuple[tuple[str, Any], ...]) -> Distorted:
    amplifier = Amplifier(input_back_off_db=0.0, **dict(options))
    drawn = torch.randint(len(points), (1, SYMBOLS), generator=torch.Generator().manual_seed(SEED))
    symbols = torch.tensor(points, dtype=torch.complex64)[drawn]
    # an even count of each point has mean power one; a draw has nearly
    symbols = symbols / symbols.abs().square().mean().sqrt()
    with torch.no_grad():
        many = symbols.expand(len(BACK_OFFS_DB), -1)
        back_offs = torch.tensor(BACK_OFFS_DB, dtype=torch.float32)[:, None]
        sampled, gain = amplifier.sampled(many, back_offs)
        distortion = (sampled - gain * many).abs().square().mean(1)
        acpr_dbc = amplifier.acpr_dbc(many, back_offs)[:, 0]
    return Distorted(*(one.double().numpy() for one in (
        gain[:, 0].abs().square(), distortion, acpr_dbc)))  # fmt: skip


def modem_losses(
    amplifier: Amplifier, modcods: Modcods, limit_dbc: float | None = None
) -> list[dict[str, Any]]:
    """What each MODCOD takes through an amplifier at its own best back-off.

    The demodulator divides by the gain and takes what else is there for Gaussian noise: where the
    signal over noise and distortion is the MODCOD's threshold, it is met. That is a receiver
    without predistortion or equaliser, as the codec's is.

    Parameters
    ----------
    amplifier
        Its back-off is not used.
    modcods
        With thresholds over AWGN.
    limit_dbc
        Most power in a neighbouring channel.

    Returns
    -------
    list of dict
        For each MODCOD: ``threshold_db``, ``back_off_db`` at the input, ``snr_needed_db`` at
        saturation, ``loss_db`` of it beyond the threshold, ``evm_percent`` (root of distortion over
        signal), ``acpr_dbc``.

    Raises
    ------
    TargetNotAttainable
        When no back-off keeps the limit.
    """
    found = [_best(one, distorted(amplifier, one.name), limit_dbc) for one in modcods.entries]
    kept = [one for one in found if one is not None]
    if not kept:
        raise TargetNotAttainable(
            f"no MODCOD keeps {limit_dbc:g} dBc in the neighbouring channel; raise --acpr-limit-dbc"
        )
    return kept


def _best(modcod: ModCod, through: Distorted, limit_dbc: float | None) -> dict[str, Any] | None:
    needed = through.needed_db(modcod.es_n0_db)
    kept = np.ones(len(needed), bool) if limit_dbc is None else through.acpr_dbc <= limit_dbc
    if not np.isfinite(needed[kept]).any():
        return None
    at = int(np.argmin(np.where(kept, needed, np.inf)))
    return {
        "modcod": modcod.name, "threshold_db": modcod.es_n0_db,
        "back_off_db": float(BACK_OFFS_DB[at]), "snr_needed_db": float(needed[at]),
        "loss_db": float(needed[at]) - modcod.es_n0_db,
        "evm_percent": 100 * float(np.sqrt(through.distortion[at] / through.gain[at])),
        "acpr_dbc": float(through.acpr_dbc[at]),
    }  # fmt: skip


def amplified_modcods(modcods: Modcods, losses: Sequence[dict[str, Any]]) -> Modcods:
    """The MODCODs with the SNR at saturation that each takes for its threshold."""
    needed = {one["modcod"]: one["snr_needed_db"] for one in losses}
    entries = tuple(
        ModCod(one.name, one.efficiency, needed[one.name])
        for one in modcods.entries if one.name in needed
    )  # fmt: skip
    return Modcods(modcods.name, entries)
