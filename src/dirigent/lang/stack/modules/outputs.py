"""Mentions of the outputs of a module."""

from __future__ import annotations

from collections.abc import Sequence

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.stack.reading import Reading, Used
from dirigent.model.source import Span


def check_output(reading: Reading, path: Sequence[str | None], at: Span, used: Used, owner: str) -> None:
    """Report an output that a module does not have (E1452); `path` are the steps after `$resources`."""
    place = 2 if used.repeated else 1
    wanted = path[place] if len(path) > place else None
    if used.stack is None or wanted is None or wanted in used.stack.outputs:
        return
    meant = nearest(wanted, list(used.stack.outputs))
    names = ", ".join(f"`{name}`" for name in used.stack.outputs) or "none"
    reading.complain(
        "E1452",
        f"{owner} takes the output `{shortened(wanted)}` of the module `{path[0]}`, "
        "which has none of that name",
        at,
        f"did you mean `{meant}`?" if meant else "no such output",
        f"change it to `{meant}`" if meant else f"its outputs: {names}",
    )
