"""A link solved over passes: what is found is enough, and anything cheaper is not."""

import pytest
from planning_case import accuracy, link, rainy

from semloss.errors import SemlossError, TargetNotAttainable
from semloss.planning.budget.question import Question
from semloss.planning.budget.solving import solve
from semloss.planning.passes.day import simulate_day
from semloss.planning.passes.needs import Goal, solve_over
from semloss.planning.passes.orbit import circular_day, circular_pass
from semloss.planning.passes.simulation import simulate_pass
from semloss.planning.propagation.fading import Rician

TARGET = 0.6
#: 50 Msym/s over 64 x 64 x 3 / 12 symbols an image.
IMAGES_PER_S = 50e6 / 1024
PASS = circular_pass(500.0, 60.0, step_s=5.0)
DAY = tuple(circular_day(500.0, 48.0, step_s=30.0))


def delivered(link_, fading=None, **options):
    return simulate_pass(
        link_, accuracy(), PASS, target=TARGET, fading=fading, **options
    ).images_delivered


@pytest.mark.parametrize(
    ("unknown", "cheaper"),
    [("power_dbw", 0.999), ("obo_db", 1.01), ("rx_dish_m", 0.99), ("bandwidth_mhz", 0.99)],
)
def test_what_is_found_brings_the_images_and_less_does_not(unknown, cheaper):
    asked = link(power_dbw=3.0, tx_line_loss_db=0.0)
    wanted = 0.7 * IMAGES_PER_S * PASS.duration_s
    found = solve_over(Question(accuracy(), asked, TARGET), unknown, Goal((PASS,), wanted))
    assert delivered(asked.replace(**{unknown: found.value})) >= wanted * (1 - 1e-9)
    shift = {"power_dbw": found.value - 0.05}.get(unknown, found.value * cheaper)
    assert delivered(asked.replace(**{unknown: shift})) < wanted
    assert found.low <= found.value <= found.high
    assert found.to_dict()["images_delivered"] == pytest.approx(
        found.result.images_delivered
    )  # fmt: skip


def test_the_smallest_cr_that_holds_a_share_of_the_contact():
    strong = link(power_dbw=0.0)
    found = solve_over(Question(accuracy(), strong, TARGET), "cr", Goal((PASS,), None, 80.0))
    held = simulate_pass(strong, accuracy(), PASS, cr=found.value, target=TARGET)
    assert held.met_s >= 0.8 * held.contact_s
    less = simulate_pass(strong, accuracy(), PASS, cr=0.98 * found.value, target=TARGET)
    assert less.met_s < 0.8 * less.contact_s


def test_holding_a_whole_pass_is_meeting_the_target_at_its_lowest():
    """Without rain the lowest SNR of a pass is that of its rise, as `solve` finds it there."""
    found = solve_over(Question(accuracy(), link(), TARGET), "power_dbw", Goal((PASS,)))
    rise = link(elevation_deg=float(PASS.elevation_deg[0]))
    assert found.value == pytest.approx(
        solve(rise, "power_dbw", accuracy(), TARGET).value, abs=1e-3
    )


def test_images_of_a_day_are_those_of_its_passes():
    wet = rainy(power_dbw=-20.0)
    one = simulate_day(wet, accuracy(), DAY, target=TARGET).per_day("images_delivered")
    found = solve_over(Question(accuracy(), wet, TARGET), "power_dbw", Goal(DAY, 0.9 * one))
    got = simulate_day(wet.replace(power_dbw=found.value), accuracy(), DAY, target=TARGET)
    assert got.per_day("images_delivered") >= 0.9 * one * (1 - 1e-9)
    assert found.value < -20.0
    assert "images a day" in found.head


def test_fading_asks_for_its_margin():
    fading = Rician(10.0)
    plain = solve(link(), "power_dbw", accuracy(), TARGET)
    faded = solve(link(), "power_dbw", accuracy(), TARGET, fading=fading, hold_percent=99.0)
    assert faded.value - plain.value == pytest.approx(fading.margin_db(99.0), abs=1e-6)
    assert faded.assumed["fading"] == "rician:10, held in 99 % of it"
    asked = Question(accuracy(), link(), TARGET)
    over = solve_over(asked, "power_dbw", Goal((PASS,), None, 95.0), fading)
    result = over.result
    assert result.met_s / result.contact_s == pytest.approx(0.95, abs=1e-3)
    still = solve_over(asked, "power_dbw", Goal((PASS,), None, 95.0))
    assert over.value > still.value


def test_a_margin_that_is_kept_costs_as_much():
    wanted = 0.7 * IMAGES_PER_S * PASS.duration_s
    plain, kept = (
        solve_over(Question(accuracy(), link(margin_db=m), TARGET), "power_dbw",
                   Goal((PASS,), wanted)).value
        for m in (0.0, 2.0)
    )  # fmt: skip
    assert kept - plain == pytest.approx(2.0, abs=1e-3)


def test_what_no_value_brings_is_told_with_the_nearest():
    wanted = 1.1 * IMAGES_PER_S * PASS.duration_s
    most = f"{IMAGES_PER_S * PASS.duration_s:,.0f} images"
    with pytest.raises(TargetNotAttainable, match=most):
        solve_over(Question(accuracy(), link(), TARGET), "power_dbw", Goal((PASS,), wanted))
    with pytest.raises(SemlossError, match="cannot solve for range_km over a pass"):
        solve_over(Question(accuracy(), link(), TARGET), "range_km", Goal((PASS,), wanted))
    rate = link(images_per_s=2 * IMAGES_PER_S)
    with pytest.raises(TargetNotAttainable):  # the rate that the link is asked is never sent
        solve_over(Question(accuracy(), rate, TARGET), "power_dbw", Goal((PASS,), 1.0))
