"""A recorded request with the values of its secrets, and an authentication that can be sent."""

from __future__ import annotations

from dirigent.model.run.effect import Order
from dirigent.model.values import Value
from dirigent.tasks.http.call import members_of, without_credentials
from dirigent.tasks.http.credentials import Credentials


async def revealed(credentials: Credentials, order: Order) -> dict[str, Value]:
    """Return the request of an order; `authentication` is at its top. Raises `CallFailed` or `Refusal`."""
    settled = await credentials.settled(order, members_of(order.request).get("authentication"))
    request = credentials.reveal(without_credentials(order.request), settled)
    return {**members_of(request), "authentication": settled.value}
