"""`semloss plan cases` as a link engineer meets it."""

import io

import pytest
from plan_case import WEAK_LINK, X, refused


@pytest.mark.parametrize(
    ("records", "code", "says"),
    [
        (
            "id,elevation_deg,target\na,10,0.5\nb,80,0.5\n",
            3,
            "2 cases: 2 answered (1 not met), 0 bad",
        ),
        ("elevation_deg,target\n60,0.5\n80,0.5\n", 0, "2 cases: 2 answered, 0 bad"),
        ("elevation_deg\n10\n-3\n", 2, "the first: record 2: elevation_deg = -3"),
        ('{"snr_db": 5, "target": 0.99, "cr": null}\n', 3, "1 case: 1 answered (1 not met)"),
    ],
)
def test_cases_stream_through(plan, monkeypatch, folder, records, code, says):
    (folder / "cases.txt").write_text(records)
    first = plan("cases", "cases.txt", *WEAK_LINK)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(records.encode())))
    assert plan("cases", "-", *WEAK_LINK) == first
    assert first[0] == code
    assert says in first[2]
    # what is assumed stands above a table, and beside lines of JSON
    table = not records.startswith("{")
    told = [line for line in first[1 if table else 2].splitlines() if " fit: " in line]
    assert len(told) == 1
    assert told[0].startswith("# fit: accuracy" if table else "semloss: fit: accuracy")
    answers = [line for line in first[1].splitlines() if not line.startswith("#")]
    assert len(answers) == records.count("\n")


def test_cases_need_no_link_and_end_with_3_where_none_is_attainable(plan, folder):
    (folder / "snr.csv").write_text("snr_db\n12\n")
    code, out, err = plan("cases", "snr.csv", "--target", "0.999")
    assert code == 3
    assert "not attainable" in out
    assert "1 not attainable" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["cases", "none.csv", *X], "cannot read cases none.csv"),
        (["cases", "curve.csv", *X], "unknown column bits_per_pixel"),
        (["cases", "-", *X, "--json"], "unrecognized arguments: --json"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)


def test_a_table_of_the_tool_is_read_with_its_comments(plan, folder):
    plan("sweep", "obo_db=0:4:3", *WEAK_LINK, "--csv", "swept.csv")
    assert (folder / "swept.csv").read_text().startswith("# fit: ")
    code, out, _ = plan("cases", "swept.csv", *WEAK_LINK)
    assert code == 0
    assert sum(not line.startswith("#") for line in out.splitlines()) == 4
