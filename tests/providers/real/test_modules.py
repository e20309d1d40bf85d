"""Real providers in modules: taken back when a step fails, rolled back, moved, from a locked archive."""

from __future__ import annotations

import hashlib
import platform
import zipfile
from functools import partial

import pytest

from cli.rig import Desk
from providers.real.rig import actions, built

pytestmark = pytest.mark.slow

STACK = """\
stack: site
inputs: {text: {type: string, default: one}, last: {type: string, default: out/last.txt}}
providers: {local: {source: hashicorp/local, version: "~> 1.4"}, time: {source: hashicorp/time}}
policy: {apply: {on-failure: compensate}}
resources:
  born: {type: time_static, with: {rfc3339: '2026-01-31T00:00:00Z'}}
  due:
    type: time_offset
    with: {base_rfc3339: '${ $resources.born.rfc3339 }', offset_days: '${ $inputs.text | length }'}
  first: {type: local_file, with: {filename: out/first.txt, content: '${ $inputs.text }'}}
  pages:
    type: stack
    with:
      from: ./pages
      inputs:
        text: '${ $resources.first.content }'
        last: '${ $inputs.last }'
        due: '${ $resources.due.rfc3339 }'
outputs: {due: '${ $resources.due.rfc3339 }'}
"""
PAGES = """\
stack: pages
inputs: {text: {type: string}, last: {type: string}, due: {type: string}}
providers: {local: {source: hashicorp/local}}
resources:
  page:
    type: local_file
    count: 2
    with: {filename: '${ "out/\\($each.key).txt" }', content: '${ "\\($inputs.text) \\($each.key)" }'}
  last:
    type: local_file
    with:
      filename: '${ $inputs.last }'
      content: '${ ([$resources.page[].content] + [$inputs.due]) | join(", ") }'
"""
ONE = {
    "first.txt": "one",
    "0.txt": "one 0",
    "1.txt": "one 1",
    "last.txt": "one 0, one 1, 2026-02-03T00:00:00Z",
}


@pytest.fixture
def desk(tmp_path):
    """A folder with the stack, its module, and a lock of Terraform that knows the archive of a mirror."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "stack.yaml").write_text(PAGES)
    mirror = tmp_path / "providers" / "registry.terraform.io" / "hashicorp" / "local"
    mirror.mkdir(parents=True)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    packed = mirror / f"terraform-provider-local_1.4.0_linux_{machine}.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(built("terraform-provider-local"), "terraform-provider-local_v1.4.0_x4")
    seen = hashlib.sha256(packed.read_bytes()).hexdigest()
    (tmp_path / ".terraform.lock.hcl").write_text(
        'provider "registry.terraform.io/hashicorp/local" {\n'
        f'  version = "1.4.0"\n  hashes = [\n    "zh:{seen}",\n  ]\n}}\n'
    )
    text = STACK.replace("hashicorp/local", "registry.terraform.io/hashicorp/local")
    (tmp_path / "pages" / "stack.yaml").write_text(
        PAGES.replace("hashicorp/local", "registry.terraform.io/hashicorp/local")
    )
    return Desk(tmp_path).write(text)


@pytest.fixture
def say(desk):
    """What gives a command in that folder."""
    program = str(built("terraform-provider-time"))
    return partial(desk.say, DIRIGENT_PROVIDER_TIME=program, DIRIGENT_CACHE=str(desk.folder / "cache"))


def standing(desk):
    return {each.name: each.read_text() for each in (desk.folder / "out").iterdir()}


def test_a_module_of_real_objects_is_taken_back_rolled_back_and_moved(desk, say):
    told = say("up", "--yes", "--json")
    assert told.code == 0, told
    assert told.json["outputs"] == {"due": "2026-02-03T00:00:00Z"}
    assert standing(desk) == ONE
    assert actions(say("plan", "--json")) == {}

    # The last of all cannot be made: what was done before it is taken back, also in the module.
    told = say("up", "--yes", "--input", "text=three", "--input", "last=/dev/null/x")
    assert told.code == 1
    assert "what had been done was taken back" in told.err
    assert "what was done is kept" not in told.err
    assert standing(desk) == ONE
    assert actions(say("plan", "--json")) == {}

    # Drifted in the module, repaired while the rest changes; then back to what stood before.
    (desk.folder / "out" / "1.txt").unlink()
    assert actions(say("plan", "--json")) == {"pages/page[1]": "create"}
    assert say("up", "--yes", "--input", "text=three").code == 0
    assert standing(desk)["last.txt"] == "three 0, three 1, 2026-02-05T00:00:00Z"
    told = say("rollback", "--yes")
    assert told.code == 0, told
    assert standing(desk) == ONE
    assert actions(say("plan", "--json")) == {}

    # Out of the module under another name, and not touched by that.
    desk.write(
        (desk.folder / "stack.yaml")
        .read_text()
        .replace("  first:", "  head:")
        .replace("resources.first", "resources.head")
        + MOVED
    )
    told = say("up", "--yes", "--json")
    assert told.code == 0, told
    moved = {each["address"]: each["action"] for each in told.json["plan"]["changes"]}
    assert moved["head"] == "keep", moved
    assert standing(desk) == ONE
    assert say("down", "--yes").code == 0
    assert standing(desk) == {}


MOVED = "moved: [{from: first, to: head}]\n"
