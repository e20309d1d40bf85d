"""`try`: catch, retry, recover (register Q3 to Q6).

Retry until the policy ends, then the catching block, then its directive. Delays grow with the number
n of the retry: d, d*n or d*2^(n-1); the jitter is drawn from the run's own identity, so that every
replay draws the same.
"""

from __future__ import annotations

from hashlib import blake2b

from dirigent.core import want
from dirigent.core.evaluate import evaluate, truth
from dirigent.core.events.noting import note
from dirigent.core.frame import Frame, TryState
from dirigent.core.machine import Run, bound_variables, fresh_ledger
from dirigent.core.nodes.behaviour import Behaviour
from dirigent.core.nodes.simple import duration
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.fault import Fault, canonical
from dirigent.model.program import CONTINUE, Backoff, Catch, Retry, Try
from dirigent.model.values import Value

RETRY = "retry"
ATTEMPT_TIMEOUT = "attempt-timeout"


def begin(run: Run, frame: Frame) -> None:
    """Start the first attempt, or go on judging a fault."""
    node = _node(frame)
    if frame.state is None:
        frame.state = TryState(attempt=frame.attempt, since=run.now)
    state = _state(frame)
    if state.fault is None:
        _start(run, frame, node, state)
    else:
        _judge(run, frame, node, state, state.fault)


def _start(run: Run, frame: Frame, node: Try, state: TryState) -> None:
    """Start an attempt; its time is known before it begins."""
    retry = node.catch.retry
    if retry is not None and retry.attempt_seconds is not None:
        amount = evaluate(run, frame, "attempt", retry.attempt_seconds, frame.input)
        want.timer(run, frame, ATTEMPT_TIMEOUT, duration(amount), state.attempt)
    frame.answers.clear()
    frame.ledger = fresh_ledger(frame)
    run.enter_block(frame, node.body, "body", frame.input)


def left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """The body or the catching block ended well."""
    node, state = _node(frame), _state(frame)
    if child.slot == "catch":
        then = node.catch.then
        run.complete(frame, output, None if then == CONTINUE else then)
    else:
        want.drop_timer(run, frame, ATTEMPT_TIMEOUT, state.attempt)
        run.complete(frame, output)


def broke(run: Run, frame: Frame, child: Frame, fault: Fault) -> None:
    """The body failed: judge it. A fault of the catching block is not caught here."""
    state = _state(frame)
    if child.slot == "catch":
        run.fail(frame, fault)
        return
    want.drop_timer(run, frame, ATTEMPT_TIMEOUT, state.attempt)
    state.fault = fault
    frame.answers.clear()
    _judge(run, frame, _node(frame), state, fault)


def fired(run: Run, frame: Frame, purpose: str) -> None:
    """A delay is over, or an attempt took too long."""
    node, state = _node(frame), _state(frame)
    if purpose == ATTEMPT_TIMEOUT:
        body = frame.children.get("body")
        if body is not None:
            run.fail(body, Fault(faults.TIMEOUT, 408, "Timeout", "the attempt took too long"))
        return
    state.attempt += 1
    state.fault = None
    note(run, "retried", frame)
    # An outer `try` that repeats this one goes on from here, so that no timer has the name of an older one.
    if frame.ledger is not None and frame.position in frame.ledger.earlier:
        frame.ledger.earlier[frame.position].attempt = state.attempt
    _start(run, frame, node, state)


def _judge(run: Run, frame: Frame, node: Try, state: TryState, fault: Fault) -> None:
    """Decide what becomes of the fault. Asked again after answers of the worker, it decides alike."""
    catch = node.catch
    bound: dict[str, Value] = {catch.variable: fault.as_value()}
    if not _matches(catch, fault) or not _holds(run, frame, "", catch, bound):
        run.fail(frame, fault)
        return
    delay = _delay(run, frame, catch.retry, state, bound)
    frame.answers.clear()
    if delay is not None:
        state.retries += 1
        run.mark("retrying", frame)
        want.timer(run, frame, RETRY, delay, state.attempt)
    elif catch.body is not None:
        block = run.enter_block(frame, catch.body, "catch", frame.input)
        block.variables = bound_variables(frame, bound)
    elif catch.retry is None or catch.then != CONTINUE:
        then = catch.then
        run.complete(frame, frame.input, None if then == CONTINUE else then)
    else:
        # Only a retry was asked for, and it has not helped: to go on as if nothing were would be a lie.
        run.fail(frame, fault)


def _matches(catch: Catch, fault: Fault) -> bool:
    """Return whether the error has every member of the filter; types match through their aliases."""
    seen = fault.as_value()
    for name, wanted in catch.matching.items():
        if name == "type" and isinstance(wanted, str):
            if canonical(fault.type) != canonical(wanted):
                return False
        elif seen.get("detail" if name == "details" else name) != wanted:
            return False
    return True


def _holds(run: Run, frame: Frame, slot: str, policy: Catch | Retry, bound: dict[str, Value]) -> bool:
    if policy.when is not None and not truth(run, frame, f"{slot}when", policy.when, frame.input, **bound):
        return False
    refused = policy.except_when
    return refused is None or not truth(run, frame, f"{slot}except", refused, frame.input, **bound)


def _delay(
    run: Run, frame: Frame, retry: Retry | None, state: TryState, bound: dict[str, Value]
) -> float | None:
    """Return the seconds until the next attempt, or None when the policy has ended."""
    if retry is None or not _holds(run, frame, "retry-", retry, bound):
        return None
    number = state.retries + 1
    if number > (limits.RETRIES if retry.attempts_max is None else retry.attempts_max):
        return None
    amount = duration(evaluate(run, frame, "delay", retry.delay, frame.input, **bound))
    delay = _grown(retry.backoff, amount, number)
    low = duration(evaluate(run, frame, "jitter-from", retry.jitter_from, frame.input, **bound))
    high = duration(evaluate(run, frame, "jitter-to", retry.jitter_to, frame.input, **bound))
    delay = min(
        delay + low + (high - low) * drawn(f"{run.id}\n{frame.position}\n{number}"), limits.WAIT_SECONDS
    )
    if retry.total_seconds is not None:
        total = duration(evaluate(run, frame, "total", retry.total_seconds, frame.input, **bound))
        if run.now + delay > state.since + total:
            return None
    return delay


def _grown(backoff: Backoff, delay: float, number: int) -> float:
    match backoff:
        case Backoff.CONSTANT:
            return delay
        case Backoff.LINEAR:
            return delay * number
        case Backoff.EXPONENTIAL:
            # The exponent is bounded, so that a thousand retries give a long wait and no overflow.
            return float(delay * 2 ** min(number - 1, 63))


def drawn(seed: str) -> float:
    """Return a number in [0, 1) that looks random and is the same on every replay."""
    return int.from_bytes(blake2b(seed.encode(), digest_size=7).digest()) / 2**56


def _node(frame: Frame) -> Try:
    if not isinstance(frame.node, Try):
        raise TypeError(frame.position)
    return frame.node


def _state(frame: Frame) -> TryState:
    if not isinstance(frame.state, TryState):
        raise TypeError(frame.position)
    return frame.state


TRY = Behaviour(begin, begin, left, broke, fired)
