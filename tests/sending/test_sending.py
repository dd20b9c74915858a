"""A trained codec in use: it is the one that was measured, and scenes go over it whole."""

import json
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from tiny_experiment import TINY

import semloss
from semloss.cli import main
from semloss.collect.stages.chain import Chain
from semloss.errors import SemlossError
from semloss.sending.receptions import receptions
from semloss.sending.scenes import blended, tile_starts
from semloss.sources import SOURCES


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The tiny grid, collected."""
    folder = tmp_path_factory.mktemp("sending")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMLOSS_CACHE", str(folder / "cache"))
        (folder / "tiny.toml").write_text(TINY)
        out = folder / "run"
        command = ["collect", str(folder / "tiny.toml"), "--out", str(out), "--engine", "serial"]
        assert main(command) == 0
    return out


@pytest.fixture(scope="module")
def scene():
    """An image of 100 x 130 pixels."""
    images = SOURCES.parse({"kind": "scenes", "size": 136, "per_class": 1}, "source").load().images
    return images[0][:100, :130]


def test_one_link_is_enough_to_be_shown(run, capsys):
    shown = receptions([run], cr=1 / 6, snr_db=10, count=2)
    (link,) = shown.links
    assert link.images.shape == (2, 48, 48, 3)
    command = ["compare", str(run), "--receptions", "2", "--cr", "1/6", "--snr-db", "10"]
    for more, said in [
        (["--by", "chanel"], "--by chanel: did you mean channel?"),
        (["--receiver", "matchd"], "--receiver matchd: no link has it; did you mean matched?"),
        (["--where", "channel=x"], f"{run} has no cell with channel = x"),
        (["--images", "there"], f"--images there: the source of {run} reads no folder; drop it"),
    ]:
        assert main([*command, *more]) == 2
        assert capsys.readouterr().err.strip() == f"semloss: {said}"


def test_a_cell_tells_the_snr_of_the_grid(run):
    cells = pd.read_csv(run / "cells.csv")
    assert sorted(set(cells["snr_db"])) == [0, 10]
    assert semloss.load_codec(run, cr=1 / 6, where={"snr_db": "10"}).cell.snr_db == 10


def test_the_parts_are_the_whole(run, scene):
    codec = semloss.load_codec(run, cr=1 / 6, snr_db=10)
    tiles = np.stack([scene[:48, :48], scene[20:68, 30:78]])
    symbols = codec.encode(tiles)
    assert symbols.shape == (2, codec.realisation.k)
    assert symbols.dtype == np.complex64
    assert np.mean(np.abs(symbols) ** 2, axis=1) == pytest.approx(1, rel=1e-5)
    heard = codec.transmit(symbols, seed=3)
    # E|y - x|² = N0 = 0.1, over 2k squares: a spread of 0.1 / sqrt(2k)
    noise = np.mean(np.abs(heard.symbols - symbols) ** 2)
    assert noise == pytest.approx(0.1, abs=5 * 0.1 / (2 * codec.realisation.k) ** 0.5)
    assert (codec.transmit(symbols, seed=3).symbols == heard.symbols).all()
    assert not (codec.transmit(symbols, seed=4).symbols == heard.symbols).any()
    images = codec.decode(heard)
    assert images.shape == tiles.shape
    assert images.dtype == np.float32
    assert ((images >= 0) & (images <= 1)).all()
    with torch.inference_mode():
        sent = torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 255
        # without noise to speak of, the chain of a measurement gives the same images
        whole, _ = Chain(codec.network, codec.channel).send(sent, 80.0, torch.Generator())
    clear = codec.decode(codec.transmit(codec.encode(tiles), 80.0))
    assert clear == pytest.approx(whole.permute(0, 2, 3, 1).numpy(), abs=1e-3)
    said, sure = codec.classify(images, "clean")
    assert set(said) <= set(codec.classes)
    assert ((sure > 1 / len(codec.classes) - 1e-6) & (sure <= 1)).all()
    # floating point in [0, 1] is the same image
    assert codec.encode(tiles / 255.0) == pytest.approx(symbols, abs=1e-5)


def test_the_loaded_codec_is_the_one_that_was_measured(run):
    """Sent over the test images, it reads the PSNR that the table has, up to other noise."""
    table = semloss.load_table(run)
    row = table[(table.metric == "psnr_db") & (table.snr_db == 10) & (table.cr > 0.1)].iloc[0]
    source = json.loads((run / "source.json").read_text())["provenance"]
    images = SOURCES.parse({"kind": "scenes", "size": 48, "per_class": 12}, "source").load().images
    assert source["size"] == 48
    test = images[json.loads((run / "split.json").read_text())["test"]]
    codec = semloss.load_codec(run, row.cell)
    arrived = codec.decode(codec.transmit(codec.encode(test)))
    mse = np.mean((arrived - test / 255.0) ** 2, axis=(1, 2, 3))
    assert np.mean(-10 * np.log10(mse)) == pytest.approx(row.value, abs=0.05)


def test_a_run_whose_records_do_not_tell_how_it_is_built(run, tmp_path):
    older = tmp_path / "older"
    shutil.copytree(run, older)
    codec = semloss.load_codec(run, cr=1 / 24, snr_db=0)
    for path in older.glob("cells/*/measured.json"):
        record = json.loads(path.read_text())
        assert record.pop("rebuild")["shape"] == [3, 48, 48]
        path.write_text(json.dumps(record))
    again = semloss.load_codec(older, cr=1 / 24, snr_db=0)
    assert again.cell.rebuild == codec.cell.rebuild
    for path in older.glob("cells/*/measured.json"):  # and its schedule is another's
        path.parent.rename(path.parent.with_name(f"x{path.parent.name}"))
    with pytest.raises(SemlossError, match="collect it again"):
        semloss.load_codec(older, cr=1 / 24, snr_db=0)


def test_which_cell(run):
    near = semloss.load_codec(run, cr=1 / 20, snr_db=3)
    assert near.cell.place == "CR 1/24, 0 dB"
    assert near.notes == ("the cell nearest to CR 1/20, 3 dB is that of CR 1/24, 0 dB",)
    assert not semloss.load_codec(run, cr=1 / 24, snr_db=0).notes
    assert semloss.load_codec(run / "cells" / near.cell.name).cell == near.cell
    assert semloss.load_codec(run, near.cell.name).cell == near.cell
    with pytest.raises(SemlossError, match="2 cells are as near; give --cr, --snr-db"):
        semloss.load_codec(run, cr=1 / 24)
    with pytest.raises(SemlossError, match="has no cell nought; "):
        semloss.load_codec(run, "nought")
    with pytest.raises(SemlossError, match="no cell with objective = features"):
        semloss.load_codec(run, where={"objective": "features"})
    with pytest.raises(SemlossError, match="--where objektive: did you mean objective"):
        semloss.load_codec(run, where={"objektive": "mse"})
    with pytest.raises(SemlossError, match="is no run of semloss collect"):
        semloss.load_codec(run / "tasks", cr=1 / 24)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((2, 64, 64, 3), np.uint8), r"of \(N, 48, 48, 3\); semloss.send_scene cuts"),
        (np.zeros((2, 48, 48, 3), np.int64), "images = int64"),
        (np.full((1, 48, 48, 3), 2.0), r"lie in \[0, 1\]"),
        (np.full((1, 48, 48, 3), np.nan), r"lie in \[0, 1\]"),
    ],
)
def test_images_that_are_none_for_it(run, images, said):
    with pytest.raises(SemlossError, match=said):
        semloss.load_codec(run, cr=1 / 24, snr_db=0).encode(images)


def test_weights_that_are_cut_short(run, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    for path in broken.glob("cells/*/codec.safetensors"):
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SemlossError, match=r"codec.safetensors: no whole weights"):
        semloss.load_codec(broken, cr=1 / 24, snr_db=0)


# -- scenes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [48, 49, 90, 91, 130, 512])
@pytest.mark.parametrize("overlap", [0, 6, 24])
def test_tiles_cover_a_length_with_the_fewest(length, overlap):
    starts = tile_starts(length, 48, overlap)
    assert starts[0] == 0
    assert starts[-1] == length - 48
    shared = 48 - np.diff(starts)
    assert (shared >= overlap).all()
    # one tile fewer could not share so much
    assert 48 + (len(starts) - 2) * (48 - overlap) < length


def test_blending_is_a_mean():
    """Tiles cut from a scene give it back; two that disagree meet in a straight ramp."""
    rng = np.random.default_rng(0)
    scene = rng.random((70, 90, 3)).astype(np.float32)
    places = [(t, left) for t in tile_starts(70, 32, 8) for left in tile_starts(90, 32, 8)]
    tiles = np.stack([scene[t : t + 32, left : left + 32] for t, left in places])
    assert blended(tiles, places, scene.shape, 8) == pytest.approx(scene, abs=1e-6)
    two = np.stack([np.zeros((32, 32, 1)), np.ones((32, 32, 1))]).astype(np.float32)
    both = blended(two, [(0, 0), (0, 24)], (32, 56, 1), 8)
    assert both[:, :24].max() == 0
    assert both[:, 32:].min() == 1
    assert both[5, 24:32, 0] == pytest.approx(np.arange(1, 9) / 9)


def test_a_scene_goes_over_whole(run, scene, tmp_path, capsys):
    Image.fromarray(scene).save(tmp_path / "scene.png")
    Image.fromarray(scene[:48, :48]).save(tmp_path / "tile.png")
    command = ["send", str(run), "--cr", "1/6", "--snr-db", "10", "--out", str(tmp_path / "got"),
               *(str(tmp_path / name) for name in ("scene.png", "tile.png"))]  # fmt: skip
    assert main([*command, "--json", "--csv", str(tmp_path / "sent.csv")]) == 0
    told = json.loads(capsys.readouterr().out)
    whole, tile = told["images"]
    k = semloss.load_codec(run, cr=1 / 6, snr_db=10).realisation.k
    assert whole["tiles"] == 3 * 3  # 48, 6 shared: 100 and 130 pixels take 3 each
    assert whole["symbols"] == 9 * k
    assert whole["cr"] == pytest.approx(9 * k / (100 * 130 * 3))
    assert tile["cr"] == pytest.approx(1 / 6)
    assert 0 <= whole["kept_clean"] <= 1
    assert tile["kept_clean"] in (0, 1)
    for name, shape in (("scene", (100, 130, 3)), ("tile", (48, 48, 3))):
        sent, received = (np.asarray(Image.open(tmp_path / "got" / f"{name}.{what}.png"))
                          for what in ("sent", "received"))  # fmt: skip
        assert sent.shape == received.shape == shape
        mse = np.mean((sent / 255.0 - received / 255.0) ** 2)
        figure = whole if name == "scene" else tile
        # written in steps of 1/255
        assert -10 * np.log10(mse) == pytest.approx(figure["psnr_db"], abs=0.05)
    table = pd.read_csv(tmp_path / "sent.csv", comment="#")
    assert table.psnr_db.tolist() == [whole["psnr_db"], tile["psnr_db"]]
    # the seed decides, and the images do not: each has draws of its own
    assert main([*command[:-1], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == [whole]
    assert main([*command, "--json", "--seed", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["images"][0]["psnr_db"] != whole["psnr_db"]
    # text is the same answer, and so are the images
    assert main([*command, "--overlap", "0"]) == 0
    assert "48x48, 0 px shared" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["small.png"], "small is 40x60 pixels, smaller than a tile of this codec, 48x48"),
        (["none.png"], "none.png: No such file"),
        (["text.png"], "text.png is not an image"),
        (["scene.png", "other/scene.png"], "two images are called scene"),
        (["scene.png", "--overlap", "25"], "overlap = 25: give 0 … 24"),
        (["scene.png", "--cell", "x", "--cr", "1/6"], "--cell contradicts --cr"),
    ],
)
def test_one_line_for_what_cannot_be_sent(run, scene, tmp_path, capsys, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(scene[:60, :40]).save("small.png")
    Image.fromarray(scene).save("scene.png")
    (tmp_path / "text.png").write_text("no picture")
    cell = [] if "--cell" in words else ["--cr", "1/6", "--snr-db", "10"]
    cell = ["--snr-db", "10"] if "--cr" in words else cell
    assert main(["send", str(run), *cell, *words]) == 2
    streams = capsys.readouterr()
    assert said in streams.err
    assert streams.err.count("\n") == 1
    assert not streams.out


def test_an_encoder_goes_on_board(run, tmp_path, capfd):
    pytest.importorskip("onnxscript", reason="needs semloss[onnx]")
    import onnx.reference

    out = tmp_path / "encoder.onnx"
    words = ["export", str(run), "--cr", "1/6", "--snr-db", "10", "--out", str(out), "--json"]
    assert main(words) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["largest_difference"] < 1e-4
    codec = semloss.load_codec(run, cr=1 / 6, snr_db=10)
    tile = np.random.default_rng(1).integers(0, 256, (1, 48, 48, 3), dtype=np.uint8)
    image = (tile / np.float32(255)).transpose(0, 3, 1, 2)
    given = {"image": image, "snr_db": np.float32([10])}
    (pairs,) = onnx.reference.ReferenceEvaluator(str(out)).run(None, given)
    assert pairs[..., 0] + 1j * pairs[..., 1] == pytest.approx(codec.encode(tile), abs=1e-4)
    row = pd.read_csv(run / "cells.csv").set_index("cell").loc[codec.cell.name]
    assert (told["encoder_weights"], told["encoder_macs"]) == (
        row.encoder_weights, row.encoder_macs,
    )  # fmt: skip


def test_without_the_extra_the_export_says_what_to_install(run, tmp_path, monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    words = ["export", str(run), "--cr", "1/6", "--snr-db", "10"]
    assert main([*words, "--out", str(tmp_path / "encoder.bin")]) == 2
    assert "name it *.onnx" in capfd.readouterr().err
    assert main([*words, "--out", str(tmp_path / "encoder.onnx")]) == 2
    assert "pip install 'semloss[onnx]'" in capfd.readouterr().err


def test_layers_are_not_sent_of_a_codec_that_has_none(run, capfd):
    assert main(["sure", str(run), "--target", "0.5"]) == 2
    assert "has no layers to send one after another" in capfd.readouterr().err


def test_a_whole_photograph_goes_over_a_codec_of_tiles(run, real_data, tmp_path, capsys):
    photograph = real_data / "kodak" / "23.png"
    out = ["--out", str(tmp_path), "--overlap", "0", "--json"]
    command = ["send", str(run), str(photograph), "--cr", "1/6", "--snr-db", "10"]
    assert main([*command, *out]) == 0
    (told,) = json.loads(capsys.readouterr().out)["images"]
    assert told["tiles"] == 11 * 16  # 512 and 768 pixels by 48
    with Image.open(tmp_path / "23.received.png") as received:
        assert received.size == (768, 512)
        got = np.asarray(received, float)
    sent = np.asarray(Image.open(photograph), float)
    # a codec of so few steps makes little of it, but light of what is light
    means = [one.mean(2).reshape(16, 32, 24, 32).mean(axis=(1, 3)).ravel() for one in (sent, got)]
    assert np.corrcoef(means)[0, 1] > 0.7
