"""The rules of the house: each takes a tree and yields findings that name the place and the mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from house import building, shape, words
from house.tree import Finding, Tree

Rule = Callable[[Tree], Iterable[Finding]]

RULES: tuple[Rule, ...] = (
    shape.file_sizes,
    shape.function_sizes,
    shape.class_sizes,
    shape.parameters,
    shape.folder_sizes,
    shape.names,
    shape.laws,
    shape.hidden_imports,
    shape.silencers,
    shape.catch_alls,
    shape.mocks,
    shape.purity,
    building.loops,
    building.floors,
    building.shares,
    words.backticks,
    words.problems,
    words.fragments,
)


def check(root: Path) -> list[Finding]:
    """Return every finding of every rule in a checkout."""
    tree = Tree(root)
    return [finding for rule in RULES for finding in rule(tree)]
