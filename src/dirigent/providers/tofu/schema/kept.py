"""Schemas of a provider on disk, by the SHA-256 of its binary: what one binary offers never changes.

Rule: what is not whole is not there. A file is written aside and renamed, and its checksum stands in it; each
type is parsed when it is looked up, for a provider may have a thousand of them.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import Final

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.providers.tofu.schema.shape import Schema
from dirigent.providers.tofu.schema.written import read_schema, write_schema
from dirigent.providers.tofu.values.types import NoType

# Counts up when what is written changes its form; files of another form are asked for anew.
FORM: Final = 2
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a provider's schemas a stack needs: its own configuration, and its types of resources.

    Then data sources, ephemeral types, and functions, each as a block of its parameters.
    """

    provider: Schema
    resources: Mapping[str, Schema]
    sources: Mapping[str, Schema] = field(default_factory=dict)
    ephemerals: Mapping[str, Schema] = field(default_factory=dict)
    functions: Mapping[str, Schema] = field(default_factory=dict)


class _Schemas(Mapping[str, Schema]):
    """Types whose schemas are parsed when they are looked up."""

    def __init__(self, content: bytes, places: Mapping[str, tuple[int, int]]) -> None:
        self._content = content
        self._places = places
        self._parsed: dict[str, Schema] = {}

    def __getitem__(self, name: str) -> Schema:
        """Return the schema of a type."""
        if name not in self._parsed:
            start, end = self._places[name]
            self._parsed[name] = read_schema(json.loads(self._content[start:end]))
        return self._parsed[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._places)

    def __len__(self) -> int:
        """Return how many types there are."""
        return len(self._places)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of schemas. Where it cannot be written nothing is kept, and nothing is lost."""

    folder: Path

    def find(self, digest: str) -> Kept | None:
        """Return the schemas of a binary, None where they are not kept, or not whole."""
        try:
            content = self._path(digest).read_bytes()
        except OSError:
            return None
        with suppress(ValueError, KeyError, TypeError, NoType, RecursionError):
            return _read(content)
        return None

    def keep(self, digest: str, kept: Kept) -> None:
        """Keep the schemas of a binary, if the folder can be written."""
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(dir=self.folder, prefix=".kept-")
            aside = Path(name)
            try:
                with os.fdopen(number, "wb") as file:
                    file.write(_written(kept))
                aside.replace(self._path(digest))
            finally:
                aside.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is no SHA-256")
        return self.folder / f"{digest}.schemas"


def _written(kept: Kept) -> bytes:
    """Return a line with form and checksum, one with the places of all, then one schema a line."""
    lines = [_line(kept.provider)]
    at = len(lines[0])
    head: dict[str, Value] = {"provider": at}
    for section, schemas in _sections(kept).items():
        places: dict[str, Value] = {}
        for name, schema in schemas.items():
            line = _line(schema)
            lines.append(line)
            places[name] = [at, at + len(line)]
            at += len(line)
        head[section] = places
    rest = b"".join([json.dumps(head, separators=(",", ":")).encode(), b"\n", *lines])
    return b"%d %08x\n" % (FORM, zlib.crc32(rest)) + rest


def _sections(kept: Kept) -> dict[str, Mapping[str, Schema]]:
    return {
        "resources": kept.resources,
        "sources": kept.sources,
        "ephemerals": kept.ephemerals,
        "functions": kept.functions,
    }


def _line(schema: Schema) -> bytes:
    return json.dumps(write_schema(schema), separators=(",", ":")).encode() + b"\n"


def _read(content: bytes) -> Kept | None:
    mark, _, rest = content.partition(b"\n")
    if mark != b"%d %08x" % (FORM, zlib.crc32(rest)):
        return None
    first, _, body = rest.partition(b"\n")
    head = json.loads(first)

    def section(title: str) -> _Schemas:
        places = {str(name): (int(start), int(end)) for name, (start, end) in dict(head[title]).items()}
        return _Schemas(body, places)

    return Kept(
        read_schema(json.loads(body[: int(head["provider"])])),
        section("resources"),
        section("sources"),
        section("ephemerals"),
        section("functions"),
    )
