"""Help is there at once: nothing heavy is imported before a command does its work."""

from __future__ import annotations

import ast
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from cli.rig import ROOT, environment
from dirigent.cli.main import COMMANDS

# What costs more than it is worth to somebody who reads help.
HEAVY = {
    *("asyncio", "aiohttp", "sqlite3", "yaml", "jq", "msgspec", "jsonschema_rs", "logging", "ssl", "socket"),
    *("importlib.metadata", "concurrent", "multiprocessing", "email", "http", "urllib.request", "tempfile"),
    *("subprocess", "ctypes", "decimal", "unittest"),
}
# Of our own: what declares, and nothing that works.
LIGHT = ("dirigent.cli.commands", "dirigent.cli.main", "dirigent.cli.options", "dirigent.__main__")
LISTING = """
import sys
sys.argv = ["dirigent", *sys.argv[1:]]
from dirigent.cli.main import main
try:
    main()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""
CPU_MILLISECONDS = 80.0
# What an empty program costs on the machine for which that bar is meant, when it is idle.
BARE_MILLISECONDS = 12.0


def imported(*words):
    done = subprocess.run(
        [sys.executable, "-c", LISTING, *words],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def heavy(modules):
    return {name for name in modules if any(name == each or name.startswith(f"{each}.") for each in HEAVY)}


@pytest.mark.parametrize(
    "words", [(), ("--help",), ("--version",), *((name, "--help") for name in COMMANDS)], ids=" ".join
)
def test_help_imports_what_declares_and_nothing_that_works(words):
    modules = imported(*words)
    assert not heavy(modules)
    ours = {name for name in modules if name.startswith("dirigent.") and name != "dirigent.cli"}
    assert all(name.startswith(LIGHT) for name in ours), sorted(ours)


def test_version_imports_nothing_heavy():
    assert not heavy(imported("version"))


@pytest.mark.parametrize("words", [("check", "examples/shop/stack.yaml"), ("ps", "-C", "examples/shop")])
def test_a_command_does_not_import_what_it_does_not_use(words):
    modules = imported(*words, "--state", "/nonexistent/state")
    assert not {"aiohttp", "dirigent.engine.engine", "dirigent.tasks.process"} & modules


@pytest.mark.parametrize(
    "path", sorted((ROOT / "src/dirigent/cli/commands").glob("*.py")), ids=lambda p: p.stem
)
def test_a_declaration_imports_click_and_options_only(path):
    tree = ast.parse(path.read_text())
    found = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    found |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert found <= {"__future__", "click", "dirigent.cli.options"}


def cpu_milliseconds(*words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *words], env=environment(), stdout=subprocess.DEVNULL, check=True, cwd=Path("/")
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--help",), ("plan", "--help"), ("--version",)], ids=" ".join)
def test_help_costs_at_most_eighty_milliseconds_of_processor(words):
    pairs = [(cpu_milliseconds("-c", "pass"), cpu_milliseconds("-m", "dirigent", *words)) for _ in range(15)]
    bare, spent = (statistics.median(column) for column in zip(*pairs, strict=True))
    # Neighbours on the same cores make every process dearer; bare Python beside it says by how much.
    slowness = max(1.0, bare / BARE_MILLISECONDS)
    assert spent <= CPU_MILLISECONDS * slowness, f"{spent:.0f} ms where bare Python takes {bare:.0f} ms"


# What a workflow of one plain step needs nothing of. The list may grow; nothing may leave it.
UNUSED = (
    *("aiohttp", "jsonschema_rs", "dirigent.planning", "dirigent.lang.stack"),
    *("dirigent.jq.program", "dirigent.jq.evaluation", "dirigent.lang.validator", "dirigent.tasks.http"),
    *("dirigent.providers.files", "dirigent.providers.services.provider", "dirigent.service.asking"),
    *("dirigent.durable", "dirigent.stores.postgres", "dirigent.engine.fleet", "dirigent.app.authors"),
)


def test_a_run_of_a_file_imports_neither_stacks_nor_plans_nor_the_network(tmp_path):
    document = "document: {dsl: 1.0.3, namespace: a, name: b, version: 1.0.0}\ndo: [{one: {set: {a: 1}}}]\n"
    (tmp_path / "one.yaml").write_text(document)
    modules = imported("run", "one.yaml", "-C", str(tmp_path))
    found = {name for name in modules if any(name == each or name.startswith(f"{each}.") for each in UNUSED)}
    assert not found
