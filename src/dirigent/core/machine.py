"""The state of one run, and the few moves that the nodes make on it.

A move never calls another node: it puts a frame on the agenda, which `flow` works off one by one.
So neither deep documents nor long loops cost stack, and what happens when is the order of the agenda.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from typing import Final, TypeAlias

from dirigent.core.events.happening import Happening, of_task
from dirigent.core.frame import Earlier, Frame, Gate, Ledger, Script, Step, Thread
from dirigent.core.status import Phase, Status
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.events.listening import Want
from dirigent.model.fault import Fault
from dirigent.model.ids import EffectId, Position, RunId
from dirigent.model.program import Call, Node, Program, Task
from dirigent.model.record import dataclass
from dirigent.model.run.code import Wanted
from dirigent.model.run.command import Hears, Noted, Question
from dirigent.model.run.journal import Created, Resumed, Suspended
from dirigent.model.run.ticket import Ticket
from dirigent.model.values import Value
from dirigent.ports import Language, Plays, Schemas

EFFECT: Final = "effect"
NOTE: Final = "note"
COMPUTE: Final = "compute:"
FINAL_FACTS: Final = 8
Key: TypeAlias = tuple[Position, int, str]


@dataclass(frozen=True, slots=True)
class Tools:
    """The instruments that the core is handed: the expression language, JSON Schema, workflows of code."""

    language: Language
    schemas: Schemas
    plays: Plays | None = None


@dataclass(slots=True, eq=False)
class Ask:
    """Something that the run wants of the world. `frame` is None once nobody waits for it any more.

    An effect with a `ticket` is asked for until its queue admits it; it `began` when it was recorded.
    """

    key: Key
    frame: Frame | None
    status: Status = Status.ASKED
    effect: EffectId | None = None
    request: Value = None
    call: Call | None = None
    repeat: bool = False
    seconds: float = 0.0
    until: float = 0.0
    began: float = 0.0
    ticket: Ticket | None = None
    questions: tuple[Question, ...] = ()
    note: Noted | None = None
    known: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a trace: what happened to which task. For views; never part of the state."""

    at: float
    what: str
    position: Position
    task: Task
    attempt: int
    depth: int


class Pending(Exception):
    """A step cannot go on before the expression worker has answered. Raised and caught inside `core`."""


class Faulted(Exception):
    """A step failed with a fault of the user's program. Raised and caught inside `core`."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault."""
        super().__init__(fault.detail)
        self.fault = fault


@dataclass(slots=True, eq=False)
class Run:
    """One run as its journal tells it: a mutable fold with a single owner.

    `told` is what happened since somebody asked for that. `halted` is the last word that suspended or resumed
    it, and the number of that fact; `followed` is the last fact of its parent that it followed.
    `stopping` holds the positions whose last attempt is being abandoned, and which ask waits for that: two
    attempts of one effect never overlap in the world. `heard` says of every event that was taken, as which
    fact that was first, and `ears` what each task listened for last, and up to when. `script` is what a
    workflow of code has beside; it is `ahead` of its journal when that is
    folded, and `recorded` are the changes of its text that it took.
    """

    id: RunId
    program: Program
    tools: Tools
    phase: Phase = Phase.PENDING
    created: Created | None = None
    now: float = 0.0
    facts: int = 0
    entered: int = 0
    asks: dict[Key, Ask] = field(default_factory=dict)
    news: list[Key] = field(default_factory=list)
    agenda: deque[Frame] = field(default_factory=deque)
    stopping: dict[Position, Key | None] = field(default_factory=dict)
    root: Frame | None = None
    result: tuple[str, Value, Fault | None] | None = None
    cancel_reason: str = ""
    halted: tuple[int, Suspended | Resumed] | None = None
    followed: int = 0
    gate: Gate | None = None
    trace: Callable[[Moment], None] | None = None
    told: list[Happening] | None = None
    heard: dict[str, int] = field(default_factory=dict)
    ears: dict[str, tuple[Want, float]] = field(default_factory=dict)
    script: Script | None = None
    recorded: frozenset[str] = frozenset()
    ahead: bool = True

    # -- frames ---------------------------------------------------------------------------------

    def enter(self, parent: Frame, task: Task, slot: int | str, raw: Value, mark: str = "") -> Frame:
        """Begin a child task. `mark` distinguishes its activations (`~2` for a second visit)."""
        position = parent.position
        if position == parent.pointer and not mark:
            position = Position(task.pointer)
        else:
            position = Position(f"{position}{task.pointer[len(parent.pointer) :]}{mark}")
        frame = self._frame(parent, task.node, position, slot, raw)
        frame.task, frame.pointer = task, task.pointer
        taken_back = 0 if self.gate is None else self.gate.taken_back(position)
        frame.attempt = 1 if frame.ledger is None else _attempt(frame.ledger, position)
        if self.gate is not None and taken_back >= frame.attempt:
            # A fold up to a gate may come later to a task than the run did: that attempt was another one.
            self.gate.take_over(frame)
        if task.constants:
            frame.variables = bound_variables(frame, task.constants)
        return frame

    def enter_block(
        self, parent: Frame, node: Node | Wanted, slot: int | str, raw: Value, mark: str = ""
    ) -> Frame:
        """Begin a bare block inside a task; it has neither a data flow nor attempts of its own."""
        frame = self._frame(parent, node, Position(f"{parent.position}{mark}"), slot, raw)
        frame.step = Step.BODY
        return frame

    def _frame(
        self, parent: Frame, node: Node | Wanted, position: Position, slot: int | str, raw: Value
    ) -> Frame:
        above = parent
        task, pointer, attempt, now = None, above.pointer, above.attempt, self.now
        thread, variables, ledger = above.thread, above.variables, above.ledger
        # Positional, for one is made for each task: names cost a sixth of it.
        frame = Frame(
            node, task, parent, slot, pointer, position, attempt, raw, thread, variables, ledger, now, raw
        )
        frame.lazy = parent.lazy
        parent.children[slot] = frame
        self.entered += 1
        self.agenda.append(frame)
        return frame

    def begin(self, raw: Value) -> None:
        """Begin the root task."""
        task = self.program.root
        self.root = Frame(
            node=task.node,
            task=task,
            parent=None,
            slot=0,
            pointer=task.pointer,
            position=Position(task.pointer),
            attempt=1,
            raw=raw,
            thread=Thread(),
            variables={},
            ledger=None,
            started_at=self.now,
            input=raw,
        )
        self.agenda.append(self.root)

    def complete(self, frame: Frame, output: Value, directive: str | None = None) -> None:
        """The node of a frame gave its output; the data flow of its task goes on from there."""
        frame.value = frame.output = output
        frame.directive, frame.step = directive, Step.OUTPUT
        frame.answers.clear()
        frame.children.clear()
        self.agenda.append(frame)

    def fail(self, frame: Frame, fault: Fault) -> None:
        """The frame ends with a fault; what still ran below it is abandoned."""
        self.detach(frame)
        frame.fault, frame.step = _located(fault, frame), Step.OVER
        self.mark("failed", frame)
        self.agenda.append(frame)

    def leave(self, frame: Frame, output: Value, directive: str | None) -> None:
        """The frame ends with an output; the directive says where its parent goes next, None: on."""
        self.detach(frame)
        frame.value, frame.directive, frame.step = output, directive, Step.OVER
        self.agenda.append(frame)

    def ring(self, frame: Frame, purpose: str) -> None:
        """A timer of a frame fired."""
        frame.rang = purpose
        self.agenda.append(frame)

    def detach(self, frame: Frame) -> None:
        """Let nobody wait any longer for what a frame and all below it asked for."""
        if self.told is None:
            frame.alive = False
            if not frame.children and not frame.asks:
                return
        gone: list[Frame] = [frame]
        for each in gone:
            gone.extend(each.children.values())
            if self.told is not None and each.alive:
                self.mark("stopped", each)
            each.alive = False
            each.children.clear()
            for key in each.asks:
                self.disown(self.asks[key])
            each.asks.clear()

    def disown(self, ask: Ask) -> None:
        """Let nobody wait for an ask any longer; an effect that has begun is to be abandoned."""
        ask.frame = None
        if ask.call is not None and ask.status in {Status.UNDER_WAY, Status.HELD}:
            self.news.append(ask.key)  # as an order to abandon it
            self.stopping[ask.key[0]] = None
        elif isinstance(ask.note, Hears) and ask.status is Status.UNDER_WAY:
            self.news.append(ask.key)  # to have recorded that it is over
        else:
            del self.asks[ask.key]

    def end(self, output: Value) -> None:
        """The directive `end`: the run completes with this output, wherever it stands."""
        root = self.root
        if root is None:
            return
        for child in list(root.children.values()):
            self.detach(child)
        self.complete(root, output)

    # -- asks -----------------------------------------------------------------------------------

    def stopped(self, position: Position) -> None:
        """An abandoned effect is over: the next attempt at it, if one waits for that, may begin."""
        waiting = self.stopping.pop(position, None)
        if waiting is not None:
            self.news.append(waiting)
        if self.script is not None and not self.stopping:
            self.agenda.extend(self.script.halted)
            self.script.halted.clear()

    def want(self, ask: Ask) -> None:
        """Add an ask; one for an effect that is just being abandoned waits for that."""
        self.asks[ask.key] = ask
        self.news.append(ask.key)
        if ask.call is not None and ask.key[0] in self.stopping:
            self.stopping[ask.key[0]] = ask.key
        if ask.frame is not None:
            ask.frame.asks.append(ask.key)

    # -- views ----------------------------------------------------------------------------------

    def mark(self, what: str, frame: Frame) -> None:
        """Note what happened to a task, and tell the trace, if somebody listens."""
        if self.told is not None:
            happening = of_task(what, self.now, self.facts, frame)
            if happening is not None:
                self.told.append(happening)
        if self.trace is not None and frame.task is not None and what != "stopped":
            depth = sum(above.task is not None for above in _ancestors(frame)) - 1
            self.trace(Moment(self.now, what, frame.position, frame.task, frame.attempt, depth))

    @property
    def quiet(self) -> bool:
        """Return whether nothing but timers and people can move this run."""
        for ask in self.asks.values():
            if (ask.call is not None or ask.questions) and ask.status is not Status.HELD:
                return False
        return True


def unbegun(run: Run) -> bool:
    """Return whether a run still has to be let go by its queue."""
    return run.root is None and run.created is not None and run.created.ticket is not None


def _ancestors(frame: Frame) -> Iterator[Frame]:
    above = frame.parent
    while above is not None:
        yield above
        above = above.parent


def bound_variables(frame: Frame, added: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return the bound variables of a frame with some more."""
    return {**frame.variables, **added}


def fresh_ledger(frame: Frame) -> Ledger:
    """Return the ledger that a repeatable part uses: that of the outermost `try`, or a new one."""
    return frame.ledger or Ledger()


def _attempt(ledger: Ledger | None, position: Position) -> int:
    if ledger is None:
        return 1
    earlier = ledger.earlier.get(position)
    if earlier is None:
        ledger.earlier[position] = Earlier(1)
        return 1
    earlier.attempt += 1
    return earlier.attempt


def _located(fault: Fault, frame: Frame) -> Fault:
    """Give a fault the place of the task where it arose, unless it has one already."""
    if fault.instance:
        return fault
    owner: Frame | None = frame
    while owner is not None and owner.task is None:
        owner = owner.parent
    span = fault.span or (owner.task.span if owner is not None and owner.task is not None else None)
    return replace(fault, instance=frame.pointer or "/", span=span)


def overrun(what: str, limit: int | None = None) -> Fault:
    """Return the fault of a run that exceeds a limit."""
    words = what if limit is None else f"{what}: the limit is {limit}"
    return Fault(faults.RUNTIME, 500, "Limit Reached", words)


def within_limits(run: Run, steps: int) -> Fault | None:
    """Return the fault of a run that exceeds a limit: `steps` were done since the last fact."""
    if steps > limits.PURE_STEPS:
        return overrun("too many steps in a row without an effect or a wait", limits.PURE_STEPS)
    if run.entered > limits.TASKS_PER_RUN:
        return overrun(f"{run.entered} tasks were entered", limits.TASKS_PER_RUN)
    # What stands can still take two facts each, and the end of the run one.
    if run.facts + 2 * len(run.asks) + FINAL_FACTS > limits.JOURNAL_FACTS:
        return overrun(f"the journal has {run.facts} facts", limits.JOURNAL_FACTS)
    return None
