"""A fit file's correction: whatever it holds, it gives a surface or one clear line."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
from known_surface import known

import semloss
from semloss.errors import SemlossError
from semloss.surfaces.files.correction_keys import correction, correction_written
from semloss.surfaces.fitted.correction import FINER, Correction


def some():
    rng = np.random.default_rng(0)
    fine = (FINER * 3 + 1, FINER * 4 + 1)
    return Correction(
        np.array([-4.0, -8.0]), np.array([0.7, 5.0]), 0.01 * rng.random(fine),
        0.01 + 0.01 * rng.random((4, 5)), 0.02 + 0.01 * rng.random((4, 5)), np.array([0.1, 0.01]),
        rng.normal(size=(2, 4, 5)), rng.normal(size=(6, 2)),
    ).rounded()  # fmt: skip


def text(array, kind="<f4"):
    return base64.b64encode(np.asarray(array, kind).tobytes()).decode()


def test_what_is_written_is_read():
    one = some()
    again = correction(json.loads(json.dumps(correction_written(one))))
    for name in ("start", "step", "mean", "these_images", "new_images", "beyond", "power", "draws"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    np.testing.assert_allclose(one.basis, again.basis, rtol=1e-12)
    assert correction(correction_written(None)) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.pop("basis"), "other keys than"),
        (lambda d: d.update(more=1), "other keys than"),
        (lambda d: d.update(encoding="pickle"), "another encoding"),
        (lambda d: d.update(step=[0.0, 1.0]), "no positive number"),
        (lambda d: d.update(start=[0.0]), "start of the correction is not made of 2 numbers"),
        (lambda d: d.update(start=[0.0, "x"]), "start of the correction is no number"),
        (lambda d: d.update(beyond=[-1.0, 0.0]), "no positive number"),
        (lambda d: d.update(power=0.0), "no positive number"),
        (lambda d: d.update(power="x"), "power of the correction is no number"),
        (lambda d: d.update(shape=[2, 4, 5]), "not made of 4 counts"),
        (lambda d: d.update(shape=[2, 4, 5, 10**9]), "impossible"),
        (lambda d: d.update(shape=[2, 10**6, 10**6, 6]), "impossible"),
        (lambda d: d.update(shape=[2, 4, 1, 6]), "impossible"),
        (lambda d: d.update(shape=[2, 4, 6, 6]), "another length"),
        (lambda d: d.update(mean="§"), "not base64"),
        (lambda d: d.update(mean=5), "no text"),
        (lambda d: d.update(new_images=text(-np.ones((4, 5)))), "negative"),
        (lambda d: d.update(new_images=text(np.full((4, 5), np.nan))), "not finite"),
        (lambda d: d.update(basis=5), "no scale with its data"),
        (lambda d: d.update(basis=[float("1e300"), d["basis"][1]]), "too large"),
        (lambda d: d.update(draws=text(np.full((6, 2), np.inf), "<f2")), "not finite"),
    ],
)
def test_what_cannot_be_one_is_refused_in_words(change, says):
    content = correction_written(some())
    change(content)
    with pytest.raises(ValueError, match=says):
        correction(content)


def test_a_file_with_a_spoilt_correction_is_one_line(tmp_path):
    semloss.save(known(correction=some()), tmp_path / "fit.json")
    assert semloss.load(tmp_path / "fit.json").correction is not None
    document = json.loads((tmp_path / "fit.json").read_text())
    document["correction"]["shape"][3] = 7
    (tmp_path / "fit.json").write_text(json.dumps(document))
    with pytest.raises(SemlossError, match=r"edited by hand\?"):
        semloss.load(tmp_path / "fit.json")


def test_fields_are_interpolated_between_knots_and_kept_beyond_them():
    one = some()
    field = np.arange(20.0).reshape(4, 5)
    x, snr_db = np.array([-4.0, -3.65, -10.0, 5.0]), np.array([-8.0, -5.5, -8.0, 40.0])
    assert one.at(field, x, snr_db) == pytest.approx([0.0, 3.0, 0.0, 19.0])
    assert one.at(np.stack([field, 2 * field]), x, snr_db)[1] == pytest.approx([0, 6, 0, 38])
    hull = np.array([[-4.0, -8.0], [-2.0, 12.0]])
    places = np.array([-3.0, -5.0, -6.0, -1.0]), np.array([0.0, 0.0, 0.0, 22.0])
    assert one.outer(*places, hull) == pytest.approx([0.0, 0.1, 0.1 * 2**1.5, 0.1 + 0.01 * 10**1.5])
    assert replace(one, power=1.0).outer(*places, hull) == pytest.approx([0.0, 0.1, 0.2, 0.2])


def test_a_correction_in_another_unit():
    one, other = some(), some().scaled(-2.0)
    np.testing.assert_allclose(other.mean, -2 * one.mean)
    np.testing.assert_allclose(other.new_images, 2 * one.new_images)
    np.testing.assert_allclose(other.draws, one.draws)
