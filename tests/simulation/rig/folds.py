"""The state of a run as a value: what an engine holds must be what replay of the same prefix gives."""

from __future__ import annotations

from core.simulation import SlowLanguage
from dirigent.app.authors import Authors
from dirigent.core.machine import Run, Tools
from dirigent.core.replay import advance, replay
from dirigent.lang.schema import SCHEMAS
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Retried
from simulation.rig.history import Broken

AUTHORS = Authors()
TOOLS = Tools(SlowLanguage(), SCHEMAS, AUTHORS)
LEGAL = "every prefix is a legal fold"
SAME = "replay of a prefix is the state then"


def folded(history, run_id, program, facts, states):
    """Fold a journal fact by fact; `states` are those that engines had after so many facts."""
    run = Run(run_id, program, TOOLS)
    for length, fact in enumerate(facts, 1):
        history.checked[LEGAL] += 1
        try:
            if isinstance(fact, Retried):  # What is taken back is known only now.
                run = replay(program, run_id, facts[:length], TOOLS)
            else:
                advance(run, fact)
        except Refusal as refusal:
            raise Broken(LEGAL, f"{run_id}: {fact}: {refusal}") from refusal
        if length in states:
            compared(history, run, states[length])


def compared(history, run, held):
    """Compare what a replayed run is with what an engine held."""
    found = state_of(run)
    history.law(SAME, found == held, lambda: f"{run.id}: {found}, held {held}")


def state_of(run):
    """All of a run that decides what it does next."""
    asks = [
        (key, ask.status, ask.effect, ask.request, ask.repeat, ask.seconds, ask.until, ask.frame is None)
        for key, ask in run.asks.items()
    ]
    frames, todo = [], [run.root] if run.root is not None else []
    while todo:
        frame = todo.pop()
        frames.append(
            (frame.position, frame.attempt, frame.step, frame.input, frame.directive, frame.thread.context)
        )
        todo.extend(frame.children.values())
    return run.phase, run.now, run.facts, run.entered, run.result, dict(run.stopping), asks, frames


def failure_of(engine):
    """Why an engine has failed, None while it has not."""
    return engine._crew.failure


def held_by(engine, run):
    """The fold that an engine holds of a run, None when it left memory."""
    live = engine._memory._live.get(run)
    return None if live is None else live.run
