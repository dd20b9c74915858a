"""The points of a surface, chosen again from among themselves."""

import numpy as np
import pytest

from semloss.selection import Points

SHARED = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.4], [0.2, 0.4, 1.0]])


def three(**more):
    value = np.array([0.2, 0.5, 0.8])
    return Points("accuracy", "clean", "higher", value / 4, 10 * value, value, 0 * value, **more)


@pytest.mark.parametrize(
    ("which", "correlation"),
    [
        (np.array([True, False, True]), [[1.0, 0.2], [0.2, 1.0]]),
        (np.array([2, 0]), [[1.0, 0.2], [0.2, 1.0]]),
        # a point that comes twice shares all of its luck with itself
        (np.array([1, 1, 0]), [[1.0, 1.0, 0.5], [1.0, 1.0, 0.5], [0.5, 0.5, 1.0]]),
    ],
)
def test_points_keep_what_their_images_share(which, correlation):
    some = three(image_correlation=SHARED).subset(which)
    assert some.image_correlation.tolist() == correlation
    assert some.value.tolist() == three().value[which].tolist()


def test_where_nothing_is_told_of_images_nothing_is_made_up():
    assert three().image_correlation is None
    assert three().subset(np.array([0, 0])).image_correlation is None
