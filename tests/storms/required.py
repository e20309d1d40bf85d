"""What a test needs of the machine: where it is lacking the test is skipped with the reason.

`DIRIGENT_REQUIRE=loop,fuse,...` says that it must be there: then the test fails instead.
"""

import os

import pytest

REQUIRED = frozenset(os.environ.get("DIRIGENT_REQUIRE", "").split(","))


def needs(name, lacking):
    """Skip the test for the reason given, unless there is none; fail it where that must not be."""
    if lacking is None:
        return
    if name in REQUIRED:
        pytest.fail(f"DIRIGENT_REQUIRE names {name}, and {lacking}")
    pytest.skip(lacking)
