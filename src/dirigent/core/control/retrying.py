"""A run that failed goes on from one of its tasks: a fold that stops at that task, as at a gate.

Law 1: what had nothing to do with the task is kept; what it and its successors did is passed over, and lives
on only as the number of their attempts, so no effect ever has the name of an older one.
Law 2: a request whose outcome nobody knows is sent again to the byte, as after any doubtful failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeGuard

from dirigent.core.frame import AgainState, Earlier, Frame, Gate, Ledger, Step
from dirigent.core.machine import Run
from dirigent.core.status import Phase, Status, mismatch
from dirigent.model.ids import Position
from dirigent.model.program import CONTINUE
from dirigent.model.run.journal import (
    Abandoned,
    Computed,
    Emitted,
    Fact,
    Failed,
    Intended,
    Listening,
    Retried,
    Skipped,
    Succeeded,
    TimerSet,
    Vouched,
)

# HTTP: from here on the server speaks of itself, not of the request.
SERVER_ERROR = 500
# What a task has computed after its work: these answers are of the task, whose number stays.
AFTER_WORK: Final = frozenset(("output", "export"))


def gates_of(facts: Iterable[Fact]) -> frozenset[tuple[Position, int]]:
    """Return the activations of tasks from which people had a run go on."""
    return frozenset((fact.position, fact.attempt) for fact in facts if isinstance(fact, Retried))


def park(run: Run, frame: Frame) -> bool:
    """Stop a frame that is about to begin at a gate; return whether it was."""
    gate, key = run.gate, (frame.position, frame.attempt)
    if gate is None or key not in gate.keys or key in gate.opened:
        return False
    gate.parked[key] = (frame, run.now)
    return True


def waits(run: Run, fact: Retried) -> bool:
    """Return whether a run stands at the gate that this fact opens, and at nothing else."""
    found = run.gate.parked.get((fact.position, fact.attempt)) if run.gate is not None else None
    return found is not None and found[0].alive and run.result is None and run.phase is Phase.ENDED


def remember(run: Run, fact: Fact) -> None:
    """Keep of a fact that is passed over what the next attempt at its position must know."""
    position = getattr(fact, "position", None)
    if run.gate is None or position is None:
        return
    earlier = _earlier(run.gate, position)
    earlier.lost = max(earlier.lost, getattr(fact, "attempt", 0))
    earlier.attempt = max(earlier.attempt, earlier.lost)
    match fact:
        case Intended(request=request):
            if earlier.intended and not earlier.doubtful and earlier.request != request:
                earlier.generation += 1
            earlier.request, earlier.intended, earlier.doubtful = request, True, True
        case Succeeded() | Vouched() | Skipped():
            earlier.doubtful = False
        case Retried(attempt=attempt):
            # The attempt that it began may have left no fact, and its gate must not stand for another one.
            earlier.attempt = max(earlier.attempt, attempt + 1)
        case Failed(fault=fault):
            earlier.doubtful = fault.doubtful or fault.status >= SERVER_ERROR
        case _:
            pass


def number_anew(work: Frame) -> None:
    """Give a work its next attempt where it was taken back, but not its task: that went on from before it."""
    earlier = work.ledger.earlier.get(work.position) if work.ledger is not None else None
    if earlier is not None and earlier.lost >= work.attempt:
        earlier.attempt = work.attempt = earlier.attempt + 1


def keep_numbers(run: Run, later: Iterable[Fact]) -> None:
    """Number works as a journal does that was written before `number_anew`: `later` is what follows in it."""
    for fact in later:
        if run.gate is None or isinstance(fact, Retried):
            return
        if _begins(fact):
            earlier = run.gate.again.earlier.get(fact.position)
            if earlier is not None and fact.attempt <= earlier.lost:
                earlier.lost = 0


def _begins(fact: Fact) -> TypeGuard[Intended | TimerSet | Listening | Emitted | Computed]:
    """Return whether a fact is the first of a work: not of what a task does after its work."""
    if isinstance(fact, Computed):
        return fact.slot not in AFTER_WORK
    return isinstance(fact, Intended | TimerSet | Listening | Emitted)


def _earlier(gate: Gate, position: Position) -> Earlier:
    found = gate.again.earlier.get(position)
    if found is None:
        found = Earlier(0)
        for frame, _ in gate.parked.values():
            kept = frame.ledger.earlier.get(position) if frame.ledger is not None else None
            if kept is not None:
                found = Earlier(kept.attempt, kept.generation, kept.request, kept.intended, kept.doubtful)
        gate.again.earlier[position] = found
    return found


def interrupt(run: Run, fact: Abandoned) -> None:
    """An effect that is wanted again was stopped because of a failure that is passed over."""
    key = (fact.position, fact.attempt, "effect")
    ask = run.asks[key]
    if run.gate is None or ask.frame is None:
        return
    earlier = _earlier(run.gate, fact.position)
    earlier.attempt = max(earlier.attempt, fact.attempt)
    earlier.request, earlier.intended, earlier.doubtful = ask.request, True, True
    run.gate.interrupted.append(ask.frame)
    _forget(run, ask.frame)


def _forget(run: Run, frame: Frame) -> None:
    for key in frame.asks:
        run.asks.pop(key, None)
    frame.asks.clear()
    frame.answers.clear()


def open_gate(run: Run, fact: Retried) -> None:
    """Let a run go on from the task at whose gate it stands. Raises `Refusal` (E4001) if it does not."""
    if run.gate is None or not waits(run, fact):
        raise mismatch(f"the run does not stand at `{fact.position}`, attempt {fact.attempt}")
    gate = run.gate
    run.phase = Phase.RUNNING
    frame, since = gate.parked.pop((fact.position, fact.attempt))
    gate.opened.add((fact.position, fact.attempt))
    _wind(run, since)
    _hand_over(run, gate.again)
    for each in gate.interrupted:
        if each.alive:
            _renew(run, each, gate.again)
            run.agenda.append(each)
    gate.interrupted.clear()
    _renew(run, frame, gate.again)
    match fact.answer:
        case "again":
            run.agenda.append(frame)
        case "skip":
            run.mark("skipped", frame)
            run.leave(frame, frame.raw, CONTINUE)
        case _:
            run.mark("entered", frame)
            run.complete(frame, fact.output)
    run.news.extend(run.asks)
    if gate.opened == gate.keys:
        run.gate = None


def _wind(run: Run, since: float) -> None:
    """Give every timer that stands the time that it had left: nobody waited while the run was over."""
    for ask in run.asks.values():
        if ask.status is Status.UNDER_WAY and ask.call is None and not ask.questions and ask.note is None:
            ask.until = run.now + ask.until - max(since, ask.began)


def _hand_over(run: Run, again: Ledger) -> None:
    """Let every frame know the attempts that were passed over."""
    for frame in _frames(run):
        if frame.ledger is None:
            frame.ledger = again
        elif frame.ledger is not again:
            known = frame.ledger.earlier
            known.update((at, each) for at, each in again.earlier.items() if _latest(each, known.get(at)))


def _latest(earlier: Earlier, known: Earlier | None) -> bool:
    return known is None or known.attempt <= earlier.attempt


def _frames(run: Run) -> Iterator[Frame]:
    todo = [run.root] if run.root is not None else []
    for frame in todo:
        yield frame
        todo.extend(frame.children.values())


def _renew(run: Run, frame: Frame, again: Ledger) -> None:
    """Give a frame that begins anew its next attempt."""
    earlier = again.earlier.setdefault(frame.position, Earlier(frame.attempt))
    frame.attempt = earlier.attempt = max(frame.attempt, earlier.attempt) + 1
    if frame.ledger is not None:
        frame.ledger.earlier[frame.position] = earlier
    frame.started_at = run.now
    frame.step = Step.BODY if frame.task is None else Step.ENTERED
    frame.state = None
    above = frame.parent
    if above is not None and isinstance(above.state, AgainState):
        above.state.attempt = frame.attempt
