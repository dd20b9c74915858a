"""`semloss plan tornado` as a link engineer meets it."""

import pytest
from plan_case import WEAK_LINK, X, refused


def test_the_tornado_names_what_matters(plan, answer):
    found = answer("tornado", *WEAK_LINK, "--target", "0.6", "--plot", "tornado.png")
    assert [row["field"] for row in found["rows"]] == ["other_loss_db", "power_dbw"]
    assert found["rows"][0]["d_margin_high_db"] == pytest.approx(-1.0)
    out = plan("tornado", *WEAK_LINK, "--tolerances", "tolerances.toml")[1]
    assert "power_dbw" in out
    assert "other_loss_db" not in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["tornado", *X, "--tolerances", "none.toml"], "cannot read none.toml"),
        (["tornado", "--cr", "1/6", "--snr-db", "3"], "--tolerances FILE is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(plan, words, says):
    refused(plan(*words), says)
