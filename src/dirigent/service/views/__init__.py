"""Views of one run: made from its journal, so they show what the engine knows and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from dirigent.core.machine import Tools
from dirigent.model.ids import RunId
from dirigent.model.program import Code, Program
from dirigent.model.run.journal import Fact
from dirigent.service.views.code import of_code
from dirigent.service.views.document import name_of, of_document
from dirigent.service.views.shape import RunView, TaskView

__all__ = ["RunView", "TaskView", "name_of", "view"]


def view(program: Program, run_id: RunId, facts: Sequence[Fact], tools: Tools) -> RunView:
    """Return the view of a run as its journal stands."""
    if isinstance(program.root.node, Code):
        return of_code(program, run_id, facts)
    return of_document(program, run_id, facts, tools)
