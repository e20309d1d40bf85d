"""Where OpenAPI documents come from: the guarded client, or the folder of the stack. Kept a while.

A document is asked for again after a minute, by its ETag when the server gave one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Final, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.answer import phrase
from dirigent.tasks.http.authentication import Authentication, Digest, header_of
from dirigent.tasks.http.client import Client, Incoming, Outgoing
from dirigent.tasks.http.failure import CallFailed, misconfigured
from dirigent.tasks.openapi.parsing import parsed

FRESH_SECONDS: Final = 60.0
DOCUMENTS: Final = 64
OK: Final = 200
NOT_MODIFIED: Final = 304

Read: TypeAlias = Callable[[str], bytes]

_Key = TypeVar("_Key")
_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class Document:
    """A document and where it came from. `url` is None for a file of the stack."""

    content: dict[str, Value]
    place: str
    url: str | None


@dataclass(slots=True)
class _Kept:
    """One place of the cache; the lock lets one asker fetch and the others wait for it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    document: Document | None = None
    etag: str = ""
    until: float = 0.0


def within(folder: str | Path) -> Read:
    """Return a reader of files below a folder; it raises `OSError` for any that lies outside."""
    root = Path(folder).resolve()

    def read(name: str) -> bytes:
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise PermissionError("the file lies outside the folder of the stack")
        return path.read_bytes()

    return read


class Documents:
    """Fetches, parses and keeps documents. The clock is monotonic seconds."""

    def __init__(self, client: Client, read: Read, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the guarded client, and the reader for files of the stack."""
        self._client = client
        self._read = read
        self._clock = clock
        self._kept: dict[tuple[object, ...], _Kept] = {}
        self._files: dict[str, tuple[bytes, Document]] = {}

    async def document(
        self, endpoint: str, authentication: Authentication | None, hosts: tuple[str, ...]
    ) -> Document:
        """Return the document at a URL or a path, or raise `CallFailed`.

        What was fetched under some credentials and hosts is never given to who has others.
        """
        scheme = urlsplit(endpoint).scheme
        if scheme not in {"http", "https"}:
            return await self._file(endpoint, scheme)
        key = (endpoint, authentication, hosts)
        kept = self._kept.setdefault(key, _Kept())
        _trim(self._kept)
        async with kept.lock:
            if kept.document is None or self._clock() >= kept.until:
                await self._refresh(kept, endpoint, authentication, hosts)
            if kept.document is None:
                raise misconfigured(f"the server of `{endpoint}` answered `not modified` to a first request")
            return kept.document

    async def _file(self, endpoint: str, scheme: str) -> Document:
        if scheme not in {"", "file"}:
            raise misconfigured(f"`{endpoint}` is neither a URL of http or https nor a file of the stack")
        name = endpoint if not scheme else unquote(endpoint.removeprefix("file:").removeprefix("//"))
        try:
            content = await asyncio.to_thread(self._read, name)
        except (OSError, ValueError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise misconfigured(f"the OpenAPI document `{name}` cannot be read: {why}") from None
        before = self._files.get(name)
        if before is not None and before[0] == content:
            return before[1]
        document = Document(await asyncio.to_thread(parsed, content, name), name, None)
        self._files[name] = (content, document)
        _trim(self._files)
        return document

    async def _refresh(
        self, kept: _Kept, endpoint: str, authentication: Authentication | None, hosts: tuple[str, ...]
    ) -> None:
        headers = [("Accept", "application/json, application/yaml;q=0.9, */*;q=0.5")]
        authorization = header_of(authentication)
        if authorization is not None:
            headers.append(("Authorization", authorization))
        if kept.document is not None and kept.etag:
            headers.append(("If-None-Match", kept.etag))
        digest = authentication
        outgoing = Outgoing(
            "GET",
            endpoint,
            tuple(headers),
            digest=(digest.username, digest.password) if isinstance(digest, Digest) else None,
        )
        incoming = await self._fetched(outgoing, hosts)
        if incoming.status != NOT_MODIFIED:
            # A large document in YAML takes seconds to read; the other runs must not wait for it.
            content = await asyncio.to_thread(parsed, incoming.body, endpoint)
            kept.document = Document(content, endpoint, incoming.url)
            kept.etag = incoming.header("etag")
        kept.until = self._clock() + FRESH_SECONDS

    async def _fetched(self, outgoing: Outgoing, hosts: tuple[str, ...]) -> Incoming:
        """Return the answer; a failure here says that the operation itself was not begun."""
        try:
            incoming = await self._client.follow(outgoing, hosts)
        except CallFailed as failure:
            fault = failure.fault
            detail = f"the OpenAPI document `{outgoing.url}` was not read: {fault.detail}"
            raise CallFailed(Fault(fault.type, fault.status, fault.title, detail)) from None
        if incoming.status not in {OK, NOT_MODIFIED}:
            detail = f"the OpenAPI document `{outgoing.url}` was not read: answered {phrase(incoming.status)}"
            raise CallFailed(Fault(COMMUNICATION, incoming.status, phrase(incoming.status), detail))
        return incoming


def _trim(kept: dict[_Key, _Entry]) -> None:
    """Let go of the oldest entries above the limit."""
    while len(kept) > DOCUMENTS:
        del kept[next(iter(kept))]
