"""Every public function that takes a path takes a string."""

from pathlib import Path

import pytest
from plan_case import CURVE, TLE

import semloss
from semloss.planning.digital.rate_curve import RateCurve
from semloss.planning.link.template import template_text
from semloss.planning.passes.satellite import read_elements
from semloss.planning.sharing.users import read_users, users_template
from semloss.planning.studies.tolerances import load_tolerances
from semloss.reports.fit.report import write_report
from semloss.reports.fit.surface import surface_plot
from semloss.reports.link.ledger import write_ledger
from semloss.surfaces.fitted.told import value_at
from semloss.surfaces.fitting import pooling
from semloss.tables import load_table

EUROSAT = str(Path(__file__).parent / "data" / "eurosat_surface.csv")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("link.toml").write_text(template_text())
    Path("users.toml").write_text(users_template())
    Path("sat.tle").write_text(TLE)
    Path("curve.csv").write_text(CURVE)
    return tmp_path


def test_fits_and_tables(here):
    table = load_table(EUROSAT)
    points = semloss.select(table, "psnr_db")
    fit = semloss.fit_surface(points, "capped", bootstraps=20)
    semloss.save(fit, "fits/x.json")
    assert semloss.load("fits/x.json").form == "capped"
    value_at(fit, 1 / 12, 4.0).plot("one.png")
    surface_plot(fit, points, "two.png")
    write_report([(fit, points)], "report")
    groups = semloss.selection.select_groups(table, ["metric", "receiver"])[0]
    _, shared = pooling.fit_joint(groups, "capped", 0, bootstraps=0)
    pooling.save(shared, "shared.json")
    assert pooling.load("shared.json").form == "capped"
    for name in ("one.png", "two.png", "report/README.md"):
        assert Path(name).stat().st_size > 0


def test_links_users_curves_and_elements(here):
    link = semloss.Link.from_toml("link.toml")
    write_ledger(link.ledger(), "ledger.md")
    link.ledger().plot("ledger.png")
    assert Path("ledger.png").stat().st_size > 0
    assert "EIRP" in Path("ledger.md").read_text()
    assert len(read_users("users.toml")[0]) == 2
    assert "obo_db" in load_tolerances("link.toml")
    assert read_elements("sat.tle")[0].title.startswith("ISS")
    assert RateCurve.from_csv("curve.csv", metric="accuracy", receiver="clean", codec="jp2")
