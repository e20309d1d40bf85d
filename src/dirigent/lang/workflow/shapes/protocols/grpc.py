"""The shape of a call of kind `grpc`."""

from __future__ import annotations

from typing import Final

from dirigent.lang.workflow.shapes.atoms import ANY
from dirigent.lang.workflow.shapes.task import task_shape
from dirigent.lang.workflow.words import NotYet

CALL: Final = task_shape("a grpc call", "with", call=NotYet("a call of kind `grpc`"), with_=ANY)
