"""Codecs: images to complex channel symbols and back."""

from semloss.codecs import adaptive as _adaptive  # noqa: F401 - registers itself
from semloss.codecs import deepjscc as _deepjscc  # noqa: F401 - registers itself
from semloss.codecs import digital as _digital  # noqa: F401 - registers itself
from semloss.codecs import feature_maps as _feature_maps  # noqa: F401 - registers itself
from semloss.codecs import onboard as _onboard  # noqa: F401 - registers itself
from semloss.codecs.base import (
    CODECS,
    ChannelState,
    Codec,
    CodecNetwork,
    Realisation,
    Trial,
    transplant,
)  # fmt: skip

__all__ = ["CODECS", "ChannelState", "Codec", "CodecNetwork", "Realisation", "Trial", "transplant"]
