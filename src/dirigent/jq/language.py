"""The language, with a cache of what is compiled. Its compiler is imported with the first expression."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final

from dirigent.ports import Compiled

COMPILER: Final = "dirigent.jq.program"
_CACHED: Final = 4096


class Jq:
    """The language (`ports.Language`). The newest texts stay compiled."""

    def __init__(self) -> None:
        """Begin with nothing compiled."""
        self._programs: dict[str, Compiled] = {}

    def compile(self, text: str) -> Compiled:
        """Return the compiled text, or raise `ExpressionFailed` with what is wrong and where."""
        program = self._programs.get(text)
        if program is None:
            make: Callable[[str], Compiled] = importlib.import_module(COMPILER).Program
            program = make(text)
            if len(self._programs) >= _CACHED:
                del self._programs[next(iter(self._programs))]
            self._programs[text] = program
        return program


LANGUAGE: Final = Jq()
