"""Every code of the documents' rooms has a section, and no section is about a code that is gone."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/problems/documents.md").read_text()
ROOMS = ("shape", "source", "stack", "inputs.py", "schema.py")


def codes_in_use():
    lang = ROOT / "src/dirigent/lang"
    files = [
        file
        for room in ROOMS
        for file in ([lang / room] if room.endswith(".py") else (lang / room).rglob("*.py"))
    ]
    return {code for file in files for code in re.findall(r'"([EW]1[0-9]{3})"', file.read_text())}


def test_every_code_is_on_the_page():
    assert sorted(code for code in codes_in_use() if code not in PAGE) == []


def test_every_section_is_about_a_code_in_use():
    sections = re.findall(r"^## ([EW][0-9]{4}): .+$", PAGE, re.MULTILINE)
    assert sorted(set(sections)) == sorted(sections)
    assert sorted(set(sections) - codes_in_use()) == []


def test_every_section_says_something():
    for section in PAGE.split("\n## ")[1:]:
        assert len(section.splitlines()) >= 4, section


def test_every_code_is_reached_by_a_test():
    told = "".join(file.read_text() for file in sorted((ROOT / "tests/lang").glob("test_*.py")))
    told += "".join(
        file.read_bytes().split(b"\n")[0].decode("utf-8", "replace")
        for file in sorted((ROOT / "tests/lang/malformed").glob("*.yaml"))
    )
    assert sorted(code for code in codes_in_use() if code not in told) == []
