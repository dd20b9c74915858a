"""Codecs: images to complex channel symbols and back."""

from semloss.codecs import deepjscc as _deepjscc  # noqa: F401 - registers itself
from semloss.codecs.base import CODECS, Codec, CodecNetwork, Realisation, transplant

__all__ = ["CODECS", "Codec", "CodecNetwork", "Realisation", "transplant"]
