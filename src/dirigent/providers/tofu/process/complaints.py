"""What a provider wrote on its standard error, and what of it tells a person why it failed.

It writes a JSON object a line (`@level`, `@message`), and when it breaks, a panic of Go with its trace.
"""

from __future__ import annotations

import json
from typing import Final

LINES: Final = 12
SERIOUS: Final = frozenset({"error", "warn"})


def evidence(content: bytes) -> str:
    """Return the panic with the first lines of its trace, else the last complaints; may be empty."""
    lines = content.decode(errors="replace").splitlines()
    for at, line in enumerate(lines):
        if line.startswith(("panic:", "fatal error:")):
            return "\n".join(each for each in lines[at : at + LINES] if each.strip())
    words = [_words(line) for line in lines]
    return "\n".join([each for each in words if each][-LINES:])


def _words(line: str) -> str:
    """Return what a line says: its message where it is a serious one, all of it where it is no JSON."""
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError):
        return line.strip()
    if not isinstance(found, dict):
        return line.strip()
    return str(found.get("@message", "")) if found.get("@level") in SERIOUS else ""
