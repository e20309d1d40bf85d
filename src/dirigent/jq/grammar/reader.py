"""Where the parser stands in the tokens, and what it knows there."""

from __future__ import annotations

from collections.abc import Callable

from dirigent.jq.grammar.lexer import Token, place, tokens_of
from dirigent.jq.grammar.scope import Scope
from dirigent.jq.grammar.syntax import Foreign, Node
from dirigent.model.limits import EXPRESSION_DEPTH
from dirigent.ports import ExpressionFailed


class Reader:
    """A cursor over the tokens. `query` and `expression` are the grammar's two ways to recurse."""

    def __init__(
        self, text: str, query: Callable[[Reader], Node], expression: Callable[[Reader], Node]
    ) -> None:
        """Stand before the first token."""
        self._text = text
        self._tokens = tokens_of(text)
        self._at = 0
        self._depth = 0
        self._query = query
        self._expression = expression
        self.scope = Scope()
        self.local = True

    @property
    def token(self) -> Token:
        """Return the token that comes next."""
        return self._tokens[self._at]

    @property
    def following(self) -> Token:
        """Return the token after the next one."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Return the next token and step over it."""
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def sees(self, text: str) -> bool:
        """Return whether the next token is this operator or keyword."""
        token = self._tokens[self._at]
        return token.text == text and token.kind in ("op", "name")

    def skip(self, text: str) -> bool:
        """Step over the operator or keyword if it comes next, and return whether it did."""
        if self.sees(text):
            self._at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Step over the operator or keyword, or fail."""
        if not self.skip(text):
            raise self.unexpected(f"`{text}`")

    def take_kind(self, kind: str, wanted: str) -> Token:
        """Return the next token of this kind, or fail saying what was wanted."""
        if self.token.kind != kind:
            raise self.unexpected(wanted)
        return self.take()

    def unexpected(self, wanted: str = "") -> ExpressionFailed:
        """Return the syntax error for the next token."""
        hint = f", expected {wanted}" if wanted else ""
        return ExpressionFailed(f"syntax error {place(self._text, self.token.at)}{hint}")

    def query(self) -> Node:
        """Parse a query: the lowest level, with `|`, `,`, `as` and `def`."""
        self.enter()
        node = self._query(self)
        self.leave()
        return node

    def expression(self) -> Node:
        """Parse an expression: no `|`, `,`, `as` or `def`."""
        self.enter()
        node = self._expression(self)
        self.leave()
        return node

    def enter(self) -> None:
        """Go one level of nesting deeper, or fail."""
        self._depth += 1
        if self._depth > EXPRESSION_DEPTH:
            raise ExpressionFailed(
                f"more than {EXPRESSION_DEPTH} levels of nesting {place(self._text, self.token.at)}"
            )

    def leave(self) -> None:
        """Come one level back."""
        self._depth -= 1

    def foreign(self) -> Foreign:
        """Note that only the worker can evaluate this, and return what stands for it."""
        self.local = False
        return Foreign()
