"""What of a plan destroys, and what is lost by it for good."""

from dataclasses import replace

import pytest

from dirigent.model.plan import Action, danger_first, lost
from dirigent.model.resource import ResourceRow
from dirigent.planning.safety.dangers import FOREIGN, weighed
from dirigent.providers.files.provider import FilesProvider
from planning.world import World, resource, stack


def never(change):
    return ""


def plan_of_all(**rows):
    world = World()
    world.up(stack(resource("new", size=1), resource("old", size=1), resource("anew", force=1)))
    world.rows = {name: replace(row, **rows) for name, row in world.rows.items()}
    return world.plan(stack(resource("new", size=2), resource("anew", force=2)))


def test_of_ours_only_what_its_provider_names_is_lost_and_comes_first():
    made = plan_of_all()
    assert not lost(made)
    weighty = weighed(made, lambda change: "letters" if change.address == "anew" else "")
    assert [(change.address, change.loses) for change in lost(weighty)] == [("anew", "letters")]
    assert [str(change.address) for change in danger_first(weighty)] == ["anew", "old", "new"]
    assert weighty.id != made.id


def test_a_plan_by_which_nothing_is_lost_stays_what_it_is():
    made = plan_of_all()
    assert weighed(made, never) is made


def test_what_stays_as_a_leftover_is_not_lost_yet():
    made = plan_of_all()
    lingering = tuple(
        replace(change, lingers=change.action is Action.REPLACE, prior=replace(change.prior, provider="x"))
        for change in made.changes
    )
    found = weighed(replace(made, changes=lingering), never)
    assert [(str(change.address), change.loses) for change in lost(found)] == [("old", FOREIGN)]


@pytest.mark.parametrize(
    ("kind", "drifted", "said"),
    [
        ("file", True, "what was changed in it since"),
        ("file", False, ""),
        ("directory", True, ""),
    ],
)
def test_of_a_file_only_what_was_changed_by_hand_is_lost(tmp_path, kind, drifted, said):
    row = ResourceRow("a", "a", kind, {}, {})
    assert FilesProvider(str(tmp_path), None).holds(row, drifted=drifted) == said
