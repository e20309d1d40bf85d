"""Beside Terraform 1.0.3: what it locks is what we start, and its hashes are ours."""

import shutil
import subprocess
import zipfile

import pytest

from dirigent.model.problem import Refusal
from dirigent.providers.tofu.finding.disk.archive import content_in
from dirigent.providers.tofu.finding.disk.hashes import content_of
from dirigent.providers.tofu.finding.installed import installed
from dirigent.providers.tofu.finding.lock.reading import locks_of, theirs
from dirigent.providers.tofu.finding.naming import this_platform
from dirigent.providers.tofu.finding.places import Places
from providers.tofu.finding.samples import setup

pytestmark = pytest.mark.slow
SOURCE = "registry.terraform.io/hashicorp/null"
CONFIGURATION = """terraform {
  required_providers {
    null = {
      source  = "hashicorp/null"
      version = "~> 2.1"
    }
  }
}
"""


@pytest.fixture
def null(program_named):
    return program_named("null")


@pytest.mark.parametrize("packed", [False, True])
def test_what_terraform_has_locked_can_be_started_as_it_lies(tmp_path, terraform, null, packed):
    platform = this_platform()
    mirror, stack = tmp_path / "mirror", tmp_path / "stack"
    stack.mkdir()
    (stack / "main.tf").write_text(CONFIGURATION)
    if packed:
        place = mirror / SOURCE / f"terraform-provider-null_2.1.2_{platform}.zip"
        place.parent.mkdir(parents=True)
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(null, null.name)
        ours = content_in(place).h1
    else:
        place = mirror / SOURCE / "2.1.2" / platform
        place.mkdir(parents=True)
        shutil.copy2(null, place / null.name)
        ours = content_of(place).h1
    words = [terraform, "init", "-backend=false", f"-plugin-dir={mirror}"]
    done = subprocess.run(words, cwd=stack, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    locked = theirs(stack)[SOURCE]
    assert (locked.version, locked.constraints, locked.all) == ("2.1.2", "~> 2.1", frozenset({ours}))
    places = Places(stack, tmp_path / "cache", (mirror,), platform=platform)
    found = installed(setup("~> 2.1", "null", SOURCE), places)
    assert found.program.read_bytes() == null.read_bytes()
    # The lock is held to: one byte more, and nothing starts.
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    with place.open("ab") if packed else (place / null.name).open("ab") as stream:
        stream.write(b"\0")
    if packed:
        # What stands behind an archive is no part of what is in it.
        assert installed(setup("", "null", SOURCE), places).version == "2.1.2"
    else:
        with pytest.raises(Refusal, match="E3026"):
            installed(setup("", "null", SOURCE), places)
    assert locks_of(stack)[SOURCE] == locked
