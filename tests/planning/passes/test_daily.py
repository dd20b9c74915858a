"""What the passes of a day bring, how it is spread, and what rain takes of it."""

import numpy as np
import pytest
from planning_case import accuracy, link, rainy

from semloss.planning.budget.question import Question
from semloss.planning.passes.daily import Daily, clear_sky
from semloss.planning.passes.day import simulate_day
from semloss.planning.passes.delivery import adaptive
from semloss.planning.passes.orbit import Pass, circular_day, circular_pass
from semloss.planning.passes.simulation import simulate_pass

TARGET = 0.6


def kind(per_day):
    return Pass(np.array([0.0, 60.0]), np.array([10.0, 10.0]), np.array([1e3, 1e3]),
                per_day=per_day)  # fmt: skip


def test_the_spread_counts_each_kind_of_pass_as_often_as_it_comes():
    # Of ten passes a day one brings 5 images, eight bring 20 and one brings 90.
    daily = Daily(link(), (kind(8.0), kind(1.0), kind(1.0)), np.array([20.0, 90.0, 5.0]))
    assert daily.spread == (5.0, 20.0, 20.0)
    assert daily.images_per_day == 255.0
    rare = Daily(link(), (kind(7.0), kind(2.0), kind(1.0)), np.array([20.0, 90.0, 5.0]))
    assert rare.spread == (5.0, 20.0, 90.0)


def test_volumes_are_those_of_the_source_images():
    # 3 bands of 8 bit on 64 x 64 px are 12,288 bytes; at 10 m they cover 0.64 km squared.
    daily = Daily(link(gsd_m=10.0), (kind(2.0),), np.array([1e6]))
    told = daily.to_dict()
    assert told["gb_delivered_per_day"] == pytest.approx(2 * 12.288)
    assert told["km2_delivered_per_day"] == pytest.approx(2e6 * 0.64**2)
    assert "km2_delivered_per_day" not in Daily(link(), (kind(2.0),), np.array([1.0])).to_dict()


def lost(answer):
    return answer.to_dict()["weather"]["lost_share"]


@pytest.mark.parametrize("mode", ["day", "adaptive"])
def test_more_availability_costs_more_images_to_weather(mode):
    passes = circular_day(500.0, 48.0, step_s=20.0)

    def asked(availability_percent):
        wet = rainy(availability_percent=availability_percent, power_dbw=-20.0)
        if mode == "day":
            return simulate_day(wet, accuracy(), passes, target=TARGET)
        return adaptive(Question(accuracy(), wet, TARGET), passes)

    usual, sure = asked(99.0), asked(99.9)
    assert 0 < lost(usual) < lost(sure) < 1
    clear = usual.daily.per_day @ usual.daily.clear_images
    assert usual.daily.images_per_day == pytest.approx((1 - lost(usual)) * clear)
    assert sure.daily.clear_images == pytest.approx(usual.daily.clear_images)


def test_a_clear_sky_is_the_link_without_its_rain():
    wet = rainy(power_dbw=-20.0)
    flown = circular_pass(500.0, 60.0, step_s=10.0)
    dry = rainy(power_dbw=-20.0).replace(rain_loss_db=0.0)
    day = simulate_day(wet, accuracy(), [*circular_day(500.0, 48.0, step_s=60.0)], target=TARGET)
    assert day.to_dict()["weather"]["availability_percent"] == 99.0
    by_hand = simulate_pass(dry, accuracy(), flown, target=TARGET).images_delivered
    cleared = clear_sky(wet)
    assert cleared is not None
    assert simulate_pass(cleared, accuracy(), flown, target=TARGET).images_delivered == by_hand


def test_without_rain_or_without_a_target_nothing_is_said_of_weather():
    passes = circular_day(500.0, 48.0, step_s=60.0)
    assert clear_sky(link()) is None
    assert simulate_day(link(), accuracy(), passes, target=TARGET).to_dict()["weather"] is None
    assert simulate_day(rainy(), accuracy(), passes).to_dict()["weather"] is None
    fixed = simulate_day(link(rain_loss_db=2.0), accuracy(), passes, target=TARGET)
    assert 0 < lost(fixed) < 1
    assert "are lost to 2 dB of rain" in fixed.head


def test_the_images_of_a_pass_lie_between_those_of_the_fits_optimist_and_pessimist():
    flown = circular_pass(500.0, 60.0, step_s=1.0)
    found = simulate_pass(link(), accuracy(), flown, target=TARGET)
    low, high = found.images_between
    assert low < found.images_delivered < high
    needed = accuracy().min_snr(target=TARGET, cr=1 / 12)
    for end, images in ((needed.high, low), (needed.low, high)):
        seconds = np.diff(flown.time_s)[
            np.minimum(found.snr_db[1:], found.snr_db[:-1]) >= end
        ].sum()  # fmt: skip
        assert images == pytest.approx(seconds * found.images_per_s)
    run = adaptive(Question(accuracy(), link(), TARGET), [flown], single=True).runs[0][1]
    assert run.images_between[0] < run.images_delivered < run.images_between[1]
