"""A language for tests of the front-end: it knows brackets, variables and their members, no jq."""

import re
from dataclasses import dataclass

from dirigent.ports import ExpressionFailed

_VARIABLE = re.compile(r"\$(?!__)([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*)|\[\"([^\"]+)\"\])?")


@dataclass(frozen=True)
class Parsed:
    local: bool
    variables: frozenset
    references: frozenset

    def evaluate(self, dot, variables):
        raise AssertionError("the front-end evaluates nothing")


class Brackets:
    """Accepts what has balanced brackets; that is enough to tell good from bad here."""

    def compile(self, text):
        depth = 0
        for character in text:
            depth += (character in "([{") - (character in ")]}")
            if depth < 0:
                break
        if depth or text.rstrip().endswith(("|", "+", "==")):
            raise ExpressionFailed("unexpected end")
        found = [(m[1], m[2] or m[3]) for m in _VARIABLE.finditer(text)]
        return Parsed(True, frozenset(name for name, _ in found), frozenset(found))
