"""SQL lives in files: `statements.sql` holds each statement under its name, migrations are numbered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "sql"
_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT: Final = re.compile(r"^--.*$", re.MULTILINE)


def _named(text: str) -> dict[str, str]:
    """Return the statements of a file by name."""
    _, *parts = _NAME.split(text)
    return {name: body.strip().rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _migrations() -> tuple[tuple[str, ...], ...]:
    """Return the statements of each migration; the first brings an empty file to version 1."""
    files = sorted(_FOLDER.glob("[0-9]*.sql"))
    texts = [_COMMENT.sub("", file.read_text(encoding="utf-8")) for file in files]
    return tuple(tuple(part.strip() for part in text.split(";\n") if part.strip()) for text in texts)


SQL: Final = _named((_FOLDER / "statements.sql").read_text(encoding="utf-8"))
MIGRATIONS: Final = _migrations()

# How many journal ids one row of `places` stands for; the figure is in the SQL too, as 512.
STRETCH: Final = 512
