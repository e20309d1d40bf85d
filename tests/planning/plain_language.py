"""A small expression language for the tests of planning, and a driver that answers from tables.

It knows literals, paths on variables (`$resources.db.url`, `$each.key`), `+` between such terms, and
`worker(...)`, which is not local.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from dirigent.model.fault import EXPRESSION, Fault
from dirigent.model.problem import Problem
from dirigent.model.values import SecretText, Unknown, has_unknown
from dirigent.planning.request import Adopt, Ask, Propose
from dirigent.ports import ExpressionFailed
from dirigent.ports.resources import Proposal

PATH = re.compile(r'\$([a-z_]+)((?:\.[A-Za-z_]\w*|\[\d+\]|\["[^"]*"\]|\[\])*)')
STEP = re.compile(r'\.([A-Za-z_]\w*)|\[(\d+)\]|\["([^"]*)"\]|(\[\])')


@dataclass(frozen=True)
class Plain:
    text: str

    @property
    def local(self):
        return not self.text.startswith("worker(")

    @property
    def variables(self):
        return frozenset(match[1] for match in PATH.finditer(self.text))

    @property
    def references(self):
        found = set()
        for match in PATH.finditer(self.text):
            first = STEP.match(match[2])
            found.add((match[1], (first[1] or first[3]) if first else None))
        return frozenset(found)

    @property
    def paths(self):
        return frozenset(
            (match[1], *(step[1] or step[3] for step in STEP.finditer(match[2])))
            for match in PATH.finditer(self.text)
        )

    def evaluate(self, dot, variables):
        total = None
        for term in re.split(r"\s+\+\s+", self.text.removeprefix("worker(").removesuffix(")")):
            value = self.term(term, variables)
            assert self.local or not has_unknown(value), "the worker saw an unknown value"
            if isinstance(value, Unknown):
                return value
            total = value if total is None else self.plus(total, value)
        return total

    def term(self, term, variables):
        path = PATH.fullmatch(term)
        if not path:
            return json.loads(term)
        if path[1] not in variables:
            raise ExpressionFailed(f"there is no `${path[1]}`")
        value = variables[path[1]]
        for step in STEP.finditer(path[2]):
            if isinstance(value, Unknown):
                return value
            if step[2] is not None:
                value = value[int(step[2])]
            elif step[4]:
                continue
            elif value is not None and not isinstance(value, dict):
                raise ExpressionFailed(f"`{value}` has no `{step[1] or step[3]}`")
            else:
                value = (value or {}).get(step[1] or step[3])
        return value

    def plus(self, left, right):
        if isinstance(left, SecretText) or isinstance(right, SecretText):
            parts = [side.parts if isinstance(side, SecretText) else (side,) for side in (left, right)]
            return SecretText((*parts[0], *parts[1]))
        if type(left) is not type(right):
            raise ExpressionFailed(f"`{left}` and `{right}` cannot be added")
        return left + right


class PlainLanguage:
    def __init__(self):
        self.compiled = {}

    def compile(self, text):
        if text.count("(") != text.count(")"):
            raise ExpressionFailed("a parenthesis is missing")
        return self.compiled.setdefault(text, Plain(text))


def oracle(questions):
    """Answer what the language calls not local."""
    answers = []
    for question in questions:
        try:
            answers.append(Plain(question.expression.text).evaluate(question.dot, question.variables))
        except ExpressionFailed as failure:
            answers.append(Fault(EXPRESSION, 400, detail=str(failure)))
    return tuple(answers)


def drive(asking, propose, adopt=None):
    """Run a generator of planning; `propose` and `adopt` answer one wish. Returns its result."""
    answer = None
    while True:
        try:
            request = asking.send(answer)
        except StopIteration as end:
            return end.value
        match request:
            case Ask(questions):
                answer = oracle(questions)
            case Propose(wishes):
                answer = tuple(propose(wish) for wish in wishes)
            case Adopt(wishes):
                answer = tuple(adopt(wish) for wish in wishes)


__all__ = ["PlainLanguage", "Problem", "Proposal", "drive", "oracle"]
