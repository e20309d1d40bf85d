"""A recorded request with the values of its secrets, and authentications that can be sent."""

from __future__ import annotations

from collections.abc import Mapping

from dirigent.model.run.effect import Order
from dirigent.model.values import Value
from dirigent.tasks.http.call import members_of
from dirigent.tasks.http.credentials import Credentials

AUTHENTICATION = "authentication"


async def revealed(credentials: Credentials, order: Order, *resources: str) -> dict[str, Value]:
    """Return the request of an order, its authentication at the top and in the resources settled.

    Raises `CallFailed` or `Refusal`.
    """
    recorded = members_of(order.request)
    bare = without_credentials(recorded, *resources)
    settled = await credentials.settled(order, recorded.get(AUTHENTICATION))
    request = {**members_of(credentials.reveal(bare, settled)), AUTHENTICATION: settled.value}
    for name in resources:
        resource, found = recorded.get(name), request.get(name)
        if isinstance(resource, dict) and isinstance(found, dict):
            own = await credentials.settled(order, resource.get(AUTHENTICATION))
            request[name] = {**found, AUTHENTICATION: own.value}
    return request


def without_credentials(request: Mapping[str, Value], *resources: str) -> dict[str, Value]:
    """Return a request without its authentications: what is shown never has them."""
    bare = {**request, AUTHENTICATION: None}
    for name in resources:
        resource = bare.get(name)
        if isinstance(resource, dict):
            bare[name] = {**resource, AUTHENTICATION: None}
    return bare
