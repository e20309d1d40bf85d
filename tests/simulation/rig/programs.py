"""Small random programs: every kind of node, small expressions, bounded loops, jumps forward.

Branches that race begin with a wait of their own, so that no two things that could decide a race come at one
time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from dirigent.model.program import (
    UNFILTERED,
    Backoff,
    Case,
    Catch,
    Extended,
    Extension,
    Fork,
    Graph,
    Loop,
    Program,
    Retry,
    Sequence,
    Switch,
    Task,
    Try,
    Wait,
    tasks_of,
)
from simulation.rig.drawing import BOOM, NAMESPACE, Leaves, Place
from simulation.rig.words import said


@dataclass
class Maker(Leaves):
    """Draws tasks, and nodes of every kind."""

    kinds: dict = field(default_factory=dict)

    def __post_init__(self):
        self.kinds = {
            "call": self.call,
            "set": self.set,
            "wait": self.wait,
            "raise": self.broken,
            "do": self.do,
            "switch": self.switch,
            "loop": self.loop,
            "fork": self.fork,
            "try": self.attempts,
            "graph": self.graph,
            "child": self.child,
            "emit": self.emit,
            "listen": self.listen,
        }

    # -- tasks ----------------------------------------------------------------------------------

    def task(self, name, place):
        dice = self.dice
        leaves = ["call", "call", "call", "call", "set", "wait", "raise"]
        nested = ["do", "switch", "loop", "fork", "try", "try", "try", "graph"] if place.depth else ["switch"]
        more = ["child"] if self.shape.children else []
        more += ["emit", "listen"] if self.shape.eventful else []
        kind = dice.one_of([*leaves, *nested, *more])
        if (kind == "raise" and not dice.chance(40)) or (kind == "graph" and self.shape.written):
            kind = "call"
        return Task(
            name,
            place.pointer,
            self.kinds[kind](place) if not self.wrapped(place) else self.extension(kind, place),
            condition=self.condition(place, border=True) if dice.chance(10) else None,
            input=self.filter("n", place, border=True) if dice.chance(10) else UNFILTERED,
            output=self.filter("n", place) if dice.chance(10) else UNFILTERED,
            export=self.filter("c", place) if not place.calm and dice.chance(15) else UNFILTERED,
            timeout_seconds=self.span(1, 6) if dice.chance(12) else None,
            then=self.directive(place),
        )

    def directive(self, place):
        if not self.dice.chance(12):
            return "continue"
        return self.dice.one_of(["continue", "exit", *place.later, *([] if place.calm else ["end"])])

    def tasks(self, place, part, least=1, most=2):
        names = [self.name() for _ in range(self.dice.between(least, most))]
        return tuple(
            self.task(name, place.under(f"{part}/{index}/{name}", later=tuple(names[index + 1 :])))
            for index, name in enumerate(names)
        )

    # -- nodes with tasks -----------------------------------------------------------------------

    def wrapped(self, place):
        return self.shape.extended and not place.calm and self.dice.chance(20)

    def extension(self, kind, place):
        """A work with one or two extensions round it."""
        found = []
        for number in range(self.dice.between(1, 2)):
            inner = place.deeper() if place.depth else place
            blocks = {}
            for part in ("before", "after"):
                name = self.name()
                under = inner.under(f"{part}/{number}/0/{name}")
                task = Task(name, under.pointer, self.dice.one_of((self.set, self.wait, self.call))(under))
                task = replace(task, then="exit" if self.dice.chance(15) else "continue")
                blocks[part] = Sequence((task,)) if self.dice.chance(60) else None
            when = self.condition(place) if self.dice.chance(40) else None
            found.append(Extension(f"e{number}", when, blocks["before"], blocks["after"]))
        return Extended(self.kinds[kind](place), tuple(found))

    def do(self, place):
        return Sequence(self.tasks(place.deeper(), "do", most=self.shape.more))

    def switch(self, place):
        thens = ["continue", "exit", *place.later, *([] if place.calm else ["end"])]
        cases = [Case(self.name(), self.dice.one_of(thens), self.condition(place))]
        if self.dice.chance(40):
            cases.append(Case("default", self.dice.one_of(["continue", *place.later])))
        return Switch(tuple(cases))

    def loop(self, place):
        each, at = self.name(), self.name()
        inner = place.deeper(variables=(*place.variables, each, at))
        text, means = "[1, (.n? // 2)]", lambda dot, seen: [1, member_or_two(dot)]
        items = self.dice.one_of([[1, 2], [3], [], said(text, means), said("1", lambda dot, seen: 1)])
        body = Sequence(self.tasks(inner, "do", least=1, most=self.shape.more))
        guard = replace(place, variables=inner.variables)
        return Loop(each, at, items, body, self.condition(guard) if self.dice.chance(25) else None)

    def fork(self, place):
        inner, branches = place.deeper(), []
        for index in range(self.dice.between(2, 3)):
            name, first, second = self.name(), self.name(), self.name()
            branch = inner.under(f"fork/branches/{index}/{name}")
            start = Task(first, f"{branch.pointer}/do/0/{first}", Wait(self.span(0, 2)))
            after = self.task(second, branch.under(f"do/1/{second}"))
            branches.append(Task(name, branch.pointer, Sequence((start, after))))
        return Fork(tuple(branches), compete=self.dice.chance(40))

    def attempts(self, place):
        handled = place.deeper(variables=(*place.variables, "error"))
        policy = replace(place, variables=handled.variables)
        dice = self.dice
        catch = Catch(
            matching=dice.one_of(({}, {}, {}, {"status": 503}, {"type": BOOM})),
            when=self.condition(policy) if dice.chance(10) else None,
            retry=self.retry(policy) if dice.chance(75) else None,
            body=Sequence(self.tasks(handled, "catch/do", most=1)) if dice.chance(40) else None,
            then=self.directive(place) if not self.shape.written else "continue",
        )
        return Try(Sequence(self.tasks(place.deeper(), "try", most=self.shape.more)), catch)

    def retry(self, policy):
        dice = self.dice
        return Retry(
            when=self.condition(policy) if dice.chance(10) else None,
            delay=self.span(0, 2),
            backoff=dice.one_of(tuple(Backoff)),
            attempts_max=dice.between(1, 2),
            attempt_seconds=self.span(1, 3) if dice.chance(25) else None,
            total_seconds=self.span(2, 9) if dice.chance(15) else None,
        )

    def graph(self, place):
        names = [self.name() for _ in range(self.dice.between(1, 3))]
        needs, tasks = {}, []
        for index, name in enumerate(names):
            needs[name] = tuple(name for name in names[:index] if self.dice.chance(50))
            inner = place.deeper(variables=(*place.variables, "made"), calm=True)
            tasks.append(self.task(name, inner.under(f"graph/{name}")))
        return Graph(
            tuple(tasks), needs, "made", {"kept": {"n": 5}}, self.dice.between(1, 3), {"constant": 7}
        )


def member_or_two(dot):
    value = dot.get("n") if isinstance(dot, dict) else None
    return 2 if value is None or value is False else value


def program_of(dice, shape, name="root"):
    """A program drawn from dice."""
    maker = Maker(dice, shape)
    node = Sequence(maker.tasks(Place("", shape.depth), "do", least=1, most=shape.first))
    output = maker.filter("n", Place("", 0), border=True) if dice.chance(15) else UNFILTERED
    timeout = maker.span(6, 20) if dice.chance(6) else None
    root = Task(name, "", node, output=output, timeout_seconds=timeout)
    return Program(name, NAMESPACE, "1.0.0", root)


def nodes_in(program):
    """The kinds of nodes that a program holds, with their numbers: for the coverage."""
    return Counter(type(node).__name__ for task in tasks_of(program.root) for node in (task.node,))
