"""`semloss plan template` as a link engineer meets it."""

import pytest

from semloss.planning.link.template import preset_names


def test_the_template_is_a_link_to_start_from(plan, answer, folder):
    code, out, _ = plan("template", "new.toml", fit=None)
    assert code == 0
    assert "new.toml" in out
    assert answer("ledger", "--link", "new.toml", fit=None)["values"]["eirp_dbw"] > 0
    code, _, err = plan("template", "new.toml", fit=None)
    assert (code, err.count("\n")) == (2, 1)
    assert "new.toml exists" in err
    assert plan("template", "ka.toml", "--preset", "ka-band-leo", fit=None)[0] == 0
    assert "NISAR" in (folder / "ka.toml").read_text()
    assert plan("template", fit=None)[1] == (folder / "new.toml").read_text()


def test_every_preset_is_at_hand(plan):
    code, out, _ = plan("template", "--preset", "list", fit=None)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == preset_names()
    for name in preset_names():
        assert plan("ledger", "--link", name, "--cr", "1/12")[0] == 0


@pytest.mark.parametrize("words", [("template", "t.toml", "--preset", "moon")])
def test_an_unknown_preset_is_one_line(plan, words):
    code, out, err = plan(*words, fit=None)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no preset 'moon'" in err
