"""Workflows of code on the real engine: what they give, and that a crash anywhere changes nothing."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dirigent.model.run.journal import CancelRequested, Intended, Signalled
from dirigent.testing import Fuse
from durable import flows
from durable.rig import World


def signal(event, data, key=""):
    return lambda at: Signalled(at, event, key or f"{event}-{at}", data)


ORDER = flows.Order(7, Decimal("1.50"), datetime(2026, 11, 23, tzinfo=UTC))
# Workflow, arguments, what is said to it, how it ends and with what.
MORE = {"id": 8, "total": "3.00", "at": "2026-11-23T00:00:00Z"}
CASES = {
    "chain": (flows.chain, (1,), (), "completed", 24),
    "typed": (flows.typed, (ORDER,), (), "completed", MORE),
    "fan": (flows.fan, ([1, 2, 3],), (), "completed", [4, 8, 12, 3, 6, 9]),
    "nothing": (flows.fan, ([],), (), "completed", []),
    "careful": (flows.careful, ("w",), (), "completed", "ValueError"),
    "careless": (flows.careless, ("w",), (), "faulted", None),
    "parent": (flows.parent, (1,), (), "completed", 72),
    "late": (flows.late, (), (), "completed", "late"),
    "drawn": (flows.drawn, (), (), "completed", None),
    "changed": (flows.changed, (), (), "completed", ["new", "new"]),
    "cancelled": (flows.cancelled, (), ((5.0, CancelRequested),), "cancelled", None),
    "listening": (
        flows.listening, (), ((5.0, signal("number", 1)), (6.0, signal("number", 2))), "completed", [1, 2],
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def fresh():
    flows.DONE.clear()


def lived(name, fuse=()):
    workflow, args, said, *_ = CASES[name]
    world = World(fuse=Fuse(*fuse))
    world.ended = world.run(workflow, *args, said=said)
    return world


@pytest.mark.parametrize("name", CASES)
def test_a_workflow_ends_as_it_says(name):
    *_, phase, output = CASES[name]
    ended = lived(name).ended
    assert ended.phase == phase
    assert output is None or ended.output == output


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("second", [(), (2,), (5,)])
def test_a_crash_anywhere_and_another_after_it_change_nothing(name, second):
    calm = lived(name)
    wanted = [repr(fact) for fact in calm.journal]
    for place in range(1, len(calm.fuse.places) + 1):
        flows.DONE.clear()
        world = lived(name, (place, *second))
        assert world.ended == calm.ended, place
        assert sorted(repr(fact) for fact in world.journal) == sorted(wanted), place


def test_positions_are_names_counted_within_their_scope():
    world = lived("fan")
    assert [fact.position for fact in world.journal if isinstance(fact, Intended)] == [
        *(f"/gather[{n}]/double" for n in range(3)),
        *(f"/gather[{n}]/double~2" for n in range(3)),
        *(f"/gather~2[{n}]/triple" for n in range(3)),
    ]


def test_a_failure_tells_the_line_of_the_author():
    fault = lived("careless").ended.fault
    assert fault.title == "ValueError"
    assert fault.instance == "/fail"
    assert fault.span.file.endswith("flows.py")


def test_a_step_that_is_tried_again_waits_longer_each_time():
    world = World()
    assert world.run(flows.persistent, 4).output == 4
    assert world.clock.now() == 10 + 20 + 40
    assert [fact.attempt for fact in world.journal if isinstance(fact, Intended)] == [1, 2, 3, 4]


def test_what_is_stopped_cleans_up_from_the_inside_out():
    lived("cancelled")
    assert flows.DONE == ["begin a", "begin b", "clean a", "clean b", "all"]
