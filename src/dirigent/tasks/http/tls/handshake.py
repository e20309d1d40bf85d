"""Why TLS failed: the words of OpenSSL, or of its kin in gRPC, as a problem with a remedy.

Rule: whoever is refused in a handshake has sent nothing that the server could act upon: there is no doubt.
"""

from __future__ import annotations

import re
import ssl
from typing import Final

from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.problem import Refusal, refuse
from dirigent.tasks.http.failure import CallFailed

# What the words of a library hold, in the order in which they are looked for: letters and digits only.
EXPIRED: Final = ("certificate has expired", "certificate is not yet valid")
ELSEWHERE: Final = ("hostname mismatch", "ip address mismatch", "hostname verification check failed")
UNTRUSTED: Final = ("certificate verify failed", "custom verification check failed")
# Alerts of a server about the certificate of its client, or the lack of one.
TURNED_AWAY: Final = (
    "alert certificate required",
    "alert bad certificate",
    "alert unsupported certificate",
    "alert certificate revoked",
    "alert certificate expired",
    "alert certificate unknown",
    "alert unknown ca",
    "alert access denied",
    "alert handshake failure",
)
NO_TLS: Final = ("wrong version number", "record layer failure", "packet length too long", "http request")

_NOT_WORDS = re.compile(r"[^a-z0-9]+")
_ALERT = re.compile(r"alert (?:certificate [a-z]+|[a-z]+ [a-z]+)")
_REASON = re.compile(r"certificate.verify.failed:? ?([^(]*)", re.IGNORECASE)


def refused_tls(error: BaseException | str, place: str, *, shown: bool) -> CallFailed | None:
    """Return the failure that an error in TLS is; None when TLS has nothing to do with it.

    `error` is an exception, whose causes are looked through, or the words of a library. `shown` says whether
    we have a certificate for that server.
    """
    words = error if isinstance(error, str) else _words_of(error)
    refusal = None if words is None else problem_of(words, place, shown=shown)
    return None if refusal is None else told(refusal)


def told(refusal: Refusal) -> CallFailed:
    """Return a problem of TLS as the failure of a call of which the server got nothing."""
    problem = refusal.problems[0]
    words = " ".join([f"{problem.code}: {problem.message}.", *problem.help])
    return CallFailed(Fault(COMMUNICATION, 500, "TLS failed", words))


def problem_of(words: str, place: str, *, shown: bool) -> Refusal | None:
    """Return the refusal (E7100 to E7104) that the words of a library are about; None for other words."""
    plain = _NOT_WORDS.sub(
        " ", words.lower().replace("tlsv13 alert", "alert").replace("tlsv1 alert", "alert")
    )
    plain = plain.replace("sslv3 alert", "alert")

    def says(phrases: tuple[str, ...]) -> bool:
        return any(phrase in plain for phrase in phrases)

    if says(TURNED_AWAY):
        return _turned_away(plain, place, shown=shown)
    if says(EXPIRED):
        return refuse(
            "E7102",
            f"`{place}` shows a certificate that is not valid today: {_reason(words)}",
            "have it renewed there, and look at the clock of this machine",
        )
    if says(ELSEWHERE):
        return refuse(
            "E7101",
            f"`{place}` shows a certificate for another name: {_reason(words)}",
            "call the server by a name that its certificate holds, or have one made that holds this name",
        )
    if says(UNTRUSTED):
        return refuse(
            "E7100",
            f"`{place}` does not show a certificate that is trusted: {_reason(words)}",
            "name the authority that signed it under `policy.http.authorities` of the stack, if you trust it",
        )
    if says(NO_TLS):
        return refuse(
            "E7104",
            f"`{place}` does not speak TLS",
            "look at the port; a call without TLS needs the server declared under `policy.http.hosts`",
        )
    return None


def ended(place: str, reason: str, *, shown: bool) -> Refusal:
    """Return the refusal for a connection that ended in the handshake without a word that is known."""
    return refuse("E7104", f"no TLS to `{place}`: {reason}", _remedy(shown=shown))


def _turned_away(plain: str, place: str, *, shown: bool) -> Refusal:
    found = _ALERT.search(plain)
    alert = found.group().removeprefix("alert ") if found else "handshake failure"
    ours = "refuses the certificate that we show" if shown else "wants a certificate of its clients"
    return refuse("E7103", f"`{place}` {ours}: it answers `{alert}`", _remedy(shown=shown))


def _remedy(*, shown: bool) -> str:
    if shown:
        return (
            "see whether the certificate under `policy.http.certificates` is still valid, "
            "and of an authority that the server trusts"
        )
    return (
        "a server that wants to know its clients needs one of our certificates: "
        "name it under `policy.http.certificates` of the stack"
    )


def _reason(words: str) -> str:
    found = _REASON.search(words)
    reason = (found.group(1) if found else words).strip(" .:")
    return reason.removesuffix(": OK") or "it cannot be verified"


def _words_of(error: BaseException) -> str | None:
    """Return what an exception, or one that it came from, says of TLS."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, ssl.SSLError):
            return str(each)
        pending += [each.__cause__, each.__context__]
        pending += [one for one in each.args if isinstance(one, BaseException)]
        for name in ("os_error", "certificate_error"):
            inner = getattr(each, name, None)
            pending.append(inner if isinstance(inner, BaseException) else None)
    return None
