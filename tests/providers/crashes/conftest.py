"""Engines that are forked, as the tests of the system have them."""

import pytest

from providers.crashes.places import Raising
from system.conftest import forged


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    """A fork server, all of whose engines are gone in the end."""
    with forged(tmp_path_factory.mktemp("forge")) as made:
        yield made


@pytest.fixture
def raising(forge, tmp_path):
    """A first apply, to be killed."""
    return Raising(forge, tmp_path)
