"""Every block of the documentation is checked or run, and every link leads somewhere."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from dirigent.lang.source import load
from docs.blocks import Desk, blocks_of

ROOT = Path(__file__).parents[2]
PLACES = ("*.md", "docs/**/*.md", "changes/*.md", "examples/**/*.md")
DOCUMENTS = [path for place in PLACES for path in sorted(ROOT.glob(place))]
BLOCKS = [
    block for path in DOCUMENTS for block in blocks_of(path.relative_to(ROOT).as_posix(), path.read_text())
]
LANGUAGES = {"", "text", "yaml", "json", "python", "sh", "console", "sql", "mermaid"}
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
RUNNING = sorted({block.document for block in BLOCKS if block.runs})


@pytest.fixture
def desk(tmp_path):
    """Where blocks run. Needs the command line, which older states of the house do not have."""
    if find_spec("dirigent.cli.commands") is None:
        pytest.skip("the command line has no commands yet")
    desk = Desk(ROOT, tmp_path)
    yield desk
    desk.clear()


def blocks(*languages):
    chosen = [block for block in BLOCKS if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=str)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_says_what_it_is(block):
    assert block.language in LANGUAGES, f"{block}: write the language after the fence, or `text`"
    unknown = set(block.words) - {"run", "stack", "workflow"} | set(block.options) - {"in", "exit"}
    assert not unknown, f"{block}: nobody knows what {sorted(unknown)} asks for"
    if folder := block.options.get("in"):
        assert (ROOT / folder).is_dir(), f"{block}: there is no folder {folder}"


@blocks("yaml")
def test_a_yaml_block_parses(block):
    node, problems = load(block.text, block.document)
    assert not problems, f"{block}: {[str(problem) for problem in problems]}"
    assert node is not None


@blocks("json")
def test_a_json_block_parses(block):
    json.loads(block.text)


@blocks("python")
def test_a_python_block_parses(block):
    ast.parse(block.text, str(block))


@blocks("sh")
def test_a_shell_block_parses(block):
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{block}: {done.stderr}"


@blocks("sh")
def test_a_make_target_that_is_named_exists(block):
    targets = re.findall(r"^([\w-]+)(?: [\w-]+)*:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"^make (\w+)", block.text, re.MULTILINE):
        assert target in targets, f"{block}: make has no target {target}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.language == "yaml" and {"stack", "workflow"} & set(b.words)], ids=str
)
def test_a_document_is_accepted(block, desk, tmp_path):
    file = tmp_path / ("stack.yaml" if "stack" in block.words else "workflow.yaml")
    file.write_text(block.text)
    code, output = desk.shell(f"dirigent check {file.name}", tmp_path)
    assert code == 0, f"{block}:\n{output}"


@pytest.mark.slow
@pytest.mark.parametrize("document", RUNNING)
def test_what_a_document_shows_happens(document, desk):
    for block in BLOCKS:
        if block.document == document and block.runs:
            desk.run(block)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_inside_the_house_leads_somewhere(path):
    for target in LINK.findall(path.read_text()):
        if "://" in target or target.startswith(("#", "mailto:")):
            continue
        there = path.parent / target.split("#", maxsplit=1)[0]
        assert there.exists(), f"{path.name} links to {target}, which is not there"


def test_the_readme_names_the_command_that_ci_runs():
    readme = (ROOT / "README.md").read_text()
    script = (ROOT / ".ci" / "run").read_text()
    for target in ("test", "demo"):
        assert f"make {target}" in readme
        assert f"phase make {target}" in script
