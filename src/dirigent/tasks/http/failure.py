"""How a call ends without an answer that can be used: one exception that carries the fault.

`sent` says whether the request may have reached the server; only then can its effect have happened.
"""

from __future__ import annotations

from dirigent.model.fault import (
    AUTHENTICATION,
    AUTHORIZATION,
    COMMUNICATION,
    CONFIGURATION,
    VALIDATION,
    Fault,
)


class CallFailed(Exception):
    """The call ended with `fault`; `sent` is True when the server may have got the request."""

    def __init__(self, fault: Fault, *, sent: bool = False) -> None:
        """Keep the fault."""
        super().__init__(fault.detail)
        self.fault = fault
        self.sent = sent


def forbidden(detail: str) -> CallFailed:
    """Return a refusal of the guard: the policy does not let the call go there."""
    return CallFailed(Fault(AUTHORIZATION, 403, "Call refused by policy", detail))


def malformed(detail: str, status: int = 400) -> CallFailed:
    """Return a refusal of a request that cannot be sent as it was written."""
    return CallFailed(Fault(VALIDATION, status, "Request is not valid", detail))


def misconfigured(detail: str) -> CallFailed:
    """Return a refusal because something outside the request is missing or wrong."""
    return CallFailed(Fault(CONFIGURATION, 400, "Call is not configured", detail))


def broken(detail: str, *, status: int = 500, sent: bool = True) -> CallFailed:
    """Return a failure of the exchange itself: no answer, or one that cannot be read."""
    return CallFailed(Fault(COMMUNICATION, status, "Call failed", detail), sent=sent)


def unauthenticated(detail: str) -> CallFailed:
    """Return a refusal of who we are: by the server that was called, or by an authority."""
    return CallFailed(Fault(AUTHENTICATION, 401, "Not authenticated", detail))
