"""How a call of a protocol becomes an outcome: failures with their place, doubts by the author's policy."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Broken, Done, Doubt, Order, Outcome
from dirigent.model.values import Value
from dirigent.ports import Vault
from dirigent.tasks.http.failure import CallFailed


def failed(vault: Vault, order: Order, failure: CallFailed, place: str, *, unsafe: bool) -> Broken:
    """Return a failure as an outcome, with `place` in its detail and no secret.

    An unsafe call whose effect may have happened leaves a doubt.
    """
    detail = f"{place}: {failure.fault.detail}" if place else failure.fault.detail
    doubtful = unsafe and (failure.sent or order.doubtful)
    return Broken(replace(failure.fault, detail=str(vault.redact(detail)), doubtful=doubtful))


def undecided(order: Order, place: str, evidence: dict[str, Value]) -> Outcome | None:
    """Return the outcome of an unsafe call that may have happened; None when it is to be made again."""
    if not order.doubtful:
        return None
    match order.on_doubt:
        case OnDoubt.REPEAT:
            return None
        case OnDoubt.SKIP:
            return Done(None)
        case OnDoubt.HOLD:
            words = f"the engine stopped during {place}: the server may have done what was asked"
            return Doubt(words, {**evidence, "key": order.id, "attempt": order.attempt})
        case _:
            assert_never(order.on_doubt)
