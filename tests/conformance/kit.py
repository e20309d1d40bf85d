"""Where the independent suites lie: beside the repository, or where DIRIGENT_CONFORMANCE says."""

import os
from pathlib import Path

import pytest

from conformance.gherkin import scenarios_of

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "conformance"
FOLDER = Path(os.environ.get("DIRIGENT_CONFORMANCE", _BESIDE)) / "open-workflow"

needed = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the conformance suites are not at {FOLDER}: set DIRIGENT_CONFORMANCE"
)

DEFINITION = "a workflow with definition:"
INPUT = "the workflow input is:"


def examples():
    """Return the published examples: name and text."""
    return [(path.stem, path.read_text()) for path in sorted(FOLDER.glob("examples/*.yaml"))]


def scenarios():
    """Return the scenarios of the technology compatibility kit."""
    return [
        scenario
        for path in sorted(FOLDER.glob("ctk/features/*.feature"))
        for scenario in scenarios_of(path.stem, path.read_text())
    ]


def definitions():
    """Return the workflows of the kit: name and text."""
    return [(scenario.name, scenario.text_of(DEFINITION)) for scenario in scenarios()]
