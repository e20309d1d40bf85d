"""The live part of a run: a tree of frames, one per task or block that is under way.

Frames are mutable and belong to one `Run`; nothing outside `core` holds one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import field
from enum import IntEnum
from typing import TypeAlias

from dirigent.model.events.listening import Want
from dirigent.model.fault import Fault
from dirigent.model.ids import Position
from dirigent.model.program import Node, Task
from dirigent.model.record import dataclass
from dirigent.model.run.code import Site, Wanted
from dirigent.model.run.views import Views
from dirigent.model.values import Value
from dirigent.ports import Play


class Step(IntEnum):
    """How far a frame has come in the order of the data flow: what it does when its turn comes."""

    ENTERED = 0
    CONDITION = 1
    INPUT = 2
    BODY = 3
    OUTPUT = 4
    EXPORT = 5
    OVER = 6


@dataclass(slots=True, eq=False)
class Thread:
    """The holder of `$context`: one for the run, and one for each branch of a fork."""

    context: Value = None


@dataclass(slots=True, eq=False)
class Earlier:
    """What is kept of the last attempt at one position: its number, its request and how it failed.

    `lost` is the last attempt that a person took back.
    """

    attempt: int
    generation: int = 0
    request: Value = None
    intended: bool = False
    doubtful: bool = False
    lost: int = 0


@dataclass(slots=True, eq=False)
class Ledger:
    """Attempts by position, kept while the outermost `try` around them may still repeat them."""

    earlier: dict[Position, Earlier] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class SequenceState:
    """Which task is running, and how often each was entered (jumps may go back)."""

    visits: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class LoopState:
    """The items, which one is due, and what the last iteration gave."""

    items: list[Value]
    current: Value
    index: int = 0


@dataclass(slots=True, eq=False)
class ForkState:
    """What the branches ended with, by number."""

    outputs: dict[int, Value] = field(default_factory=dict)
    faults: dict[int, Fault] = field(default_factory=dict)
    threads: dict[int, Thread] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class TryState:
    """Which attempt runs, since when, and the fault that is being judged."""

    attempt: int
    since: float
    retries: int = 0
    fault: Fault | None = None


@dataclass(slots=True, eq=False)
class GraphState:
    """What each task still waits for, and what the finished ones gave; `begun` are those that were entered.

    Once `turned`, the graph is on its way back: `blockers` says for each task that was begun how many that
    need it still stand, and `standing` are those that could not be taken back. `views` are a cache of what
    the modules of the graph show, made anew from the rest where it is missing. `busy` counts by lane what has
    begun and not ended, and `aside` are those that could begin if their lane were not full.
    """

    blockers: dict[str, int]
    dependents: dict[str, list[str]]
    ready: list[str]
    numbers: dict[str, int]
    outputs: dict[str, Value] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    views: Views | None = None
    begun: list[str] = field(default_factory=list)
    turned: bool = False
    standing: list[str] = field(default_factory=list)
    busy: dict[str, int] = field(default_factory=dict)
    aside: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class CodeState:
    """A coroutine, and how often it asked for each name.

    One that is `stopping` is to end: it is `told` so when what it waited for has ended. `fault` is what
    it ends with whatever it says.
    """

    play: Play
    visits: dict[str, int] = field(default_factory=dict)
    stopping: bool = False
    told: bool = False
    fault: Fault | None = None


@dataclass(slots=True, eq=False)
class GatherState:
    """What the members gave, in their order, and the first fault among them."""

    outputs: list[Value]
    fault: Fault | None = None


class Stage(IntEnum):
    """How far a listener has come with the event or message that it took last."""

    WAITING = 0
    TAKEN = 1
    BODY = 2
    OUTPUT = 3
    EXPORT = 4
    UNTIL = 5
    LEAVING = 6


@dataclass(slots=True, eq=False)
class ListenState:
    """What is waited for next, and what was consumed.

    `began` is how many facts the run had, `mine` are the keys of the events that were taken, `item` is the
    last one as it was read, and `current` what has become of it; `leaving` says that its body wants no more.
    """

    want: Want
    began: int
    stage: Stage = Stage.WAITING
    taken: int = 0
    item: Value = None
    current: Value = None
    leaving: bool = False
    mine: dict[str, bool] = field(default_factory=dict)
    outputs: list[Value] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ConsumeState:
    """How far the messages of a stream have come: as `ListenState`, but nothing is matched.

    `cursor` is where the last message stands, as its broker counts; `calls` is how many effects there were.
    """

    stage: Stage = Stage.WAITING
    taken: int = 0
    item: Value = None
    current: Value = None
    leaving: bool = False
    cursor: Value = None
    calls: int = 0
    outputs: list[Value] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class AgainState:
    """Which attempt runs, and since when there are any."""

    since: float
    attempt: int = 1


@dataclass(slots=True, eq=False)
class Gate:
    """Where a fold stops for people who have the run go on from there: activations by position and attempt.

    `parked` are the frames that stand there, and since when; `interrupted` those whose effect was stopped by
    a failure that is passed over; `again` knows the attempts of all that is.
    """

    keys: frozenset[tuple[Position, int]]
    opened: set[tuple[Position, int]] = field(default_factory=set)
    parked: dict[tuple[Position, int], tuple[Frame, float]] = field(default_factory=dict)
    interrupted: list[Frame] = field(default_factory=list)
    again: Ledger = field(default_factory=Ledger)

    def taken_back(self, position: Position) -> int:
        """Return the number of the last attempt at a position that was passed over, 0 for none."""
        earlier = self.again.earlier.get(position)
        return 0 if earlier is None else earlier.attempt

    def take_over(self, frame: Frame) -> None:
        """Let a frame begin as the next after the last attempt at its position, which was passed over."""
        earlier = self.again.earlier[frame.position]
        frame.attempt = earlier.attempt = earlier.attempt + 1
        if frame.ledger is None:
            frame.ledger = Ledger()
        frame.ledger.earlier[frame.position] = earlier


@dataclass(slots=True, eq=False)
class ExtendedState:
    """Which extensions hold, by number, how many of them are behind us, and what the last part gave."""

    holding: list[int]
    current: Value
    entered: int = 0
    directive: str | None = None


NodeState: TypeAlias = (
    SequenceState
    | LoopState
    | ForkState
    | TryState
    | GraphState
    | ListenState
    | ConsumeState
    | CodeState
    | GatherState
    | AgainState
    | ExtendedState
)


@dataclass(slots=True, eq=False)
class Frame:
    """One activation of a task, or of a bare block (a loop's body, a try's body): then `task` is None.

    `raw` is the input as it came, `value` what the current step works on, `output` what the node gave;
    `fault` is what it ended with instead. `rang` is the purpose of a timer that fired and was not looked at
    yet. `lazy` computes variables that are costly and seldom read. `answers` are the expression worker's,
    by slot; `asks` are the keys of what this frame waits for.
    """

    node: Node | Wanted
    task: Task | None
    parent: Frame | None
    slot: int | str
    pointer: str
    position: Position
    attempt: int
    raw: Value
    thread: Thread
    variables: Mapping[str, Value]
    ledger: Ledger | None
    started_at: float
    input: Value
    step: Step = Step.ENTERED
    value: Value = None
    output: Value = None
    directive: str | None = None
    fault: Fault | None = None
    rang: str | None = None
    state: NodeState | None = None
    alive: bool = True
    lazy: Mapping[str, Callable[[], Value]] | None = None
    answers: dict[str, tuple[Value | Fault, ...]] = field(default_factory=dict)
    children: dict[int | str, Frame] = field(default_factory=dict)
    asks: list[tuple[Position, int, str]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Script:
    """What a run of a workflow of code has beside its frames.

    `mail` are events that nobody has waited for yet, `heard` the ids of all that came; `halted` are
    coroutines that are told of their end when nothing is being abandoned any more.
    """

    site: Site
    mail: dict[str, deque[Value]] = field(default_factory=dict)
    kept: int = 0
    heard: set[str] = field(default_factory=set)
    listeners: dict[str, deque[tuple[Position, int, str]]] = field(default_factory=dict)
    halted: list[Frame] = field(default_factory=list)
