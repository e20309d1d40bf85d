"""A fork server for each module, the tally of all crashes, and the proof that no process survives."""

from contextlib import contextmanager

import pytest

from system.rig.smith import Forge, Tally
from system.rig.terminal import desk_in

TITLE = "crash test"


@contextmanager
def forged(folder):
    made = Forge(folder)
    try:
        yield made
    finally:
        made.close()
    assert not made.family()


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    with forged(tmp_path_factory.mktemp("forge")) as made:
        yield made


@pytest.fixture
def lone_forge(tmp_path_factory):
    """For a test that must not find the processes of others."""
    with forged(tmp_path_factory.mktemp("forge")) as made:
        yield made


@pytest.fixture
def desk(tmp_path):
    """A folder in which real commands work."""
    with desk_in(tmp_path) as made:
        yield made


@pytest.fixture
def tally(request, record_property):
    """Count what a test tries; printed here, and all together at the end."""
    made = Tally(request.node.name.removeprefix("test_").replace("_", " "))
    yield made
    record_property(TITLE, made.line())
    print(made.line())


def pytest_terminal_summary(terminalreporter):
    lines = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == TITLE and getattr(report, "when", "") == "teardown"
    ]
    if lines:
        terminalreporter.section("places where engines were killed")
        for line in sorted(set(lines)):
            terminalreporter.write_line(line)
