import pytest

from databases.rig import EngineProcess


@pytest.fixture
def engines(server, tmp_path):
    """A function that makes engines on one database; they are gone at the end."""
    url = server.fresh()
    made = []

    def make(*words):
        made.append(EngineProcess(url, tmp_path, *([words] if words else [])))
        return made[-1]

    make.url, make.folder = url, tmp_path
    yield make
    for engine in made:
        engine.clear()
