import pytest

from cli.rig import Desk


@pytest.fixture
def desk(tmp_path):
    """A folder with nothing in it."""
    return Desk(tmp_path)


@pytest.fixture
def small(desk):
    """A folder with a small stack that is not up yet."""
    return desk.write()


@pytest.fixture
def up(small):
    """A folder with a small stack that is up."""
    told = small.say("up", "--yes")
    assert told.code == 0, told
    return small
