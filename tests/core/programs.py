"""Random programs and worlds: every kind of node, small expressions, bounded loops, jumps forward.

Durations differ from each other, and branches that race begin with a wait of their own, so that no two
things that could decide a race come at one time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

from hypothesis import strategies as st

from core.simulation import SLOW
from dirigent.model import fault
from dirigent.model.program import (
    UNFILTERED,
    Backoff,
    Call,
    Case,
    Catch,
    Filter,
    Fork,
    Graph,
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
from dirigent.model.run.effect import Broken, Done
from dirigent.model.values import Expression

BOOM = "https://e.example/boom"


@dataclass(frozen=True)
class Place:
    """Where a node stands: what it may name, and what is left of its depth.

    `calm` forbids what would race inside a graph: exports and `end`.
    """

    pointer: str
    depth: int
    variables: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    calm: bool = False

    def under(self, part, **changes):
        kept = {"depth": self.depth, "variables": self.variables, "calm": self.calm, **changes}
        return Place(f"{self.pointer}/{part}", **kept)


@dataclass
class Dice:
    """Numbers that look drawn and follow from a seed."""

    seed: int
    rolled: int = 0

    def roll(self, low, high):
        self.rolled += 1
        digest = blake2b(f"{self.seed} {self.rolled}".encode(), digest_size=6).digest()
        return low + int.from_bytes(digest) % (high - low + 1)


@dataclass
class Drawer:
    """Draws the small parts of one program. `slow` allows expressions for the worker."""

    dice: Dice
    slow: bool = True
    count: int = 0
    seconds: set = field(default_factory=set)

    def chance(self, percent):
        return self.dice.roll(0, 99) < percent

    def one_of(self, *choices):
        return choices[self.dice.roll(0, len(choices) - 1)]

    def span(self, low, high):
        """A length of time that is not that of any other thing of this program, nor the sum of some."""
        return self.dice.roll(low, high) + self.dice.roll(1, 2**40) / 2**41

    def expression(self, text):
        return Expression(f"{text} {SLOW}" if self.slow and self.chance(15) else text)

    def number(self, place):
        known = ["1", "(.n? // 0)", "((.n? // 0) + 1)", "($context.c? // 0)", "($input.n? // 0)"]
        return self.one_of(
            *known, *(f'(${name} | if type == "number" then . else 0 end)' for name in place.variables)
        )

    def condition(self, place):
        text = f"{self.number(place)} {self.one_of('>', '<', '==')} {self.one_of(0, 1, 2)}"
        return self.expression("1" if self.chance(1) else text)

    def shape(self, place):
        return Filter(self.expression(f"{{n: {self.number(place)}}}"), present=True)

    def name(self):
        self.count += 1
        return f"t{self.count}"


@dataclass
class Maker(Drawer):
    """Draws tasks, and nodes of every kind."""

    # -- tasks ----------------------------------------------------------------------------------

    def task(self, name, place, kinds=None):
        leaves = ["call", "call", "call", "set", "wait", "raise"]
        nested = ["do", "switch", "loop", "fork", "try", "try", "graph"] if place.depth else ["switch"]
        kind = self.one_of(*(kinds or [*leaves, *nested]))
        if kind == "raise" and not self.chance(40):
            kind = "call"
        node = getattr(self, kind)(place)
        filters = {
            "input": self.shape(place) if self.chance(15) else UNFILTERED,
            "output": self.shape(place) if self.chance(15) else UNFILTERED,
        }
        if not place.calm and self.chance(20):
            filters["export"] = Filter(self.expression(f"{{c: {self.number(place)}}}"), present=True)
        return Task(
            name,
            place.pointer,
            node,
            condition=self.condition(place) if self.chance(15) else None,
            timeout_seconds=self.span(1, 6) if self.chance(12) else None,
            then=self.directive(place),
            **filters,
        )

    def directive(self, place):
        if not self.chance(15):
            return "continue"
        return self.one_of("continue", "exit", *place.later, *([] if place.calm else ["end"]))

    def tasks(self, place, part, least=1, most=3):
        names = [self.name() for _ in range(self.dice.roll(least, most))]
        return tuple(
            self.task(name, place.under(f"{part}/{index}/{name}", later=tuple(names[index + 1 :])))
            for index, name in enumerate(names)
        )

    def deeper(self, place, **changes):
        return Place(
            place.pointer,
            place.depth - 1,
            changes.get("variables", place.variables),
            (),
            changes.get("calm", place.calm),
        )

    # -- nodes ----------------------------------------------------------------------------------

    def call(self, place):
        return Call(
            self.one_of("shell", "http"),
            {"x": self.expression(self.number(place)), "k": [1, self.expression("2")]},
        )

    def set(self, place):
        return Set({"n": self.expression(self.number(place))})

    def wait(self, place):
        return Wait(self.span(0, 3))

    def raise_(self, place):
        return Raise({"type": BOOM, "status": self.one_of(400, 503), "detail": self.expression('"why"')})

    def do(self, place):
        return Sequence(self.tasks(self.deeper(place), "do"))

    def switch(self, place):
        thens = ["continue", "exit", *place.later, *([] if place.calm else ["end"])]
        cases = [
            Case(self.name(), self.one_of(*thens), self.condition(place)) for _ in range(self.dice.roll(1, 2))
        ]
        if self.chance(40):
            cases.insert(
                self.dice.roll(0, len(cases)), Case("default", self.one_of("continue", *place.later))
            )
        # The front-end puts the default last.
        cases.sort(key=lambda case: case.when is None)
        return Switch(tuple(cases))

    def loop(self, place):
        each, at = self.name(), self.name()
        inner = self.deeper(place, variables=(*place.variables, each, at))
        items = self.one_of(
            [1, 2],
            [3],
            [],
            self.expression("[1, (.n? // 2)]"),
            self.expression("if 1 == 2 then 1 else [2] end"),
        )
        guard = Place(place.pointer, place.depth, inner.variables)
        body = Sequence(self.tasks(inner, "do", least=0, most=2))
        return Loop(each, at, items, body, self.condition(guard) if self.chance(30) else None)

    def fork(self, place):
        inner, branches = self.deeper(place), []
        for index in range(self.dice.roll(1, 3)):
            name, first = self.name(), self.name()
            branch = inner.under(f"fork/branches/{index}/{name}")
            start = Task(first, f"{branch.pointer}/do/0/{first}", Wait(self.span(0, 2)))
            rest = tuple(
                self.task(name, branch.under(f"do/{number}/{name}", later=()))
                for number, name in enumerate([self.name() for _ in range(self.dice.roll(1, 2))], 1)
            )
            branches.append(Task(name, branch.pointer, Sequence((start, *rest))))
        return Fork(tuple(branches), compete=self.chance(40))

    def try_(self, place):
        inner = self.deeper(place)
        handled = self.deeper(place, variables=(*place.variables, "error"))
        policy = Place(place.pointer, place.depth, handled.variables)
        retry = None
        if self.chance(65):
            retry = Retry(
                when=self.condition(policy) if self.chance(15) else None,
                delay=self.one_of(0, self.span(0, 2), self.expression("1.0371")),
                backoff=self.one_of(*Backoff),
                attempts_max=self.dice.roll(0, 2),
                attempt_seconds=self.one_of(self.span(1, 3), self.expression("1.7713"))
                if self.chance(30)
                else None,
                total_seconds=self.span(2, 9) if self.chance(20) else None,
            )
        catch = Catch(
            matching=self.one_of({}, {}, {"status": 503}, {"type": BOOM}),
            when=self.condition(policy) if self.chance(15) else None,
            retry=retry,
            body=Sequence(self.tasks(handled, "catch/do", most=2)) if self.chance(50) else None,
            then=self.directive(place),
        )
        return Try(Sequence(self.tasks(inner, "try", most=2)), catch)

    def graph(self, place):
        names = [self.name() for _ in range(self.dice.roll(1, 4))]
        needs, tasks = {}, []
        for index, name in enumerate(names):
            needs[name] = tuple(name for name in names[:index] if self.chance(40))
            inner = self.deeper(place, variables=(*place.variables, "made"), calm=True)
            tasks.append(self.task(name, inner.under(f"graph/{name}")))
        width = self.dice.roll(1, 3)
        order = sorted(tasks, key=lambda task: self.dice.roll(0, 9))
        lanes = {name: "narrow" for name in names if self.chance(30)}
        return Graph(
            *(tuple(order), needs, "made", {"kept": {"n": 5}}, width, {"constant": 7}),
            lanes=lanes,
            widths={"narrow": 1},
        )


setattr(Maker, "raise", Maker.raise_)
setattr(Maker, "try", Maker.try_)


@dataclass(frozen=True)
class Sample:
    """A program by its seed, so that a failure is told in one line."""

    seed: int
    slow: bool = True

    @property
    def program(self):
        return program_of(self.seed, slow=self.slow)


def program_of(seed, *, slow=True, depth=3):
    """The program that a seed stands for."""
    maker = Maker(Dice(seed), slow)
    root = Place("", depth)
    node = Sequence(maker.tasks(root, "do", least=2, most=5))
    output = maker.shape(root) if maker.chance(20) else UNFILTERED
    timeout = maker.span(6, 20) if maker.chance(10) else None
    return Program(
        "random", "tests", "1.0.0", Task("random", "", node, output=output, timeout_seconds=timeout)
    )


@dataclass(frozen=True)
class RandomWorld:
    """What happens to an effect is drawn from its position and attempt, and nothing else."""

    seed: int

    def drawn(self, *parts):
        return int.from_bytes(blake2b(repr((self.seed, *parts)).encode(), digest_size=6).digest())

    def seconds(self, position, attempt):
        return 0.25 + self.drawn("seconds", position, attempt) / 2**48 * 4

    def outcome(self, position, attempt, request):
        roll = self.drawn("outcome", position, attempt) % 100
        if roll < 80:
            return Done({"n": roll % 4, "got": request})
        kind, status = (fault.CONFIGURATION, 400) if roll < 86 else (fault.COMMUNICATION, 503)
        return Broken(fault.Fault(kind, status, "Broken", doubtful=roll >= 94))

    def of(self, command):
        found = self.outcome(command.position, command.attempt, command.request)
        return found, self.seconds(command.position, command.attempt)


worlds = st.builds(RandomWorld, st.integers(0, 2**32))


def samples(*, slow=True):
    """Programs; with `slow`, some of their expressions are for the worker."""
    return st.builds(Sample, st.integers(0, 2**32), st.just(slow))
