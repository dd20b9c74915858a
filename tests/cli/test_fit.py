"""`semloss fit` as a user meets it."""

import json
from pathlib import Path

import pytest
from plan_case import refused

from semloss.cli import main
from semloss.surfaces.files.fit_file import load

DATA = Path(__file__).parents[1] / "data"
EUROSAT = str(DATA / "eurosat_surface.csv")


def test_fit_prints_a_few_lines_and_writes_beside_the_table(tmp_path, capsys):
    table = tmp_path / "grid.csv"
    table.write_text((DATA / "eurosat_surface.csv").read_text())
    assert main(["fit", str(table), "--form", "additive"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("accuracy (clean): 21 points, 3 CR × 7 SNR")
    assert "RMSE" in out
    assert (tmp_path / "grid-accuracy-clean.json").is_file()


def test_fit_of_a_run_writes_into_its_fits_folder(tmp_path, capsys):
    (tmp_path / "metrics.csv").write_text((DATA / "eurosat_surface.csv").read_text())
    command = ["fit", str(tmp_path), "--metric", "psnr_db", "--form", "additive", "--json"]
    assert main(command) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["form"] == "additive"
    assert summary["rmse"] > 0
    assert Path(summary["out"]) == tmp_path / "fits" / "psnr_db.json"
    assert Path(summary["out"]).is_file()


def test_form_list_shows_the_ladder_and_needs_no_table(capsys):
    assert main(["fit", "--form", "list"]) == 0
    out = capsys.readouterr().out
    assert out.index("constant") < out.index("additive") < out.index("unified") < out.index("pair")
    assert main(["fit", "--form", "list", "--json"]) == 0
    forms = json.loads(capsys.readouterr().out)
    assert forms[0]["form"] == "constant"
    assert all(p["unit"] for form in forms for p in form["parameters"])


def test_fit_shows_the_forms_it_chose_from_and_how(tmp_path, capsys):
    command = ["fit", EUROSAT, "--metric", "psnr_db", "--out", str(tmp_path / "fit.json")]
    assert main([*command, "--bootstraps", "20"]) == 0
    out = capsys.readouterr().out
    assert " * " in out
    assert "reference" in out
    assert "chosen   the simplest form" in out


def test_every_group_of_a_table_is_fitted_in_one_call(tmp_path, capsys):
    command = ["fit", EUROSAT, "--group-by", "metric,receiver", "--form", "capped", "--json"]
    options = ["--bootstraps", "20", "--out", str(tmp_path / "fits")]
    assert main([*command, *options, "--csv", str(tmp_path / "fits.csv")]) == 0
    table = (tmp_path / "fits.csv").read_text().splitlines()
    assert table[0] == "metric,receiver,task,form,follows,outcome,points,range,rmse,held_out,out"
    assert len(table) == 4
    fits = json.loads(capsys.readouterr().out)["fits"]
    assert [(f["metric"], f["receiver"]) for f in fits] == [
        ("psnr_db", "none"), ("accuracy", "clean"), ("accuracy", "matched"),
    ]  # fmt: skip
    assert sorted(p.name for p in (tmp_path / "fits").iterdir()) == [
        "accuracy-clean.json", "accuracy-matched.json", "psnr_db.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (["--task", "matched"], "--task matched is now --receiver matched"),
        (["--where", "task=matched"], "--where task=… is now --where receiver=…"),
    ],
)
def test_the_old_spelling_of_a_receiver_is_understood_and_corrected(tmp_path, capsys, option, says):
    out = ["--form", "additive", "--bootstraps", "0", "--json", "--out", str(tmp_path / "fit.json")]
    assert main(["fit", EUROSAT, *option, *out]) == 0
    said = capsys.readouterr()
    assert says in said.err
    assert (json.loads(said.out)["receiver"], json.loads(said.out)["task"]) == (
        "matched",
        "unknown",
    )


def test_a_joint_fit_leaves_a_prior_that_serves_a_new_group_of_few_points(tmp_path, capsys):
    shared = tmp_path / "fits" / "shared.json"
    joint = ["fit", EUROSAT, "--group-by", "metric,receiver", "--joint", "--form", "capped"]
    options = ["--bootstraps", "20"]
    assert main([*joint, *options, "--out", str(tmp_path / "fits")]) == 0
    assert str(shared) in capsys.readouterr().out
    few = tmp_path / "new.csv"
    lines = (DATA / "eurosat_surface.csv").read_text().splitlines()
    matched = [line for line in lines if ",matched," in line]
    few.write_text("\n".join([lines[0], *matched[::4]]) + "\n")
    assert main(["fit", str(few), "--form", "capped"]) == 2
    assert "too few points" in capsys.readouterr().err
    assert main(["fit", str(few), "--prior", str(shared), *options]) == 0
    assert "accuracy (matched): 6 points" in capsys.readouterr().out


def test_a_receiver_that_was_not_asked_for_is_said(tmp_path, ask):
    command = ["fit", EUROSAT, "--form", "additive", "--bootstraps", "0"]
    out = ["--out", str(tmp_path / "fit.json")]
    note = "semloss: fitting receiver=clean; also there: matched\n"
    assert note in ask(*command, *out)[2]
    assert note not in ask(*command, *out, "--receiver", "clean")[2]
    assert note not in ask(*command, *out, "--metric", "psnr_db")[2]


def test_the_level_of_an_interval_is_told_as_it_was_asked(tmp_path, ask):
    out, report = tmp_path / "fit.json", tmp_path / "report"
    command = ["fit", EUROSAT, "--metric", "psnr_db", "--form", "capped", "--bootstraps", "20"]
    asked = ["--confidence", "0.9", "--out", str(out), "--report", str(report)]
    assert ask(*command, *asked)[0] == 0
    fit = load(out)
    assert fit.interval_level == 0.9
    assert "<th style='text-align:left'>90 % interval, or ± one sd</th>" in fit._repr_html_()
    page = (report / "README.md").read_text()
    assert "| 90 % interval |" in page
    assert "95 % interval" not in page


def test_foreign_columns_are_mapped(tmp_path, capsys):
    table = tmp_path / "theirs.csv"
    rows = [f"{k},{snr},{100 / (1 + 2.7 ** (-snr / 4 - k / 8))}" for k in (4, 8, 16, 32)
            for snr in range(-10, 21, 5)]  # fmt: skip
    table.write_text("\n".join(["symbols,SNR,acc", *rows]) + "\n")
    columns = "cr=symbols/96,snr_db=SNR,value=acc/100"
    command = ["fit", str(table), "--form", "additive", "--bootstraps", "0"]
    assert main(command) == 2
    assert "--columns" in capsys.readouterr().err
    assert main([*command, "--columns", columns]) == 0
    assert capsys.readouterr().out.startswith("accuracy: 28 points, 4 CR × 7 SNR")


def test_one_file_per_rate_is_read_by_its_name_into_one_fit(tmp_path, ask):
    tables = []
    for k in (24, 12, 6):
        rows = [f"{snr},{30 / (1 + 2.7 ** (-snr / 4 + k / 8)):.6f}" for snr in range(-10, 21, 5)]
        (tmp_path / f"cr1_{k}.csv").write_text("\n".join(["SNR,PSNR", *rows]))
        tables.append(str(tmp_path / f"cr1_{k}.csv"))
    options = ["--form", "additive", "--bootstraps", "0"]
    code, _, said = ask("fit", *tables, *options)
    assert (code, said.partition("--columns ")[2]) == (2, "snr_db=SNR,value=PSNR\n")
    code, out, said = ask("fit", *tables, *options, "--columns", "snr_db=SNR,value=PSNR")
    assert code == 0
    assert "cr1_24.csv: cr = 1/24, by its name" in said
    assert out.startswith("psnr_db: 21 points, 3 CR × 7 SNR")
    assert (tmp_path / "fits" / "psnr_db.json").is_file()


def test_a_report_is_a_folder_with_a_page(tmp_path, capsys):
    command = ["fit", EUROSAT, "--metric", "psnr_db", "--form", "capped", "--bootstraps", "20"]
    options = ["--out", str(tmp_path / "fit.json"), "--report", str(tmp_path / "report")]
    assert main([*command, *options]) == 0
    assert "README.md" in capsys.readouterr().out
    assert len(list((tmp_path / "report").glob("*.png"))) >= 5


def test_a_report_that_has_no_place_is_refused_before_the_fit(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    out = tmp_path / "fit.json"
    command = ["fit", EUROSAT, "--metric", "psnr_db", "--out", str(out)]
    assert main([*command, "--report", str(tmp_path / "mine")]) == 2
    assert "holds no report" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_place_that_is_no_file_is_left_alone(capsys):
    command = ["fit", EUROSAT, "--metric", "psnr_db", "--form", "additive", "--bootstraps", "0"]
    assert main([*command, "--out", "/dev/full"]) == 2
    assert "no regular file" in capsys.readouterr().err
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fit", "none.csv"], "none.csv: no such table"),
        (["fit", EUROSAT, "--metric", "ssim"], "choose --metric from accuracy, psnr_db"),
        (["fit", EUROSAT, "--receiver", "x"], "choose --receiver from clean, matched"),
        (["fit", EUROSAT, "--form", "x"], "no such form"),
        (["fit", EUROSAT, "--where", "cr"], "write COLUMN=VALUE"),
        (["fit", EUROSAT, "--frm", "x"], "unrecognized arguments: --frm"),
        (["fit"], "needs a TABLE or a RUN"),
        (["fit", EUROSAT, "--confidence", "95"], "'95': give a finite number in 0.01 … 0.9999"),
        (["fit", EUROSAT, "--bootstraps", "-1"], "whole number, 0 … 5000"),
        (["fit", EUROSAT, "--seed", "-1"], "--seed: '-1': give a whole number"),
        (["fit", EUROSAT, "--report", "."], "holds the folder that you are in"),
        (["fit", EUROSAT, "--report", "r", "--out", "r/f.json"], "in the folder of --report"),
        (["fit", EUROSAT, "--joint"], "--joint needs --group-by"),
        (["fit", EUROSAT, "--rule", "aicc", "--form", "capped"], "--rule contradicts --form"),
        (["fit", EUROSAT, "--plot", "a.png", "--group-by", "metric"], "use --report DIR"),
        (["fit", EUROSAT, "--rule", "best", "--receiver", "clean"], "no such rule"),
        (["fit", EUROSAT, "--plot", "a.bmp"], "name a picture"),
        (["fit", EUROSAT, "--columns", "x"], "--columns"),
        (["fit", EUROSAT, "--prior", "none.json"], "cannot read none.json"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(ask, words, says):
    refused(ask(*words), says)
