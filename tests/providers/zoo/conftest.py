"""The zoo under Terraform, and under us."""

import json
import os
import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from providers.tofu.conftest import FETCHED, ROOT, session_with
from providers.zoo.ours import Cycle
from providers.zoo.product import PROVIDERS, Product
from providers.zoo.terraform import Terraform
from storms.required import needs
from system.conftest import forged


def environment(folder, version=6):
    return {
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}",
        "PATH": os.environ["PATH"],
        "ZOO_VERSION": str(version),
        "ZOO_DRIFT": str(folder / "drift"),
    }


def drifts(folder, cases):
    """Let the world change outside, from now on."""
    (folder / "drift").write_text(
        json.dumps({name: each for case in cases for name, each in case.drift.items()})
    )


def declared(cases, which):
    return {name: each for case in cases for name, each in getattr(case, which).items()}


@pytest.fixture(scope="module")
def terraform(tmp_path_factory):
    """Terraform 1.0.3 over a zoo that is started by hand; it wants no certificates of one that is."""
    program = FETCHED / "terraform"
    needs("providers", None if program.exists() else "`python scripts/binaries.py` brings Terraform")
    folder = tmp_path_factory.mktemp("terraform")
    words = [sys.executable, "-m", "providers.zoo.keeper", str(folder / "zoo.sock")]
    with subprocess.Popen(words, env=environment(folder), stdout=subprocess.PIPE) as zoo:
        try:
            zoo.stdout.readline()
            yield Terraform(str(program), folder, str(folder / "zoo.sock"))
        finally:
            zoo.kill()


@pytest.fixture
def cycle(tmp_path):
    """What starts our own life cycle over a zoo of its own."""
    folder = tmp_path / "cycle"
    folder.mkdir()

    @asynccontextmanager
    async def start():
        async with AsyncExitStack() as stack:
            sessions = {}
            for name, version in PROVIDERS.items():
                program = folder / f"terraform-provider-{name}"
                program.write_text(f"#!/bin/sh\nexec {sys.executable} -m providers.zoo.keeper\n")
                program.chmod(0o755)
                opened = session_with(program, environment(folder, version), {})
                sessions[name] = await stack.enter_async_context(opened)
            yield Cycle(sessions), folder

    return start


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """What makes a folder of the whole product over a zoo of its own; its engines are forked."""
    with forged(tmp_path_factory.mktemp("forge")) as forge:

        def start():
            folder = tmp_path_factory.mktemp("product")
            return Product.made(folder, forge, lambda version: environment(folder, version))

        yield start
