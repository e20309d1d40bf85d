"""The shape of the section `schedule`."""

from __future__ import annotations

from typing import Final

from dirigent.lang.workflow.words import NotYet

SCHEDULE: Final = NotYet("`schedule`")
