"""The performer of `a2a`. The request is described in `docs/protocols.md`.

Rule: a card says where an agent is, but a credential goes there only if that is the card's own host, a
declared one, or the card is a file of the stack.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Done, Order, Outcome
from dirigent.model.values import Value
from dirigent.tasks.a2a.card import address_of
from dirigent.tasks.a2a.request import Wanted, wanted_of
from dirigent.tasks.http.authentication import authentication_of
from dirigent.tasks.http.call import members_of, unrevealed
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.failure import CallFailed, broken, forbidden
from dirigent.tasks.http.message import Call, outgoing_of
from dirigent.tasks.rpc.credentials import revealed, without_credentials
from dirigent.tasks.rpc.external import Read, fetched, resource_of
from dirigent.tasks.rpc.message import is_answer, request, result_of, written
from dirigent.tasks.rpc.outcome import failed, undecided
from dirigent.tasks.rpc.post import ACCEPT, Route, post
from dirigent.tasks.secrets import named

CARD = "agentCard"


class A2aPerformer:
    """Carries out the function `a2a`."""

    def __init__(self, client: Client, credentials: Credentials, read: Read) -> None:
        """Take the guarded client, the credentials that calls share, and the reader of the stack's files."""
        self._client = client
        self._credentials = credentials
        self._vault = credentials.vault
        self._read = read

    async def perform(self, order: Order) -> Outcome:
        """Do the call, or say why its outcome is in doubt."""
        place, unsafe = "", True
        try:
            bare = members_of(named(without_credentials(members_of(order.request), CARD)))
            shown = wanted_of(bare, order.id)
            agent = shown.server or members_of(bare.get(CARD)).get("endpoint")
            place, unsafe = f"{shown.method} of `{agent}`", shown.unsafe
            doubt = undecided(order, place, _evidence(shown, agent)) if unsafe else None
            if doubt is not None:
                return doubt
            secret = await revealed(self._credentials, order, CARD)
            return Done(self._vault.redact(await self._called(order, secret)))
        except CallFailed as failure:
            return failed(self._vault, order, failure, place, unsafe=unsafe)
        except Refusal as refusal:
            return failed(self._vault, order, unrevealed(refusal), place, unsafe=unsafe)

    async def abandon(self, order: Order) -> None:
        """Nothing to stop: the connection fell with the task. A task of the agent goes on at the agent."""

    async def _called(self, order: Order, given: dict[str, Value]) -> Value:
        wanted = wanted_of(given, order.id)
        call = await self._addressed(order, wanted, given)
        message = request(wanted.method, wanted.params, order.id)
        outgoing = replace(outgoing_of(call, order.id), body=written(message))
        answers: list[Value] = []

        async def take(each: dict[str, Value]) -> bool:
            if not is_answer(each, order.id):
                return False
            answers.append(result_of(each))
            if len(answers) > limits.RPC_MESSAGES:
                raise broken(f"the agent sent more than {limits.RPC_MESSAGES} messages")
            return not wanted.streaming or _is_final(answers[-1])

        route = Route(self._client, self._vault, order.hosts, wanted.seconds)
        await post(route, outgoing, take)
        if not answers:
            raise broken("the agent ended its answer before a result was there")
        return answers if wanted.streaming else answers[0]

    async def _addressed(self, order: Order, wanted: Wanted, given: dict[str, Value]) -> Call:
        """Return the call without its body: to the server, or to where the card says the agent is."""
        authentication = authentication_of(given.get("authentication"))
        url = wanted.server
        if url is None:
            resource = resource_of(given.get(CARD), CARD)
            card = await fetched(self._client, self._read, resource, order.hosts, "agent card")
            url, authentication = address_of(card), resource.authentication
            if authentication is not None and card.url is not None:
                target = self._client.target(url, order.hosts)
                if not target.declared and target.host != self._client.target(card.url, order.hosts).host:
                    raise forbidden(
                        f"the agent card `{card.place}` sends this call, with its credentials, to another "
                        f"host; declare `{target.place}` under `policy.http.hosts` if that is right"
                    )
        headers = {"Accept": ACCEPT, "Content-Type": "application/json"}
        return Call("POST", url, headers=headers, authentication=authentication)


def _is_final(result: Value) -> bool:
    """Return whether an agent says that nothing more will come."""
    return isinstance(result, dict) and (result.get("final") is True or result.get("kind") == "message")


def _evidence(shown: Wanted, agent: Value) -> dict[str, Value]:
    """Return by what a person finds a message at the agent; secrets are in the digest as their names."""
    params = members_of(shown.params)
    message = members_of(params.get("message"))
    return {
        "method": shown.method,
        "agent": agent,
        "message_id": message.get("messageId"),
        "parameters_sha256": sha256(written(params)).hexdigest(),
    }
