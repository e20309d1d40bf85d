"""Places in a text come one after the other, file by file."""

import pytest

from dirigent.model.source import Span

PLACES = [Span("a", 1, 2, 1, 3), Span("a", 1, 4, 9, 1), Span("a", 2, 1, 2, 2), Span("b", 1, 1, 1, 2)]


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("second", range(4))
def test_they_are_ordered_by_where_they_begin(first, second):
    assert (PLACES[first] < PLACES[second]) == (first < second)


def test_they_say_where_they_are():
    assert str(PLACES[2]) == "a:2:1"
