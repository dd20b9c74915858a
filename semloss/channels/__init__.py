"""Channels between encoder and decoder; importing the package registers all of them."""

from semloss.channels.awgn import Awgn
from semloss.channels.base import CHANNELS, Channel, Reception
from semloss.channels.fading import FadingChannel, Rayleigh, Rician

__all__ = ["CHANNELS", "Awgn", "Channel", "FadingChannel", "Rayleigh", "Reception", "Rician"]
