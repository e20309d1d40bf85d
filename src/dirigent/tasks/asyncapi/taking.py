"""Which messages a subscription takes: the filter, the end, and what the expressions of both see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from dirigent.model import limits
from dirigent.model.fault import EXPRESSION, Fault
from dirigent.model.record import dataclass
from dirigent.model.run.command import Question
from dirigent.model.values import Expression, Value
from dirigent.ports import ExpressionFailed, Language, Oracle
from dirigent.tasks.asyncapi.request import Consumption
from dirigent.tasks.asyncapi.site import Subscription
from dirigent.tasks.http.failure import CallFailed, broken


@dataclass(frozen=True, slots=True)
class Judge:
    """Evaluates conditions: in this process where that is bounded, else in the expression worker."""

    language: Language
    oracle: Oracle

    async def holds(self, text: str, message: Value, variables: Mapping[str, Value]) -> bool:
        """Return whether a condition holds of a message, or raise `CallFailed`: an expression error."""
        try:
            compiled = self.language.compile(text)
            if compiled.local:
                value = compiled.evaluate(message, variables)
            else:
                known = {name: value for name, value in variables.items() if name in compiled.variables}
                (found,) = await self.oracle.answer([Question(Expression(text), message, known)])
                if isinstance(found, Fault):
                    raise CallFailed(found)
                value = found
        except ExpressionFailed as failure:
            raise CallFailed(Fault(EXPRESSION, 400, "Expression Error", f"`{text}`: {failure}")) from None
        if isinstance(value, bool):
            return value
        words = f"`{text}` must be true or false of a message, and is neither"
        raise CallFailed(Fault(EXPRESSION, 400, "Expression Error", words))


async def taken(
    subscription: Subscription, wanted: Consumption, judge: Judge, clock: Callable[[], float]
) -> list[Value]:
    """Return the messages that a subscription is to take, in their order. Raises `CallFailed`."""
    found: list[Value] = []
    loop = asyncio.get_running_loop()
    ends_at = None if wanted.ends_at is None else loop.time() + max(0.0, wanted.ends_at - clock())
    with suppress(TimeoutError):
        async with asyncio.timeout_at(ends_at):
            while wanted.amount is None or len(found) < wanted.amount:
                message = await subscription.next()
                if wanted.filter and not await judge.holds(wanted.filter, message, wanted.variables):
                    await subscription.drop()
                    continue
                if wanted.until and await judge.holds(wanted.until, message, wanted.variables):
                    await subscription.drop()
                    break
                found.append(message)
                if len(found) > limits.RPC_MESSAGES:
                    raise broken(f"more than {limits.RPC_MESSAGES} messages came", sent=False)
                if wanted.go_on and not await judge.holds(wanted.go_on, message, wanted.variables):
                    break
    return found
