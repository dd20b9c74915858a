"""Sources that read files: folders, the EuroSAT archive, multispectral GeoTIFF."""

import hashlib
import struct
import threading
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from semloss.errors import SemlossError
from semloss.sources import SOURCES, EuroSat, Folder, GeoTiff, download, eurosat, open_cached
from semloss.sources.geotiff import EUROSAT_BANDS


def picture(seed: int, height: int = 16, width: int = 16, channels: int = 3) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two classes of three 16 x 16 PNG images each."""
    root = tmp_path / "tree"
    for c, name in enumerate(["water", "field"]):
        (root / name).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(picture(10 * c + i)).save(root / name / f"{i}.png")
    return root


# --- folder ---------------------------------------------------------------------------------


def test_classes_and_files_come_sorted_by_name(tree):
    images = Folder(path=tree).load()
    assert images.classes == ("field", "water")
    assert images.labels.tolist() == [0, 0, 0, 1, 1, 1]
    expected = [picture(seed) for seed in (10, 11, 12, 0, 1, 2)]
    np.testing.assert_array_equal(images.images, expected)
    assert images.bands == ("red", "green", "blue")


@pytest.mark.parametrize("extension", ["png", "jpg", "tiff", "webp", "bmp"])
def test_common_formats_are_read(tmp_path, extension):
    (tmp_path / "a").mkdir()
    smooth = np.linspace(40, 200, 16 * 16 * 3).reshape(16, 16, 3).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a" / f"x.{extension.upper()}")
    read = Folder(path=tmp_path).load().images[0]
    assert np.abs(read.astype(int) - smooth).mean() < 4


def test_gray_and_alpha_follow_the_stated_rules(tmp_path):
    (tmp_path / "a").mkdir()
    gray, rgba = picture(1, channels=1), picture(2, channels=4)
    Image.fromarray(gray).save(tmp_path / "a" / "1.png")
    Image.fromarray(rgba).save(tmp_path / "a" / "2.png")
    colour = Folder(path=tmp_path).load()
    np.testing.assert_array_equal(colour.images[0], np.repeat(gray[..., None], 3, axis=2))
    np.testing.assert_array_equal(colour.images[1], rgba[..., :3])
    mono = Folder(path=tmp_path, colour="gray").load()
    assert mono.images.shape == (2, 16, 16, 1)
    assert mono.bands == ("gray",)
    np.testing.assert_array_equal(mono.images[0, ..., 0], gray)
    luma = rgba[..., :3] @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(mono.images[1, ..., 0], luma, atol=1)


def test_tiles_are_cut_from_the_top_left_and_the_rest_is_dropped(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    wide, small = picture(1, 20, 35), picture(2, 16, 16)
    Image.fromarray(wide).save(tmp_path / "a" / "wide.png")
    Image.fromarray(small).save(tmp_path / "b" / "small.png")
    images = Folder(path=tmp_path, size=16, fit="tile").load()
    assert images.labels.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(images.images, [wide[:16, :16], wide[:16, 16:32], small])


def test_resizing_takes_the_centred_square(tmp_path):
    (tmp_path / "a").mkdir()
    framed = np.zeros((32, 64, 3), np.uint8)
    framed[:, 16:48] = 200
    Image.fromarray(framed).save(tmp_path / "a" / "x.png")
    images = Folder(path=tmp_path, size=16, fit="resize").load()
    np.testing.assert_array_equal(images.images, np.full((1, 16, 16, 3), 200))


def test_a_limit_per_class_is_a_seeded_choice(tree):
    two = Folder(path=tree, per_class=2)
    assert two.load().counts() == {"field": 2, "water": 2}
    assert two.load().content_hash == Folder(path=tree, per_class=2).load().content_hash
    others = {Folder(path=tree, per_class=2, seed=s).load().content_hash for s in range(8)}
    assert len(others) > 1


def test_the_fingerprint_follows_the_files(tree):
    before = Folder(path=tree).fingerprint()
    assert Folder(path=tree).fingerprint() == before
    Image.fromarray(picture(99)).save(tree / "field" / "3.png")
    assert Folder(path=tree).fingerprint() != before


def test_a_folder_is_decoded_straight_into_the_cache(tree, tmp_path):
    cached = open_cached(Folder(path=tree), tmp_path / "cache")
    assert isinstance(cached.images, np.memmap)
    np.testing.assert_array_equal(cached.images, Folder(path=tree).load().images)


def mapped(tree, root):
    """A map of three covers for each image of the tree."""
    for path in sorted(tree.glob("*/*.png")):
        (root / path.parent.name).mkdir(parents=True, exist_ok=True)
        level = np.asarray(Image.open(path))[..., 0] // 86
        Image.fromarray(level).save(root / path.parent.name / path.name)
    return {"maps": root, "map_classes": ("dark", "middle", "bright")}


def test_maps_of_pixels_come_with_their_images(tree, tmp_path):
    options = mapped(tree, tmp_path / "maps")
    images = Folder(path=tree, **options).load()
    np.testing.assert_array_equal(images.maps, images.images[..., 0] // 86)
    assert images.content_hash == Folder(path=tree).load().content_hash
    cut = Folder(path=tree, size=8, fit="tile", **options).load()
    np.testing.assert_array_equal(cut.maps, cut.images[..., 0] // 86)
    cached = open_cached(Folder(path=tree, **options), tmp_path / "cache")
    np.testing.assert_array_equal(cached.maps, images.maps)
    assert cached.map_classes == ("dark", "middle", "bright")
    assert set(np.unique(Folder(path=tree, size=8, fit="resize", **options).load().maps)) <= {
        0,
        1,
        2,
    }
    before = images.maps_hash()
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / "maps" / "field" / "0.png")
    assert Folder(path=tree, **options).load().maps_hash() != before


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (lambda path: path.unlink(), "0.png has no map field/0.png in"),
        (lambda path: Image.fromarray(picture(1)).save(path), "is no map: it has channels RGB"),
        (lambda path: Image.fromarray(np.full((16, 16), 3, np.uint8)).save(path), "a map holds 3"),
    ],
)
def test_maps_that_are_none_are_one_line(tree, tmp_path, harm, line):
    options = mapped(tree, tmp_path / "maps")
    harm(tmp_path / "maps" / "field" / "0.png")
    with pytest.raises(SemlossError, match=line) as error:
        Folder(path=tree, **options).load()
    assert "\n" not in str(error.value)
    with pytest.raises(SemlossError, match="go together"):
        SOURCES.parse({"kind": "folder", "path": str(tree), "maps": "x"}, "source")


def test_links_that_loop_do_not_hang(tree):
    (tree / "loop").symlink_to(tree, target_is_directory=True)
    (tree / "field" / "up").symlink_to(tree, target_is_directory=True)
    assert Folder(path=tree).load().classes == ("field", "water")


def cut_short(root: Path) -> None:
    Image.fromarray(picture(5, 64, 64)).save(root / "field" / "4.jpg")
    whole = (root / "field" / "4.jpg").read_bytes()
    (root / "field" / "4.jpg").write_bytes(whole[: len(whole) // 2])


def deep_png(root: Path) -> None:
    Image.fromarray(np.full((16, 16), 40_000, np.uint16)).save(root / "field" / "4.png")


def empty_class(root: Path) -> None:
    (root / "clouds").mkdir()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (cut_short, r"4\.jpg is cut short or damaged .*replace or remove it"),
        (lambda r: (r / "field" / "4.jpg").write_text("text"), r"4\.jpg is not an image"),
        (lambda r: (r / "field" / "4.jpg").write_bytes(b""), r"4\.jpg is not an image"),
        (
            lambda r: Image.fromarray(picture(7, 16, 20)).save(r / "field" / "4.png"),
            r'4\.png is 20x16 pixels, but .*0\.png is 16x16: set size and fit = "tile" or "resize"',
        ),
        (deep_png, r"4\.png has 16 bits a channel: .*geotiff"),
        (empty_class, r"class folder .*clouds holds no images .*add some or remove it"),
    ],
)
def test_bad_images_are_named_in_one_line(tree, spoil, complaint):
    spoil(tree)
    with pytest.raises(SemlossError, match=complaint) as error:
        Folder(path=tree).load()
    assert "\n" not in str(error.value)


def deep_colour_png(path: Path) -> None:
    """16-bit RGB, as Pillow cannot write it: reflectances 300 … 3300, big-endian."""
    values = np.linspace(300, 3300, 16 * 16 * 3).astype(">u2").reshape(16, -1)
    rows = b"".join(b"\0" + row.tobytes() for row in values)

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def deep_colour_tiff(path: Path) -> None:
    tifffile.imwrite(path, np.full((16, 16, 3), 3300, np.uint16), photometric="rgb")


def deep_jpeg_2000(path: Path) -> None:
    Image.fromarray(np.full((64, 64), 3300, np.uint16)).save(path)


def float_tiff(path: Path) -> None:
    tifffile.imwrite(path, np.full((16, 16), 0.5, np.float32))


@pytest.mark.parametrize(
    ("write", "suffix", "bits"),
    [
        (deep_colour_png, "png", 16),
        (deep_colour_tiff, "tif", 16),
        (deep_jpeg_2000, "jp2", 16),
        (float_tiff, "tif", 32),
    ],
)
def test_more_than_eight_bits_are_never_cut_to_the_high_byte(tmp_path, write, suffix, bits):
    (tmp_path / "a").mkdir()
    write(tmp_path / "a" / f"x.{suffix}")
    for colour in ("rgb", "gray"):
        with pytest.raises(SemlossError, match=rf"x\.{suffix} has {bits} bits a channel"):
            Folder(path=tmp_path, colour=colour).load()


def test_eight_bits_of_every_mode_pass(tmp_path):
    (tmp_path / "a").mkdir()
    base = Image.fromarray(picture(1, 64, 64))
    for mode, suffix in (("1", "png"), ("L", "jp2"), ("LA", "png"), ("P", "png"), ("RGB", "jp2"),
                         ("RGBA", "tif"), ("CMYK", "jpg"), ("YCbCr", "tif")):  # fmt: skip
        base.convert(mode).save(tmp_path / "a" / f"{mode}.{suffix}")
    assert Folder(path=tmp_path).load().images.shape == (8, 64, 64, 3)


def test_a_tiff_of_several_pages_is_refused_and_an_overview_is_no_page(tmp_path):
    (tmp_path / "a").mkdir()
    pages = [Image.fromarray(picture(seed)) for seed in range(3)]
    pages[0].save(tmp_path / "a" / "x.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(SemlossError, match=r"x\.tif holds 3 pages: save each as a file"):
        Folder(path=tmp_path).load()
    with tifffile.TiffWriter(tmp_path / "a" / "x.tif") as file:
        file.write(picture(1), photometric="rgb")
        file.write(picture(1)[::2, ::2], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(Folder(path=tmp_path).load().images[0], picture(1))


def test_a_photograph_marked_as_turned_is_turned_upright(tmp_path):
    (tmp_path / "a").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn a quarter clockwise
    wide = picture(3, 16, 32)
    Image.fromarray(wide).save(tmp_path / "a" / "x.png", exif=exif)
    upright = np.rot90(wide, -1)
    np.testing.assert_array_equal(Folder(path=tmp_path).load().images[0], upright)
    tiles = Folder(path=tmp_path, size=16, fit="tile").load().images
    np.testing.assert_array_equal(tiles, [upright[:16], upright[16:]])


def test_a_multispectral_file_is_pointed_to_the_source_that_reads_it(tmp_path):
    (tmp_path / "a").mkdir()
    tile = np.zeros((16, 16, 13), np.uint16)
    tifffile.imwrite(tmp_path / "a" / "x.tif", tile, photometric="minisblack")
    with pytest.raises(SemlossError, match=r'x\.tif .*source\.kind = "geotiff"'):
        Folder(path=tmp_path).load()


@pytest.mark.parametrize("place", ["field/4.png", "forest"])
def test_a_link_that_leads_nowhere_is_named_as_such(tree, place):
    (tree / place).symlink_to(tree / "gone")
    with pytest.raises(SemlossError, match=rf"{place} is a link that leads nowhere"):
        Folder(path=tree).load()


def test_a_root_that_is_a_dead_link_is_named_as_such(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(SemlossError, match="link is a link that leads nowhere"):
        Folder(path=tmp_path / "link").load()


def test_images_one_level_deeper_are_found_for_the_user(tree, tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    tree.rename(whole / "train")
    with pytest.raises(SemlossError, match=r"one level deeper .*set source\.path to .*train"):
        Folder(path=whole).load()


def test_a_missing_folder_or_one_without_classes_is_named(tmp_path):
    with pytest.raises(SemlossError, match=r"cannot read the image folder .*nowhere: No such file"):
        Folder(path=tmp_path / "nowhere").load()
    with pytest.raises(SemlossError, match="has no class folders: images must lie in"):
        Folder(path=tmp_path).load()


def test_images_smaller_than_a_tile_are_named(tree):
    with pytest.raises(SemlossError, match="is 16x16 pixels, smaller than a tile of size = 32"):
        Folder(path=tree, size=32, fit="tile").load()
    with pytest.raises(SemlossError, match="is 16x16 pixels, not 32x32"):
        Folder(path=tree, size=32).load()


def test_a_rule_without_a_size_is_refused():
    with pytest.raises(SemlossError, match='fit = "tile" needs size'):
        SOURCES.parse({"kind": "folder", "path": "x", "fit": "tile"}, where="source")


def test_a_failed_load_leaves_nothing_in_the_cache(tree, tmp_path):
    cut_short(tree)
    cache = tmp_path / "cache"
    with pytest.raises(SemlossError):
        open_cached(Folder(path=tree), cache)
    assert [p.name for p in (cache / "sources").iterdir() if p.suffix != ".lock"] == []


# --- eurosat --------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """Serves one file with ranges; may hang up early, or refuse ranges."""

    content = b""
    hang_up_after: int | None = None
    ranges = True
    served: list[tuple[str | None, int]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted, content = self.headers.get("Range"), self.server.content
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if not self.server.ranges:
            start = 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = len(content)
        if self.server.hang_up_after is not None:
            stop = min(stop, start + self.server.hang_up_after)
        self.wfile.write(content[start:stop])
        self.server.served.append((wanted, stop - start))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A tiny archive laid out as the official one, with a member that tries to escape."""
    path = tmp_path / "EuroSAT_RGB.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in ("Forest", "River"):
            for i in range(2):
                with file.open(f"EuroSAT_RGB/{name}/{name}_{i}.jpg", "w") as member:
                    Image.fromarray(picture(i, 64, 64)).save(member, "JPEG")
        file.writestr("../escaped.txt", "outside")
        file.writestr("__MACOSX/Forest/._Forest_0.jpg", "not an image")
    return path


@pytest.fixture
def server(archive: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.content, server.served = archive.read_bytes(), []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setattr(eurosat, "URL", f"http://127.0.0.1:{server.server_port}/EuroSAT_RGB.zip")
    monkeypatch.setattr(eurosat, "CHECKSUM", f"md5:{hashlib.md5(server.content).hexdigest()}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_archive_is_downloaded_once_checked_and_decoded(server):
    lines: list[str] = []
    images = EuroSat().load(lines.append)
    assert images.images.shape == (4, 64, 64, 3)
    assert images.classes == ("Forest", "River")
    assert any(line.startswith("downloading EuroSAT_RGB") for line in lines)
    EuroSat().load()
    assert len(server.served) == 1
    assert images.provenance["checksum"].startswith("md5:")


def test_an_interrupted_download_resumes_where_it_stopped(server, private_cache):
    half = len(server.content) // 2
    downloads = private_cache / "downloads"
    downloads.mkdir(parents=True)
    (downloads / "EuroSAT_RGB.part").write_bytes(server.content[:half])
    assert len(EuroSat().load()) == 4
    assert server.served == [(f"bytes={half}-", len(server.content) - half)]
    assert [path.name for path in downloads.iterdir()] == ["EuroSAT_RGB.zip"]


def test_connections_that_break_are_taken_up_again(server):
    server.hang_up_after = len(server.content) // 3 + 1
    assert len(EuroSat().load()) == 4
    starts = [0 if wanted is None else int(wanted[6:-1]) for wanted, _ in server.served]
    assert starts == [0, server.hang_up_after, 2 * server.hang_up_after]


def test_a_server_without_ranges_sends_the_whole_again(server, private_cache):
    server.ranges = False
    (private_cache / "downloads").mkdir(parents=True)
    (private_cache / "downloads" / "EuroSAT_RGB.part").write_bytes(b"x" * 100)
    assert len(EuroSat().load()) == 4


def test_a_kept_part_longer_than_the_file_is_thrown_away(server, private_cache):
    (private_cache / "downloads").mkdir(parents=True)
    part = private_cache / "downloads" / "EuroSAT_RGB.part"
    part.write_bytes(b"x" * (len(server.content) + 5))
    assert len(EuroSat().load()) == 4


def test_an_archive_that_is_not_the_published_one_is_refused(server, private_cache):
    server.content = server.content[:-1] + b"!"
    with pytest.raises(SemlossError, match=r"not the published archive .*set source\.path"):
        EuroSat().load()
    assert list((private_cache / "downloads").iterdir()) == []


def test_a_failed_download_says_how_to_go_on(server, monkeypatch):
    monkeypatch.setattr(download, "ATTEMPTS", 2)
    monkeypatch.setattr(eurosat, "URL", eurosat.URL.replace("http:", "nonsense:"))
    with pytest.raises(SemlossError, match=r"cannot download .*set source\.path to a local copy"):
        EuroSat().load()


def test_members_of_an_archive_never_reach_the_disk(archive, tmp_path):
    before = set(tmp_path.rglob("*"))
    EuroSat(path=archive).load()
    assert set(tmp_path.rglob("*")) == before


def test_a_damaged_archive_is_named(archive, tmp_path):
    content = bytearray(archive.read_bytes())
    content[200] ^= 255  # inside the first image
    archive.write_bytes(content)
    with pytest.raises(SemlossError, match=r"cannot read .*Forest_0\.jpg: Bad CRC-32"):
        EuroSat(path=archive).load()
    archive.write_bytes(content[:500])
    with pytest.raises(SemlossError, match=r"cannot open .* as a zip archive"):
        EuroSat(path=archive).load()


def test_a_name_that_stands_twice_in_an_archive_is_refused(archive):
    with zipfile.ZipFile(archive, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("EuroSAT_RGB/Forest/Forest_0.jpg", b"another")
    with pytest.raises(SemlossError, match=r"holds .*Forest_0\.jpg twice"):
        EuroSat(path=archive).load()


def test_a_member_is_not_unpacked_that_states_an_absurd_size(archive):
    name = "EuroSAT_RGB/Forest/bomb.jpg"
    with (
        zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open(name, "w", force_zip64=True) as member,
    ):
        for _ in range(300):
            member.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(SemlossError, match=r"bomb\.jpg has 315 MB, more than the 268 MB"):
        EuroSat(path=archive).load()
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_real_tiles_are_read_from_a_local_folder(real_data):
    images = EuroSat(path=real_data / "eurosat-rgb", per_class=5).load()
    assert images.images.shape == (50, 64, 64, 3)
    assert images.classes[0] == "AnnualCrop"
    assert images.images.std() > 20


# --- geotiff --------------------------------------------------------------------------------


@pytest.fixture
def bands13(tmp_path: Path) -> Path:
    """Two classes of two 13-band tiles; band b of tile i holds 400 b + i everywhere."""
    for c, name in enumerate(["crop", "wood"]):
        (tmp_path / "ms" / name).mkdir(parents=True)
        for i in range(2):
            tile = np.broadcast_to(400 * np.arange(13) + 2 * c + i, (8, 8, 13)).astype(np.uint16)
            tifffile.imwrite(
                tmp_path / "ms" / name / f"{i}.tif",
                tile,
                photometric="minisblack",
                planarconfig="contig",
                extratags=[
                    (33550, 12, 3, (10.0, 10.0, 0.0), True),
                    (33922, 12, 6, (0.0, 0.0, 0.0, 500_000.0 + 80 * i, 4_600_000.0, 0.0), True),
                    (34735, 3, 8, (1, 1, 0, 1, 3072, 0, 1, 32634), True),
                ],
            )
    return tmp_path / "ms"


def test_all_bands_are_scaled_by_the_stated_rule(bands13):
    images = GeoTiff(path=bands13).load()
    assert images.images.shape == (4, 8, 8, 13)
    assert images.bands == EUROSAT_BANDS
    assert images.bands[-1] == "B8A"
    numbers = 400 * np.arange(13) + np.array([0, 1, 2, 3])[:, None]
    expected = np.rint(np.clip(numbers * 255 / 5000, 0, 255))
    np.testing.assert_array_equal(images.images[:, 0, 0], expected)
    assert images.provenance["scale"] == [0, 5000]


def test_bands_are_chosen_by_name_or_number_in_the_order_asked(bands13):
    images = GeoTiff(path=bands13, bands=("B04", 2, "B8A"), scale=(0, 6000)).load()
    assert images.bands == ("B04", "B02", "B8A")
    assert images.images[0, 0, 0].tolist() == [51, 17, 204]


def test_georeferencing_survives(bands13):
    places = GeoTiff(path=bands13).load().provenance["georeference"]
    assert places[1] == {"epsg": 32634, "corner": [500_080.0, 4_600_000.0], "pixel": [10.0, 10.0]}
    assert len(places) == 4


def test_tiles_of_a_larger_raster_know_their_place(bands13):
    tile = np.zeros((16, 24, 13), np.uint16)
    tifffile.imwrite(
        bands13 / "crop" / "0.tif",
        tile,
        photometric="minisblack",
        planarconfig="contig",
        extratags=[
            (33550, 12, 3, (10.0, 10.0, 0.0), True),
            (33922, 12, 6, (0.0, 0.0, 0.0, 1000.0, 2000.0, 0.0), True),
        ],
    )
    images = GeoTiff(path=bands13, size=8, fit="tile").load()
    assert images.counts() == {"crop": 7, "wood": 2}
    assert images.provenance["georeference"][4]["corner"] == [1080.0, 1920.0]


def test_bands_stored_as_planes_are_read_alike(tmp_path):
    (tmp_path / "a").mkdir()
    tile = np.arange(5 * 8 * 9, dtype=np.uint8).reshape(5, 8, 9)
    path = tmp_path / "a" / "x.tif"
    tifffile.imwrite(path, tile, photometric="minisblack", planarconfig="separate")
    images = GeoTiff(path=tmp_path).load()
    np.testing.assert_array_equal(images.images[0], np.moveaxis(tile, 0, 2))
    assert images.bands == ("1", "2", "3", "4", "5")


def test_missing_values_are_refused_with_file_and_band(tmp_path):
    (tmp_path / "a").mkdir()
    tile = np.ones((8, 8, 3), np.float32)
    tile[2, 3, 1] = np.nan
    tifffile.imwrite(tmp_path / "a" / "x.tif", tile, photometric="rgb")
    with pytest.raises(SemlossError, match=r"holds float32 values: set source\.scale"):
        GeoTiff(path=tmp_path).load()
    with pytest.raises(SemlossError, match=r"x\.tif: band 2 holds NaN or infinite values"):
        GeoTiff(path=tmp_path, scale=(0, 1)).load()
    assert GeoTiff(path=tmp_path, scale=(0, 2), bands=(1, 3)).load().images.max() == 128


def test_files_of_another_type_are_refused_rather_than_scaled_by_the_first_ones(bands13):
    tile = np.zeros((8, 8, 13), np.uint8)
    tifffile.imwrite(bands13 / "wood" / "1.tif", tile, photometric="minisblack")
    with pytest.raises(SemlossError, match=r"1\.tif holds uint8 values, but .*0\.tif uint16"):
        GeoTiff(path=bands13, scale=(0, 5000)).load()


def test_the_declared_nodata_value_is_no_measurement(tmp_path):
    (tmp_path / "a").mkdir()
    tile = np.full((8, 8, 3), 700, np.uint16)
    tile[1, 2:5, 2] = 65535
    path, declared = tmp_path / "a" / "x.tif", [(42113, 2, 6, "65535", True)]
    tifffile.imwrite(path, tile, photometric="rgb", extratags=declared)
    with pytest.raises(SemlossError, match="band 3 holds its nodata value, 65535, in 3 pixels"):
        GeoTiff(path=tmp_path).load()
    assert GeoTiff(path=tmp_path, bands=(1, 2)).load().images.max() == 36


def test_a_file_of_several_images_is_refused(bands13):
    with tifffile.TiffWriter(bands13 / "crop" / "0.tif") as file:
        file.write(np.zeros((8, 8, 13), np.uint16), photometric="minisblack")
        file.write(np.zeros((16, 16), np.uint16), photometric="minisblack")
    with pytest.raises(SemlossError, match=r"0\.tif holds 2 images of different kinds"):
        GeoTiff(path=bands13).load()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"bands": ["B99"]}, r"source\.bands: there is no band 'B99'; the files have B01, B02"),
        ({"bands": [0]}, "there is no band 0"),
        ({"band_names": ["red"]}, r"source\.band_names has 1 names, but .* has 13 bands"),
        ({"scale": [5, 5]}, "lo < hi"),
        ({"size": 16}, "is 8x8 pixels, not 16x16"),
    ],
)
def test_options_that_do_not_fit_the_files_are_named(bands13, options, complaint):
    with pytest.raises(SemlossError, match=complaint):
        SOURCES.parse({"kind": "geotiff", "path": bands13, **options}, where="source").load()


def test_a_damaged_tiff_is_named(bands13):
    whole = (bands13 / "crop" / "1.tif").read_bytes()
    for content in (whole[:900], whole[:6], b"text"):
        (bands13 / "crop" / "1.tif").write_bytes(content)
        with pytest.raises(SemlossError, match=r"1\.tif is no whole TIFF file"):
            GeoTiff(path=bands13).load()


def test_another_number_of_bands_is_named(bands13):
    tifffile.imwrite(bands13 / "wood" / "1.tif", np.zeros((8, 8, 3), np.uint16), photometric="rgb")
    with pytest.raises(SemlossError, match=r"1\.tif has 3 bands, not 13"):
        GeoTiff(path=bands13).load()


def test_real_multispectral_tiles(real_data):
    source = GeoTiff(path=real_data / "eurosat-ms", bands=("B04", "B03", "B02", "B08"))
    images = source.load()
    assert images.images.shape == (6, 64, 64, 4)
    assert images.classes == ("AnnualCrop", "Forest")
    red, infrared = images.images[..., 0].astype(float), images.images[..., 3].astype(float)
    vegetation_index = (infrared - red) / (infrared + red)
    assert vegetation_index[images.labels == 1].mean() > 0.6  # forest
    assert (images.images == 255).mean() < 0.01
    assert images.provenance["georeference"][3]["epsg"] in range(32629, 32636)  # UTM north
