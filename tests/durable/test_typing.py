"""The public face is typed: strict mypy accepts what is right, finds what is wrong, and meets no `Any`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FOUND = re.compile(r"^(?P<file>[\w/.]+):(?P<line>\d+): (?P<kind>error|note): (?P<words>.*)$", re.MULTILINE)


def checked(name, tmp_path):
    """What mypy says of each line of a file."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--disallow-any-expr", "--config-file=",
         f"--cache-dir={tmp_path}", "--show-error-codes", name],
        cwd=TESTS / "typing", env={"MYPYPATH": str(TESTS.parent / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = {}
    for found in FOUND.finditer(done.stdout):
        if found["file"].endswith(name):
            said.setdefault(int(found["line"]), []).append((found["kind"], found["words"]))
    assert done.stdout, done.stderr
    return said, (TESTS / "typing" / name).read_text().splitlines()


@pytest.mark.slow
def test_what_is_right_is_accepted_with_the_types_that_it_has(tmp_path):
    said, lines = checked("accepted.py", tmp_path)
    revealed = [(n, line) for n, line in enumerate(lines, 1) if "reveal_type(" in line]
    assert len(revealed) >= 10
    for number, line in revealed:
        wanted = line.partition("  # ")[2]
        assert ("note", f'Revealed type is "{wanted}"') in said.pop(number), f"{number}: {line}"
    assert not [words for found in said.values() for kind, words in found if kind == "error"]


@pytest.mark.slow
def test_what_is_wrong_is_found_on_its_line(tmp_path):
    said, lines = checked("refused.py", tmp_path)
    for number, line in enumerate(lines, 1):
        wanted = line.partition("  # ")[2]
        codes = [re.search(r"\[([\w-]+)\]$", words) for _, words in said.get(number, ())]
        found = {code.group(1) for code in codes if code}
        assert (wanted in found) if wanted else not found - {"unused-ignore"}, f"{number}: {line}: {found}"
