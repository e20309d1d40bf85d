"""What is half done goes over to the other side as that: what is tainted, and what a replacement has left."""

import json
import re

import pytest

from providers.tofu.state4.test_with_terraform import Moved, Terraform

pytestmark = pytest.mark.slow

MAIN = """
terraform {
  required_providers { null = { source = "hashicorp/null" } }
}
resource "null_resource" "half" {}
resource "null_resource" "old" {
  triggers = { n = "2" }
  lifecycle { create_before_destroy = true }
}
resource "null_resource" "whole" { triggers = { n = "1" } }
"""
STACK = """
stack: broken
providers:
  "null": {source: hashicorp/null}
resources:
  half: {type: null_resource}
  old:
    type: null_resource
    lifecycle: {replace: create-first}
    with: {triggers: {n: "2"}}
  whole: {type: null_resource, with: {triggers: {n: "1"}}}
"""
DEPOSED = re.compile(r"#deposed.*")


class Broken(Terraform):
    """Terraform, with a state that was left in the middle."""

    def write(self):
        (self.folder / "main.tf").write_text(MAIN)

    def leave(self):
        """Leave a former object of `old` behind, as a crash in a replacement does, and taint another one.

        The null provider never fails to delete; that Terraform writes the state anew shows that it is one.
        """
        state = json.loads(self.state.read_bytes())
        instances = next(each["instances"] for each in state["resources"] if each["name"] == "old")
        former = {"id": "1234567890", "triggers": {"n": "1"}}
        instances.append({**instances[0], "deposed": "0123abcd", "attributes": former})
        self.state.write_text(json.dumps(state))
        assert self.say("taint", "null_resource.half").returncode == 0

    def actions(self):
        """Return what a plan does to what, sorted; a leftover is told from what has taken its place."""
        made = self.say("plan", "-out=plan")
        assert made.returncode == 0, made
        shown = json.loads(self.say("show", "-json", "plan").stdout)
        return sorted(
            (each["name"], bool(each.get("deposed")), tuple(each["change"]["actions"]))
            for each in shown["resource_changes"]
            if each["change"]["actions"] != ["no-op"]
        )


@pytest.fixture
def theirs(tmp_path, terraform, program):
    """A state with a tainted object, a leftover, and a whole one."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    found = Broken(terraform, program("null"), folder)
    found.write()
    found.apply()
    found.leave()
    return found


@pytest.fixture
def ours(tmp_path, program):
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "stack.yaml").write_text(STACK)
    return Moved(folder, {"DIRIGENT_PROVIDER_NULL": str(program("null"))})


LEFT = [("half", False, ("delete", "create")), ("old", True, ("delete",))]


def planned(desk):
    """Return what our plan does to what, in the same words."""
    words = {"replace": ("delete", "create"), "delete": ("delete",)}
    return sorted(
        (DEPOSED.sub("", each["address"]), "#deposed" in each["address"], words[each["action"]])
        for each in desk.answer("plan")["changes"]
        if each["action"] != "keep"
    )


def test_what_is_tainted_and_what_is_left_over_goes_over_and_comes_back(theirs, ours):
    assert theirs.actions() == LEFT
    before = json.loads(theirs.state.read_bytes())
    told = ours.say("state", "import", str(theirs.state), "--yes")
    assert told.code == 0, told
    assert planned(ours) == LEFT
    # Given back untouched it is what it was, for both.
    back = ours.folder / "back.tfstate"
    assert ours.say("state", "export", str(back)).code == 0
    after = json.loads(back.read_bytes())
    assert after["resources"] == before["resources"]
    theirs.state.write_text(back.read_text())
    assert theirs.actions() == LEFT
    # And brought to its end here there is nothing left to do there.
    assert ours.say("up", "--yes").code == 0
    assert ours.say("plan", "--check").code == 0
    told = ours.say("state", "export", str(theirs.state))
    assert told.code == 0, told
    assert theirs.actions() == []
    assert "deposed" not in theirs.state.read_text()
    assert "tainted" not in theirs.state.read_text()
