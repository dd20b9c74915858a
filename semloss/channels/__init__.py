"""Channels between encoder and decoder; importing the package registers all of them."""

from semloss.channels.amplifier import Amplifier
from semloss.channels.awgn import Awgn
from semloss.channels.base import CHANNELS, Channel, Reception
from semloss.channels.fading import FadingChannel, Rayleigh, Rician
from semloss.channels.land_mobile import LandMobile, ShadowedRician
from semloss.channels.receiver import Carrier, Quantised

__all__ = [
    "CHANNELS", "Amplifier", "Awgn", "Carrier", "Channel", "FadingChannel", "LandMobile",
    "Quantised", "Rayleigh", "Reception", "Rician", "ShadowedRician",
]  # fmt: skip
