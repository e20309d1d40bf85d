"""A program is hashed when it is found, and again before every further start."""

import os
import sys
from pathlib import Path

import pytest

from dirigent.providers.tofu.finding.installed import installed
from dirigent.providers.tofu.process.launch import NotStarted
from dirigent.providers.tofu.provider.pool import Pool, Program
from providers.tofu.finding.samples import places, setup
from stores.samples import in_loop

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[4]


@in_loop
async def test_a_program_that_changed_is_not_started_again(tmp_path):
    found = places(tmp_path)
    file = found.folder / "mine"
    file.write_text(f"#!/bin/sh\nexec {sys.executable} {ROOT / 'tests/providers/tofu/fixture.py'}\n")
    file.chmod(0o755)
    ours = installed(setup(source="./mine"), found)
    program = Program(ours.source, str(ours.program), ours.digest, ours.version)
    environment = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", "PATH": os.environ["PATH"]}
    pool = Pool({**environment, "FIXTURE_WORLD": str(tmp_path)})
    try:
        async with pool.session(program, {"region": "a"}):
            pass
        async with pool.session(program, {"region": "b"}):
            pass
        file.write_text(file.read_text() + "# one line more\n")
        # What runs goes on; under another configuration one would have to be started.
        async with pool.session(program, {"region": "a"}):
            pass
        with pytest.raises(NotStarted, match="has changed since it was looked at"):
            async with pool.session(program, {"region": "c"}):
                pass
        file.unlink()
        with pytest.raises(NotStarted):
            async with pool.session(program, {"region": "d"}):
                pass
    finally:
        await pool.close()
