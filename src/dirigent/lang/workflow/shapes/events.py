"""Shapes of the tasks that send and await events."""

from __future__ import annotations

from typing import Final

from dirigent.lang.workflow.shapes.atoms import ANY
from dirigent.lang.workflow.shapes.task import task_shape
from dirigent.lang.workflow.words import NotYet

EMIT: Final = task_shape("an `emit` task", emit=NotYet("`emit`"))
LISTEN: Final = task_shape("a `listen` task", "foreach", listen=NotYet("`listen`"), foreach=ANY)
