"""Tables as others write them: read as they are, or with the mapping that the message names."""

import json

import numpy as np
import pytest

from semloss.errors import SemlossError
from semloss.selection import select
from semloss.tables import load_table, parse_columns

PLAIN = "cr,snr_db,metric,value\n1/24,-4,psnr_db,20\n1/24,2,psnr_db,25\n1/12,2,psnr_db,28\n"
CRS, SNRS, VALUES = [1 / 24, 1 / 24, 1 / 12], [-4.0, 2.0, 2.0], [20.0, 25.0, 28.0]
RECORDS = [{"cr": c, "snr_db": s, "metric": "psnr_db", "value": v}
           for c, s, v in zip(CRS, SNRS, VALUES, strict=True)]  # fmt: skip


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
        ("SNR,1/24,cr=1/12\n-4,20,\n2,25,28\n", ("snr_db=SNR,metric=psnr_db",)),
        ("CBR,PSNR@-4dB,PSNR@2dB\n1/24,20,25\n1/12,,28\n", ("cr=CBR",)),
        ("cr,psnr (snr=-4),psnr (snr=2)\n1/24,20,25\n1/12,,28\n", ()),
        (PLAIN.replace("5\n", "5 ± 0.2\n").replace("0\n", "0+/-.1\n"), ()),
        (PLAIN.replace("metric,value", "PSNR_mean").replace("psnr_db,", ""), ("value=PSNR_mean",)),
        (json.dumps(RECORDS), ()),
        (json.dumps({"about": "all cells", "results": RECORDS}), ()),
        (json.dumps({name: [record[name] for record in RECORDS] for name in RECORDS[0]}), ()),
        ("\n".join(json.dumps(record) for record in RECORDS), ()),
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


def test_the_spread_over_trials_is_no_spread_over_images(tmp_path):
    """0.9 ± 0.02 over 16 trials is known to 0.005; 16 images would know it to 0.08."""
    row = "1/6,4,accuracy,0.9,0.02,16\n"
    table = read(tmp_path, "cr,snr_db,metric,value,std,n_trials\n" + row)
    points = select(table)
    assert points.se.tolist() == pytest.approx([0.005])
    assert (points.noise, np.isnan(points.n).all()) == ("reported", True)
    mapped = read(tmp_path, "cr,snr_db,metric,value,sd,trials\n" + row, "n=trials")
    assert mapped["se"].tolist() == pytest.approx([0.005])
    images = read(tmp_path, "cr,snr_db,metric,value,std,n_images\n" + row)
    assert (select(images).noise, images["n"].item()) == ("binomial", 16.0)


def test_the_mend_for_a_rate_of_its_usual_names_is_named(tmp_path):
    for name in ("CBR", "bandwidth_ratio"):
        with pytest.raises(SemlossError, match=f"say --columns cr={name}"):
            read(tmp_path, PLAIN.replace("cr,", f"{name},"))


# ---------------------------------------------------------------- values with their error


@pytest.mark.parametrize("sign", ["±", " ± ", " +/- ", "+-", " +/\u2212 "])
def test_a_value_written_with_its_error_is_a_value_and_its_sd(tmp_path, sign):
    table = read(tmp_path, f"cr,snr_db,metric,value\n1/6,4,psnr_db,28.5{sign}0.25\n")
    assert (table["value"].item(), table["sd"].item()) == (28.5, 0.25)
    assert select(table).se.tolist() == [0.25]


def test_the_error_shares_the_unit_of_its_value(tmp_path):
    head = "cr,snr_db,acc,PSNR\n"
    table = read(tmp_path, head + "1/6,4,80±2,30±1\n1/6,8,90,31±2\n", "value=acc/100,PSNR")
    assert table["metric"].tolist() == ["accuracy"] * 2 + ["psnr_db"] * 2
    np.testing.assert_allclose(table["sd"], [0.02, np.nan, 1.0, 2.0])
    percent = read(tmp_path, head + "1/6,4,(80 ± 2)%,0\n1/6,8,90% ± 1%,0\n", "value=acc")
    np.testing.assert_allclose(percent[["value", "sd"]], [[0.8, 0.02], [0.9, 0.01]])


def test_an_error_may_be_said_to_be_a_standard_error(tmp_path):
    text = "cr,snr_db,metric,value,n\n1/6,4,psnr_db,30 ± 0.5,100\n"
    assert select(read(tmp_path, text)).se.tolist() == [0.05]
    assert select(read(tmp_path, text, "se=value ±")).se.tolist() == [0.5]


def test_a_column_named_after_a_metric_s_error_is_that_error(tmp_path):
    text = "cr,snr_db,PSNR (dB),PSNR std (dB),SSIM,std_ssim,acc,acc_sem\n1/6,4,30,2,.8,.1,.9,.03\n"
    table = read(tmp_path, text, "value=PSNR (dB),SSIM,acc").set_index("metric")
    np.testing.assert_allclose(table["sd"], [2, 0.1, np.nan])
    np.testing.assert_allclose(table["se"], [np.nan, np.nan, 0.03])


# ---------------------------------------------------------------- several files


def files(tmp_path, **texts):
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return [tmp_path / f"{name}.csv" for name in texts]


def test_several_files_are_one_table(tmp_path):
    head, *rows = PLAIN.splitlines()
    paths = files(tmp_path, **{f"part{i}": f"{head}\n{row}\n" for i, row in enumerate(rows)})
    table = load_table(paths)
    np.testing.assert_allclose(table["value"], VALUES)
    assert table["table"].tolist() == ["part0", "part1", "part2"]
    assert select(table).notes == ()


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("cr1_24", "cr", 1 / 24), ("psnr_CR=0.25_v2", "cr", 0.25), ("cbr-1-12", "cr", 1 / 12),
        ("ratio_1over6", "cr", 1 / 6), ("snr-4", "snr_db", -4), ("awgn_snr_7.5dB", "snr_db", 7.5),
        ("SNR10", "snr_db", 10),
    ],
)  # fmt: skip
def test_what_no_column_tells_may_stand_in_the_name_and_is_said(tmp_path, name, column, value):
    other = {"cr": "snr_db", "snr_db": "cr"}[column]
    (path,) = files(tmp_path, **{name: f"{other},metric,value\n0.5,psnr_db,20\n"})
    table = load_table(path)
    assert table[column].tolist() == pytest.approx([value])
    assert table.attrs["notes"][0].startswith(f"{path}: {column} = ")


@pytest.mark.parametrize("name", ["cr12", "across_0.5", "cr", "cr2.5", "crash0.1"])
def test_a_name_that_tells_no_rate_is_left_alone(tmp_path, name):
    (path,) = files(tmp_path, **{name: "snr_db,metric,value\n0.5,psnr_db,20\n"})
    with pytest.raises(SemlossError, match=r"no column 'cr'.*a number that holds for every row"):
        load_table(path)


def test_files_of_several_seeds_are_replicates(tmp_path):
    text = "cr,snr_db,metric,value\n1/6,0,psnr_db,{}\n1/6,4,psnr_db,{}\n"
    paths = files(tmp_path, seed0=text.format(20, 22), seed1=text.format(21, 23))
    assert select(load_table(paths)).seed.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("texts", "columns", "says"),
    [
        ({"a": PLAIN, "b": PLAIN}, (), "a, row 2 and b, row 2 are one cell .*table tells them"),
        ({"a": PLAIN, "b": "SNR,acc\n1,1\n"}, (), "b.csv: no column 'snr_db', 'cr' or 'value'"),
        ({"a": PLAIN, "b": PLAIN.replace("psnr_db", "lpips")}, (), "several metrics"),
        ({"a": PLAIN.replace("psnr_db", "accuracy").replace(",2", ",.2"),
          "b": "cr,snr_db,metric,value\n.5,0,accuracy,80\n"}, (), "^b, row 2: accuracy = 80 lies"),
        ({"cr1_6": PLAIN.replace("1/24", "1/12")}, (),
         "its name says cr 1/6, but all its rows 0.08333; correct the column or rename"),
        ({"a": PLAIN}, ("cr=1/6",), "cr=1/6 holds for every row, but the table has a column cr"),
        ({"a": PLAIN}, ("metric=ssim",), "but the table has a column metric of its own"),
        ({f"snr{level}": f"cr,snr_db,metric,value\n.5,{level},psnr_db,3\n"
          for level in (1, 10, 100)}, (), "3 tables: snr_db 1, 10, 100 is linear, not in dB"),
    ],
)  # fmt: skip
def test_files_that_contradict_are_refused_in_one_line(tmp_path, texts, columns, says):
    with pytest.raises(SemlossError, match=says) as caught:
        select(load_table(files(tmp_path, **texts), parse_columns(columns)))
    assert "\n" not in str(caught.value)


def test_a_file_named_twice_is_refused(tmp_path):
    (path,) = files(tmp_path, a=PLAIN)
    with pytest.raises(SemlossError, match=r"a\.csv is named twice"):
        load_table([path, path.parent / "." / path.name])


# ---------------------------------------------------------------- a row per image


def test_rows_of_several_images_are_their_mean_with_its_spread(tmp_path):
    rows = [f"{cr},{snr},im{i},{20 + snr + i},{int(i < 3)}" for cr in (0.1, 0.2) for snr in (0, 5)
            for i in range(4)]  # fmt: skip
    text = "\n".join(["cr,snr_db,image_name,psnr,correct", *rows])
    table = read(tmp_path, text, "value=psnr,correct")
    points = select(table, "psnr_db")
    np.testing.assert_allclose(points.value, [21.5, 26.5, 21.5, 26.5])
    np.testing.assert_allclose(points.se, np.std(range(4), ddof=1) / 2)
    assert points.n.tolist() == [4] * 4
    assert points.notes == ("mean over image_name: 4 images a cell",)
    hits = select(table, "accuracy")
    assert (hits.value.tolist(), hits.noise) == ([0.75] * 4, "binomial")


def test_images_of_several_codecs_are_not_averaged(tmp_path):
    rows = [f"0.1,{snr},im{i},{codec},20" for snr in (0, 5) for i in range(4) for codec in "ab"]
    table = read(tmp_path, "\n".join(["cr,snr_db,image,method,psnr", *rows]), "value=psnr")
    with pytest.raises(SemlossError, match="are one cell"):
        select(table)
    assert select(table, where={"method": "a"}).n.tolist() == [4, 4]
