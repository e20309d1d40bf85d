"""Put a file where the user wants it."""

from __future__ import annotations

from pathlib import Path

from dirigent.model.problem import refuse


def write(path: Path, text: str) -> None:
    """Write a file. Raises `Refusal` (E7008)."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as failure:
        words = (failure.strerror or "it cannot be written").lower()
        raise refuse("E7008", f"`{path}`: {words}", "choose a folder that you may write to") from failure
