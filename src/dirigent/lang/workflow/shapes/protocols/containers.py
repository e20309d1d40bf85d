"""The shape of `run.container`."""

from __future__ import annotations

from typing import Final

from dirigent.lang.workflow.words import NotYet

CONTAINER: Final = NotYet("`run: container`")
