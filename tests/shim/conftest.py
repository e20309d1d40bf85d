"""Every command of a test carries a mark; after the test no process may bear it."""

import os
import time
import uuid

import pytest

from dirigent.shim import attach, pulse

VARIABLE = "DIRIGENT_TEST_MARK"


@pytest.fixture
def mark():
    value = uuid.uuid4().hex
    yield value
    deadline = time.monotonic() + 30.0
    while (left := pulse.bearing(VARIABLE, value)) and time.monotonic() < deadline:
        time.sleep(0.01)
    for pid in left:
        os.kill(pid, 9)
    assert not left, f"processes {left} outlived the test"


@pytest.fixture
def spool(tmp_path):
    return str(tmp_path / "spool" / "0123abcd-1")


@pytest.fixture
def order(mark, tmp_path):
    def make(script, *arguments, **changes):
        environment = {"PATH": os.environ["PATH"], VARIABLE: mark, **changes.pop("environment", {})}
        command = {"id": mark, "folder": str(tmp_path), "environment": environment, **changes}
        return attach.Command(argv=("sh", "-c", script, "sh", *arguments), **command)

    return make
