"""A source codec goes through `collect` as any codec does; `plan against` reads its run."""

import json

import numpy as np
import pandas as pd
import pytest
from collecting_case import collected, value
from PIL import Image
from tiny_experiment import TINY

import semloss
from semloss.cli import main
from semloss.collect.rate_curve import rate_curve
from semloss.collect.run import Run
from semloss.errors import SemlossError
from semloss.modcods import best_modcod
from semloss.planning.digital.rate_curve import RateCurve
from semloss.sending.exported import export_encoder
from semloss.sending.receptions import receptions
from semloss.sources import SOURCES
from semloss.tasks import TASKS

CODECS = """
[[codec]]
kind = "webp"
[[codec]]
kind = "jpeg2000"
tiles = 16
planned_snr_db = 5
[[codec]]
kind = "onboard"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("separation")
    experiment = TINY.replace("[codec]\nstem = 4\nwidth = 8\ndepth = 0\n", CODECS)
    experiment = experiment.replace('["1/24", "1/6"]', '["1/48", "1/3"]')
    experiment += '[metrics]\nnames = ["psnr_db"]\n'
    collected(folder, experiment.replace("[0, 10]", "[-5, 1, 10]"))
    return folder / "run"


def test_cells_below_the_cliff_are_cells_of_failed_images(run):
    table = semloss.load_table(run)
    follows = table[table.codec_label == "webp"]
    delivered = value(follows, "delivered").round(9)
    assert delivered[:, -5.0].tolist() == [0, 0]  # no MODCOD closes
    assert delivered[:, 1.0].tolist() == [0, 1]  # 1/48: the file does not fit
    planned = table[table.codec_label.str.startswith("jpeg2000")]
    arrived = value(planned, "delivered")
    assert (arrived[:, 1.0] == 0).all()
    assert arrived[1 / 3, 10.0] == 1
    psnr = value(follows, "psnr_db")
    assert psnr[1 / 3, 10.0] > psnr[1 / 3, 1.0] > psnr[1 / 3, -5.0]
    # task models listen, the matched one too; a symbol of QPSK is no peak
    assert len(value(follows, "accuracy", "matched")) == 6
    assert value(follows, "papr_db")[1 / 3, 1.0] == pytest.approx(0, abs=1e-5)
    assert set(table.objective) == {"none"}
    assert {"ok"} == set(table.status)


def test_what_is_answered_on_board_is_what_the_model_says_of_clean_images(run):
    table = semloss.load_table(run)
    rows = table[(table.codec == "onboard") & (table.metric == "accuracy")].set_index("snr_db")
    assert set(rows.receiver) == {"clean"}
    assert len(rows) == 3  # the grid's two CRs are no axis of it
    assert rows.value[[1.0, 10.0]].tolist() == rows.ceiling[[1.0, 10.0]].tolist()
    # where no MODCOD closes, all answers are the first class, and chance is left
    assert rows.value[-5.0] == pytest.approx(rows.floor[-5.0], abs=0.05)
    # 16 bits: QPSK 1/2 carries 0.989 a symbol at 1 dB, 16APSK 2/3 2.637 at 10 dB
    assert (rows.cr * 48 * 48 * 3).round(6).to_dict() == {-5.0: 33, 1.0: 17, 10.0: 7}
    ece = table[(table.codec == "onboard") & (table.metric == "ece")].set_index("snr_db").value
    assert 0 <= ece[10.0] <= 1
    cells = pd.read_csv(run / "cells.csv").set_index("cell")
    brain = TASKS.parse({"kind": "resnet8"}, "task").build(3, 10, 0)
    onboard = cells[cells.codec == "onboard"]
    weights = sum(one.numel() for one in brain.parameters())
    assert (onboard.encoder_weights == weights).all()
    assert (onboard.encoder_macs > weights).all()
    assert not set(table[table.codec == "onboard"].metric) & {"psnr_db", "ssim"}


def test_an_answer_is_no_image(run, tmp_path, capsys):
    codec = semloss.load_codec(run, snr_db=10, where={"codec": "onboard"})
    tiles = SOURCES.parse({"kind": "scenes", "size": 48, "per_class": 1}, "source").load().images
    symbols = codec.encode(tiles)
    assert symbols.shape == (len(tiles), 7)
    with pytest.raises(SemlossError, match="codec onboard sends no image: it delivers answer"):
        codec.decode(codec.transmit(symbols))
    Image.fromarray(tiles[0]).save(tmp_path / "tile.png")
    words = ["--where", "codec=onboard", "--snr-db", "10", "--out", str(tmp_path / "got")]
    assert main(["send", str(run), str(tmp_path / "tile.png"), *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "got").exists()


def test_the_curve_of_a_run_is_what_its_cells_measured(run):
    table = semloss.load_table(run)
    curve = RateCurve.from_csv(run, metric="psnr_db", codec="webp")
    psnr = value(table[table.codec_label == "webp"], "psnr_db")
    for (cr, snr_db), measured in psnr.items():
        modcod = best_modcod(snr_db)
        if modcod is not None:
            rate = 3 * cr * modcod.efficiency
            best = max(v for (c, s), v in psnr.items() if s > -5
                       and c * best_modcod(s).efficiency <= cr * modcod.efficiency)  # fmt: skip
            assert curve.at(rate * (1 + 1e-8)) == pytest.approx(max(measured, best), abs=1e-6)
    assert curve.lowest_is_minimum
    rows = pd.read_csv(run / "rate_curve.csv")
    assert set(rows.codec) == {"webp"}  # what is planned for one SNR has no curve over rates
    assert rate_curve(Run(run).cell_records("resnet8")) == rows.to_dict("records")
    assert set(rows.receiver) == {"none", "clean", "matched"}


def test_plan_against_a_run(run, capsys):
    command = ["plan", "against", "eurosat-accuracy", str(run), "--link", "eo-leo-x-band"]
    assert main([*command, "--codec", "webp"]) == 0
    assert "webp over DVB-S2" in capsys.readouterr().out
    command[3] = str(run / "cells")
    assert main(command) == 2
    assert 'collect it with a source codec, e.g. [[codec]] kind = "jpeg2000"' in (
        capsys.readouterr().err
    )


def test_a_source_codec_sends_and_shows_its_cliff(run):
    codec = semloss.load_codec(run, cr=1 / 3, snr_db=10, where={"codec": "jpeg2000"})
    tiles = SOURCES.parse({"kind": "scenes", "size": 48, "per_class": 1}, "source").load().images
    clear = codec.decode(codec.transmit(codec.encode(tiles)))
    assert clear.std() > 0.05
    assert codec.decode(codec.transmit(codec.encode(tiles), 4.0)).std() == 0
    whole = semloss.send_scene(codec, tiles[0])
    assert whole.received.shape == (48, 48, 3)
    with pytest.raises(SemlossError, match="is no network: there is nothing to write"):
        export_encoder(codec, run / "encoder.onnx")


def test_the_same_tiles_side_by_side(run, tmp_path, capsys):
    command = ["compare", str(run), "--receptions", "3", "--cr", "1/3", "--snr-db", "10"]
    files = ["--plot", str(tmp_path / "tiles.png"), "--csv", str(tmp_path / "told.csv")]
    assert main([*command, *files]) == 0
    streams = capsys.readouterr()
    assert "onboard sends no image and is left out" in streams.err
    assert "what arrives at CR 1/3, 10 dB" in streams.out
    told = pd.read_csv(tmp_path / "told.csv", comment="#")
    assert set(told.link) == {"webp", "jpeg2000-planned_snr_db5.0-tiles16"}
    assert len(told) == 6
    assert told["class"].nunique() == 3
    # they are test images, and this is what the codec makes of them
    codec = semloss.load_codec(run, cr=1 / 3, snr_db=10, where={"codec": "webp"})
    images = SOURCES.parse({"kind": "scenes", "size": 48, "per_class": 12}, "source").load()
    test = json.loads((run / "split.json").read_text())["test"]
    names = {name: at for at, name in zip(test, images.names(test), strict=True)}
    for row in told[told.link == "webp"].itertuples():
        tile = images.images[names[row.tile]]
        got = codec.decode(codec.transmit(codec.encode(tile[None])))[0]
        mse = np.mean((got - tile / 255.0) ** 2)
        assert row.psnr_db == pytest.approx(-10 * np.log10(mse), abs=1e-3)
    with Image.open(tmp_path / "tiles.png") as picture:
        assert picture.width > 400
        narrow = picture.width
    # who answers is named, and where the tiles matter to that model stands beside them
    files[1] = str(tmp_path / "important.png")
    assert main([*command, *files, "--receiver", "clean", "--importance"]) == 0
    assert "answer_matched" not in pd.read_csv(tmp_path / "told.csv", comment="#")
    with Image.open(tmp_path / "important.png") as picture:
        assert picture.width > 1.2 * narrow
    shown = receptions([run], cr=1 / 3, snr_db=10, count=3, importance=True)
    assert shown.to == "clean"
    assert shown.importance.shape == (3, 48, 48)
    assert shown.importance.mean(axis=(1, 2)) == pytest.approx(1, rel=1e-4)
    for words, said in (
        (command[:4], "--receptions needs --cr and --snr-db"),
        ([*command, "--receiver", "matchd"], "--receiver matchd: no link has it; did you mean mat"),
        ([*command, "--importance"], "--importance needs --plot"),
    ):
        assert main(words) == 2
        assert said in capsys.readouterr().err


def test_no_one_answers_on_board_without_a_classifier(tmp_path, capfd):
    experiment = TINY.replace(
        "[codec]\nstem = 4\nwidth = 8\ndepth = 0", '[codec]\nkind = "onboard"'
    )
    collected(tmp_path, experiment.replace("[task]", '[task]\nkind = "none"'), code=2)
    said = capfd.readouterr().err
    assert "codec onboard sends the class that the first task model gives, and task none" in said
