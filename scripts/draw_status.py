"""Draw the two state diagrams of docs/engine.md from the tables in core/status.py.

`python scripts/draw_status.py` writes them, `--check` says whether they are up to date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from dirigent.core.status import NEXT, PHASES, SETTLED, Phase, Status

MANUAL = Path(__file__).parents[1] / "docs" / "engine.md"
BLOCK = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def diagram(first: Enum, table: Mapping[tuple[Enum, type], Enum], last: frozenset[Enum]) -> str:
    """Return a mermaid diagram: one arrow for each pair of states, with the facts that lead along it."""
    arrows: dict[tuple[Enum, Enum], list[str]] = {}
    for (before, fact), after in table.items():
        if before is not after:
            arrows.setdefault((before, after), []).append(fact.__name__)
    lines = ["```mermaid", "stateDiagram-v2", f"  [*] --> {name(first)}"]
    for (before, after), facts in arrows.items():
        lines.append(f"  {name(before)} --> {name(after)}: {', '.join(facts)}")
    lines += [f"  {name(state)} --> [*]" for state in type(first) if state in last]
    return "\n".join([*lines, "```\n"])


def name(state: Enum) -> str:
    """Return the name of a state in a diagram."""
    return str(state.value).replace(" ", "_")


def drawn(text: str) -> str:
    """Return the manual with its diagrams drawn anew."""
    diagrams = {
        "ask": diagram(Status.ASKED, NEXT, SETTLED),
        # Into a queue leads a ticket, which is in the fact and not in its kind.
        "run": diagram(Phase.PENDING, PHASES, frozenset({Phase.ENDED})).replace(
            "  queued --> running", "  pending --> queued: Created with a ticket\n  queued --> running"
        ),
    }
    return BLOCK.sub(lambda found: found[1] + diagrams[found[2]] + found[3], text)


def main() -> int:
    """Write the diagrams, or with `--check` only compare."""
    text = MANUAL.read_text(encoding="utf-8")
    new = drawn(text)
    if "--check" not in sys.argv[1:]:
        MANUAL.write_text(new, encoding="utf-8")
    elif new != text:
        print(f"{MANUAL.name}: the diagrams are not those of core/status.py: run scripts/draw_status.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
