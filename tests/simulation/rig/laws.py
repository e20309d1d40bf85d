"""What must hold when all is over: of every prefix of every journal, of the world, of what is left."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

from dirigent.model.ids import Position, RunId, effect_id
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.run.journal import (
    Ended,
    Failed,
    Heard,
    Intended,
    Repeated,
    Succeeded,
)
from dirigent.model.run.schedule import KIND
from dirigent.stores import codec
from simulation.rig import families
from simulation.rig.bench import BEAT
from simulation.rig.code import DEPTH, improvised, improvised_child, plainly
from simulation.rig.drawing import Shape
from simulation.rig.folds import folded
from simulation.rig.guided import Guided, Unlike
from simulation.rig.history import Broken
from simulation.rig.listening import key_of
from simulation.rig.outcomes import CANARY, Timed, kind_of, redacted
from simulation.rig.plan import Plan
from simulation.rig.simulation import Simulation
from simulation.rig.world import LOST, LOST_UNSAFELY

# Kinds of effects that happen once for each success, whatever happens to engines and answers.
ONCE = {"keyed", "supervised", "probe"}


def check(simulation):
    """Raise `Broken` with the first law that does not hold."""
    history, plan = simulation.history, simulation.plan
    alive(simulation)
    canaries(simulation)
    for run, facts in history.facts.items():
        stored = [codec.decode_fact(content) for content in simulation.disk.journals[run]]
        history.law("what is stored is what was said", stored == facts, run)
        title = simulation.disk.titles[facts[0].definition]
        name = title.name
        states = simulation.states.get(run, {})
        if title.kind == KIND:
            definition = simulation.disk.definitions[facts[0].definition]
            folded(history, run, codec.decode(definition, Program), facts, states)
            continue
        if facts[0].definition in simulation.coded:
            coded = improvised if name == improvised.name else improvised_child
            folded(history, run, coded.program, facts, states)
            effects(simulation, run, facts, {})
            as_plain(simulation, run, facts)
            continue
        folded(history, run, simulation.given[name], facts, states)
        guided = followed(simulation, run, simulation.drawn[name], facts)
        effects(simulation, run, facts, guided.generations)
    families.check(simulation)
    if plan.calm and simulation.why == "over":
        as_expected(simulation)
    if simulation.why == "over":
        nothing_left(simulation)
    refused(simulation)


# -- the end ------------------------------------------------------------------------------------------


def alive(simulation):
    """Every run has ended, or stands where it says that it waits for somebody."""
    history = simulation.history
    why = simulation.why
    history.law("nothing goes round in circles", why != "busy", f"{simulation.universe.steps} callbacks")
    if why == "over":
        history.law("every run ends", True, "")
        return
    waits = {run for run in history.facts if run not in history.ends and explained(simulation, run)}
    stuck = [run for run in history.facts if run not in history.ends and run not in waits]
    asked = [number for number, entry in enumerate(simulation.plan.runs) if entry.again is None]
    lost = [run for run in map(simulation.run_id, asked) if run not in history.facts]
    history.law("every run ends, or says what it waits for", not stuck, f"{why}: {stuck}")
    history.law("every run begins", not lost, f"{why}: {lost}")
    history.law("only who nobody answers waits", simulation.plan.lazy, f"{why}: {waits}")


def explained(simulation, run):
    """Whether a run is suspended, held, or waits for a child that is."""
    history = simulation.history
    if run in history.suspended or history.held[run] or run in history.waiting:
        return True
    if history.listening[run]:
        return simulation.left_out(run, simulation.universe.now) is None
    children = [child for child, facts in history.facts.items() if facts[0].parent == run]
    if run == BEAT:
        children = [child for child in history.facts if child.startswith("beat@")]
    return any(explained(simulation, child) for child in children if child not in history.ends)


def nothing_left(simulation):
    """The engine that is there holds no run, no timer and no task but the one that waits for timers."""
    life = simulation.lives[-1]
    if not life.process.alive or life.engine._crew.failure is not None:
        return
    law, engine = simulation.history.law, life.engine
    tasks = pending(life)
    # One more may sleep until a time that nobody waits for any more.
    law("no task is left", len(tasks) <= idle_tasks() + 1, lambda: tasks)
    law("no run is left in memory", len(engine._memory) == 0, lambda: engine._memory)
    law("no timer is left", engine._timers.count == 0, lambda: engine._timers)


def refused(simulation):
    """A stale position is refused by the newest opening, everything by all older ones."""
    law, history = simulation.history.law, simulation.history
    run, facts = next(iter(history.facts.items()), (None, ()))
    if run is None or not simulation.parts.probed:
        return
    for life in simulation.lives:
        stale = life.store.stale
        at = len(facts) if stale else len(facts) - 1
        try:
            life.store.commit(run, at, facts[-1:])
        except Refusal as refusal:
            code = refusal.problems[0].code
        else:
            code = "nothing"
        name = "a fenced opening is refused" if stale else "a stale position is refused"
        law(name, code == ("E5002" if stale else "E5001"), f"{run}@{at}: {code}")


def pending(life):
    return [task for task in life.process.tasks if not task.done()]


@cache
def idle_tasks():
    """How many tasks an engine has that never had a run."""
    idle = Simulation(Plan(0, Shape(), ()))
    idle.open()
    idle.universe.run(lambda: False, idle.universe.now + 1)
    number = len(pending(idle.lives[-1]))
    idle.universe.close()
    return number


def canaries(simulation):
    """No secret stands in what is stored."""
    canary = CANARY.encode()
    disk = simulation.disk
    for run, contents in disk.journals.items():
        simulation.history.law("no secret is stored", not any(canary in content for content in contents), run)


# -- one journal --------------------------------------------------------------------------------------


def followed(simulation, run, program, facts):
    """The journal is what the program means, says an interpreter that shares no line with the core."""
    guided, checked = Guided(program, simulation.log()), simulation.history.checked
    checked["the oracle agrees with every fact"] += len(facts)
    checked["an event counts once for each listener, in order"] += sum(isinstance(f, Heard) for f in facts)
    try:
        return guided.follow(facts)
    except Unlike as unlike:
        raise Broken("the oracle agrees with every fact", f"{run}: {unlike}") from unlike


def effects(simulation, run, facts, generations):
    """What the journal says of effects is what happened in the world."""
    requests, policy = {}, facts[0].metadata.get("doubt", "hold")
    repeated, happened, succeeded = Counter(), Counter(), set()
    for fact in facts:
        match fact:
            case Intended(position=position, attempt=attempt, request=request):
                requests[position, attempt] = kind_of(request)
            case Repeated(position=position, attempt=attempt):
                repeated[position, attempt] += 1
            case Succeeded() | Failed():
                given(simulation, run, fact, requests, policy)
                if isinstance(fact, Succeeded):
                    succeeded.add((fact.position, fact.attempt))
    world = simulation.world
    for this, number in world.happened.items():
        if this[0] == run:
            happened[this[1], generations.get(this[1:], 0)] += number
    for (position, attempt), kind in requests.items():
        identity = position, generations.get((position, attempt), 0)
        once(simulation, (run, position, attempt), kind, happened[identity], (position, attempt) in succeeded)
        if kind == "none" and policy != "repeat":
            began, allowed = world.began[run, position, attempt], 1 + repeated[position, attempt]
            words = f"{run} {position} attempt {attempt}: began {began} times, allowed {allowed}"
            simulation.history.law("what nobody can tell is not repeated unasked", began <= allowed, words)
    keys = [order for order, _ in world.broken_keys if order.run == run]
    simulation.history.law("a key stands for one request", not keys, lambda: keys)


def once(simulation, this, kind, happened, succeeded):
    """An effect with an identity happens once for each success, and never twice."""
    law, world = simulation.history.law, simulation.world
    if kind == "keyed":
        law("a keyed effect happens at most once", happened <= 1, f"{this} happened {happened} times")
        law("a keyed effect that succeeded happened", happened >= succeeded, f"{this} never happened")
    elif kind in ONCE:
        number = world.happened[this]
        law(f"a {kind} effect happens at most once", number <= 1, f"{this} happened {number} times")
        law(f"a {kind} effect that succeeded happened", number >= succeeded, f"{this} never happened")


def given(simulation, run, fact, requests, policy):
    """A recorded result is one that the world gave for this attempt."""
    law, kind = simulation.history.law, requests.get((fact.position, fact.attempt))
    if kind == "child":
        return
    answers = simulation.world.given.get((run, fact.position, fact.attempt), ())
    if isinstance(fact, Succeeded):
        outputs = [redacted(answer.output) for answer in answers if hasattr(answer, "output")]
        skipped = kind == "none" and policy == "skip" and fact.output is None
        words = f"{run}: {fact}, but the world gave {answers}"
        law("a recorded result is the world's", fact.output in outputs or skipped, words)
        return
    known = [answer.fault for answer in answers if hasattr(answer, "fault")]
    plain = (fact.fault.type, fact.fault.status)
    faults = {(fault.type, fault.status) for fault in (*known, LOST, LOST_UNSAFELY)}
    law("a recorded fault is the world's", plain in faults, f"{run}: {fact}, but the world gave {answers}")


def as_plain(simulation, run, facts):
    """A workflow of code ends as plain Python does, unless somebody stops it."""
    end, seed = facts[-1], facts[0].input["seed"]
    if isinstance(end, Ended) and end.phase != "cancelled":
        wanted = plainly(seed, DEPTH if facts[0].parent is None else 1)
        holds = (end.phase, end.output) == ("completed", wanted)
        simulation.history.law("code ends as plain Python does", holds, f"{run}: {end}, wanted {wanted}")


# -- against the oracle -------------------------------------------------------------------------------


def as_expected(simulation):
    """Where nothing went wrong, every run ends as the reference interpreter says, having sent the same."""

    def child_id(run, position, generation, attempt):
        suffix = f"#{generation}" if generation else ""
        effect = effect_id(run, Position(position + suffix))
        return RunId(effect if attempt == 1 else f"{effect}-{attempt}")

    for number, entry in enumerate(simulation.plan.runs):
        run = simulation.run_id(number)
        known = entry.coded is None and entry.schedule is None and not entry.queued
        if known and not simulation.plan.shape.queued and not uncertain(simulation, run):
            calm(simulation, run, entry, child_id)


def uncertain(simulation, run):
    """Whether what a run comes to hangs on what is first in one moment: an event that it hears twice there,
    or one of its own; or on a person who found that it listens in vain.
    """
    history, heard = simulation.history, Counter()
    own = {key_of(event) for _, event, by in simulation.read if by == run}
    for fact in history.facts[run]:
        if isinstance(fact, Heard):
            key = key_of(fact.event)
            heard[key] += 2 if key in own else 1
    return any(number > 1 for number in heard.values()) or history.kinds["CancelRequested"] > 0


def calm(simulation, run, entry, child_id):
    """Compare one run with the reference interpreter."""
    law, history = simulation.history.law, simulation.history
    facts, program = history.facts[run], simulation.programs[entry.program]
    timed = Timed(simulation.outcomes, run, program, simulation.catalogue, child_id, simulation.log())
    wanted, _ = timed.play(entry.given, facts[0].at)
    end = history.ends[run]
    found = (end.phase, end.output, end.fault and (end.fault.type, end.fault.status, end.fault.instance))
    law("a calm run ends as the oracle says", found == wanted, f"{run}: {found}, wanted {wanted}")
    sent = [(f.position, f.attempt, f.request) for f in facts if isinstance(f, Intended)]
    same = sorted(map(in_order, sent)) == sorted(map(in_order, timed.sent))
    law("a calm run sends what the oracle says", same, lambda: f"{run}: {sent}, wanted {timed.sent}")


def in_order(sent):
    """What was sent as text, whatever the order of its members."""
    return json.dumps(sent, sort_keys=True)
