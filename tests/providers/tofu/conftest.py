"""Providers to talk to: our own, which misbehaves on command, and real ones where they are."""

import asyncio
import hashlib
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dirigent.model.stack import Secret
from dirigent.providers.tofu.lifecycle.session import opened
from dirigent.providers.tofu.process.connection import connected
from dirigent.providers.tofu.process.launch import launched
from dirigent.providers.tofu.provider.fleeting.lasting import Leases
from dirigent.providers.tofu.provider.pool import Pool, Program
from dirigent.providers.tofu.provider.provider import TofuProvider
from dirigent.providers.tofu.provider.secrecy import Secrecy
from dirigent.providers.tofu.schema.configuration import configured
from dirigent.providers.tofu.sealing import Seal
from dirigent.tasks.secrets import EnvironmentVault
from storms.required import needs

ROOT = Path(__file__).parents[3]
FETCHED = Path(os.environ.get("DIRIGENT_PROVIDERS", ROOT / "build" / "providers"))


@asynccontextmanager
async def session_with(program, environment, settings):
    async with launched(str(program), environment) as plugin, connected(plugin) as connection:
        session = await opened(connection)
        config, odd = configured(session.schemas.provider.block, settings)
        assert not odd
        await session.configure(config)
        yield session


@pytest.fixture
def fixture(tmp_path):
    """What starts our own provider in a mode, with its objects under `tmp_path`."""
    program = tmp_path / "terraform-provider-fixture"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} {Path(__file__).parent / 'fixture.py'}\n")
    program.chmod(0o755)
    (tmp_path / "world").mkdir()

    def start(mode="", version=6, **settings):
        environment = {
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}",
            "PATH": os.environ["PATH"],
            "FIXTURE_MODE": mode,
            "FIXTURE_WORLD": str(tmp_path / "world"),
            "FIXTURE_VERSION": str(version),
        }
        return session_with(program, environment, settings)

    return start


def program_of(name):
    found = sorted(FETCHED.glob(f"terraform-provider-{name}_*"))
    needs("providers", None if found else f"`python scripts/binaries.py` brings the provider `{name}`")
    return found[0]


@pytest.fixture
def program():
    """What finds the program of a real provider by the beginning of its name."""
    return program_of


@pytest.fixture
def real():
    """What starts a real provider by the beginning of its name."""
    return lambda name, **settings: session_with(program_of(name), {"PATH": os.environ["PATH"]}, settings)


@pytest.fixture
def program_named():
    """What finds a real provider by the beginning of its name."""
    return program_of


@pytest.fixture
def terraform():
    """Terraform 1.0.3, whose program `python scripts/binaries.py` brings as well."""
    program = FETCHED / "terraform"
    needs("providers", None if program.exists() else "`python scripts/binaries.py` brings Terraform")
    return program


@pytest.fixture
def bare():
    """What starts a real provider and asks it nothing."""

    @asynccontextmanager
    async def start(name):
        program = str(program_of(name))
        async with launched(program, {"PATH": os.environ["PATH"]}) as plugin, connected(plugin) as connection:
            yield connection

    return start


@pytest.fixture
def world(tmp_path):
    """What yields our own provider in a mode, with its objects under `tmp_path`."""
    program = tmp_path / "terraform-provider-fixture"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} {Path(__file__).parent / 'fixture.py'}\n")
    program.chmod(0o755)
    (tmp_path / "world").mkdir()
    digest = hashlib.sha256(program.read_bytes()).hexdigest()

    @asynccontextmanager
    async def start(mode="", version=6, **setup):
        environment = {
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}",
            "PATH": os.environ["PATH"],
            "FIXTURE_MODE": mode,
            "FIXTURE_WORLD": str(tmp_path / "world"),
            "FIXTURE_VERSION": str(version),
        }

        async def find():
            return Program("example.com/x/fixture", str(program), digest)

        pool, seal = Pool(environment), Seal(str(tmp_path / "key"))
        token = Secret("token", "env", "TOKEN")
        vault = EnvironmentVault({"token": token}, {"TOKEN": "hunter2"}, ".", None, seal.text)
        leases = Leases(seal, now=lambda: start.now)
        pool.before_end.append(leases.close)
        provider = TofuProvider("fixture", find, pool, Secrecy(vault, seal), asyncio.Semaphore(10), leases)
        leases.lends["fixture"] = provider.lend
        try:
            yield provider.configured(setup)
        finally:
            await pool.close()

    start.objects = lambda: sorted(each.name for each in (tmp_path / "world").iterdir())
    start.now = 1_000_000.0
    start.folder = tmp_path / "world"
    return start
