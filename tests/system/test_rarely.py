"""While an engine runs garbage is collected seldom; afterwards as the program had it."""

import gc

import pytest

from dirigent.app.rarely import NEW_OBJECTS, collected_rarely


@pytest.fixture(autouse=True)
def as_before():
    threshold, enabled = gc.get_threshold(), gc.isenabled()
    gc.set_threshold(700, 10, 10)
    gc.enable()
    yield
    gc.set_threshold(*threshold)
    (gc.enable if enabled else gc.disable)()


def test_it_is_collected_seldom_and_then_as_before():
    with collected_rarely():
        assert gc.get_threshold() == (NEW_OBJECTS, 10, 10)
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == (700, 10, 10)
    assert gc.get_freeze_count() == 0


def test_an_end_by_an_error_puts_it_back_as_well():
    with pytest.raises(ZeroDivisionError), collected_rarely():
        raise ZeroDivisionError
    assert gc.get_threshold() == (700, 10, 10)


def test_two_engines_of_one_process_do_not_put_back_what_the_other_set():
    with collected_rarely():
        with collected_rarely():
            pass
        assert gc.get_threshold()[0] == NEW_OBJECTS


@pytest.mark.parametrize("threshold", [0, NEW_OBJECTS, 2 * NEW_OBJECTS])
def test_a_program_that_knows_better_is_left_alone(threshold):
    gc.set_threshold(threshold, 10, 10)
    with collected_rarely():
        assert gc.get_threshold() == (threshold, 10, 10)


def test_a_collector_that_is_switched_off_stays_so():
    gc.disable()
    with collected_rarely():
        assert not gc.isenabled()
        assert gc.get_freeze_count() == 0
