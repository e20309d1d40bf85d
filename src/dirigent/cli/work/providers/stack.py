"""The stack whose providers a command is about, without a value for any input."""

from __future__ import annotations

from dirigent.app.stacks import Surrounding
from dirigent.cli.given import Options
from dirigent.cli.place import place
from dirigent.cli.stack import reading


def surrounding(options: Options) -> Surrounding:
    """Return what the options say that a command works in. Raises `Refusal` with every problem."""
    where = place(options)
    return Surrounding(where.settings, where.folder, reading.alone(where))
