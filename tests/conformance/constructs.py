"""Every construct of the standard: whether it is there, and which tests cover it. The page of the
documentation is written from this table.

The table is in constructs.yaml, with the smallest use of each construct: what is there is read without
an error, what comes later is refused by name. So it cannot say more than the front-end does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

HEAD = {"document": {"dsl": "1.0.3", "namespace": "tests", "name": "fragment", "version": "1.0.0"}}
FILE = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Construct:
    """One line of the table. `task` is the body of a task, `top` a section of a document."""

    section: str
    name: str
    task: dict | None = None
    top: dict | None = None
    tests: tuple = ()

    @property
    def later(self):
        """Whether a later release brings it: then no test covers it."""
        return not self.tests

    @property
    def document(self):
        """A whole document round the construct."""
        if self.task is not None:
            return {**HEAD, **USES, "do": [{"t": self.task}]}
        head = {**HEAD["document"], **self.top.get("document", {})}
        return {"do": [{"t": {"set": {"x": 1}}}], **self.top, "document": head}


USES = {
    "use": {
        "secrets": ["s"],
        "errors": {"e": {"type": "https://e.example/x", "status": 400}},
        "retries": {"r": {"delay": "PT1S"}},
        "timeouts": {"o": {"after": "PT1S"}},
        "functions": {"f": {"set": {"x": 1}}},
        "authentications": {"a": {"bearer": {"token": "t"}}},
    }
}


TABLE = [
    Construct(section, **row) for section, rows in yaml.safe_load(FILE.read_text()).items() for row in rows
]

INTRODUCTION = """\
# What of the Open Workflow Specification is there

Written from a table of the tests, `tests/conformance/constructs.yaml`; `pytest tests/conformance --rewrite`
writes it anew. What is not there yet is refused before the run, by name and place (E1204). How we read the
standard where it is open is in [interpretation](interpretation.md).
"""


def page(kit, examples):
    """Return the page; `kit` and `examples` are how many there are that pass or run, and in all."""
    here = sum(not row.later for row in TABLE)
    lines = [
        INTRODUCTION,
        "| | now | in all |",
        "|---|---|---|",
        f"| constructs below | {here} | {len(TABLE)} |",
        f"| scenarios of the technology compatibility kit that pass | {kit[0]} | {kit[1]} |",
        f"| published examples that run | {examples[0]} | {examples[1]} |",
    ]
    for section in dict.fromkeys(row.section for row in TABLE):
        lines += ["", f"## {section}", "", "| construct | | covered by |", "|---|---|---|"]
        lines += [line(row) for row in TABLE if row.section == section]
    return "\n".join(lines) + "\n"


def line(row):
    covered = ", ".join(f"`tests/{test}`" for test in row.tests)
    return f"| {row.name} | {'later' if row.later else 'yes'} | {covered} |"
