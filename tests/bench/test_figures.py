"""The arithmetic of the bench, and what it tells of a trace."""

from __future__ import annotations

import pytest
from contest.contestants import ALL, PEERS, WHOLE, Size, chosen
from contest.figures import Account, account_of, gaps_of, marks_of, middle, percentile


def trace_of(runs, steps):
    return "".join(f"w{run} {step} {1000 * step + run}\n" for step in range(steps) for run in range(runs))


@pytest.mark.parametrize(
    ("share", "value"), [(0.01, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1, 100)], ids=str
)
def test_a_percentile_is_the_value_that_so_many_do_not_exceed(share, value):
    assert percentile(list(range(100, 0, -1)), share) == value


def test_one_value_is_every_percentile():
    assert percentile([7.0], 0.5) == percentile([7.0], 0.99) == 7.0


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0), ([1.0], 1.5)])
def test_a_percentile_of_nothing_is_refused(values, share):
    with pytest.raises(ValueError, match="no percentile"):
        percentile(values, share)


def test_a_whole_trace_has_nothing_lost_and_nothing_twice():
    assert account_of(marks_of(trace_of(3, 4)), 3, 4) == Account(done=12, lost=0, again=0, strange=0)


def test_a_lost_step_is_told():
    text = trace_of(3, 4).replace("w1 2 2001\n", "")
    assert account_of(marks_of(text), 3, 4) == Account(done=11, lost=1, again=0, strange=0)


def test_a_doubled_step_is_told():
    assert account_of(marks_of(trace_of(3, 4) + "w1 2 9999\n"), 3, 4).again == 1


def test_a_doubled_step_does_not_make_up_for_a_lost_one():
    text = trace_of(3, 4).replace("w1 2 2001\n", "w1 3 2001\n")
    assert account_of(marks_of(text), 3, 4) == Account(done=11, lost=1, again=1, strange=0)


def test_a_step_that_nobody_ordered_is_told():
    assert account_of(marks_of(trace_of(3, 4) + "w9 0 1\n"), 3, 4).strange == 1


def test_the_warm_up_and_a_torn_last_line_do_not_count():
    assert [mark.run for mark in marks_of("warm 0 1\nw0 0 2\nw0 1")] == ["w0"]


def test_gaps_are_between_steps_of_one_run_in_the_order_of_time():
    text = "a 1 3000000\nb 0 500000\na 0 1000000\nb 1 1500000\na 2 9000000\n"
    assert sorted(gaps_of(marks_of(text))) == [1.0, 2.0, 6.0]


def test_the_median_is_of_figures_that_every_round_has():
    rounds = [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": None}, {"a": 2.0, "b": 1.0}]
    assert middle(rounds) == {"a": 2.0}
    assert middle([]) == {}


def test_a_smaller_workload_keeps_its_shape():
    assert Size(1, 1000, 1).scaled(0.05) == Size(1, 50, 1)
    assert Size(1000, 10, 100).scaled(0.05) == Size(50, 10, 50)
    assert Size(1000, 10, 100).scaled(0.5) == Size(500, 10, 100)


def test_nobody_is_left_out_and_every_version_is_fixed():
    assert len({each.name for each in ALL}) == len(ALL)
    assert all("==" in pin for each in PEERS for pin in each.pins)
    assert all(each.workloads.strip("ABCDEF") == "" and set(each.sizes) <= set(WHOLE) for each in ALL)


def test_names_choose_and_a_wrong_one_is_refused():
    assert chosen([]) == ALL
    assert all(each.ours for each in chosen(["dirigent"]))
    assert chosen(["peers"]) == PEERS
    assert [each.name for each in chosen(["celery", "absurd"])] == ["absurd", "celery"]
    with pytest.raises(ValueError, match="nobody is called `slow`"):
        chosen(["slow"])
