"""The language, with a cache of what is compiled. Its compiler is imported with the first expression."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final

from dirigent.ports import Compiled

COMPILER: Final = "dirigent.jq.program"
_GENERATION: Final = 16_384


class Jq:
    """The language (`ports.Language`). The newest texts stay compiled, also for several threads.

    What was asked for since the last change of generations outlives the next one.
    """

    def __init__(self, generation: int = _GENERATION) -> None:
        """Begin with nothing compiled; then a generation holds so many texts."""
        self._generation = generation
        self._young: dict[str, Compiled] = {}
        self._elder: dict[str, Compiled] = {}

    def compile(self, text: str) -> Compiled:
        """Return the compiled text, or raise `ExpressionFailed` with what is wrong and where."""
        young = self._young
        program = young.get(text)
        if program is None:
            program = self._elder.get(text)
            if program is None:
                make: Callable[[str], Compiled] = importlib.import_module(COMPILER).Program
                program = make(text)
            if len(young) >= self._generation:
                self._elder, self._young = young, {}
                young = self._young
            young[text] = program
        return program


LANGUAGE: Final = Jq()
