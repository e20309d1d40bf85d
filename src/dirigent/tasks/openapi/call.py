"""The performer of `openapi`: read the document, make the call, send it as any other call is sent.

Rule: a document says where an operation lives, but a credential goes there only if that is the
document's own host, a declared one, or the document is a file of the stack.
"""

from __future__ import annotations

from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Order, Outcome
from dirigent.model.values import SecretText, Value
from dirigent.tasks.http.authentication import authentication_of
from dirigent.tasks.http.call import Exchange, Intent, unrevealed
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.credentials import Credentials, Settled
from dirigent.tasks.http.failure import CallFailed, forbidden, malformed
from dirigent.tasks.http.message import KEY_HEADER, Call, output_of
from dirigent.tasks.openapi.checking import check
from dirigent.tasks.openapi.document import Document, Documents, Read
from dirigent.tasks.openapi.operation import Operation, operation_of
from dirigent.tasks.openapi.request import Wanted, call_of
from dirigent.tasks.secrets import Learning, named, rewritten


@dataclass(frozen=True, slots=True)
class _Request:
    """The recorded request, with its secrets as names still."""

    endpoint: Value
    document_authentication: Value
    operation: str
    parameters: dict[str, Value]
    authentication: Value
    wanted: Wanted


class OpenApiPerformer:
    """Carries out the function `openapi`. The request is described in `docs/calls.md`."""

    def __init__(
        self, client: Client, vault: Learning, read: Read, credentials: Credentials | None = None
    ) -> None:
        """Take the guarded client, the vault, and the reader of the stack's files (`within(folder)`)."""
        self._client = client
        self._vault = vault
        self._documents = Documents(client, read)
        self._exchange = Exchange(client, vault, credentials)

    async def perform(self, order: Order) -> Outcome:
        """Do the call, or say why its outcome is in doubt."""
        try:
            request = _request_of(order.request)
            document = await self._document(order, request)
            operation = operation_of(document, request.operation)
            shown = call_of(operation, _parameters(named(request.parameters)), request.wanted)
            self._bind(order, document, request, shown)
        except CallFailed as failure:
            return self._exchange.broken(order, failure)
        except Refusal as refusal:
            return self._exchange.broken(order, unrevealed(refusal))
        keyed = operation.keyed or shown.header(KEY_HEADER) is not None

        def reveal(settled: Settled) -> Call:
            return self._revealed(operation, request, settled)

        intent = Intent(shown, request.authentication, reveal, keyed)
        return await self._exchange.carry_out(order, intent)

    async def abandon(self, order: Order) -> None:
        """Nothing to stop: the connection fell with the task, and the server cannot be told."""

    async def _document(self, order: Order, request: _Request) -> Document:
        endpoint = self._vault.reveal(request.endpoint)
        if not isinstance(endpoint, str) or not endpoint:
            raise malformed("`document.endpoint` must be a URL, or a path in the folder of the stack")
        settled = await self._exchange.credentials.settled(order, request.document_authentication)
        authentication = authentication_of(settled.value)
        return await self._documents.document(endpoint, authentication, order.hosts)

    def _bind(self, order: Order, document: Document, request: _Request, shown: Call) -> None:
        """Refuse to carry a credential to a host that only a fetched document names."""
        if document.url is None or not _is_confidential(request):
            return
        target = self._client.target(shown.endpoint, order.hosts)
        if not target.declared and target.host != self._client.target(document.url, order.hosts).host:
            raise forbidden(
                f"the document `{document.place}` sends this call, with its credentials, to another host; "
                f"declare `{target.place}` under `policy.http.hosts` if that is right"
            )

    def _revealed(self, operation: Operation, request: _Request, settled: Settled) -> Call:
        parameters = _parameters(self._exchange.credentials.reveal(request.parameters, settled))
        check(operation, parameters)
        authentication = authentication_of(settled.value)
        wanted = Wanted(request.wanted.output, request.wanted.redirect, authentication)
        return call_of(operation, parameters, wanted)


def _request_of(value: Value) -> _Request:
    if not isinstance(value, dict):
        raise malformed("the request must be an object")
    document = value.get("document")
    operation = value.get("operation")
    if not isinstance(document, dict):
        raise malformed("`document` must be an object with an `endpoint`")
    if not isinstance(operation, str) or not operation:
        raise malformed("`operationId` must be a text")
    return _Request(
        endpoint=document.get("endpoint"),
        document_authentication=document.get("authentication"),
        operation=operation,
        parameters=_parameters(value.get("parameters")),
        authentication=value.get("authentication"),
        wanted=Wanted(output_of(value), value.get("redirect") is True),
    )


def _parameters(value: Value) -> dict[str, Value]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise malformed("`parameters` must be an object")
    return value


def _is_confidential(request: _Request) -> bool:
    """Return whether a call carries credentials or any secret."""
    found = request.authentication is not None

    def look(leaf: Value) -> Value:
        nonlocal found
        found = found or isinstance(leaf, SecretText)
        return leaf

    rewritten(request.parameters, look)
    return found
