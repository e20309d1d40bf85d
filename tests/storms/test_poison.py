"""A run that kills every engine that touches it is left alone after two of them; the others go on."""

import asyncio
import signal

import pytest

from dirigent.stores.folder.witness import FileWitness
from storms.rig.crowd import counting, settle, times
from storms.rig.kills import LIFE
from storms.rig.ledger import lines, phases_of
from storms.rig.nursery import Nursery

pytestmark = pytest.mark.slow

POISON = "keyed-1-0"


@pytest.fixture
def crowd(tmp_path):
    """Yield what begins a life in a crowd of its own, and its folder and server."""
    place, nursery = tmp_path / "crowd", Nursery(tmp_path)

    def live(life, width, **more):
        order = {"folder": str(place), "port": server.server_port, "plant": None, "death": 0, "width": width}
        begun = nursery.begin(LIFE, {**order, "life": life, **more})
        code = begun.ended()
        return code, lines(begun.heard), begun.told()

    with counting() as server:
        settle(place, server.server_port)
        try:
            yield live, place, server
        finally:
            nursery.close()


def phases(place):
    return asyncio.run(phases_of(str(place / ".dirigent" / "dirigent.db")))


def test_a_run_that_kills_two_engines_is_left_alone_and_all_others_end(crowd):
    live, place, server = crowd
    assert live(1, 16, death=80)[0] == -signal.SIGKILL
    for _ in range(2):
        assert live(2, 0, poison=POISON)[0] == -signal.SIGKILL
        assert phases(place)[POISON] == "running"
    for number in (3, 4):
        # The life ends with the reason, for it waits for all runs; the others have gone on meanwhile.
        code, said, told = live(number, 0, poison=POISON)
        assert (code, told) == (1, "")
        assert said[-1][2] == "E4070"
    found = phases(place)
    assert found.pop(POISON) == "suspended"
    assert len(found) >= 8
    assert all(times(place, server, run) <= 1 for run in found)


def test_without_the_witness_every_engine_dies_of_it(crowd):
    live, place, _ = crowd
    assert live(1, 16, death=80)[0] == -signal.SIGKILL
    for _ in range(4):
        assert live(2, 0, poison=POISON)[0] == -signal.SIGKILL
        forget(place)


def forget(place):
    """Take away what the witness knows, as an engine without one."""
    path = place / ".dirigent" / "turning"
    FileWitness(str(path)).close()
    path.unlink()
