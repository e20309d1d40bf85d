"""Fold facts into a run. Recovery is this and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final, TypeAlias, assert_never, get_args

from dirigent.core import flow
from dirigent.core.control.overruling import overrule, running
from dirigent.core.control.retrying import (
    SERVER_ERROR,
    gates_of,
    interrupt,
    keep_numbers,
    open_gate,
    remember,
    waits,
)
from dirigent.core.events.noting import note_fact
from dirigent.core.frame import Earlier, Frame, Gate
from dirigent.core.machine import COMPUTE, EFFECT, NOTE, Ask, Key, Moment, Run, Tools, unbegun
from dirigent.core.nodes import code
from dirigent.core.nodes.divergence import divergence, same
from dirigent.core.nodes.events import listen
from dirigent.core.status import NEXT, PHASES, SETTLED, Phase, Status, after, mismatch, phase_after
from dirigent.model.ids import Position, RunId
from dirigent.model.program import Code, Program
from dirigent.model.run.journal import (
    Abandoned,
    Awaited,
    CancelRequested,
    Computed,
    Control,
    Created,
    Effect,
    Emitted,
    Ended,
    Fact,
    Failed,
    Heard,
    Held,
    Intended,
    Listening,
    Overruled,
    Patched,
    Repeated,
    ResourceChanged,
    Resumed,
    Retried,
    Signalled,
    Skipped,
    Succeeded,
    Suspended,
    TimerFired,
    TimerSet,
    Unheard,
    Vouched,
)
from dirigent.model.values import Value

AskFact: TypeAlias = (
    Intended
    | Succeeded
    | Failed
    | Held
    | Vouched
    | Repeated
    | Skipped
    | Abandoned
    | TimerSet
    | TimerFired
    | Computed
    | Awaited
    | Patched
    | Listening
    | Heard
    | Unheard
    | Emitted
)

_OF_EFFECTS: Final = frozenset(get_args(Effect))


def replay(
    program: Program,
    run_id: RunId,
    facts: Iterable[Fact],
    tools: Tools,
    trace: Callable[[Moment], None] | None = None,
    *,
    gate: tuple[Position, int] | None = None,
) -> Run:
    """Return the run that a journal tells of. Raises `Refusal` (`E4001`) where it fits no such program.

    With a `gate`, the activation of a task, an ended run comes back as it stood when that task was to begin.
    """
    facts = tuple(facts)
    run = Run(run_id, program, tools, trace=trace)
    coded = isinstance(program.root.node, Code)
    kinds = set(map(type, facts))
    if gate is None and not coded and Retried not in kinds and Patched not in kinds:
        # Nothing was taken back, as in nearly all: to look for what was costs as much as some facts.
        for fact in facts:
            advance(run, fact)
        run.news.clear()
        return run
    gates = gates_of(facts) | ({gate} if gate is not None else frozenset())
    run.gate = Gate(gates) if gates else None
    # What was taken back lies before the last word that took something back.
    taken = len(facts) if gate is not None else _last(facts)
    run.recorded = frozenset(fact.name for fact in facts if isinstance(fact, Patched))
    for number, fact in enumerate(facts):
        run.ahead = number == len(facts) - 1 or not coded
        if number >= taken or not _passed_over(run, fact):
            if isinstance(fact, Retried):
                keep_numbers(run, islice(facts, number + 1, None))
            advance(run, fact)
    run.ahead = True
    run.news.clear()
    return run


def _last(facts: Sequence[Fact]) -> int:
    return max((number for number, fact in enumerate(facts) if isinstance(fact, Retried)), default=0)


def _passed_over(run: Run, fact: Fact) -> bool:
    """Return whether a fact is of what a person took back: then it only counts."""
    if isinstance(fact, Ended):
        run.phase = Phase.ENDED
    elif isinstance(fact, Abandoned) and _wanted(run, fact):
        interrupt(run, fact)
    elif isinstance(fact, Unheard) and _wanted(run, fact):
        run.asks[key_of(fact)].status = Status.ASKED  # It listens again, for what it had not heard yet.
    elif isinstance(fact, Retried) and not waits(run, fact):
        run.phase = Phase.RUNNING
        remember(run, fact)
    elif expects(run, fact):
        return False
    else:
        remember(run, fact)
    run.now = max(run.now, fact.at)
    run.facts += 1
    return True


def _wanted(run: Run, fact: Abandoned | Unheard) -> bool:
    ask = run.asks.get(key_of(fact))
    return ask is not None and ask.frame is not None


def advance(run: Run, fact: Fact) -> None:
    """Fold one fact, and let everything happen that follows from it alone."""
    run.now = max(run.now, fact.at)
    run.facts += 1
    before = run.phase
    if isinstance(fact, AskFact):
        _ask_fact(run, fact)
    elif isinstance(fact, Retried):
        phase_after(run.phase, fact)
        open_gate(run, fact)
    elif isinstance(fact, Overruled):
        phase_after(run.phase, fact)
        overrule(run, fact)
    else:
        _run_fact(run, fact)
    if run.told is not None:
        note_fact(run, fact, before)
    flow.settle(run)


def expects(run: Run, fact: Fact) -> bool:
    """Return whether a run can take this fact as it stands: a late result of an abandoned effect cannot."""
    if isinstance(fact, AskFact):
        ask = run.asks.get(key_of(fact))
        fits = ask is not None and (ask.status, type(fact)) in NEXT
        return fits and (not isinstance(fact, Heard) or listen.takes(run, ask, fact))
    if isinstance(fact, Signalled) and run.script is not None and fact.id in run.script.heard:
        return False
    if isinstance(fact, Suspended | Resumed) and not _fits(run, fact):
        return False
    if isinstance(fact, Retried):
        return waits(run, fact)
    if isinstance(fact, Overruled) and running(run, fact.position, fact.attempt) is None:
        return False
    return (run.phase, type(fact)) in PHASES


def _fits(run: Run, word: Suspended | Resumed) -> bool:
    """Return whether a word is for a run as it stands.

    Only its queue lets go what waits there. A child takes each word of its parent once, and is resumed by
    it only if it was suspended by it.
    """
    if isinstance(word, Resumed) and (run.phase is Phase.QUEUED) != bool(word.queue):
        return False
    last = run.halted[1] if run.halted is not None else None
    followed = run.followed
    if not word.follows:
        return True
    if isinstance(word, Resumed) and not (isinstance(last, Suspended) and last.follows):
        return False
    return word.follows > followed


def _run_fact(run: Run, fact: Control | ResourceChanged) -> None:
    waited = run.phase is Phase.QUEUED
    run.phase = phase_after(run.phase, fact)
    match fact:
        case Created():
            run.created = fact
            if fact.ticket is None:
                run.begin(fact.input)
            else:
                run.phase = Phase.QUEUED
        case CancelRequested():
            _cancel(run, fact)
        case Resumed() if waited and run.created is not None:
            run.begin(run.created.input)
        case Resumed() | Suspended():
            _halt(run, fact)
        case Ended():
            run.asks.clear()
            run.news.clear()
        case Signalled():
            code.deliver(run, fact)
        case ResourceChanged():
            pass


def _halt(run: Run, word: Suspended | Resumed) -> None:
    run.halted = (run.facts, word)
    run.followed = max(run.followed, word.follows)
    if isinstance(word, Resumed):
        run.phase = Phase.QUEUED if unbegun(run) else Phase.RUNNING
        run.news.extend(run.asks)


def _cancel(run: Run, fact: CancelRequested) -> None:
    """Stop at once, or have a workflow of code end by itself."""
    run.cancel_reason = fact.reason
    if code.cancel(run):
        return
    run.result = ("cancelled", None, None)
    run.agenda.clear()
    if run.root is not None:
        run.detach(run.root)


def _ask_fact(run: Run, fact: AskFact) -> None:
    key = key_of(fact)
    ask = run.asks.get(key)
    if ask is None and run.script is not None and run.phase is not Phase.ENDED:
        if isinstance(fact, Patched):
            return  # The text has left that change behind for good.
        raise divergence(run, fact)
    if run.phase is Phase.ENDED or ask is None:
        raise mismatch(
            f"nothing waits for `{type(fact).__name__}` at `{fact.position}`, attempt {fact.attempt}"
        )
    ask.status = after(ask.status, fact, fact.position)
    if isinstance(fact, Abandoned) and ask.frame is not None:
        raise mismatch(f"`{fact.position}` is still wanted, so `Abandoned` cannot follow")
    if ask.status in SETTLED:
        del run.asks[key]
        if ask.frame is not None:
            ask.frame.asks.remove(key)
        else:
            run.stopped(fact.position)
    _remember(ask, fact)
    _tell(run, ask, fact)


def key_of(fact: AskFact) -> Key:
    """Return the key of the ask that a fact belongs to."""
    if type(fact) in _OF_EFFECTS:  # Nearly all: asked first, and by the identity of the class.
        return (fact.position, fact.attempt, EFFECT)
    match fact:
        case TimerSet() | TimerFired():
            return (fact.position, fact.attempt, fact.purpose)
        case Computed():
            return (fact.position, fact.attempt, COMPUTE + fact.slot)
        case Awaited() | Patched() | Listening() | Heard() | Unheard() | Emitted():
            return (fact.position, fact.attempt, NOTE)
        case _:
            return (fact.position, fact.attempt, EFFECT)


def _remember(ask: Ask, fact: AskFact) -> None:
    """Keep for the next attempt at this position what was sent, and whether its outcome is known."""
    frame = ask.frame
    if frame is None or frame.ledger is None or ask.call is None:
        return
    earlier = frame.ledger.earlier.setdefault(frame.position, Earlier(frame.attempt))
    if isinstance(fact, Intended):
        earlier.request, earlier.intended, earlier.doubtful = fact.request, True, True
    elif isinstance(fact, Succeeded | Vouched | Skipped):
        earlier.doubtful = False
    elif isinstance(fact, Failed):
        # A server error may come after the effect; any other answer says that there was none.
        earlier.doubtful = fact.fault.doubtful or fact.fault.status >= SERVER_ERROR


def _tell(run: Run, ask: Ask, fact: AskFact) -> None:
    """Make news of what the engine must act on, and wake whoever waits for the answer."""
    frame = ask.frame
    match fact:
        case Intended(request=request):
            if run.script is not None and not same(request, ask.request):
                raise divergence(run, fact)
            ask.request = request
            ask.began = fact.at
            run.news.append(ask.key)
        case Succeeded() | Vouched() | Skipped() | Failed() | TimerFired() | Computed() | Emitted():
            if frame is not None:
                _wake(run, ask, frame, fact)
        case TimerSet(until=until):
            ask.until = until
            ask.began = fact.at
            run.news.append(ask.key)
        case Repeated(known=known):
            ask.repeat, ask.known = True, known
            run.news.append(ask.key)
        case Held() | Abandoned() | Awaited() | Patched() | Listening() | Unheard():
            pass
        case Heard():
            listen.hear(run, ask, fact)
        case _:
            assert_never(fact)


def _wake(
    run: Run,
    ask: Ask,
    frame: Frame,
    fact: Succeeded | Vouched | Skipped | Failed | TimerFired | Computed | Emitted,
) -> None:
    match fact:
        case Succeeded(output=output) | Vouched(output=output):
            run.complete(frame, _output(ask, frame, output))
        case Skipped():
            run.complete(frame, None if ask.call is not None and ask.call.literal else frame.input)
        case Emitted(event=event):
            run.complete(frame, event)
        case Failed(fault=fault):
            run.fail(frame, fault)
        case TimerFired(purpose=purpose):
            run.ring(frame, purpose)
        case Computed(slot=slot, answers=answers):
            frame.answers[slot] = answers
            run.agenda.append(frame)
        case _:
            assert_never(fact)


def _output(ask: Ask, frame: Frame, output: Value) -> Value:
    """A call that did not wait for its work passes its input on (DSL 1.0, "Run")."""
    request = ask.request
    if isinstance(request, dict) and request.get("await") is False:
        return frame.input
    return output
