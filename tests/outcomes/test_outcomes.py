"""Outcomes of single images, from memory to text and file and back, and joined over runs."""

import io

import numpy as np
import pytest

from semloss.errors import SemlossError
from semloss.outcomes import (
    Outcomes,
    beside,
    decoded,
    encoded,
    key_of,
    per_image,
    read_outcomes,
    write_outcomes,
)


def key(cell="a", metric="accuracy", snr_db=4.0):
    return key_of({"cell": cell, "snr_db": snr_db, "task": "t", "receiver": "clean",
                   "metric": metric})  # fmt: skip


def run_of(names, **of):
    return Outcomes(
        np.array(list(names)), np.array(["c"] * len(names)), {key(c): v for c, v in of.items()}
    )


def some(n=13):
    rng = np.random.default_rng(0)
    names = np.array([f"image {i}" for i in range(n)])
    of = {
        key("a"): rng.random(n) < 0.5,
        key("b"): rng.random(n) < 0.9,
        key("a", "psnr_db"): rng.normal(30, 3, n).astype(np.float32),
        key("b", "psnr_db", -2.5): rng.normal(30, 3, n).astype(np.float32),
    }
    return Outcomes(names, np.array(["Forest", "See"] * n)[:n], of)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 673])
def test_a_record_tells_each_outcome_to_its_last_bit(n):
    rng = np.random.default_rng(n)
    for values in (rng.random(n) < 0.3, rng.normal(0, 1, n).astype(np.float32)):
        back = decoded(encoded(values), n)
        assert back.dtype == values.dtype
        assert np.array_equal(back, values)


def test_right_and_wrong_take_a_bit_each_in_a_record():
    assert len(encoded(np.zeros(672, bool))) == len("bits:") + 4 * 672 // 8 // 3


@pytest.mark.parametrize(
    "text",
    ["", "bits:", "bits:AA=", "f32:AAAA", "pickle:AAAA", "bits:????", None, 5,
     encoded(np.zeros(17, bool)), encoded(np.zeros(9, np.float32)),
     encoded(np.zeros(8, np.float32)).replace("AAAA", "AA!AA", 1)],
)  # fmt: skip
def test_a_text_that_is_not_of_so_many_images_is_refused(text):
    with pytest.raises(SemlossError, match="no outcomes of 8 images"):
        decoded(text, 8)


@pytest.mark.parametrize("n", [1, 8, 13])
def test_a_file_gives_back_what_was_written(tmp_path, n):
    path, sent = tmp_path / "t.outcomes.npz", some(n)
    write_outcomes(sent, path)
    back = read_outcomes(path)
    assert back.image.tolist() == sent.image.tolist()
    assert back.label.tolist() == sent.label.tolist()
    assert back.of.keys() == sent.of.keys()
    for name, values in sent.of.items():
        assert back.of[name].dtype == values.dtype
        assert np.array_equal(back.of[name], values)


def test_the_same_outcomes_are_the_same_bytes_in_any_order(tmp_path):
    one = some()
    other = Outcomes(one.image, one.label, dict(reversed(one.of.items())))
    for name, outcomes in (("one", one), ("other", other)):
        write_outcomes(outcomes, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_file_that_was_written_anew_is_read_anew(tmp_path):
    path = tmp_path / "t.outcomes.npz"
    write_outcomes(some(13), path)
    assert len(read_outcomes(path).image) == 13
    write_outcomes(some(14), path)
    assert len(read_outcomes(path).image) == 14


def test_a_cell_that_is_tested_at_several_snrs_has_outcomes_at_each():
    assert len({key(snr_db=snr) for snr in (4.0, 4.25, -4.25)}) == 3
    assert key(snr_db=0.1 + 0.2) == key(snr_db=0.3)


def test_they_lie_beside_the_table(tmp_path):
    assert beside(tmp_path / "metrics.csv") == tmp_path / "metrics.outcomes.npz"
    assert beside(tmp_path / "my.table.parquet") == tmp_path / "my.table.outcomes.npz"


def archive(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def whole(tmp_path):
    write_outcomes(some(), tmp_path / "whole")
    return (tmp_path / "whole").read_bytes()


def arrays(tmp_path, **changed):
    whole(tmp_path)
    with np.load(tmp_path / "whole") as file:
        return archive(**({name: file[name] for name in file.files} | changed))


@pytest.mark.parametrize(
    "harm",
    [
        lambda tmp: b"",
        lambda tmp: b"no archive at all",
        lambda tmp: whole(tmp)[: len(whole(tmp)) // 2],
        lambda tmp: whole(tmp)[:200] + b"\0" * 40 + whole(tmp)[240:],
        lambda tmp: archive(image=np.array(["a"])),
        # objects would have to be unpickled, and could then do anything
        lambda tmp: arrays(tmp, image=np.array(["a", None], dtype=object)),
        lambda tmp: arrays(tmp, image=np.array(["twice"] * 13)),
        lambda tmp: arrays(tmp, label=np.array(["c"])),
        lambda tmp: arrays(tmp, place=np.array([9, 0, 1, 1])),
        lambda tmp: arrays(tmp, cell=np.array(["a"])),
        lambda tmp: arrays(tmp, numbers=np.zeros((2, 5), np.float32)),
    ],
)
def test_a_file_that_is_not_whole_is_told_in_one_line_with_the_mend(tmp_path, harm):
    path = tmp_path / "t.outcomes.npz"
    path.write_bytes(harm(tmp_path))
    with pytest.raises(SemlossError) as caught:
        read_outcomes(path)
    told = str(caught.value)
    assert told.startswith(f"{path} holds no outcomes of images (")
    assert "delete it: the table is read without" in told
    assert "\n" not in told


def test_runs_are_joined_by_the_names_of_their_images():
    one = run_of("abc", x=np.array([1.0, 2.0, 3.0], np.float32))
    other = run_of("cbd", y=np.array([True, False, True]))
    joined = per_image([(other, key("y")), (one, key("x")), (other, key("y"))])
    expected = {"a": [np.nan, 1, np.nan], "b": [0, 2, 0], "c": [1, 3, 1], "d": [1, np.nan, 1]}
    assert sorted(joined.image) == sorted(expected)
    for name, values in zip(joined.image, joined.values.T, strict=True):
        assert np.array_equal(values, expected[name], equal_nan=True)


def test_runs_that_call_a_row_the_same_are_not_mixed_up():
    """The same experiment on two machines: the same names, other outcomes."""
    runs = [run_of("ab", x=np.array(values)) for values in ([True, False], [True, True])]
    assert per_image([(run, key("x")) for run in runs]).values.tolist() == [[1, 0], [1, 1]]
