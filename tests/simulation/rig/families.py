"""What must hold between runs: events that one tells and others hear, children and parents, reruns."""

from __future__ import annotations

from collections import Counter

from dirigent.model.ids import Position, child_run, effect_id
from dirigent.model.run.journal import Emitted, Ended, Heard, Intended, Resumed, Suspended
from simulation.rig import timetables
from simulation.rig.history import INSTANT
from simulation.rig.listening import key_of
from simulation.rig.outcomes import kind_of

# Where nothing fails, a word has come to a child within this time.
PROMPT = 0.5


def check(simulation):
    """Raise `Broken` with the first law that does not hold."""
    told(simulation)
    for run, facts in simulation.history.facts.items():
        words(simulation, run, facts)
        if facts[0].parent in simulation.history.facts and not simulation.struck:
            followed(simulation, run, facts)
    again(simulation)
    timetables.check(simulation)


def told(simulation):
    """What runs tell is in the log, once, and so is all that they hear."""
    law, facts = simulation.history.law, simulation.history.facts
    log = {key_of(event): (at, event, by) for at, event, by in simulation.read}
    names = Counter(key_of(event) for _, event, _ in simulation.read)
    for run, fact in ((name, fact) for name in facts for fact in facts[name]):
        if isinstance(fact, Emitted):
            key = key_of(fact.event)
            holds = names[key] == 1 and log[key] == (fact.at, fact.event, run)
            law("what is told by a run lies in the log once", holds, fact)
        elif isinstance(fact, Heard):
            at, event, _ = log.get(key_of(fact.event), (None, None, None))
            law("what is heard was told", (at, event) == (fact.arrived, fact.event), fact)


def words(simulation, run, facts):
    """Each word of a parent comes once."""
    follows = [fact.follows for fact in facts if isinstance(fact, Suspended | Resumed) and fact.follows]
    once = len(follows) == len(set(follows))
    simulation.history.law("who is told by his parent is told once", once, f"{run}: {follows}")


def followed(simulation, run, facts):
    """A child whose parent waits for it stands soon after its parent does, for as long as that."""
    parent = simulation.history.facts[facts[0].parent]
    if not any(isinstance(fact, Intended) and waits_for(facts[0].parent, fact, run) for fact in parent):
        return
    over = facts[-1].at if isinstance(facts[-1], Ended) else simulation.universe.now
    for number, fact in enumerate(parent, 1):
        if not isinstance(fact, Suspended) or not facts[0].at < fact.at < over - PROMPT:
            continue
        on = next((each.at for each in parent[number:] if not isinstance(each, Intended)), float("inf"))
        said = [each.at for each in facts if isinstance(each, Suspended) and each.follows == number]
        stood = any(at - fact.at < PROMPT + INSTANT for at in said)
        own = any(isinstance(each, Suspended) and not each.follows for each in facts)
        holds = stood or own or on < fact.at + PROMPT
        simulation.history.law("a child stands while its parent does", holds, f"{run}: {fact}, {said}")


def waits_for(parent, fact, run):
    """Whether an effect of a parent is this child, with whatever generation and attempt."""
    if kind_of(fact.request) != "child":
        return False
    names = (f"#{number}" if number else "" for number in range(3))
    return any(
        child_run(effect_id(parent, Position(fact.position + name)), fact.attempt) == run for name in names
    )


def again(simulation):
    """A run that is run again begins with the same, under another name."""
    facts = simulation.history.facts
    for number, entry in enumerate(simulation.plan.runs):
        if entry.again is None or simulation.run_id(number) not in facts:
            continue
        first, fresh = facts[simulation.run_id(entry.again)][0], facts[simulation.run_id(number)][0]
        same = (first.definition, first.input, first.metadata) == (
            fresh.definition,
            fresh.input,
            fresh.metadata,
        )
        named = fresh.origin is not None and fresh.origin.kind == "rerun"
        simulation.history.law("a run that is run again begins as the first did", same and named, fresh)
