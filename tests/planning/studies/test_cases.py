"""Batches: CSV or JSON lines in, the same out, a bad record spoils nothing but itself."""

import csv
import io
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_case import accuracy, distance, link

from semloss.errors import SemlossError
from semloss.planning.budget.points import Defaults, evaluate
from semloss.planning.studies.case_files import run_cases
from semloss.planning.studies.cases import answer


def run(text, **defaults):
    out = io.StringIO()
    data = text if isinstance(text, bytes) else text.encode()
    count = run_cases(io.BytesIO(data), out, Defaults(**{"fit": accuracy()} | defaults))
    return count, out.getvalue()


def run_csv(text, **defaults):
    count, out = run(text, **defaults)
    return count, rows_of(out)


def rows_of(out):
    return list(csv.DictReader(line for line in out.splitlines() if not line.startswith("#")))


def test_two_of_three_are_asked_and_the_third_is_answered():
    count, rows = run_csv("cr,snr_db,target\n1/12,4,\n,4,0.6\n1/12,,0.6\n1/12,4,0.6\n")
    assert (count.answered, count.exit_code) == (4, 0)
    model = accuracy()
    forward = model.predict(cr=1 / 12, snr_db=4.0)
    for name in ("value", "low", "high"):
        assert float(rows[0][name]) == pytest.approx(getattr(forward, name), rel=1e-9)
    assert rows[0]["in_domain"] == "true"
    assert float(rows[1]["cr"]) == pytest.approx(model.min_cr(target=0.6, snr_db=4.0).cr)
    needed = model.min_snr(target=0.6, cr=1 / 12).snr_db
    assert float(rows[2]["snr_db"]) == pytest.approx(needed)
    assert float(rows[3]["required_snr_db"]) == pytest.approx(needed)
    assert float(rows[3]["snr_margin_db"]) == pytest.approx(4 - needed)
    assert rows[3]["met"] == "true"


def test_columns_override_the_link_and_the_defaults():
    text = "id,elevation_deg,power_dbw,cr,target\na,,,,\nb,30,,,\nc,30,2 W,1/8,0.7\n"
    _, rows = run_csv(text, link=link(), target=0.6)
    budgets = [link().budget(), link().budget(elevation_deg=30.0),
               link().budget(elevation_deg=30.0, power_dbw=10 * np.log10(2))]  # fmt: skip
    for row, budget in zip(rows, budgets, strict=True):
        assert float(row["snr_db"]) == pytest.approx(float(budget.snr_db))
        assert float(row["c_n0_dbhz"]) == pytest.approx(float(budget.c_n0_dbhz))
    assert [float(row["target"]) for row in rows] == [0.6, 0.6, 0.7]
    assert float(rows[0]["images_per_s"]) == pytest.approx(50e6 / 1024)
    assert float(rows[2]["images_per_s"]) == pytest.approx(50e6 / 1536)
    assert [row["id"] for row in rows] == ["a", "b", "c"]


def test_json_out_is_json_whatever_number_came_in():
    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    count, out = run('{"eirp_dbw": 1e400}\n{"bands": 1' + 400 * "0" + "}\n", link=link())
    records = [json.loads(line, parse_constant=refuse) for line in out.splitlines()]
    assert count.bad == 2
    assert records[0]["eirp_dbw"] is None
    assert "allowed is" in records[0]["error"]
    assert "no number is that large" in records[1]["error"]


def test_an_image_of_another_size_changes_the_rate_alone():
    _, rows = run_csv("height_px,bands,tile_px\n,,\n128,1,\n100,,64\n", link=link())
    rates = [float(row["images_per_s"]) for row in rows]
    assert rates == pytest.approx([50e6 / 1024, 50e6 * 12 / (128 * 64), 50e6 / 2048])
    assert len({row["snr_db"] for row in rows}) == 1


def test_the_margin_that_the_link_keeps_counts():
    _, rows = run_csv("cr,target,margin_db,snr_db\n1/12,0.6,2,\n,0.6,2,6\n", link=link(cr=None))
    kept = accuracy().min_cr(target=0.6, snr_db=4.0).cr
    assert float(rows[1]["cr"]) == pytest.approx(kept)
    _, plain = run_csv("cr,target\n1/12,0.6\n", link=link(margin_db=2.0))
    margin = float(plain[0]["snr_margin_db"])
    assert plain[0]["met"] == str(margin >= 2).lower()


def test_a_bad_record_names_its_error_and_the_run_goes_on():
    text = "id,cr,snr_db,target\na,x,4,\nb,1/12,4,\nc,1/12,,\nd,1/12,,0.99\ne,3,4,\nf,1,2,3,4\n"
    count, rows = run_csv(text)
    assert [bool(row["error"]) for row in rows] == [True, False, True, True, True, True]
    assert "cr = 'x'" in rows[0]["error"]
    assert "two of cr, snr_db" in rows[2]["error"]
    assert "not attainable" in rows[3]["error"]
    assert "(0, 1]" in rows[4]["error"]
    assert "5 cells for 4 columns" in rows[5]["error"]
    assert (count.answered, count.bad, count.unattainable, count.exit_code) == (1, 4, 1, 2)
    assert str(count).startswith(
        "6 cases: 1 answered, 4 bad, 1 not attainable; the first: record 1"
    )


def test_one_bad_value_of_the_link_spoils_its_own_record_only():
    count, rows = run_csv("elevation_deg\n10\n-5\n20\n95\n30\n", link=link())
    assert [bool(row["error"]) for row in rows] == [False, True, False, True, False]
    assert "elevation_deg = -5" in rows[1]["error"]
    assert count.bad == 2


def test_targets_out_of_reach_alone_end_with_3():
    count, rows = run_csv("cr,target\n1/12,0.99\n1/12,0.6\n")
    assert count.exit_code == 3
    assert rows[0]["met"] == "false"
    count, rows = run_csv("cr,snr_db,target\n1/12,4,0.99\n")  # answered: the margin has no value
    assert (count.answered, count.missed, count.exit_code) == (1, 1, 3)
    assert (rows[0]["met"], rows[0]["required_snr_db"]) == ("false", "")


def test_json_lines_come_back_as_json_lines():
    lines = [
        '{"id": [1, {"a": 2}], "cr": "1/12", "snr_db": 4}',
        '{"cr": [1], "snr_db": 4}', "nonsense", "[1, 2]", '{"cr": true, "snr_db": 4}',
        "", '{"crr": 0.1, "snr_db": 4}', '{"target": "at least 0.6", "cr": 0.1}',
        '{"target": "at most 0.6", "cr": 0.1}',
    ]  # fmt: skip
    count, out = run("\n".join(lines))
    found = [json.loads(line) for line in out.splitlines()]
    assert len(found) == 8
    assert found[0]["id"] == [1, {"a": 2}]
    assert "error" not in found[0]
    assert found[0]["value"] == accuracy().predict(cr=1 / 12, snr_db=4.0).value
    errors = [record.get("error", "") for record in found]
    assert "give a number" in errors[1]
    assert "no JSON" in errors[2]
    assert "no JSON object" in errors[3]
    assert "did you mean cr?" in errors[5]
    assert errors[6] == ""
    assert "better higher" in errors[7]
    assert count.bad == 6


def test_what_came_out_may_go_in_again():
    text = "id,elevation_deg\na,10\nb,40\n"
    _, out = run(text, link=link(), target=0.6)
    again, twice = run(out, link=link(), target=0.6)
    assert (again.bad, again.answered) == (0, 2)
    first, second = rows_of(out), rows_of(twice)
    for a, b in zip(first, second, strict=True):
        assert float(a["value"]) == pytest.approx(float(b["value"]), rel=1e-8)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.03, 0.24), st.floats(-8, 12), st.sampled_from(["both", "cr", "snr"])),
        min_size=1,
        max_size=12,
    )
)
def test_a_record_is_answered_alike_alone_and_in_company(points):
    records = []
    for cr, snr_db, kind in points:
        record = {"cr": cr, "snr_db": snr_db, "target": 0.4}
        if kind == "cr":
            del record["snr_db"]
        if kind == "snr":
            del record["cr"]
        records.append(record)
    defaults = Defaults(accuracy())
    together = answer(records, defaults)
    for record, found in zip(records, together, strict=True):
        (alone,) = answer([record], defaults)
        assert alone.keys() == found.keys()
        for name, value in alone.items():
            if isinstance(value, float):
                value = pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True)
            assert found[name] == value


def test_a_metric_that_falls_is_asked_the_right_way_round():
    _, rows = run_csv("cr,target\n1/12,0.4\n", fit=distance())
    assert float(rows[0]["value"]) == pytest.approx(0.4, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no cases"),
        ("\n \n", "no cases"),
        ('[{"cr": 1}]', "without brackets"),
        ("cr,snr\n1/12,4\n", "unknown column snr; did you mean"),
        ("cr,cr\n1/12,1/6\n", "column cr is there twice"),
        (b"\xff\xfe\x00c", "no UTF-8"),
    ],
)
def test_a_stream_of_no_cases_is_refused(text, says):
    with pytest.raises(SemlossError, match=says):
        run(text)


def test_a_field_of_the_link_without_a_link_is_refused():
    count, rows = run_csv("cr,elevation_deg,snr_db\n1/12,20,4\n1/12,,4\n")
    assert "no link is given" in rows[0]["error"]
    assert count.answered == 1


def test_a_table_saved_by_a_spreadsheet_is_read():
    count, rows = run_csv("\ufeffcr,snr_db\r\n1/12, 4 \r\n\r\n".encode())
    assert count.answered == 1
    assert rows[0]["cr"] == "0.08333333333"


def test_records_are_answered_before_more_are_waited_for():
    reader, writer = os.pipe()
    results, out = os.pipe()
    source, sink = os.fdopen(reader, "rb"), os.fdopen(out, "w")
    done = threading.Thread(target=run_cases, args=(source, sink, Defaults(accuracy())))
    done.start()
    answers = os.fdopen(results)
    for snr_db in (1.0, 2.0):
        os.write(writer, f'{{"cr": 0.1, "snr_db": {snr_db}}}\n'.encode())
        assert json.loads(answers.readline())["snr_db"] == snr_db
    os.close(writer)
    done.join(10)
    assert not done.is_alive()


def test_evaluation_needs_enough_and_no_more():
    with pytest.raises(SemlossError, match="takes two of"):
        evaluate({"cr": np.array([0.1])}, Defaults(accuracy()))
    with pytest.raises(SemlossError, match="no link is given"):
        evaluate({"gas_loss_db": np.array([0.1])}, Defaults(accuracy(), cr=0.1, snr_db=1.0))


def test_batches_load_nothing_heavier_than_numpy():
    program = (
        "import sys, semloss.planning.studies.case_files, semloss.planning.digital.separation\n"
        "heavy = {'torch', 'pandas', 'scipy', 'pydantic', 'matplotlib'}\n"
        "sys.exit(sorted(heavy & set(sys.modules)) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
