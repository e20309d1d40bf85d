"""Where in the text the problems of a provider belong. It knows no places: it names a property as label.

What is wrong with its own configuration is said once, where that stands, and not at each resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from dirigent.model.problem import Problem
from dirigent.model.resource import Resource
from dirigent.model.source import Span
from dirigent.model.stack import ProviderSetup
from dirigent.planning.values.difference import span_of

# A provider that cannot be started, or that refuses its own configuration.
_OF_SETUPS: Final = frozenset({"E3010", "E3011"})
_QUOTED: Final = re.compile(
    r"""(?P<mark>['"`])(?P<name>[A-Za-z0-9_-]+)(?P=mark)|: (?P<last>[A-Za-z0-9_-]+)$"""
)
_WITH: Final = "with."


def placed(
    problems: Iterable[Problem], resource: Resource, setups: Mapping[str, ProviderSetup]
) -> list[Problem]:
    """Return what a provider says of a resource, with places."""
    setup = setups.get(resource.provider)
    found: list[Problem] = []
    for problem in problems:
        if problem.at is not None:
            found.append(problem)
            continue
        at = resource.span
        if setup is not None and problem.code in _OF_SETUPS:
            at = span_of(problem.label, setup.spans) or setup.span
        elif problem.label:
            at = span_of(problem.label, resource.spans) or at
        else:
            at = _meant(problem.message, resource.spans) or at
        found.append(replace(problem, at=at, label=""))
    return found


def _meant(message: str, spans: Mapping[str, Span]) -> Span | None:
    """Return the place of the only property that a message without a path names.

    Providers of the first kit say which property they mean in their words alone.
    """
    names = {name for match in _QUOTED.finditer(message) if (name := match["name"] or match["last"])}
    found = [spans[_WITH + name] for name in sorted(names) if _WITH + name in spans]
    return found[0] if len(found) == 1 else None
