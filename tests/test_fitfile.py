"""The fit file: exact, self-explaining, and harmless whatever is in it."""

import json
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surface_truth import simulated

import semloss
from semloss.errors import SemlossError
from semloss.surfaces import fitfile
from semloss.surfaces.fitting import fit_surface


@pytest.fixture(scope="module")
def fit():
    return fit_surface(simulated("capped", n=700, provenance={"codec": "deepjscc"}), "capped")


@pytest.fixture
def path(fit, tmp_path):
    fitfile.save(fit, tmp_path / "fit.json")
    return tmp_path / "fit.json"


def rewritten(path, change):
    """The file after an edit by someone who also mends the checksum."""
    document = json.loads(path.read_text())
    del document["checksum"]
    change(document)
    path.write_text(json.dumps({**document, "checksum": fitfile._checksum(document)}))
    return path


def test_a_fit_survives_the_file_to_the_last_bit(fit, path):
    loaded = semloss.load(path)
    for field in fields(fit):
        before, after = getattr(fit, field.name), getattr(loaded, field.name)
        if isinstance(before, np.ndarray):
            np.testing.assert_array_equal(before, after)
        else:
            assert before == after
    cr, snr_db = np.geomspace(0.01, 0.9, 7), np.linspace(-20.0, 30.0, 7)
    one, other = fit.predict(cr=cr, snr_db=snr_db), loaded.predict(cr=cr, snr_db=snr_db)
    np.testing.assert_array_equal(one.low, other.low)


def test_the_same_fit_gives_the_same_bytes_and_replaces_the_old_file(fit, path):
    before = path.read_bytes()
    path.write_text("old")
    fitfile.save(fit, path)
    assert path.read_bytes() == before


def test_the_file_explains_itself(path):
    document = json.loads(path.read_text())
    assert (document["schema"], document["version"]) == ("semloss-fit", 1)
    assert "complex channel uses per real source sample" in document["conventions"]["cr"]
    assert document["provenance"]["codec"] == "deepjscc"
    assert len(document["data"]["sha256"]) == 64


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.update(version=2), "schema version 2, but this semloss reads 1"),
        (lambda d: d.update(schema="weather"), "not a semloss fit file"),
        (lambda d: d.update(form="__import__('os')"), "unknown form"),
        (lambda d: d.update(extra=1), "unknown key 'extra'"),
        (lambda d: d.pop("hull"), "key 'hull' is missing"),
        (lambda d: d["parameters"].pop("floor"), "the parameters of form capped are"),
        (lambda d: d["parameters"].update(sharpness=-1.0), "sharpness = -1 is out of its bounds"),
        (lambda d: d["parameters"].update(floor="0"), "parameters is not made of 8 number"),
        (lambda d: d["parameters"].update(floor=10**400), "make it anew"),
        (lambda d: d["covariance"].pop(), "covariance is not made of 8x8"),
        (lambda d: d["covariance"][2].__setitem__(2, -1.0), "no covariance matrix"),
        (lambda d: d.update(hull=[[0.5, 1.0], [1.0, 2.0]]), "CR above 1"),
        (lambda d: d.update(hull=[[-1.0, 1.0]] * 20_000), "impossible number of vertices"),
        (lambda d: d.update(direction="up"), "direction"),
        (lambda d: d.update(dof=0), "dof"),
        (lambda d: d.update(outcome="perfect"), "perfect"),
        (lambda d: d.update(metric=5), "metric is no text"),
        (lambda d: d.update(floor=True), "floor is no number"),
    ],
)
def test_a_file_that_cannot_be_a_fit_is_refused_in_one_line(path, change, says):
    with pytest.raises(SemlossError, match=says) as caught:
        fitfile.load(rewritten(path, change))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_edited_number_is_noticed(path):
    document = json.loads(path.read_text())
    document["parameters"]["ceiling"] += 1e-9
    path.write_text(json.dumps(document))
    with pytest.raises(SemlossError, match="edited by hand"):
        fitfile.load(path)


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}'])
def test_what_is_no_fit_file_at_all_is_refused(tmp_path, raw):
    path = tmp_path / "fit.json"
    path.write_bytes(raw)
    with pytest.raises(SemlossError, match=r"fit\.json"):
        fitfile.load(path)


def test_a_missing_or_huge_file_is_refused(tmp_path):
    with pytest.raises(SemlossError, match="cannot read"):
        fitfile.load(tmp_path / "none.json")
    (tmp_path / "huge.json").write_bytes(b" " * 5_000_000)
    with pytest.raises(SemlossError, match="larger than any fit file"):
        fitfile.load(tmp_path / "huge.json")


@given(keep=st.floats(0.0, 1.0, exclude_max=True))
@settings(max_examples=30, deadline=None)
def test_a_file_cut_short_anywhere_is_refused(tmp_path_factory, fit, keep):
    path = tmp_path_factory.mktemp("cut") / "fit.json"
    fitfile.save(fit, path)
    raw = path.read_bytes().rstrip()
    path.write_bytes(raw[: int(keep * len(raw))])
    with pytest.raises(SemlossError, match="cut short"):
        fitfile.load(path)
