"""The time that remains: honest from the first unit to the last."""

import pytest

from semloss.collect.estimate import Estimate, as_duration
from semloss.collect.units import Unit


def unit(name, stage="measured", needs=()):
    """A unit of a cell; `needs` are names of units of the same stage."""
    return Unit(stage, "cell", name, name, {need: f"cells/{need}/{stage}" for need in needs})


def seconds(**by_name):
    return {f"cells/{name}/measured": value for name, value in by_name.items()}


def test_shared_work_or_the_longest_chain():
    cells = [unit(str(i)) for i in range(4)]
    assert Estimate({c.id: 10.0 for c in cells}, jobs=2).remaining(cells) == 20.0
    chain = [unit("a"), unit("b", needs="a"), unit("c", needs="b")]
    assert Estimate({c.id: 10.0 for c in chain}, jobs=8).remaining(chain) == 30.0
    assert Estimate({}, 2).remaining([]) == 0.0


def test_a_worker_that_has_to_wait_is_idle():
    first, trunk = unit("first"), unit("trunk")
    cells = [unit(str(i), needs=["trunk"]) for i in range(3)]
    everything = [first, trunk, *cells]
    times = {one.id: 10.0 for one in everything} | {trunk.id: 40.0}
    # 80 s of work on two workers, and 30 s in which one of them has nothing to do; the third cell
    # is alone at the end
    assert Estimate(times, jobs=2).remaining(everything) == 40 + 10 + 10
    assert Estimate(times, jobs=1).remaining(everything) == 80
    assert Estimate(times, jobs=3).remaining(everything) == 40 + 10


def test_what_is_being_worked_on_is_not_begun_again():
    first, second = unit("1"), unit("2")
    figures = Estimate({first.id: 10.0, second.id: 30.0}, jobs=1)
    figures.started(second)  # out of the order of priority
    assert figures.remaining([first, second]) == pytest.approx(40.0, abs=1.0)


def test_a_slow_machine_shows_in_what_is_left():
    done, left, base = unit("done"), unit("left"), unit("base", stage="codec")
    times = seconds(done=10.0, left=10.0) | {base.id: 100.0}
    estimate = Estimate(times, jobs=1)
    estimate.finished(done, 30.0)
    assert estimate.remaining([left]) == pytest.approx(30.0)
    assert estimate.remaining([base]) == pytest.approx(300.0)


def test_a_unit_found_on_disk_does_not_make_the_rest_look_fast():
    found, left = unit("found", stage="codec"), unit("left")
    estimate = Estimate({found.id: 60.0, left.id: 60.0}, jobs=1)
    estimate.finished(found, 0.1)
    assert estimate.remaining([left]) == pytest.approx(60.0)


def test_what_is_at_work_counts_down():
    one = unit("one")
    estimate = Estimate(seconds(one=1000.0), jobs=1)
    estimate.started(one)
    assert 990 < estimate.remaining([one]) <= 1000
    assert estimate.at_work() == "cell one"


@pytest.mark.parametrize(
    ("duration", "text"), [(45.2, "45 s"), (450, "7 min 30 s"), (7800, "2 h 10 min")]
)
def test_durations_read_as_people_say_them(duration, text):
    assert as_duration(duration) == text
