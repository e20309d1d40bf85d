"""Terraform itself writes a state and reads ours: what people come with, and what they leave with."""

import json
import os
import shutil
import stat
import subprocess

import jsonschema_rs
import pytest

from cli.rig import Desk
from dirigent.cli import schemas
from providers.tofu.state4.states import entry, instance, state

pytestmark = pytest.mark.slow

MAIN = """
terraform {
  required_providers { null = { source = "hashicorp/null" } }
}
variable "hush" {
  sensitive = true
  default   = "hush-hush-hush"
}
resource "null_resource" "a" {
  count    = COUNT
  triggers = { n = count.index, s = var.hush }
}
resource "null_resource" "b_one" {
  for_each = { eu = 1, us = 2 }
  triggers = { a = null_resource.a[0].id }
  lifecycle { create_before_destroy = true }
}
data "null_data_source" "d" { inputs = { x = "y" } }
resource "null_resource" "c" {
  triggers = { a = null_resource.b_one["eu"].id, d = data.null_data_source.d.outputs.x EXTRA }
}
module "net" {
  source   = "./net"
  for_each = { eu = 1 }
  size     = null_resource.c.id
}
output "o" { value = null_resource.b_one["us"].id }
"""
INNER = """
variable "size" {}
resource "null_resource" "db" { triggers = { size = var.size } }
"""
NET = """
stack: net
inputs:
  size: {type: string}
providers:
  "null": {source: hashicorp/null}
resources:
  db: {type: null_resource, with: {triggers: {size: "${ $inputs.size }"}}}
"""
STACK = """
stack: moved
secrets:
  hush: {env: HUSH}
providers:
  "null": {source: hashicorp/null}
resources:
  a:
    type: null_resource
    count: COUNT
    with: {triggers: {n: "${ $each.key | tostring }", s: "${ $secrets.hush }"}}
  b-one:
    type: null_resource
    each: [eu, us]
    lifecycle: {replace: create-first}
    with: {triggers: {a: "${ $resources.a[0].id }"}}
  c:
    type: null_resource
    with: {triggers: {a: '${ $resources["b-one"].eu.id }', d: "y" EXTRA}}
  net:
    type: stack
    each: [eu]
    with: {from: ./net, inputs: {size: "${ $resources.c.id }"}}
"""


def filled(text, count=2, extra=""):
    return text.replace("COUNT", str(count)).replace("EXTRA", extra)


class Terraform:
    """A folder in which Terraform works, with the null provider beside it."""

    def __init__(self, program, provider, folder):
        self.program, self.folder = program, folder
        mirror = folder / "mirror/registry.terraform.io/hashicorp/null/2.1.2/linux_amd64"
        mirror.mkdir(parents=True)
        (folder / "net").mkdir()
        (folder / "net/main.tf").write_text(INNER)
        shutil.copy(provider, mirror)

    def write(self, **how):
        (self.folder / "main.tf").write_text(filled(MAIN, **how))

    def say(self, *words):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "CHECKPOINT_DISABLE": "1"}
        return subprocess.run(
            [self.program, *words, "-no-color"],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def apply(self):
        made = self.say("init", "-plugin-dir=mirror")
        assert made.returncode == 0, made
        made = self.say("apply", "-auto-approve")
        assert made.returncode == 0, made

    def changes(self):
        """Whether a plan has any: 0 says that there are none, 2 that there are."""
        made = self.say("plan", "-detailed-exitcode")
        assert made.returncode in {0, 2}, made
        return made.returncode == 2

    @property
    def state(self):
        return self.folder / "terraform.tfstate"


class Moved(Desk):
    """A folder with a stack; every command finds the provider and the secret."""

    def __init__(self, folder, extra):
        super().__init__(folder)
        object.__setattr__(self, "extra", extra)

    def start(self, *words, **more):
        return super().start(*words, **self.extra, **more)


@pytest.fixture
def theirs(tmp_path, terraform, program):
    folder = tmp_path / "theirs"
    folder.mkdir()
    found = Terraform(terraform, program("null"), folder)
    found.write()
    found.apply()
    return found


@pytest.fixture
def ours(tmp_path, program):
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "stack.yaml").write_text(filled(STACK))
    (folder / "net").mkdir()
    (folder / "net/stack.yaml").write_text(NET)
    extra = {"HUSH": "hush-hush-hush", "DIRIGENT_PROVIDER_NULL": str(program("null"))}
    return Moved(folder, extra)


def test_what_terraform_made_comes_is_changed_and_goes_back_and_neither_sees_a_change(theirs, ours):
    told = ours.say("state", "import", str(theirs.state), "--yes")
    assert told.code == 0, told
    assert "1 data source" in told.err
    assert "1 output" in told.err
    # What stands is what is declared, down to who needs whom.
    assert ours.say("plan", "--check").code == 0
    shown = ours.say("state", "show", "a[0]")
    assert "(sensitive)" in shown.out
    assert_sealed(ours)
    # Changed here: one more, and another that is made anew.
    (ours.folder / "stack.yaml").write_text(filled(STACK, 3, ', e: "new"'))
    assert ours.say("up", "--yes").code == 0
    theirs.write(count=3, extra=', e = "new"')
    # The negative control: the state that Terraform still has knows nothing of it.
    assert theirs.changes()
    told = ours.say("state", "export", str(theirs.state))
    assert told.code == 0, told
    assert "in clear" in told.err
    assert stat.S_IMODE(theirs.state.stat().st_mode) == 0o600
    assert theirs.state.with_name("terraform.tfstate.backup").exists()
    assert not theirs.changes()
    # And whoever has not changed anything need not write anything.
    again = ours.answer("state", "export", str(theirs.state))
    assert jsonschema_rs.is_valid(schemas.schema_of("state"), again)
    assert again["serial"] == json.loads(theirs.state.read_bytes())["serial"]
    assert again["resources"] == 7


def assert_sealed(desk):
    for path in (desk.folder / ".dirigent").rglob("*"):
        if path.is_file():
            assert b"hush-hush-hush" not in path.read_bytes(), path


def test_what_is_refused_leaves_nothing_behind(theirs, ours):
    whole = theirs.state.read_text()
    for name, text, code in (
        ("cut", whole[: len(whole) // 2], "E3050"),
        ("foreign", whole.replace("hashicorp/null", "acme/null"), "E3055"),
    ):
        (ours.folder / name).write_text(text)
        told = ours.say("state", "import", name, "--yes")
        assert code in told.err, told
        assert "hush-hush-hush" not in told.err + told.out
    assert ours.answer("state", "list") == {"resources": []}
    assert not (ours.folder / ".dirigent/lineage.json").exists()
    # The same file, whole, is taken.
    assert ours.say("state", "import", str(theirs.state), "--yes").code == 0
    # What would be lost in the file is not overwritten.
    theirs.state.write_text(whole.replace('"c"', '"z"'))
    assert ours.say("state", "export", str(theirs.state)).code == 8
    theirs.state.write_text(whole)
    # Twice is once; what differs is refused until somebody says otherwise.
    assert "Nothing to do" in ours.say("state", "import", str(theirs.state), "--yes").out
    (ours.folder / "other").write_text(whole.replace('"n": "1"', '"n": "7"'))
    assert ours.say("state", "import", "other", "--yes").code == 8
    assert ours.say("state", "import", "other", "--yes", "--replace").code == 0
    assert len(ours.answer("state", "history", "a[1]")["revisions"]) == 2


MANY = 200


def test_an_import_that_is_killed_goes_on_with_the_next_one_and_takes_everything_once(ours):
    objects = [
        instance(index_key=at, attributes={"id": str(1000 + at), "triggers": {"n": str(at)}})
        for at in range(MANY)
    ]
    content = state(entry("a", *objects))
    (ours.folder / "state.json").write_bytes(content)
    plain = STACK.partition("  b-one:")[0].replace(', s: "${ $secrets.hush }"', "")
    (ours.folder / "stack.yaml").write_text(filled(plain, MANY))
    process = ours.start("state", "import", "state.json", "--yes")
    while "DONE" not in process.stdout.readline():
        assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate()
    # What was left open goes on first; then nothing is to do, and the lineage is noted.
    told = ours.say("state", "import", "state.json", "--yes")
    assert told.code == 0, told
    rows = ours.answer("state", "list")["resources"]
    assert sorted(row["attributes"]["id"] for row in rows) == [str(1000 + at) for at in range(MANY)]
    assert len(ours.answer("state", "history", "a[0]")["revisions"]) == 1
    told = ours.say("state", "export", "-")
    assert {**json.loads(told.out), "serial": 6} == json.loads(content)
