"""Where the independent suites lie: beside the repository, or where DIRIGENT_CONFORMANCE says."""

import os
import re
import textwrap
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "conformance"
FOLDER = Path(os.environ.get("DIRIGENT_CONFORMANCE", _BESIDE)) / "open-workflow"

needed = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the conformance suites are not at {FOLDER}: set DIRIGENT_CONFORMANCE"
)

_SCENARIO = re.compile(
    r"Scenario: (?P<title>[^\n]+)(?P<steps>.*?)(?=\n\s*(?:#[^\n]*\n\s*)*Scenario:|\Z)", re.DOTALL
)
_DEFINITION = re.compile(r'definition:\n\s*"""yaml\n(.*?)"""', re.DOTALL)


def examples():
    """Return the published examples: name and text."""
    return [(path.stem, path.read_text()) for path in sorted(FOLDER.glob("examples/*.yaml"))]


def definitions():
    """Return the workflows of the technology compatibility kit: name and text."""
    found = []
    for path in sorted(FOLDER.glob("ctk/features/*.feature")):
        for scenario in _SCENARIO.finditer(path.read_text()):
            definition = _DEFINITION.search(scenario["steps"])
            title = scenario["title"].strip().lower().replace(" ", "-")
            found.append((f"{path.stem}-{title}", textwrap.dedent(definition[1])))
    return found
