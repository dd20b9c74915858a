"""Image sources: labelled tiles from a generator, an archive or folders, behind one interface."""

from semloss.sources.base import (
    SOURCES,
    ImageSet,
    Source,
    Split,
    open_cached,
    open_entry,
    stratified_split,
)
from semloss.sources.eurosat import EuroSat
from semloss.sources.folder import Folder
from semloss.sources.geotiff import GeoTiff
from semloss.sources.scenes import Scenes
from semloss.sources.sheet import contact_sheet

__all__ = [
    "SOURCES",
    "EuroSat",
    "Folder",
    "GeoTiff",
    "ImageSet",
    "Scenes",
    "Source",
    "Split",
    "contact_sheet",
    "open_cached",
    "open_entry",
    "stratified_split",
]
