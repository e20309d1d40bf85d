"""The gates bite: one violation of each kind is planted in a copy of the tree, and its gate reports it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LAYERS = next(c["layers"] for c in CONTRACT["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
ROOMS = [room.strip(" ()") for layer in LAYERS for room in layer.split("|")]

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(tmp_path):
    """A tree with the real contract and the real ground floor; rooms above it are empty."""
    package = tmp_path / "src" / "dirigent"
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src" / "dirigent" / "model", package / "model")
    (package / "__init__.py").write_text('"""A house."""\n')
    for room in ROOMS:
        folder = package / room
        if not folder.exists():
            folder.mkdir()
            (folder / "__init__.py").write_text('"""A room."""\n')
    return tmp_path


def gate(tree, *command):
    """Run one gate in a tree; return (whether it is content, all that it said)."""
    environment = {**os.environ, "PYTHONPATH": "src", "MYPYPATH": "src", "NO_COLOR": "1", "COLUMNS": "200"}
    done = subprocess.run(
        [Path(sys.executable).parent / command[0], *command[1:]],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode == 0, done.stdout + done.stderr


def lint(tree):
    return gate(tree, "ruff", "check", "--no-cache", "--output-format", "concise", "src", "tests")


def form(tree):
    return gate(tree, "ruff", "format", "--no-cache", "--check", "src")


def types(tree):
    return gate(tree, "mypy", "--no-incremental", "-p", "dirigent.core")


def floors(tree):
    return gate(tree, "lint-imports", "--no-logo", "--no-cache")


def plant(tree, path, text):
    target = tree / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


TYPED = '"""A module."""\n\nfrom typing import Any\n\n\n'


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("src/dirigent/core/run.py", '"""A module."""\n\nimport random\n\nx = random\n', "TID251"),
        ("src/dirigent/stores/row.py", '"""A module."""\n\nimport pickle\n\nx = pickle\n', "TID251"),
        ("tests/test_x.py", "from unittest import mock\n\nx = mock\n", "TID251"),
        (
            "src/dirigent/core/run.py",
            '"""A module."""\n\n\ndef f(x) -> int:\n    """Return it."""\n    return x\n',
            "ANN001",
        ),
        (
            "src/dirigent/core/run.py",
            (
                '"""A module."""\n\n\ndef f() -> int:\n    """Try."""\n    try:\n        return 1\n'
                "    except Exception:\n        return 2\n"
            ),
            "BLE001",
        ),
        ("src/dirigent/core/run.py", '"""A module."""\n\n\ndef f() -> int:\n    return 1\n', "D103"),
        ("src/dirigent/core/run.py", '"""A module."""\n\n# TODO: more\nx = eval("1")\n', "S307"),
        (
            "src/dirigent/core/run.py",
            (
                '"""A."""\n\n\ndef f(a: int, b: int, c: int, d: int, e: int, g: int, h: int) -> int:\n'
                '    """Take much."""\n'
            ),
            "PLR0913",
        ),
    ],
    ids=[
        "randomness",
        "pickle",
        "a mock",
        "no annotation",
        "a catch-all",
        "no docstring",
        "eval",
        "seven parameters",
    ],
)
def test_ruff_finds(copy, path, text, code):
    plant(copy, path, text)
    content, said = lint(copy)
    assert not content
    assert f"{path}:" in said
    assert code in said


def test_the_formatter_finds_a_line_out_of_form(copy):
    assert form(copy)[0], form(copy)[1]
    plant(copy, "src/dirigent/core/run.py", "x = ( 1,2 )\n")
    content, said = form(copy)
    assert not content
    assert "core/run.py" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TYPED + 'def f(x: Any) -> None:\n    """Take it."""\n', "explicit-any"),
        ('"""A module."""\n\n\ndef f(x):\n    return x\n', "no-untyped-def"),
        ('"""A module."""\n\nx: int = "1"\n', "assignment"),
        (
            (
                '"""A module."""\n\nfrom enum import Enum\n\n\nclass A(Enum):\n    B = 1\n    C = 2\n\n\n'
                'def f(a: A) -> None:\n    match a:\n        case A.B:\n            print("b")\n'
            ),
            "exhaustive-match",
        ),
    ],
    ids=["an explicit Any", "no types", "a wrong type", "an open match"],
)
def test_mypy_finds(copy, text, words):
    plant(copy, "src/dirigent/core/run.py", text)
    content, said = types(copy)
    assert not content
    assert "core/run.py" in said
    assert words in said


def test_mypy_is_content_with_the_ground_floor(copy):
    content, said = gate(copy, "mypy", "--no-incremental", "-p", "dirigent.model")
    assert content, said


def test_the_floors_contract_is_content_with_the_copy(copy):
    content, said = floors(copy)
    assert content, said


UPWARD = "dirigent.core is not allowed to import dirigent.engine"


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("core/run.py", "import dirigent.engine\n", UPWARD),
        ("core/run.py", "def f():\n    import dirigent.engine\n", UPWARD),
        (
            "core/run.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import dirigent.engine\n",
            UPWARD,
        ),
        ("core/run.py", "import time\n", "dirigent.core is not allowed to import time"),
        ("model/clock.py", "import os\n", "dirigent.model is not allowed to import os"),
        (
            "planning/plan.py",
            "def f():\n    import asyncio\n",
            "dirigent.planning is not allowed to import asyncio",
        ),
        ("lang/words.py", "import jq\n", "dirigent.lang is not allowed to import jq"),
        ("core/run.py", "import dirigent.lang\n", "dirigent.core is not allowed to import dirigent.lang"),
        (
            "stores/row.py",
            "import dirigent.providers\n",
            "dirigent.stores is not allowed to import dirigent.providers",
        ),
        ("attic/__init__.py", "x = 1\n", "attic"),
        ("attic.py", "x = 1\n", "attic"),
    ],
    ids=[
        "an upward import",
        "an upward import in a function",
        "an upward import for types",
        "the clock in core",
        "the system in model",
        "a loop of events in planning",
        "a native library in lang",
        "neighbours on a pure floor",
        "neighbouring adapters",
        "a folder on no floor",
        "a module on no floor",
    ],
)
def test_the_floors_contract_finds(copy, path, text, words):
    plant(copy, f"src/dirigent/{path}", '"""A module."""\n' + text)
    content, said = floors(copy)
    assert not content
    assert words in " ".join(said.split()), said
