"""Tables as others write them: read as they are, or with the mapping that the message names."""

import json

import numpy as np
import pytest

from semloss.errors import SemlossError
from semloss.tables import load_table, parse_columns

PLAIN = "cr,snr_db,metric,value\n1/24,-4,psnr_db,20\n1/24,2,psnr_db,25\n1/12,2,psnr_db,28\n"
CRS, SNRS, VALUES = [1 / 24, 1 / 24, 1 / 12], [-4.0, 2.0, 2.0], [20.0, 25.0, 28.0]


def read(tmp_path, text, *columns, name="table.csv"):
    file = tmp_path / name
    file.write_text(text)
    return load_table(file, parse_columns(columns))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (PLAIN, ()),
        (PLAIN.replace("-4", "\u22124"), ()),
        ("# made by a script\n#\n" + PLAIN, ()),
        (PLAIN.replace("1/24,2", "# better from here on\n1/24,2"), ()),
        (PLAIN.replace("psnr_db,", "").replace("metric,", ""), ("metric=psnr_db",)),
        (PLAIN.replace("cr,", "CBR,"), ("cr=CBR",)),
        (PLAIN.replace("1/24", "4.166666666666667%"), ()),
        ("# cr,snr_db,value\n0.0416666666666666666,-4,20\n0.0416666666666666666,2,25\n"
         "0.0833333333333333333,2,28\n", ("metric=psnr_db",)),
        ("cr,-4,2 dB\n1/24,20,25\n1/12,,28\n", ("metric=psnr_db",)),
        ("cr,SNR=-4dB,SNR=2dB\n1/24,20,25\n1/12,,28\n", ("metric=psnr",)),
        (json.dumps([{"cr": c, "snr_db": s, "metric": "psnr_db", "value": v}
                     for c, s, v in zip(CRS, SNRS, VALUES, strict=True)]), ()),
    ],
)  # fmt: skip
def test_a_table_of_other_habits_says_the_same(tmp_path, text, columns):
    table = read(tmp_path, text, *columns).sort_values(["value"])
    np.testing.assert_allclose(table["cr"], CRS)
    np.testing.assert_allclose(table["snr_db"], SNRS)
    np.testing.assert_allclose(table["value"], VALUES)
    assert set(table["metric"]) == {"psnr_db"}


def test_rows_keep_their_number_in_the_file_below_comments(tmp_path):
    with pytest.raises(SemlossError, match="row 5: value"):
        read(tmp_path, "# one\n# two\n" + PLAIN.replace(",25", ",?").replace(",20", ",20"))


def test_one_rate_for_the_whole_file_is_said_once(tmp_path):
    table = read(tmp_path, "SNR,acc\n0,0.5\n4,0.8\n", "cr=1/24,snr_db=SNR,value=acc")
    np.testing.assert_allclose(table["cr"], 1 / 24)
    assert set(table["metric"]) == {"accuracy"}


def test_percentages_are_shares(tmp_path):
    table = read(tmp_path, "cr,snr_db,metric,value\n2.08%,4,accuracy,87.5 %\n")
    assert table["value"].tolist() == [0.875]
    assert table["cr"].tolist() == pytest.approx([0.0208])


def test_errors_and_counts_of_other_names_are_not_left_unread(tmp_path):
    head = "cr,snr_db,metric,value,std,n_trials\n"
    table = read(tmp_path, head + "1/6,4,psnr_db,30,2.5,100\n")
    assert (table["sd"].item(), table["n"].item()) == (2.5, 100.0)
    mapped = read(tmp_path, head + "1/6,4,psnr_db,30,2.5,100\n", "se=std")
    assert (mapped["se"].item(), mapped["n"].item()) == (2.5, 100.0)
    several = read(tmp_path, "cr,snr_db,psnr,ssim,std\n1/6,4,30,.8,2\n", "value=psnr,ssim")
    assert "sd" not in several, "a spread is that of one metric"


def test_the_mend_for_a_rate_of_its_usual_names_is_named(tmp_path):
    for name in ("CBR", "bandwidth_ratio"):
        with pytest.raises(SemlossError, match=f"say --columns cr={name}"):
            read(tmp_path, PLAIN.replace("cr,", f"{name},"))
