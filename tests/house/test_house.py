"""The house keeps its own rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.rules import RULES
from house.tree import Tree

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tree():
    return Tree(ROOT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps(rule, tree):
    findings = [str(finding) for finding in rule(tree)]
    assert not findings, rule.__doc__ + "\n" + "\n".join(findings)
