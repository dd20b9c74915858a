"""What holds for every picture that the tool draws, and what single ones say in numbers.

Each picture is drawn once, from the fits that ship with the tool.
"""

import re

import numpy as np
import picture_checks
import pytest
from drawn_pictures import ACCURACY, ASKED, FITTED, LONG, capture
from matplotlib.figure import Figure
from picture_checks import drawn

import semloss
from semloss.layout import share_of_draws
from semloss.reports.page import capital

DRAWN = {}
NUMBER = r"−?\d[\d,]*\.?\d*"


@pytest.fixture
def show(tmp_path_factory, monkeypatch):
    """Give a picture by its name."""

    def shown(name):
        if name not in DRAWN:
            monkeypatch.chdir(tmp_path_factory.mktemp("picture"))
            DRAWN[name] = capture(name, monkeypatch)
        return DRAWN[name]

    return shown


def number(text):
    return float(text.replace("−", "-").replace(",", ""))


def numbers(text):
    return [number(one) for one in re.findall(NUMBER, text)]


def decimals(text):
    return len(text.partition(".")[2])


def legend_text(picture, begins):
    (found,) = {
        text for text, _, _ in picture.texts if text.startswith(begins)
    }  # fmt: skip
    return " ".join(found.split())


def rows(axes):
    """Names and numbers that stand at the rows of a panel."""
    labels = (label.get_text() for label in axes.get_yticklabels())
    return {name: number(told) for name, told in (one.split("   ") for one in labels)}


# Every picture


@pytest.mark.parametrize("name", [*ASKED, *FITTED])
def test_nothing_is_covered_unnamed_or_unexplained(show, name):
    picture = show(name)
    checks = (
        picture_checks.overlapping_texts, picture_checks.leaving_texts,
        picture_checks.covered_marks, picture_checks.unnamed_axes,
        picture_checks.unexplained_marks, picture_checks.confusable_keys,
    )  # fmt: skip
    found = [complaint for check in checks for complaint in check(picture)]
    assert not found, "\n".join(["", *found])


LINKS = {"eo-leo-x-band": "EO LEO X-band", "ka-band-leo": "Ka-band LEO", "dice.toml": "DICE",
         "long.toml": LONG}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_a_title_says_what_was_asked_and_a_foot_what_it_rests_on(show, name):
    picture, words = show(name), ASKED[name]
    if "--link" in words:
        link = LINKS[words[words.index("--link") + 1]]
        assert picture.title.replace("\n", " ").startswith(link)
    if ACCURACY in words:
        assert "accuracy, matched task model" in picture.title.lower()
        assert "EuroSAT: 66 cells, 673 test images a cell, 64×64 px, 3 bands" in picture.foot
        assert "task model ResNet8; codec DeepJSCC; channel AWGN" in picture.foot
    if "eurosat-psnr" in words:
        assert "PSNR" in picture.title
        assert "task model" not in picture.foot  # PSNR asks none
    if "--target" in words and not {"pass", "day", "outage", "against"} & set(words):
        target = words[words.index("--target") + 1]
        assert target in picture.title or "--max-elevation" in words or "--day" in words
    assert "_" not in re.sub(r"[a-z]+_[a-z]+ fit", "", picture.told)  # no raw keys


def test_the_checks_see_what_is_wrong(monkeypatch):
    """A picture with one fault for each check."""
    figure = Figure(figsize=(3, 3))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#0072b2", label="one")
    axes.plot([0, 1], [1, 0], color="#0073b3", label="other")
    axes.plot([0, 1], [0.5, 0.5], color="#d55e00")
    axes.text(0.5, 0.5, "words")
    axes.text(0.52, 0.5, "more words")
    axes.text(0.9, 0.9, "far too long a text for this picture")
    axes.set_ylabel("height")
    axes.legend(loc="center")
    picture = drawn(figure, monkeypatch)
    assert any("covers 'more" in one for one in picture_checks.overlapping_texts(picture))
    leaving = picture_checks.leaving_texts(picture)
    assert "'far too long a text for this picture' leaves the figure" in leaving
    covered = picture_checks.covered_marks(picture)
    assert "the legend covers a mark of 'height'" in covered
    assert "the legend lies in 'height'" in covered
    unnamed = picture_checks.unnamed_axes(picture)
    assert unnamed == ["x axis of 'height' has no name", "'height' has no unit"]
    assert len(picture_checks.unexplained_marks(picture)) == 1
    assert picture_checks.confusable_keys(picture) == ["'one' looks like 'other' in grey"]


# Numbers


def reads(told, value, low, high):
    """Assert that a text has a value and its interval, each right to the digits it shows."""
    for text, number_ in zip(told, (value, low, high), strict=True):
        assert abs(number(text) - number_) <= 0.5000001 * 10.0 ** -decimals(text)
    assert len(set(map(decimals, told))) == 1
    assert 10 <= 0.5 * (high - low) * 10.0 ** decimals(told[0]) < 100  # two figures of the doubt


SPAN = rf"({NUMBER})(?: dBW? ?(?:\(.*\) )?| )\[95 %, new images: ({NUMBER}) … ({NUMBER})\]"


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("predict", ("value", "low", "high")),
        ("predict outside", ("value", "low", "high")),
        ("predict target over SNR", ("snr_db", "snr_db_low", "snr_db_high")),
        ("predict target over CR", ("cr", "cr_low", "cr_high")),
        ("solve", ("value", "low", "high")),
        ("predict --solve", ("value", "low", "high")),
    ],
)
def test_a_title_has_the_answer_to_the_digits_that_are_known(show, name, keys):
    picture = show(name)
    told = re.search(SPAN, picture.title.replace("\u00a0", " "))
    reads(told.groups(), *(picture.answer[key] for key in keys))
    assert ("outside the fitted domain" in picture.title) != picture.answer["in_domain"]


def test_an_interval_without_an_upper_end_says_so(show):
    picture = show("predict target, open above")
    assert picture.answer["snr_db_high"] is None
    assert "beyond the fitted range]" in picture.title


@pytest.mark.parametrize(
    ("name", "label", "levels"),
    [
        ("predict", "measured SNRs", "snr_db"),
        ("predict between the CRs", "measured SNRs,\nat other CRs", "snr_db"),
        ("predict target over CR", "measured CRs", "cr"),
    ],
)
def test_a_prediction_says_what_was_measured(show, name, label, levels):
    picture, fit = show(name), semloss.load(ACCURACY)
    (axes,) = picture.axes
    (strokes,) = (line for line in axes.lines if line.get_label() == label)
    x = strokes.get_xdata()
    np.testing.assert_allclose(np.exp(x) if levels == "cr" else x, fit.data[levels])
    assert "own values are not in the fit file" not in picture.foot
    dots = [line for line in axes.lines if line.get_label() == "measured"]
    assert len(dots) == ("at other" not in label)
    for line in dots:
        assert len(line.get_xdata()) == len(fit.data[levels])


@pytest.mark.parametrize("name", ["ledger", "ledger, sure and with a margin", "long name, ledger"])
def test_a_ledger_has_each_term_with_its_sign_and_value(show, name):
    picture = show(name)
    terms, needs, metric = picture.axes
    lines = {row["name"]: row for row in picture.answer["rows"]}
    chain = rows(terms)
    assert {"EIRP", "free-space loss", "SNR, Es/N0 at the decoder"} <= set(chain)
    for label, value in (chain | rows(needs)).items():
        row = lines[label]
        sign = -1 if row["sign"] == "-" and label in chain else 1
        assert value == pytest.approx(sign * row["value"], abs=0.00501)
    value = picture.answer["values"]
    told = rows_of_metric(metric)
    assert told["target"] == [value["target"]]
    assert told["predicted"] == [pytest.approx(value["metric"], abs=5.1e-4)]
    assert told["its 95 % band"] == pytest.approx(
        [value["metric_low"], value["metric_high"]], abs=5.1e-4
    )
    assert picture.title.endswith(": met" if value["snr_margin_db"] > 0 else ": NOT met")


def rows_of_metric(axes):
    labels = (label.get_text() for label in axes.get_yticklabels())
    return {name: numbers(told) for name, told in (one.split("   ") for one in labels)}


def test_a_pass_has_the_snr_from_which_its_target_is_met(show):
    picture = show("pass")
    least = picture.answer["required_snr_db"] + 1.0  # the link keeps 1 dB
    assert legend_text(picture, "target met") == (
        f"target met with 1 dB to spare from {least:.2f} dB"
    )


@pytest.mark.parametrize("name", ["day", "day of elements", "adaptive day", "day lost to weather"])
def test_a_chart_of_the_day_has_each_pass_and_their_sum(show, name):
    """What is drawn of each pass adds up to the day's images."""
    picture = show(name)
    each, sum_ = picture.axes
    told = picture.answer
    delivered = [one.get("images_delivered", one.get("schedule", {}).get("images_delivered"))
                 for one in told["passes"]]  # fmt: skip
    unit = 1000.0 if "[thousands]" in each.get_ylabel() else 1.0
    drawn = [bar.get_height() for bar in each.containers[0]] if each.containers else [
        *each.lines[0].get_ydata()
    ]  # fmt: skip
    assert sorted(drawn) == pytest.approx([n / unit for n in sorted(delivered)])
    assert f"a day: {told['images_delivered_per_day']:,.0f} images" in picture.told
    total = sum_.lines[0].get_ydata()[-1] * (1000.0 if "[thousands]" in sum_.get_ylabel() else 1.0)
    days = 1.0
    assert total == pytest.approx(days * told["images_delivered_per_day"])
    lost = told["weather"] and told["weather"]["lost_share"]
    assert ("lost to weather" in picture.told) == bool(lost)


def test_an_adaptive_pass_has_its_images_and_what_they_gain(show):
    picture = show("adaptive pass")
    found = picture.answer["schedule"]
    told = picture.axes[-1].get_title("left")
    images, gain = numbers(told)[:2]
    assert 1000 * images == pytest.approx(found["images_delivered"], rel=5e-3)
    assert gain == pytest.approx(found["images_delivered"] / found["best_fixed_images"], abs=5e-3)


def test_a_codec_at_other_back_offs_is_told_from_those_trained_at_theirs(show):
    labels = show("amplifier of a codec at other back-offs").axes[0].get_legend_handles_labels()[1]
    assert [" ".join(label.split()) for label in labels[:3]] == [
        "deepjscc, rapp, trained at its back-off",
        "deepjscc, rapp, trained at 0 dB, used at others",
        "deepjscc, rapp, trained over awgn",
    ]


@pytest.mark.parametrize("name", ["adaptive pass with feedback", "feedback at one CR"])
def test_a_pass_with_feedback_says_its_crs_however_little_they_move(show, name):
    crs = show(name).axes[1]
    low, high = crs.get_ylim()
    ticks = [label.get_text() for label in crs.get_yticklabels()]
    assert len(set(ticks)) >= 2
    assert all(low <= at <= high for at in crs.get_yticks())
    for line in crs.lines:
        told = line.get_ydata()[np.isfinite(line.get_ydata())]
        assert np.all((told >= crs.get_yticks()[0] - 1e-3) & (told <= crs.get_yticks()[-1] + 1e-3))


def test_a_coding_table_has_a_step_for_each_cr(show):
    picture = show("coding table")
    steps = picture.axes[0]
    table = picture.answer["table"][1:]
    labels = [label.get_text() for label in steps.get_yticklabels()]
    assert labels[0] == "off"
    assert [label.split(":")[0] for label in labels[1:]] == [
        row["row"] + "*" * (row["measured"] is False) for row in table
    ]
    assert "no codec was measured" in picture.told
    for label, row in zip(labels[1:], table, strict=True):
        assert number(label.split()[1]) == pytest.approx(row["images_per_s"], rel=5e-3)
    snr, index = steps.lines[0].get_data()
    for i, row in enumerate(table):
        assert snr[np.argmax(index > i)] == pytest.approx(row["down_db"], abs=snr[1] - snr[0])


@pytest.mark.parametrize("name", ["outage", "outage of a falling satellite"])
def test_an_outage_says_the_share_to_the_digits_that_it_supports(show, name):
    picture = show(name)
    share, told = picture.answer["met_percent"], legend_text(picture, "target")
    if share == 0:
        assert "met in 0 % with 1 dB to spare" in told
    else:
        assert f"met in {share:.2f} % with 1 dB to spare" in told
    assert legend_text(picture, "expected") == f"expected, {picture.answer['expected']:.4g}"


@pytest.mark.parametrize("name", ["monte carlo", "monte carlo, mostly missed"])
def test_draws_say_the_share_that_meets_to_the_digits_that_they_support(show, name):
    picture = show(name)
    found, told = picture.answer, legend_text(picture, "target")
    if found["met_probability"] == 1:
        # Had 0.15 % missed, 2,000 draws would all have met in one case of twenty.
        assert told == (
            "target 0.85, met in all 2,000 draws (at least 99.85 %, 95 % sure) with 1 dB to spare"
        )
        assert pytest.approx(0.05, abs=1e-3) == 0.9985**2000
    else:
        share = share_of_draws(found["met_probability"], found["met_se"], 2000)
        assert told == f"target 0.85, met in {share} with 1 dB to spare"
    for axes, quantity in zip(picture.axes, ("snr_db", "value"), strict=True):
        (row,) = (one for one in found["summary"] if one["quantity"] == quantity)
        for q, line in zip((5, 50, 95), axes.lines, strict=False):
            text = line.get_label().split()[-1]
            assert line.get_label().startswith(f"{q} % below")
            assert abs(number(text) - row[f"p{q:02d}"]) <= 0.5000001 * 10.0 ** -decimals(text)
            # The last digit is the first that other draws change: their error is ~ sd √(5/n).
            assert 0.02 < 10.0 ** -decimals(text) / (row["sd"] / np.sqrt(2000)) < 20


def test_a_comparison_draws_the_crs_that_it_names(show):
    picture, fit = show("against"), semloss.load(ACCURACY)
    (legend, _) = picture.legends
    named = {
        text.get_text(): handle.get_color()
        for text, handle in zip(legend.texts, legend.legend_handles, strict=True)
        if text.get_text().startswith("CR ")
    }
    assert len(named) == 3
    for label, color in named.items():
        curve = next(line for line in picture.axes[0].lines if line.get_color() == color)
        snr, value = curve.get_data()
        cr = 1 / number(label.split("/")[1])
        np.testing.assert_allclose(value, fit.predict(cr=cr, snr_db=snr).value, atol=2e-3)


def test_a_sweep_for_a_target_draws_what_is_solved_for(show):
    picture = show("sweep of a target")
    (axes,) = picture.axes
    assert axes.get_ylabel() == "SNR needed, Es/N0 [dB]"
    target, snr = next(line for line in axes.lines if line.get_label() == "fit").get_data()
    fit = semloss.load(ACCURACY)
    known = np.isfinite(snr)
    assert known.sum() > 5
    np.testing.assert_allclose(
        fit.predict(cr=1 / 12, snr_db=snr[known]).value, target[known], atol=1e-6
    )
    (axes,) = show("sweep of the SNR for the CR").axes
    assert axes.get_ylabel() == "CR needed = k/n"


def test_a_tornado_has_the_ends_of_each_tolerance(show):
    picture = show("tornado")
    told = [number(text) for text, _, _ in picture.texts if re.fullmatch(NUMBER, text)]
    for row in picture.answer["rows"]:
        for end in ("low", "high"):
            assert any(one == pytest.approx(row[end], rel=5e-4) for one in told)


def test_a_tornado_says_where_it_leaves_fields_out(show):
    picture = show("tornado of many")
    assert len(picture.answer["rows"]) == 17
    assert "the 15 of 17 that matter most" in picture.title


def test_a_fit_has_its_error(show):
    error = semloss.load(ACCURACY).quality["rmse"]
    assert f"RMSE {error:#.2g}" in show("fit").title


def test_what_was_never_measured_is_dotted(show):
    """Solid curves end at the edge of the domain; what goes on beyond is explained."""
    picture = show("sweep")
    (axes,) = picture.axes
    solid = next(line for line in axes.lines if line.get_label() == "fit")
    for elevation, value, inside in zip(
        solid.get_xdata(), solid.get_ydata(),
        (row["in_domain"] for row in picture.answer["rows"]), strict=True,
    ):  # fmt: skip
        assert np.isfinite(value) == inside, elevation
    for name in ("sweep", "sweep as a map", "pass", "adaptive pass", "predict outside"):
        assert "outside the fitted domain" in show(name).told
    assert "in part outside the fitted domain" in show("day").foot
    assert "outside the fitted domain" not in show("predict").told


def test_a_title_begins_with_a_capital_but_for_a_word_that_has_its_own():
    assert capital("accuracy, matched") == "Accuracy, matched"
    assert capital("mIoU, matched") == "mIoU, matched"
