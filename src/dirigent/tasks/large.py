"""Large values of effects: results too large for a fact go into files, and come back with the request.

A fact names them by digest. Whatever looks like such a name and comes from outside is refused: only what
this store has written can be read back by it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import cast

from dirigent.core.storable import unstorable
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.record import dataclass
from dirigent.model.run import payload
from dirigent.model.run.effect import Broken, Done, Order, Outcome
from dirigent.model.values import Value
from dirigent.ports import Payloads, Performer, Prompt, Vault


@dataclass(frozen=True, slots=True)
class LargeValues:
    """Fits `ports.Performer` and `ports.Prompt`, round another one that may be prompt."""

    performer: Performer
    payloads: Payloads
    vault: Vault
    prompt: Prompt | None = None

    def answer(self, order: Order) -> Outcome | None:
        """Have it done on the spot, if that can be and nothing large goes in.

        A large result is put away on the event loop: a performer is prompt with small ones.
        """
        if self.prompt is None or self._named(order):
            return None
        found = self.prompt.answer(order)
        outcome = _own(found) if found is not None else None
        if not isinstance(outcome, Done) or unstorable(outcome.output) is None:
            return outcome
        return self._smaller(outcome)

    async def perform(self, order: Order) -> Outcome:
        """Do it with the content of what the request names; put away what would be too large for a fact.

        Raises `Refusal` (E5070, E5071) when the content is missing or damaged.
        """
        if self._named(order):
            order = replace(order, request=await asyncio.to_thread(self._content, order))
        outcome = _own(await self.performer.perform(order))
        if not isinstance(outcome, Done) or unstorable(outcome.output) is None:
            return outcome
        return await asyncio.to_thread(self._smaller, outcome)

    async def abandon(self, order: Order) -> None:
        """Stop it."""
        await self.performer.abandon(order)

    def _named(self, order: Order) -> bool:
        return next(payload.references(order.request), None) is not None and self.payloads.any

    def _smaller(self, outcome: Done) -> Done:
        return replace(outcome, output=self._put_away(self.vault.redact(outcome.output)))

    def _content(self, order: Order) -> Value:
        whose = f" of run `{order.run}` at `{order.position}`"

        def change(node: Value) -> Value | None:
            found = payload.parts_of(node)
            if found is None:
                return None
            digest, form = found
            text = self.payloads.get(digest, whose).decode()
            return text if form == payload.TEXT else cast("Value", json.loads(text))

        return payload.replaced(order.request, change)

    def _put_away(self, output: Value) -> Value:
        """Put the large texts of a value away; if that is not enough, the value as a whole."""
        try:
            smaller = payload.replaced(output, self._large_text)
            if unstorable(smaller) is None:
                return smaller
            content = json.dumps(output, ensure_ascii=False, default=str).encode()
        except (UnicodeEncodeError, RecursionError):
            return output  # No journal could hold it, and no file either: the engine says why.
        if len(content) > limits.LARGE_BYTES:
            return output
        digest = self.payloads.put(content)
        return output if digest is None else payload.reference(digest, len(content), payload.JSON)

    def _large_text(self, node: Value) -> Value | None:
        if not isinstance(node, str) or len(node) <= limits.PAYLOAD_INLINE_BYTES:
            return None
        content = node.encode()
        if len(content) > limits.LARGE_BYTES:
            return None
        digest = self.payloads.put(content)
        return None if digest is None else payload.reference(digest, len(content), payload.TEXT, node)


def _own(outcome: Outcome) -> Outcome:
    """Return an outcome, or a fault in place of a result that looks like the name of a large value."""
    if not isinstance(outcome, Done) or next(payload.references(outcome.output), None) is None:
        return outcome
    words = f"the result has a member `{payload.NAME}`, a name that is kept for large values"
    return Broken(Fault(faults.VALIDATION, 422, "Reserved Name", words), outcome.records)
