"""Paths into values, as the protocol and as people write them."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_PLAIN: Final = re.compile(r'[^.\[\]"]+')


class Misfit(Exception):
    """A value does not fit its type, at a path; the message says how."""

    def __init__(self, path: Path, message: str) -> None:
        """Say where and what."""
        super().__init__(f"`{shown(path)}` {message}" if path else message)
        self.path = path
        self.message = message


def shown(path: Path) -> str:
    """Return a path as a stack writes it: dotted, with indexes in brackets (`env.LEVEL`, `port[0].name`)."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text
