"""A proto file with all that it imports, as text by name. What protobuf itself brings is left out.

Rule: imports start from the folder of the first file, and never leave it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeAlias

from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.tasks.http.failure import misconfigured
from dirigent.tasks.rpc.external import Found, Resource

FILES: Final = 64
BUNDLED: Final = "google/protobuf/"

_COMMENT = re.compile(rb'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)
_IMPORT = re.compile(rb"""(?:^|[;}\s])import\s+(?:public\s+|weak\s+|option\s+)?["']([^"'\n]+)["']\s*;""")
_NAME = re.compile(r"(?!/)(?!.*(?:^|/)\.\.?(?:/|$))[\w./-]{1,255}", re.ASCII)

Fetch: TypeAlias = Callable[[Resource], Awaitable[Found]]


@dataclass(frozen=True, slots=True)
class Sources:
    """The texts by the names under which they import each other; `main` is the first."""

    main: str
    texts: dict[str, bytes]


async def gathered(fetch: Fetch, resource: Resource) -> Sources:
    """Return a proto file with its imports, or raise `CallFailed`."""
    first = await fetch(resource)
    path, mark, query = resource.endpoint.partition("?")
    folder, slash, main = path.rpartition("/")
    if not _NAME.fullmatch(main):
        main = "service.proto"
    texts = {main: first.content}
    pending = _imports(first.content, main)
    while pending:
        name = pending.pop()
        if name in texts or name.startswith(BUNDLED):
            continue
        if len(texts) >= FILES:
            raise misconfigured(f"`{resource.endpoint}` imports more than {FILES} files")
        found = await fetch(replace(resource, endpoint=f"{folder}{slash}{name}{mark}{query}"))
        texts[name] = found.content
        pending += _imports(found.content, name)
        if sum(map(len, texts.values())) > limits.HTTP_RESPONSE_BYTES:
            raise misconfigured(
                f"`{resource.endpoint}` and its imports have more than {limits.HTTP_RESPONSE_BYTES} bytes"
            )
    return Sources(main, texts)


def _imports(text: bytes, name: str) -> list[str]:
    def bare(found: re.Match[bytes]) -> bytes:
        return b" " if found.group().startswith(b"/") else found.group()

    names = [found.decode(errors="replace") for found in _IMPORT.findall(_COMMENT.sub(bare, text))]
    for each in names:
        if not _NAME.fullmatch(each):
            raise misconfigured(f"`{name}` imports `{each}`, which is not the name of a file in its folder")
    return names
