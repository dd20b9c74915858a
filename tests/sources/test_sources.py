"""Image sets, their split, and the cache that processes share."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semloss.errors import SemlossError
from semloss.sources import SOURCES, ImageSet, Scenes, contact_sheet, open_cached, stratified_split


def image_set(counts: list[int], seed: int = 0) -> ImageSet:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
    images = rng.integers(0, 256, (len(labels), 8, 8, 2), dtype=np.uint8)
    classes = tuple(f"class{i}" for i in range(len(counts)))
    return ImageSet(images, labels, classes, ("a", "b"), "test", {})


def test_importing_the_package_registers_all_kinds():
    assert SOURCES.kinds() == ["eurosat", "folder", "geotiff", "scenes"]


def test_a_misspelt_option_is_named_with_the_mend():
    with pytest.raises(
        SemlossError, match=r"source\.per_clas: unknown key; did you mean per_class"
    ):
        SOURCES.parse({"kind": "scenes", "per_clas": 3}, where="source")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(3, 120), min_size=1, max_size=6), st.integers(0, 2**32))
def test_a_split_is_disjoint_sorted_and_stratified(counts, seed):
    images = image_set(counts)
    split = stratified_split(images, seed=seed)
    parts = [split.train, split.validation, split.test]
    used = np.concatenate(parts)
    assert len(np.unique(used)) == len(used) == sum(counts)
    for part, share in zip(parts, (0.72, 0.03, 0.25), strict=True):
        assert (np.diff(part) > 0).all()
        taken = np.bincount(images.labels[part], minlength=len(counts))
        assert (taken >= 1).all()
        assert (np.abs(taken - share * np.array(counts)) <= 1.9).all()


def test_a_split_depends_on_its_seed_and_on_the_content_alone():
    images = image_set([40, 40])
    first, again = stratified_split(images, seed=1), stratified_split(images, seed=1)
    assert first.content_hash == again.content_hash
    np.testing.assert_array_equal(first.test, again.test)
    other = stratified_split(images, seed=2)
    assert not np.array_equal(first.test, other.test)
    assert len({first.content_hash, other.content_hash}) == 2
    assert stratified_split(image_set([40, 40], seed=9), seed=1).content_hash != first.content_hash


def test_shares_below_one_leave_tiles_unused():
    split = stratified_split(image_set([100]), train=0.1, validation=0.1, test=0.2)
    assert [len(split.train), len(split.validation), len(split.test)] == [10, 10, 20]


def test_a_class_with_too_few_images_is_named_with_the_number_needed():
    with pytest.raises(SemlossError, match=r"class class1 has 2 images; .* at least 3 a class"):
        stratified_split(image_set([9, 2]))
    stratified_split(image_set([9, 3]))


@pytest.mark.parametrize("shares", [(0.9, 0.1, 0.1), (0.5, 0.5, 0.0), (-0.1, 0.5, 0.5)])
def test_impossible_shares_are_refused(shares):
    train, validation, test = shares
    with pytest.raises(SemlossError, match="each share must be above 0"):
        stratified_split(image_set([50]), train=train, validation=validation, test=test)


def test_the_content_hash_covers_pixels_labels_classes_and_bands():
    base = image_set([5, 5])
    brighter = base.images.copy()
    brighter[3, 2, 1, 0] ^= 1
    labels = base.labels.copy()
    labels[0] = 1
    variants = [
        base,
        ImageSet(brighter, base.labels, base.classes, base.bands, "test", {}),
        ImageSet(base.images, labels, base.classes, base.bands, "test", {}),
        ImageSet(base.images, base.labels, ("class0", "x"), base.bands, "test", {}),
        ImageSet(base.images, base.labels, base.classes, ("a", "x"), "test", {}),
    ]
    assert len({variant.content_hash for variant in variants}) == 5
    renamed = ImageSet(base.images, base.labels, base.classes, base.bands, "other", {"x": 1})
    assert renamed.content_hash == base.content_hash


def test_a_tile_has_the_same_name_in_every_set_and_no_two_have_one():
    base = image_set([5, 5])
    base.images[7] = base.images[2]
    names = base.names(np.arange(10))
    assert len(set(names)) == 10
    assert names[7] == f"{names[2]}-2"
    moved = ImageSet(base.images[::-1].copy(), base.labels, base.classes, base.bands, "x", {})
    assert moved.names(np.array([9, 5])) == [names[0], names[4]]
    n, high, wide, bands = base.images.shape
    pixels = base.images.reshape(n, high // 2, wide * 2, bands)
    flat = ImageSet(pixels, base.labels, base.classes, base.bands, "x", {})
    assert not {*flat.names(np.arange(10))} & {*names}  # the same bytes are another picture


SMALL = Scenes(per_class=2, size=32)


def test_the_cache_returns_what_the_source_gives_as_a_shared_read_only_map(tmp_path):
    fresh = SMALL.load()
    cached = open_cached(SMALL, tmp_path)
    np.testing.assert_array_equal(cached.images, fresh.images)
    np.testing.assert_array_equal(cached.labels, fresh.labels)
    assert (cached.classes, cached.bands, cached.name) == (fresh.classes, fresh.bands, fresh.name)
    assert cached.content_hash == fresh.content_hash
    assert isinstance(cached.images, np.memmap)
    assert not cached.images.flags.writeable


def test_a_second_opening_does_not_decode_again(tmp_path):
    lines: list[str] = []
    open_cached(SMALL, tmp_path, lines.append)
    assert lines
    lines.clear()
    open_cached(SMALL, tmp_path, lines.append)
    assert lines == []


@pytest.mark.parametrize("damage", ["cut images", "no labels", "garbled meta", "empty meta"])
def test_a_broken_cache_entry_is_made_anew(tmp_path, damage):
    first = open_cached(SMALL, tmp_path)
    entry = tmp_path / "sources" / SMALL.fingerprint()
    if damage == "cut images":
        os.truncate(entry / "images.npy", 1000)
    elif damage == "no labels":
        (entry / "labels.npy").unlink()
    else:
        (entry / "meta.json").write_text("{" if damage == "garbled meta" else "{}")
    again = open_cached(SMALL, tmp_path)
    np.testing.assert_array_equal(again.images, SMALL.load().images)
    assert again.content_hash == first.content_hash
    left = {path.name for path in (tmp_path / "sources").iterdir()}
    assert left <= {entry.name, f"{entry.name}.lock"}


def test_processes_that_open_one_source_at_once_agree(tmp_path):
    code = (
        "import sys; from pathlib import Path; from semloss.sources import Scenes, open_cached\n"
        "print(open_cached(Scenes(per_class=2, size=32), Path(sys.argv[1])).content_hash)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    hashes = {worker.communicate(timeout=60)[0].strip() for worker in workers}
    assert hashes == {SMALL.load().content_hash}


def test_a_file_in_the_place_of_a_cache_entry_is_replaced(tmp_path):
    entry = tmp_path / "sources" / SMALL.fingerprint()
    entry.parent.mkdir()
    entry.write_text("not a folder")
    assert open_cached(SMALL, tmp_path).content_hash == SMALL.load().content_hash


def test_a_cache_that_cannot_be_written_is_one_clear_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(SemlossError, match=r"cannot use the cache .*SEMLOSS_CACHE"):
        open_cached(SMALL, blocked)


def test_a_disk_without_room_is_one_clear_error(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # no file may grow beyond this
    try:
        with pytest.raises(SemlossError, match=r"cannot use the cache .*free space"):
            open_cached(SMALL, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(open_cached(SMALL, tmp_path)) == 20


def test_a_contact_sheet_shows_a_row_a_class(tmp_path: Path):
    from PIL import Image

    contact_sheet(SMALL.load(), tmp_path / "deep" / "sheet.png", per_class=2, scale=1)
    with Image.open(tmp_path / "deep" / "sheet.png") as sheet:
        assert sheet.height >= 10 * 32
        assert sheet.width >= 2 * 32


@pytest.mark.parametrize("classes", [("a", "b"), ("a class whose name is a long one indeed", "b")])
def test_no_name_on_a_contact_sheet_lies_under_a_tile_or_leaves_it(tmp_path: Path, classes):
    """Black tiles: a column that is all black beside them would be a name cut off."""
    from PIL import Image

    tiles = np.zeros((4, 32, 32, 3), dtype=np.uint8)
    images = ImageSet(tiles, np.array([0, 0, 1, 1]), classes, ("R", "G", "B"), "own", {})
    contact_sheet(images, tmp_path / "sheet.png", per_class=2, scale=1)
    with Image.open(tmp_path / "sheet.png") as sheet:
        dark = np.asarray(sheet.convert("L")) < 128
    rows = dark[28:]  # below the title
    left = int(np.argmax(rows.all(axis=0) | (rows.sum(axis=0) >= 64)))  # where the tiles begin
    assert rows[:, :left].any()  # the names
    assert not rows[:, left - 6 : left].any()  # a gap
    assert dark[:28].any()  # the title
    assert not dark[:, -1].any() or rows[:, -1].any()
