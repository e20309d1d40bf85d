"""Each rule of the house finds its violation in a small tree, and leaves what resembles it alone."""

from __future__ import annotations

import pytest

from house.rules import check


def house(root, files):
    """Build a tree and return what the rules find as `path rule` lines."""
    for name, text in {"src/dirigent/__init__.py": '"""A house."""\n', **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [f"{finding.path}:{finding.line} {finding.rule}" for finding in check(root)]


def module(*lines):
    return "\n".join(['"""A module."""', *lines]) + "\n"


def long_function(lines):
    return ["def long():", '    """Return."""', *["    x = 1"] * (lines - 1)]


CORE = "src/dirigent/core/run.py"
VIOLATIONS = {
    "file of 501 lines": ({CORE: module(*["x = 1"] * 500)}, f"{CORE}:1 file size"),
    "function of 51 lines": ({CORE: module(*long_function(51))}, f"{CORE}:2 function size"),
    "class of 251 lines": (
        {CORE: module("class Long:", *["    x = 1"] * 250)},
        f"{CORE}:2 class size",
    ),
    "class of 16 methods": (
        {CORE: module("class Busy:", *[f"    def a{n}(self): ..." for n in range(16)])},
        f"{CORE}:2 class size",
    ),
    "seven parameters": ({CORE: module("def f(a, b, c, d, e, f, *, g): ...")}, f"{CORE}:2 parameters"),
    "folder of 13 modules": (
        {f"src/dirigent/core/m{n}.py": module() for n in range(13)},
        "src/dirigent/core:1 folder size",
    ),
    "vague file": ({"src/dirigent/core/utils.py": module()}, "src/dirigent/core/utils.py:1 names"),
    "vague class": ({CORE: module("class RunManager: ...")}, f"{CORE}:2 names"),
    "vague class in capitals": ({CORE: module("class HTTPHandler: ...")}, f"{CORE}:2 names"),
    "vague function": ({CORE: module("def load_data(): ...")}, f"{CORE}:2 names"),
    "no law": ({CORE: "x = 1\n"}, f"{CORE}:1 law"),
    "law too long": ({CORE: '"""' + "A word.\n" * 7 + '"""\n'}, f"{CORE}:1 law"),
    "import in a function": ({CORE: module("def f():", "    import json")}, f"{CORE}:3 hidden import"),
    "import for types": (
        {CORE: module("from typing import TYPE_CHECKING", "if TYPE_CHECKING:", "    import json")},
        f"{CORE}:2 type-only import",
    ),
    "import for types by module": (
        {CORE: module("import typing", "if typing.TYPE_CHECKING:", "    import json")},
        f"{CORE}:3 type-only import",
    ),
    "noqa": ({CORE: module("x = 1  # noqa: E501")}, f"{CORE}:2 silencer"),
    "type: ignore": ({CORE: module("x = 1  # type: ignore[misc]")}, f"{CORE}:2 silencer"),
    "work in a comment": ({CORE: module("# TODO: later")}, f"{CORE}:2 silencer"),
    "bare except": ({CORE: module("try: x = 1", "except: x = 2")}, f"{CORE}:3 catch-all"),
    "except Exception": (
        {CORE: module("try: x = 1", "except (OSError, Exception) as e: x = e")},
        f"{CORE}:3 catch-all",
    ),
    "suppress Exception": (
        {CORE: module("import contextlib", "with contextlib.suppress(Exception): x = 1")},
        f"{CORE}:3 catch-all",
    ),
    "mock": ({"tests/test_x.py": module("from unittest.mock import Mock")}, "tests/test_x.py:2 mock"),
    "mocker": ({"tests/test_x.py": module("def test_x(mocker): ...")}, "tests/test_x.py:2 mock"),
    "a clock on a pure floor": (
        {CORE: module("import datetime", "x = datetime.datetime.now()")},
        f"{CORE}:3 purity",
    ),
    "a file on a pure floor": ({CORE: module("x = open('x')")}, f"{CORE}:2 purity"),
    "a hash on a pure floor": ({CORE: module("x = hash('x')")}, f"{CORE}:2 purity"),
    "a path that acts on a pure floor": ({CORE: module("from pathlib import Path")}, f"{CORE}:2 purity"),
    "the network on a pure floor": ({CORE: module("import urllib.request")}, f"{CORE}:2 purity"),
    "a loop": (
        {
            "src/dirigent/core/a.py": module("from dirigent.core import b"),
            "src/dirigent/core/b.py": module("from . import a"),
        },
        "src/dirigent/core/a.py:1 loop",
    ),
    "a loop through a function": (
        {
            "src/dirigent/core/a.py": module("from dirigent.core.b import x"),
            "src/dirigent/core/b.py": module("def f():", "    from dirigent.core.a import y"),
        },
        "src/dirigent/core/a.py:1 loop",
    ),
    "rooms in a circle": (
        {
            "src/dirigent/core/a.py": module("import dirigent.engine.a"),
            "src/dirigent/engine/a.py": module("import dirigent.core.b"),
            "src/dirigent/core/b.py": module(),
            "src/dirigent/engine/__init__.py": module(),
            "src/dirigent/core/__init__.py": module(),
        },
        "src/dirigent:1 floors",
    ),
    "eight floors": (
        {f"src/dirigent/r{n}.py": module(f"import dirigent.r{n - 1}") for n in range(1, 8)}
        | {"src/dirigent/r0.py": module()},
        "src/dirigent:1 floors",
    ),
    "a large room": (
        {f"src/dirigent/r{n}.py": module("x = 1") for n in range(5)}
        | {"src/dirigent/r0.py": module("x = 1", "y = 1")},
        "src/dirigent/r0:1 share",
    ),
    "a dangling dotted name": ({CORE: '"""See `core.walk`."""\n'}, f"{CORE}:1 backticks"),
    "a dangling member": (
        {CORE: '"""See `dirigent.core.run.walk`."""\n', "src/dirigent/core/__init__.py": module()},
        f"{CORE}:1 backticks",
    ),
    "a dangling limit": ({CORE: module("# See `limits.FORKS`.")}, f"{CORE}:2 backticks"),
    "a dangling class": ({CORE: '"""Return a `RunState`."""\n'}, f"{CORE}:1 backticks"),
    "a dangling function": ({CORE: '"""Call `walk_tree(x)`."""\n'}, f"{CORE}:1 backticks"),
    "a dangling constant": ({CORE: '"""At most `RUNS_OPEN`."""\n'}, f"{CORE}:1 backticks"),
    "a dangling family of variables": ({CORE: '"""Reads `HOUSE_INPUT_NAME`."""\n'}, f"{CORE}:1 backticks"),
    "a dangling file": ({CORE: '"""See `core/walk.py`."""\n'}, f"{CORE}:1 backticks"),
    "a dangling name in the plan of the house": (
        {"ARCHITECTURE.md": "# House\n\nThe `engine.drive` loop.\n"},
        "ARCHITECTURE.md:3 backticks",
    ),
    "an undocumented code": ({CORE: module("x = 'E1234'")}, f"{CORE}:2 problems"),
    "an undocumented code in prose": ({CORE: '"""Gives `E1234`."""\n'}, f"{CORE}:1 backticks"),
    "a code that nothing gives": (
        {"docs/problems/core.md": "# Core\n\n## E1234: wrong\n"},
        "docs/problems/core.md:3 problems",
    ),
    "a code that is explained twice": (
        {
            CORE: module("x = 'E1234'"),
            "docs/problems/core.md": "## E1234: wrong\n",
            "docs/problems/lang.md": "## E1234: bad\n",
        },
        "docs/problems/lang.md:1 problems",
    ),
    "a code without a title": (
        {CORE: module("x = 'E1234'"), "docs/problems/core.md": "## E1234\n"},
        "docs/problems/core.md:1 problems",
    ),
    "a fragment of no kind": ({"changes/001-x.md": "A new thing here.\n"}, "changes/001-x.md:1 fragments"),
    "an empty fragment": ({"changes/001-x.added.md": "x\n"}, "changes/001-x.added.md:1 fragments"),
}


@pytest.mark.parametrize(("files", "finding"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_a_violation_is_found(tmp_path, files, finding):
    assert finding in house(tmp_path, files)


INNOCENT = {
    "sizes at the limit": {CORE: module(*long_function(50))},
    "a catch that raises again": {
        CORE: module("try: x = 1", "except BaseException:", "    x = 2", "    raise")
    },
    "words inside words": {CORE: module("class Database: ...", "def renew(): ...", "def rebase_all(): ...")},
    "a dunder": {CORE: module("class A:", "    def __new__(cls): ...")},
    "the word in a string": {CORE: module("x = '# noqa and TODO'")},
    "a disk above the pure floors": {"src/dirigent/stores/a.py": module("x = open('x')")},
    "names that exist": {
        CORE: '"""See `core.run`, `core.run.walk`, `walk_tree(x)`, `core/run.py`, `RUNS_OPEN`."""\n'
        "RUNS_OPEN = 1\nclass TreeWalker:\n    def walk_tree(self): self.walk = 1\n"
    },
    "a family of variables": {CORE: '"""Reads `HOUSE_INPUT_NAME`."""\nPREFIX = "HOUSE_INPUT_"\n'},
    "words that are no names of ours": {
        CORE: '"""`Idempotency-Key`, `stack.yaml`, `service.url`, `engine.lock`, `GET`, `$error`."""\n'
    },
    "an example in a fence": {"ARCHITECTURE.md": "# House\n\n```python\n`core.walk`\n```\n"},
    "a documented code": {CORE: module("x = 'E1234'"), "docs/problems/a.md": "## E1234: wrong\n"},
    "a fragment": {"changes/001-x.added.md": "There is a house.\n", "changes/README.md": "x\n"},
}


@pytest.mark.parametrize("files", INNOCENT.values(), ids=INNOCENT.keys())
def test_what_only_resembles_a_violation_is_left_alone(tmp_path, files):
    found = house(tmp_path, files)
    assert [line for line in found if not line.endswith(" share")] == []


def test_a_house_that_lacks_rooms_is_not_measured(tmp_path):
    contract = '[[tool.importlinter.contracts]]\ntype = "layers"\nlayers = ["cli", "core | lang"]\n'
    files = {CORE: module("x = 1"), "pyproject.toml": contract}
    assert house(tmp_path, files) == []
    rooms = {f"src/dirigent/{name}/a.py": module() for name in ("cli", "lang")}
    assert "src/dirigent/core:1 share" in house(tmp_path, rooms)
