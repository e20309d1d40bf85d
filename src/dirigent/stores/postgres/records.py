"""Rows of the tables as values of the model, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, cast
from zlib import crc32

import msgspec

from dirigent.model.run.journal import Fact
from dirigent.stores import codec, forms
from dirigent.stores.forms import corrupt
from dirigent.stores.postgres.session.link import Row
from dirigent.stores.projection import Standing

_pack: Final = msgspec.msgpack.Encoder().encode
_parts: Final = msgspec.msgpack.Decoder(list[bytes]).decode
# A field that a later release adds is passed over, one that an earlier one did not have takes its default.
_standing: Final = msgspec.msgpack.Decoder(Standing).decode

_SIGN: Final = 1 << 31


def joined(contents: Sequence[bytes]) -> bytes:
    """Return the bytes of the facts of one append as one."""
    return _pack(contents)


def checksum(facts: bytes) -> int:
    """Return the CRC-32 of bytes as the signed integer that a column holds."""
    return crc32(facts) - _SIGN


def stored(where: Standing) -> bytes:
    """Return the bytes of how a run stands, or raise `Refusal` (E5014)."""
    return forms.pack(where)


def standing(content: object) -> Standing:
    """Return how a run stands."""
    try:
        return _standing(cast("bytes", content))
    except msgspec.MsgspecError as error:
        raise corrupt(f"a run's row is damaged: {error}") from None


def contents(rows: Iterable[Row], run: str, first: int = 0) -> list[bytes]:
    """Return the bytes of the facts of rows `position, count, checksum, facts`, from position `first` on.

    A gap or a changed byte is damage (E5008).
    """
    found: list[bytes] = []
    expected: int | None = 0 if first == 0 else None
    start = 0
    for position, count, kept, facts in rows:
        content = cast("bytes", facts)
        if expected is None:
            expected = start = cast("int", position)
        if position != expected or checksum(content) != kept:
            raise corrupt(f"fact `{expected}` of run `{run}` is missing or changed")
        parts = _parts(content)
        if len(parts) != count:
            raise corrupt(f"fact `{expected}` of run `{run}` is missing")
        found.extend(parts)
        expected += len(parts)
    return found[first - start :] if first else found


def journal(rows: Iterable[Row], run: str, first: int = 0) -> list[Fact]:
    """Return the facts of such rows."""
    return [codec.decode_fact(content) for content in contents(rows, run, first)]
