"""The small parts of random programs: expressions, lengths of time, and nodes that hold no list of tasks.

Durations differ from each other, so that no two things that could decide a race come at one time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dirigent.model.events.listening import Correlation, EventFilter, Quorum, Read, Strategy
from dirigent.model.program import (
    UNFILTERED,
    Call,
    EachEvent,
    Emit,
    Filter,
    InQueue,
    Listen,
    Raise,
    Sequence,
    Set,
    Wait,
)
from dirigent.testing import Dice
from simulation.rig.words import comparison, numbers, object_of, said

TYPES = ("sim.a", "sim.b", "sim.c")
ONCE_UPON_A_TIME = "2026-03-01T00:00:00Z"
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
    eventful: bool = False
    extended: bool = False


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

    # -- events ---------------------------------------------------------------------------------

    def emit(self, place):
        content = {"k": self.dice.below(2), "n": self.said(self.number(place))}
        event = {"source": "/run", "type": self.dice.one_of(TYPES), "time": ONCE_UPON_A_TIME}
        return Emit({**event, "data": content})

    def listen(self, place):
        inner = replace(place, variables=(*place.variables, "item", "index"))
        return Listen(
            self.strategy(place),
            Read.ENVELOPE if self.dice.chance(15) else Read.DATA,
            self.each(place, inner) if self.dice.chance(35) else None,
        )

    def each(self, place, inner):
        """What is done with each event: its body is made by whoever makes tasks."""
        body = self.tasks(inner.deeper(), "foreach/do", most=1) if place.depth else ()
        return EachEvent(
            "item",
            "index",
            Sequence(body) if body else None,
            self.filter("n", inner) if self.dice.chance(50) else UNFILTERED,
            self.filter("c", inner) if not place.calm and self.dice.chance(30) else UNFILTERED,
        )

    def strategy(self, place, *, inner=False):
        dice = self.dice
        quorum = dice.one_of((Quorum.ONE, Quorum.ONE, Quorum.ANY, Quorum.ANY, Quorum.ALL))
        count = 1 if quorum is Quorum.ONE else dice.between(1, 2)
        if quorum is Quorum.ANY and not inner and dice.chance(15):
            count = 0
        until = None
        if quorum is Quorum.ANY and not inner and dice.chance(60):
            until = self.strategy(place, inner=True) if dice.chance(40) else self.until()
        return Strategy(quorum, tuple(self.sought(place) for _ in range(count)), until)

    def until(self):
        """A condition over what was consumed."""
        most = self.dice.between(1, 2)
        return self.said((f"length >= {most}", lambda dot, seen: len(dot) >= most))

    def sought(self, place):
        """A filter. The expression worker is not asked: what it says of an event stands in no journal."""
        dice, attributes, links = self.dice, {}, {}
        kind = dice.below(10)
        if kind < 8:
            attributes["type"] = dice.one_of(TYPES)
        elif kind == 8:
            attributes["type"] = "sim[.](a|b)"
        if kind == 9 or dice.chance(25):
            number = dice.one_of(numbers(place.variables)[1:4])
            attributes["data"] = said(*comparison(number, dice.one_of((">", "<", "==")), dice.below(3)))
        if dice.chance(25):
            source = said(".data.k", lambda dot, seen: dot["data"]["k"])
            expect = self.said(self.number(place))
            expected = dice.chance(50)
            links["k"] = Correlation(source, expect if expected else None, expected)
        return EventFilter(attributes, links)
