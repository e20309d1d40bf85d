"""Small random programs: every kind of node, small expressions, bounded loops, jumps forward.

Durations differ from each other, and branches that race begin with a wait of their own, so that no two
things that could decide a race come at one time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dirigent.model.program import (
    UNFILTERED,
    Backoff,
    Call,
    Case,
    Catch,
    Filter,
    Fork,
    Graph,
    InQueue,
    Loop,
    Program,
    Raise,
    Retry,
    Sequence,
    Set,
    Switch,
    Task,
    Try,
    Wait,
)
from dirigent.testing import Dice
from simulation.rig.words import comparison, numbers, object_of, said

BOOM = "https://e.example/boom"
NAMESPACE = "simulated"
CLASSES = ("keyed", "keyed", "keyed", "supervised", "supervised", "probe", "pure", "none", "none")
HTTP = {"headers": {}, "query": {}, "has_body": True, "output": "content", "redirect": False}
SHELL = {"arguments": [], "environment": {}, "await": True, "return": "stdout"}


@dataclass(frozen=True)
class Shape:
    """How large programs are, and what they may hold. Shrinking makes it smaller."""

    depth: int = 2
    first: int = 4
    more: int = 2
    classes: tuple = CLASSES
    children: tuple = ()
    slow: bool = True
    written: bool = False
    queued: bool = False


@dataclass(frozen=True)
class Place:
    """Where a node stands. `calm` forbids what would race inside a graph: exports and `end`."""

    pointer: str
    depth: int
    variables: tuple = ()
    later: tuple = ()
    calm: bool = False

    def under(self, part, **changes):
        return replace(self, pointer=f"{self.pointer}/{part}", **{"later": (), **changes})

    def deeper(self, **changes):
        return replace(self, depth=self.depth - 1, later=(), **changes)


@dataclass
class Drawer:
    """Draws the small parts of one program."""

    dice: Dice
    shape: Shape
    count: int = 0

    def span(self, low, high):
        """A length of time that is not that of any other thing of this program, nor the sum of some."""
        return round(self.dice.between(low, high) + self.dice.fraction() / 2, 9)

    def number(self, place, border=False):
        return self.dice.one_of(numbers(place.variables, border))

    def said(self, found):
        return said(*found, slow=self.shape.slow and self.dice.chance(8))

    def condition(self, place, border=False):
        if self.dice.chance(1):
            return self.said(("1", lambda dot, seen: 1))
        operator = self.dice.one_of((">", "<", "=="))
        return self.said(comparison(self.number(place, border), operator, self.dice.below(3)))

    def filter(self, name, place, border=False):
        return Filter(self.said(object_of(name, self.number(place, border))), present=True)

    def name(self):
        self.count += 1
        return f"t{self.count}"


@dataclass
class Leaves(Drawer):
    """Draws nodes without tasks."""

    def call(self, place):
        kind = self.dice.one_of(self.shape.classes)
        given = self.said(object_of("x", self.number(place)))
        if kind == "supervised":
            return Call("shell", {"command": kind, **SHELL, "stdin": given}, waits=self.turn())
        request = {"method": "POST", "endpoint": f"http://world/{kind}", **HTTP, "body": given}
        return Call("http", {**request, "authentication": None}, waits=self.turn())

    def turn(self):
        """Whether an effect waits for its turn."""
        return InQueue("effects", self.dice.below(2)) if self.shape.queued and self.dice.chance(60) else None

    def child(self, place):
        name = self.dice.one_of(self.shape.children)
        given = self.said(object_of("n", self.number(place)))
        request = {"namespace": NAMESPACE, "name": name, "version": "1.0.0", "input": given}
        return Call("workflow", {**request, "await": True, "return": "stdout"})

    def set(self, place):
        return Set({"n": self.said(self.number(place))})

    def wait(self, place):
        return Wait(self.span(5, 20) if self.dice.chance(20) else self.span(0, 3))

    def broken(self, place):
        return Raise({"type": BOOM, "status": self.dice.one_of((400, 503)), "title": "Boom"})


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
        }

    # -- tasks ----------------------------------------------------------------------------------

    def task(self, name, place):
        dice = self.dice
        leaves = ["call", "call", "call", "call", "set", "wait", "raise"]
        nested = ["do", "switch", "loop", "fork", "try", "try", "try", "graph"] if place.depth else ["switch"]
        kind = dice.one_of([*leaves, *nested, *(["child"] if self.shape.children else [])])
        if (kind == "raise" and not dice.chance(40)) or (kind == "graph" and self.shape.written):
            kind = "call"
        return Task(
            name,
            place.pointer,
            self.kinds[kind](place),
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
    found, todo = {}, [program.root]
    while todo:
        task = todo.pop()
        node = task.node
        kind = type(node).__name__
        found[kind] = found.get(kind, 0) + 1
        match node:
            case Sequence(tasks) | Graph(tasks) | Fork(tasks) | Loop(body=Sequence(tasks)):
                todo.extend(tasks)
            case Try(Sequence(tasks), Catch(body=body)):
                todo.extend((*tasks, *(body.tasks if body else ())))
    return found
