"""The performer of `authorize`: a call whose policy wants a code asks a person for it, and waits.

The question is a held effect: it is in the journal, and `dirigent resume --done CODE` answers it. A code
is good once, for a short while, and only together with a verifier that is not in the journal.
"""

from __future__ import annotations

from dataclasses import replace

from dirigent.model.problem import Refusal
from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Broken, Done, Doubt, Order, Outcome
from dirigent.model.values import Value
from dirigent.tasks.http.call import members_of, unrevealed
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.failure import CallFailed


class AuthorizePerformer:
    """Carries out `authorize`. Its output is the code, or null where a token is there already."""

    def __init__(self, credentials: Credentials) -> None:
        """Take the credentials that the calls share."""
        self._credentials = credentials

    async def perform(self, order: Order) -> Outcome:
        """Ask a person, unless an earlier answer still serves."""
        try:
            found = await self._credentials.question(order, members_of(order.request).get("authentication"))
        except CallFailed as failure:
            return Broken(replace(failure.fault, doubtful=False))
        except Refusal as refusal:
            return Broken(unrevealed(refusal).fault)
        if found is None:
            return Done(None)
        if order.on_doubt is OnDoubt.SKIP:
            # Nobody is asked under this policy; the call then says what it lacks.
            return Done(None)
        evidence: dict[str, Value] = {"open": found, "then": "dirigent resume RUN --done CODE"}
        return Doubt("a person must let the client in at its authority, and bring back a code", evidence)

    async def abandon(self, order: Order) -> None:
        """Nothing to stop: a question is no more than a record."""
