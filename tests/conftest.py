import pytest
from hypothesis import HealthCheck, settings

from databases.cluster import Server, absent
from storms.required import needs

# A gate gives the same answer each time; what chance finds belongs to the campaigns.
settings.register_profile(
    "gate", derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("gate")


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
