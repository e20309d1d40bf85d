"""F for ours: the real command, from nothing to the result of a workflow of one step."""

from __future__ import annotations

import compileall
import shlex
import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "src"
DOCUMENT = """\
document: {{dsl: 1.0.3, namespace: bench, name: cold, version: 1.0.0}}
do:
  - one: {{run: {{shell: {{command: {command}}}}}}}
"""


def cold_command(folder: Path, trace: Path) -> list[str]:
    """Write the workflow, whose one step marks the trace, and return the command that runs it."""
    # As an installer leaves it: without this a checkout is compiled again at every start, which no user sees.
    compileall.compile_dir(str(SOURCES / "dirigent"), quiet=2)
    line = f"echo f 0 0 >> {shlex.quote(str(trace))}"
    document = DOCUMENT.format(command="'" + line.replace("'", "''") + "'")
    (folder / "cold.yaml").write_text(document, encoding="utf-8")
    return [sys.executable, "-m", "dirigent", "run", "cold.yaml"]
