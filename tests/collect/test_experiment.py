"""The experiment file: what is written out reads back the same."""

import tomllib

import pytest
import tomli_w

from semloss.collect.experiment import Experiment, presets, read_experiment
from semloss.errors import SemlossError

SOURCES = [
    {"kind": "scenes"},
    {"kind": "eurosat"},
    {"kind": "folder", "path": "tiles"},
    {"kind": "geotiff", "path": "tiles", "bands": ["B04"]},
]
CHANNELS = [{"kind": "awgn"}, {"kind": "rayleigh", "fading": "fast"}, {"kind": "rician"}]


@pytest.mark.parametrize("source", SOURCES, ids=lambda one: one["kind"])
def test_an_experiment_survives_its_own_snapshot(source):
    tables = {
        "name": "round",
        "source": source,
        "channel": CHANNELS,
        "grid": {"cr": ["1/12", 0.25], "snr_db": [0, 4.5]},
    }
    experiment = Experiment.from_tables(tables)
    again = Experiment.from_tables(tomllib.loads(tomli_w.dumps(experiment.as_tables())))
    assert again == experiment
    assert again.grid.cr == (1 / 12, 0.25)


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_preset_is_a_sound_experiment_that_says_what_to_expect(name):
    experiment = read_experiment(None, name, [])
    assert experiment.name == name
    assert experiment.description
    assert "dB" in experiment.expected
    if "TOY" not in experiment.description and "study" not in experiment.description:
        assert len(experiment.grid.cr) >= 4
        assert len(experiment.grid.snr_db) >= 6


def test_a_file_on_top_of_a_preset_changes_only_its_keys(tmp_path):
    (tmp_path / "mine.toml").write_text('name = "mine"\n[grid]\nsnr_db = [3]\n')
    mine = read_experiment(tmp_path / "mine.toml", "demo", ["train.base.steps=7"])
    demo = read_experiment(None, "demo", [])
    assert mine.grid.snr_db == (3.0,)
    assert mine.grid.cr == demo.grid.cr
    assert mine.train.base.steps == 7
    assert mine.train.base.lr == demo.train.base.lr


def test_another_kind_of_source_starts_from_its_own_options():
    changes = ["source.path=tiles", "source.kind=folder"]  # in any order
    assert str(read_experiment(None, "demo", changes).source.path) == "tiles"
    with pytest.raises(SemlossError, match=r"source\.per_clas: unknown key; did you mean per_c"):
        read_experiment(None, "demo", ["source.per_clas=3"])


def test_the_same_kind_named_again_keeps_the_presets_options(tmp_path):
    (tmp_path / "mine.toml").write_text('[source]\nkind = "scenes"\nseed = 5\n')
    demo = read_experiment(None, "demo", [])
    assert read_experiment(tmp_path / "mine.toml", "demo", []).source.per_class == (
        demo.source.per_class
    )
    assert read_experiment(None, "demo", ["source.kind=scenes"]) == demo


def test_a_recipe_given_in_part_keeps_the_rest_of_its_default():
    sound = {"source": {"kind": "scenes"}, "grid": {"cr": ["1/6"], "snr_db": [0]}}
    whole = Experiment.from_tables(sound)
    part = Experiment.from_tables(sound | {"train": {"cell": {"steps": 7}}})
    assert part.train.cell == whole.train.cell.model_copy(update={"steps": 7})


def test_a_base_far_from_the_trunk_trains_longer():
    changes = ["train.trunk_cr=1/6", "train.base_steps_per_octave=100", "train.base.steps=50"]
    train = read_experiment(None, "demo", changes).train
    assert [train.base_recipe(cr).steps for cr in (1 / 6, 1 / 12, 1 / 24, 1 / 3)] == [
        50, 150, 250, 150
    ]  # fmt: skip


def test_a_cell_far_from_the_base_trains_longer_and_faster():
    train = read_experiment(None, "demo", ["train.base_snr_db=[8,10]"]).train
    own, below, above = (train.cell_recipe(snr_db) for snr_db in (9.0, 2.0, 16.0))
    assert own == train.cell
    assert below.steps == train.cell.steps + round(6 * train.cell_steps_per_db)
    assert below.lr == pytest.approx(2 * train.cell.lr)
    assert above == below


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({}, r"\[source\]: this table is required"),
        ({"source": 3}, "source = 3: this is a table"),
        ({"channel": []}, "channel: the list is empty"),
        ({"channel": [{"kind": "awgn", "k": 1}]}, r"channel\[0\]\.k: unknown key"),
        ({"name": "a/b"}, "name = 'a/b'"),
        ({"grid": {"cr": [True], "snr_db": [0]}}, r"grid\.cr = \[true\]: write a number"),
        ({"train": {"low_cr_share": True}}, r"train\.low_cr_share = true: write a number"),
        ({"train": {"trunk": {"steps": False}}}, r"train\.trunk\.steps = false: write a number"),
        ({"task": "none"}, r"task = 'none': .* e\.g\. --set task\.kind=none"),
        ({"grid": {"cr": ["1/6"], "snr_db": ["loud"]}}, r"grid\.snr_db\[0\]"),
        ({"grid": {"cr": ["1/6", "1/6"], "snr_db": [0]}}, "stands twice"),
        ({"grid": {"snr_db": [0]}}, r"grid\.cr: this key is required"),
        ({"task": {"kind": "oracle"}}, r"task\.kind = 'oracle'"),
        ({"task": {"clean": {"step": 3}}}, r"task\.clean\.step: unknown key"),
    ],
)
def test_complaints_name_the_key(tables, message):
    sound = {"source": {"kind": "scenes"}, "grid": {"cr": ["1/6"], "snr_db": [0]}}
    with pytest.raises(SemlossError, match=message) as caught:
        Experiment.from_tables(tables if not tables else sound | tables)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["2750", "true", "nan", "1979-05-27", "1e3", "tiles"])
def test_a_key_of_text_type_takes_text(text):
    changes = [f"source.path={text}", "source.kind=folder"]
    assert str(read_experiment(None, "demo", changes).source.path) == text
    assert read_experiment(None, "demo", ["name=2026"]).name == "2026"


def test_scale_counts_images_and_steps_alike():
    whole, tenth = (read_experiment(None, "demo", [], scale) for scale in (1.0, 0.1))
    assert tenth.source.per_class == whole.source.per_class * 0.1
    assert tenth.train.trunk.steps == whole.train.trunk.steps * 0.1
    stretched = whole.train.cell_recipe(-8.0).steps
    assert tenth.train.cell_recipe(-8.0).steps == pytest.approx(stretched * 0.1, abs=1)
    assert tenth.tasks[0].training.clean.steps == whole.tasks[0].training.clean.steps * 0.1
    assert tenth.grid == whole.grid
    assert tenth.as_tables()["train"]["independent"]["steps"] == 130  # a run of it says so itself
    least = read_experiment(None, "demo", [], 1e-6)
    assert least.source.per_class == 12
    assert least.train.independent.steps == 100  # with fewer nothing is learnt
    with pytest.raises(SemlossError, match="--scale 2: give a number above 0"):
        read_experiment(None, "demo", [], 2.0)
    with pytest.raises(SemlossError, match=r"set source\.per_class"):
        read_experiment(None, "eurosat", ["source.kind=eurosat", "source={kind='eurosat'}"], 0.5)


def test_a_share_of_low_crs_is_refused_where_no_codec_has_a_choice():
    share = ["train.low_cr_share=0.7"]
    assert read_experiment(None, "demo", share).train.low_cr_share == 0.7
    with pytest.raises(SemlossError, match=r"train\.low_cr_share: codec deepjscc .* adaptive"):
        read_experiment(None, "demo", [*share, "codec.kind=deepjscc"])
    # what a preset has for its own codec is no one's wish for another
    assert read_experiment(None, "demo", ["codec.kind=deepjscc"]).codecs[0].kind == "deepjscc"
