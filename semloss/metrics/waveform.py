"""What the symbols ask of the transmitter's amplifier."""

from torch import Tensor


def papr_db(symbols: Tensor) -> Tensor:
    """Peak-to-average power ratio of each image's symbols, 0 dB for a constant envelope.

    Taken at one sample per symbol, before pulse shaping, which raises it further.

    Parameters
    ----------
    symbols
        Complex (B, k), at least one of each image's symbols not zero.

    Returns
    -------
    Tensor
        float32 (B,), max |z|^2 / mean |z|^2 in dB. Lower is easier on the amplifier.
    """
    power = symbols.real.square() + symbols.imag.square()
    return 10.0 * (power.amax(dim=1) / power.mean(dim=1)).log10()
