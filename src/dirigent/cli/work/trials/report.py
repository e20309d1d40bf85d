"""What becomes known of tests: lines on the terminal, JSON for programs, JUnit for build servers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from dirigent.cli import wire
from dirigent.cli.answer import Json, problem_json
from dirigent.cli.text.frame import problems_text
from dirigent.cli.text.runs import lasted, sign
from dirigent.cli.text.terminal import Terminal, shown
from dirigent.model.problem import Problem
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.testing.trial.coming import Came

_PLAIN = Terminal(colour=False, live=False, width=100)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One test that was played: what it came to, what is wrong, and how long that took in earnest.

    `at` is the place of its name in the file.
    """

    file: str
    name: str
    at: Span
    came: Came
    problems: tuple[Problem, ...]
    seconds: float


def verdict_text(verdict: Verdict, terminal: Terminal) -> str:
    """Return one line for a test, and all that is wrong with it below."""
    mark = sign("failed" if verdict.problems else "succeeded", terminal)
    spent = f"  ({lasted(verdict.came.seconds)} of virtual time)" if verdict.came.seconds else ""
    word = "failed  " if verdict.problems else "passed  "
    line = f"  {mark} {word}{shown(verdict.name)}{terminal.paint(spent, 'grey')}"
    return f"{line}\n\n{told(verdict, terminal)}\n" if verdict.problems else line


def told(verdict: Verdict, terminal: Terminal) -> str:
    """Return what is wrong, with the lines of the test file."""
    sources = {verdict.file: Path(verdict.file).read_text(encoding="utf-8", errors="replace")}
    return problems_text(verdict.problems, sources, terminal)


def sum_text(verdicts: Sequence[Verdict], terminal: Terminal) -> str:
    """Return the last line: how many passed and failed."""
    failed = sum(bool(each.problems) for each in verdicts)
    spent = lasted(sum(each.seconds for each in verdicts))
    passed = f"{len(verdicts) - failed} passed"
    parts = [terminal.paint(f"{failed} failed", "red", "bold"), passed] if failed else [passed]
    return f"{', '.join(parts)} in {spent}"


def verdict_json(verdict: Verdict) -> Json:
    """Return one test for programs."""
    return {
        "file": verdict.file,
        "name": verdict.name,
        "passed": not verdict.problems,
        "phase": verdict.came.phase,
        "output": wire.value(verdict.came.output),
        "fault": wire.fault(verdict.came.fault),
        "elapsed": verdict.came.seconds,
        "seconds": verdict.seconds,
        "problems": [problem_json(each) for each in verdict.problems],
    }


def junit(verdicts: Sequence[Verdict]) -> str:
    """Return a report in the form that JUnit made common: a suite for each file."""
    root = ET.Element("testsuites")
    for file in dict.fromkeys(each.file for each in verdicts):
        own = [each for each in verdicts if each.file == file]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=file,
            tests=str(len(own)),
            failures=str(sum(bool(each.problems) for each in own)),
            errors="0",
            time=f"{sum(each.seconds for each in own):.3f}",
        )
        for each in own:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=file,
                name=_clean(each.name),
                time=f"{each.seconds:.3f}",
                file=file,
                line=str(each.at.line),
            )
            if each.problems:
                first = each.problems[0]
                failure = ET.SubElement(case, "failure", type=first.code, message=_clean(first.message))
                failure.text = _clean(told(each, _PLAIN))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)
