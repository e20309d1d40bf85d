"""Texts that a task names by a URL, such as the source of a script: read through the guarded client."""

from __future__ import annotations

from typing import Final

from dirigent.model import limits
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.run.effect import Order
from dirigent.model.values import Value
from dirigent.tasks.http.answer import phrase
from dirigent.tasks.http.authentication import authentication_of
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.failure import CallFailed, misconfigured
from dirigent.tasks.http.message import Call, outgoing_of

OK: Final = 200


class Sources:
    """Fetches texts for orders."""

    def __init__(self, client: Client, credentials: Credentials) -> None:
        """Take the guarded client and the credentials that calls share."""
        self._client = client
        self._credentials = credentials

    async def text(self, order: Order, url: str, authentication: Value) -> str | Fault:
        """Return the text at a URL, or the fault that the task ends with. Raises `Refusal`."""
        try:
            settled = await self._credentials.settled(order, authentication)
            call = Call("GET", url, {"Accept": "*/*"}, authentication=authentication_of(settled.value))
            incoming = await self._client.follow(outgoing_of(call, order.id), order.hosts)
            if incoming.status != OK:
                words = f"`{url}` answered {phrase(incoming.status)}"
                return Fault(COMMUNICATION, incoming.status, phrase(incoming.status), words)
            if len(incoming.body) > limits.DOCUMENT_BYTES:
                raise misconfigured(f"`{url}` has more than {limits.DOCUMENT_BYTES} bytes")
            return incoming.body.decode()
        except UnicodeDecodeError:
            return misconfigured(f"`{url}` is not UTF-8 text").fault
        except CallFailed as failure:
            return failure.fault
