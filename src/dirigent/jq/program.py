"""Compiled expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.jq.evaluation.code import Flow, Many, One, Run
from dirigent.jq.evaluation.compiler import code_of
from dirigent.jq.evaluation.frame import Frame, Undetermined
from dirigent.jq.evaluation.shown import shown
from dirigent.jq.grammar.parser import parse
from dirigent.model.limits import EXPRESSION_RESULT_NODES, VALUE_DEPTH
from dirigent.model.values import Value
from dirigent.ports import ExpressionFailed

# So many characters of text add one step to each turn of a loop: a longer body costs more.
_TOLL_CHARACTERS: Final = 256
_SHOWN_CHARACTERS: Final = 60


class Program:
    """One compiled expression (`ports.Compiled`)."""

    __slots__ = ("_flow", "_parsed", "_run", "_toll", "text")

    def __init__(self, text: str) -> None:
        """Compile the text. Raises `ExpressionFailed` with what is wrong and where."""
        parsed = parse(text)
        self.text = text
        self._parsed = parsed
        self._toll = 1 + len(text) // _TOLL_CHARACTERS
        code = code_of(parsed.tree) if parsed.local else None
        self._run: Run | None = code.run if isinstance(code, One) else None
        self._flow: Flow | None = code.flow if isinstance(code, Many) else None

    @property
    def local(self) -> bool:
        """Return whether `evaluate` may be called."""
        return self._parsed.local

    @property
    def variables(self) -> frozenset[str]:
        """Return the names of the free variables, `now` among them if the text asks for the time."""
        return self._parsed.variables

    @property
    def references(self) -> frozenset[tuple[str, str | None]]:
        """Return each free variable with the constant member taken of it, else None."""
        return self._parsed.references

    @property
    def paths(self) -> frozenset[tuple[str | None, ...]]:
        """Return each use of a free variable: its name, then the steps taken, None for one not constant."""
        return self._parsed.paths

    def evaluate(self, dot: Value, variables: Mapping[str, Value]) -> Value:
        """Return the value: null for no result, an array for several. Raises `ExpressionFailed`."""
        run = self._run
        try:
            if run is None:
                return self._several(dot, variables)
            result = run(dot, Frame(variables, self._toll))
        except Undetermined as reason:
            return reason.value()
        except RecursionError:
            # Streams inside streams inside texts: possible to write, never needed.
            raise ExpressionFailed("the loops of the expression are nested too deeply") from None
        except OverflowError:
            # Only an integer from outside can be too large for a float; none is ever made here.
            raise ExpressionFailed("an integer is too large to be calculated with") from None
        if type(result) is dict or type(result) is list:
            check_size(result)
        return result

    def _several(self, dot: Value, variables: Mapping[str, Value]) -> Value:
        if self._flow is None:
            raise ExpressionFailed(f"only the worker can evaluate `{self.text[:_SHOWN_CHARACTERS]}`")
        results = list(self._flow(dot, Frame(variables, self._toll)))
        check_size(results)
        return results[0] if len(results) == 1 else results or None


def check_size(value: Value) -> None:
    """Refuse a result with too many nodes or levels; shared parts count as often as they are shown."""
    level: list[Value] = [value]
    nodes = depth = 0
    while level:
        depth += 1
        if depth > VALUE_DEPTH:
            raise ExpressionFailed(f"the result is nested deeper than {VALUE_DEPTH} levels: {shown(value)}")
        below: list[Value] = []
        for item in level:
            if isinstance(item, list | dict):
                nodes += len(item)
                if nodes > EXPRESSION_RESULT_NODES:
                    raise ExpressionFailed(f"the result has more than {EXPRESSION_RESULT_NODES} values")
                below.extend(item.values() if isinstance(item, dict) else item)
        level = [item for item in below if isinstance(item, list | dict)]
