"""What a crash leaves half made is taken down all the same: afterwards the folder is as it was before."""

import shutil

import pytest

from system.rig.shop import Shop, same
from system.rig.storm import kill

pytestmark = pytest.mark.slow

STACK = """
stack: nothing-left
resources:
  first: {type: directory, with: {path: made/first}}
  second: {type: directory, with: {path: made/second}}
  one: {type: file, with: {path: made/deep/deeper/one.txt, content: one}}
  two: {type: file, with: {path: made/deep/deeper/two.txt, content: two}}
  inside: {type: file, with: {path: '${ $resources.first.path + "/inside.txt" }', content: inside}}
"""


class Folder:
    """One folder in which the stack is brought up and taken down again and again."""

    def __init__(self, folder, forge, tally):
        (folder / "stack.yaml").write_text(STACK)
        self.shop, self.tally = Shop(folder, forge), tally

    def tree(self):
        """Return everything that lies beside the stack and its state."""
        found = (path.relative_to(self.shop.folder) for path in self.shop.folder.rglob("*"))
        return sorted(str(path) for path in found if path.parts[0] not in (".dirigent", "stack.yaml"))

    def begin_anew(self):
        """Forget everything."""
        for path in (self.shop.state, self.shop.folder / "made"):
            shutil.rmtree(path, ignore_errors=True)

    def check_gone(self, deaths):
        same(f"what is left after {deaths}", self.tree(), [])
        same(f"rows after {deaths}", self.shop.rows(), [])


@pytest.fixture
def folder(forge, tmp_path, tally):
    return Folder(tmp_path, forge, tally)


def test_after_an_up_killed_at_every_place_a_down_leaves_nothing(folder):
    lived = folder.shop.calm("up", "--yes")
    wanted = folder.tree()
    folder.tally.places = len(lived.places)
    for death in lived.deaths():
        folder.begin_anew()
        kill(folder.shop, [death], folder.tally, "up", "--yes")
        folder.shop.calm("up", "--yes")
        same(f"what is there after {death}", folder.tree(), wanted)
        folder.shop.calm("down", "--yes")
        folder.check_gone(death)


def test_a_down_killed_at_every_place_leaves_nothing(folder):
    folder.shop.calm("up", "--yes")
    lived = folder.shop.calm("down", "--yes")
    folder.check_gone("no crash")
    folder.tally.places = len(lived.places)
    for death in lived.deaths():
        folder.begin_anew()
        folder.shop.calm("up", "--yes")
        kill(folder.shop, [death], folder.tally, "down", "--yes")
        folder.shop.calm("down", "--yes")
        folder.check_gone(death)
