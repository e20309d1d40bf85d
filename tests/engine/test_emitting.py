"""What `emit` records moves its run on at once: what it stops is not recorded after it."""

from __future__ import annotations

from core.simulation import RUN, TOOLS
from dirigent.core.replay import replay
from dirigent.engine.drive import recover
from dirigent.model.ids import Digest, Position
from dirigent.model.program import Call, Emit, Fork, Program, Sequence, Task
from dirigent.model.run.journal import Created, Emitted, Ended

EVENT = {"source": "/shop", "type": "paid"}


def test_a_branch_that_wins_by_an_event_stops_an_effect_that_was_to_begin_with_it():
    told = Task("told", Position("/do/0/race/fork/branches/0/told"), Emit(dict(EVENT)))
    call = Task("call", Position("/do/0/race/fork/branches/1/call"), Call("http", {}))
    race = Task("race", Position("/do/0/race"), Fork((told, call), compete=True))
    program = Program("p", "tests", "1.0.0", Task("p", "", Sequence((race,))))
    run = replay(program, RUN, [Created(0.0, Digest("d"), None)], TOOLS)
    done = recover(run, 0.0)
    assert [type(fact) for fact in done.facts] == [Emitted, Ended]
    assert not done.commands
