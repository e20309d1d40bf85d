import pytest

from databases.cluster import Server, absent
from storms.required import needs


def pytest_addoption(parser):
    parser.addoption("--rewrite", action="store_true", help="write the traces of the scenarios anew")


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server of this session's own; a skip with the reason where there is none."""
    needs("postgresql", absent() or None)
    server = Server.made()
    try:
        server.start()
        yield server
    finally:
        server.remove()
