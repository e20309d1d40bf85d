"""How a network is asked: the port, and the answers in JSON that are believed in no part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urljoin

from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.values import Value

OK: Final = 200
MISSING: Final = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a URL, redirects followed: `url` is where it came from in the end."""

    status: int
    body: bytes
    url: str


class Unreachable(Exception):
    """No answer came, or one that breaks a limit; the message says which, as a sentence."""


class Web(Protocol):
    """Gets what lies at a URL. Redirects, sizes, times and addresses are limited; only HTTPS is spoken."""

    async def get(self, url: str) -> Answer:
        """Return an answer of moderate size. Raises `Unreachable`."""
        ...

    async def fetch(self, url: str, into: Path) -> int:
        """Write what lies there to a file and return the status; nothing is written but of 200.

        Raises `Unreachable`, `OSError`.
        """
        ...


async def asked(web: Web, url: str) -> tuple[Mapping[str, Value], str] | None:
    """Return the JSON object at a URL and where it came from; None where there is none (404).

    Raises:
        Refusal: E3031 when it cannot be had.
    """
    answer = await got(web, url)
    if answer is None:
        return None
    try:
        found: Value = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise unusable(url, "it answers with what is no JSON object")
    return found, answer.url


async def got(web: Web, url: str) -> Answer | None:
    """Return what lies at a URL; None where there is nothing (404). Raises `Refusal` (E3031)."""
    try:
        answer = await web.get(url)
    except Unreachable as error:
        raise unusable(url, str(error)) from None
    if answer.status in MISSING:
        return None
    if answer.status != OK:
        raise unusable(url, f"it answers {answer.status}")
    return answer


def unusable(url: str, why: str) -> Refusal:
    """Return the refusal of what cannot be had from a network (E3031)."""
    return refuse(
        "E3031",
        f"`{url}` cannot be used: {why}",
        "try again when it answers; without a network, lay providers in the folder `providers` beside the "
        "stack, or name a mirror in `DIRIGENT_PROVIDERS`",
    )


def absolute(url: str, reference: Value) -> str:
    """Return a URL that an answer from `url` names, or an empty text."""
    try:
        return urljoin(url, reference) if isinstance(reference, str) and reference else ""
    except ValueError:
        return ""


def objects(found: Value) -> list[Mapping[str, Value]]:
    """Return the objects of a list; what is none is passed over."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def texts(found: Value) -> tuple[str, ...]:
    """Return the texts of a list; what is none is passed over."""
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()
