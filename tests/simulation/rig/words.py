"""Expressions and what they mean: each text of jq in a random program has a Python function beside it.

The reference interpreter asks the functions, never the expression language, so that one checks the other.
"""

from __future__ import annotations

from dirigent.model.values import Expression

SLOW = " #slow"
MEANINGS = {}


class NoValue(Exception):
    """The expression has no value here."""


def said(text, means, *, slow=False):
    """The expression of a text, whose meaning is noted. A slow one is for the expression worker."""
    full = text + SLOW if slow else text
    MEANINGS[full] = means
    return Expression(full)


def meaning(expression):
    """What an expression means: a function of its input and the variables."""
    return MEANINGS[expression.text]


def member(name, found):
    """What `.name? // 0` gives."""
    value = found.get(name) if isinstance(found, dict) else None
    return 0 if value is None or value is False else value


def numbers(variables, border=False):
    """Texts of numbers with their meanings, for a place where these variables are bound.

    Where a task begins, at the `border`, there is no `$input` yet: what came in stands for it.
    """
    given = ("$input.n", lambda dot, seen: member("n", seen["input"]))
    given = (".n", lambda dot, seen: member("n", dot)) if border else given
    plain = [
        ("1", lambda dot, seen: 1),
        ("(.n? // 0)", lambda dot, seen: member("n", dot)),
        ("((.n? // 0) + 1)", lambda dot, seen: member("n", dot) + 1),
        ("($context.c? // 0)", lambda dot, seen: member("c", seen["context"])),
        (f"({given[0]}? // 0)", given[1]),
    ]
    return plain + [(f'(${name} | if type == "number" then . else 0 end)', bound(name)) for name in variables]


def bound(name):
    def number(dot, seen):
        value = seen[name]
        return value if isinstance(value, int | float) and not isinstance(value, bool) else 0

    return number


COMPARED = {">": lambda a, b: a > b, "<": lambda a, b: a < b, "==": lambda a, b: a == b}


def comparison(number, operator, other):
    """The text and the meaning of a comparison."""
    text, means = number
    compare = COMPARED[operator]
    return f"{text} {operator} {other}", lambda dot, seen: compare(means(dot, seen), other)


def object_of(name, number):
    """The text and the meaning of an object with one member."""
    text, means = number
    return f"{{{name}: {text}}}", lambda dot, seen: {name: means(dot, seen)}
