"""Every failure at every place, alone and followed by a second death, for every class of effect.

A calm life of one small workflow says which places there are; then each is struck, and each again after it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from dirigent.model.program import Call, Catch, Program, Retry, Sequence, Set, Task, Try
from dirigent.model.run.effect import Done
from simulation.rig import laws
from simulation.rig.drawing import HTTP, NAMESPACE, SHELL, Shape
from simulation.rig.history import Broken
from simulation.rig.outcomes import Outcomes
from simulation.rig.plan import Entry, Fault, Plan, Word
from simulation.rig.simulation import Simulation
from simulation.rig.words import numbers, said

# What strikes at each place of the matrix. `effect during` is after the request has left.
STRIKES = {
    "keep": ("crash", "slow", "refused"),
    "read": ("crash", "slow", "refused"),
    "append asked": ("crash", "takeover", "slow"),
    "commit before": ("crash", "takeover", "slow", "refused"),
    "commit after": ("crash", "takeover", "slow", "refused"),
    "append answered": ("crash", "takeover", "slow"),
    "effect before": ("crash", "takeover", "slow"),
    "effect during": ("crash", "takeover", "slow"),
    "effect after": ("crash", "takeover", "slow"),
    "request": ("request lost", "answer lost"),
    "abandon": ("crash", "takeover", "slow"),
}
POLICIES = {"none": ("hold", "repeat", "skip")}
KINDS = ("keyed", "supervised", "probe", "pure", "none", "child")
# How many faults strike where one comes after the other.
BOTH = 2
SECONDS = 2.5
GIVEN = {"n": 1}


class Certain(Outcomes):
    """Every effect takes a second and succeeds."""

    def seconds(self, run, position, attempt):
        return 1.0

    def of(self, run, position, attempt):
        return Done(dict(GIVEN))


def program_with(kind):
    """One effect of a class, tried three times at most, and what it gave as output."""
    given = said("{x: 1}", lambda dot, seen: {"x": 1})
    if kind == "supervised":
        call = Call("shell", {"command": kind, **SHELL, "stdin": given})
    elif kind == "child":
        named = {"namespace": NAMESPACE, "name": "child", "version": "1.0.0", "input": given}
        call = Call("workflow", {**named, "await": True, "return": "stdout"})
    else:
        request = {"method": "POST", "endpoint": f"http://world/{kind}", **HTTP, "body": given}
        call = Call("http", {**request, "authentication": None})
    body = Sequence((Task("act", "/do/0/t/try/0/act", call),))
    attempt = Task("t", "/do/0/t", Try(body, Catch(retry=Retry(delay=1.0, attempts_max=2))))
    shown = Task("shown", "/do/1/shown", Set({"n": said(*numbers(())[1])}))
    name = "child" if kind == "inner" else "p0"
    return Program(name, NAMESPACE, "1.0.0", Task(name, "", Sequence((attempt, shown))))


@dataclass(frozen=True)
class Cell(Plan):
    """One class of effect and the faults that strike it."""

    kind: str = "keyed"

    def programs(self):
        """The workflow of this class, and its child."""
        inner = program_with("keyed")
        child = Program("child", NAMESPACE, "1.0.0", Task("child", "", inner.root.node))
        return [program_with(self.kind)], {"child": child}


def cell(kind, policy, faults, *, cancelled=False):
    """Play one cell and check every law; return the simulation."""
    words = (Word(0.5, 0, "cancel"),) if cancelled else ()
    plan = Cell(0, Shape(), (Entry(0.0, 0, None, policy),), words, tuple(faults), kind=kind)
    simulation = Simulation(plan)
    simulation.outcomes = simulation.world.outcomes = Certain(0)
    try:
        simulation.play()
        laws.check(simulation)
        as_calm(simulation, kind, policy, cancelled=cancelled)
    except Broken as broken:
        raise AssertionError(f"{kind}, {policy}, {faults}: {broken}") from broken
    finally:
        simulation.universe.close()
    return simulation


def as_calm(simulation, kind, policy, *, cancelled):
    """Compare the end with that of the calm run."""
    history = simulation.history
    end = history.ends[simulation.run_id(0)]
    passed_over = policy == "skip" or (kind == "none" and history.kinds["Skipped"])
    allowed = {"completed", "cancelled"} if cancelled else {"completed"}
    history.law("the end is that of the calm run", end.phase in allowed, f"{end}")
    same = end.phase != "completed" or end.output == GIVEN or passed_over
    history.law("the output is that of the calm run", same, f"{end}")


def strikes(passed):
    """Every fault at every place that a life passed."""
    for place, kinds in STRIKES.items():
        if not passed[place]:
            continue
        for number in range(1, passed[place] + 1):
            for what in kinds:
                yield Fault(place, number, what, SECONDS)


def row(kind, policy):
    """Play all cells of one class; return how often each place was struck, and how often two were."""
    counts = Counter()
    for cancelled in (False, True):
        calm = cell(kind, policy, (), cancelled=cancelled)
        for first in strikes(calm.passed):
            struck = cell(kind, policy, (first,), cancelled=cancelled)
            counts[first.place, first.what] += sum(struck.struck.values())
            for second in seconds(first, struck.passed) if not cancelled else ():
                twice = cell(kind, policy, (first, second))
                if sum(twice.struck.values()) == BOTH:
                    counts["twice in a row"] += 1
                    counts[second.place, second.what] += 1
    return counts


def seconds(first, passed):
    """What strikes after the first: a crash anywhere, and all that can befall who reads when he opens."""
    for fault in strikes(passed):
        again = (fault.place, fault.number) == (first.place, first.number)
        if not again and (fault.what == "crash" or fault.place == "read"):
            yield fault
