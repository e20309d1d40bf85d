"""SQL lives in files: named statements in one, numbered migrations in the others. This reads both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT: Final = re.compile(r"^--.*$", re.MULTILINE)


def named(file: Path) -> dict[str, str]:
    """Return the statements of a file by the names that stand above them."""
    _, *parts = _NAME.split(file.read_text(encoding="utf-8"))
    return {name: body.strip().rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)}


def numbered(folder: Path) -> tuple[tuple[str, ...], ...]:
    """Return the statements of each migration of a folder; the first brings an empty store to version 1."""
    texts = [_COMMENT.sub("", file.read_text(encoding="utf-8")) for file in sorted(folder.glob("[0-9]*.sql"))]
    return tuple(tuple(part.strip() for part in text.split(";\n") if part.strip()) for text in texts)
