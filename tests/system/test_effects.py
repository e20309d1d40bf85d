"""Effects that no key protects: a post to a server that honours none, and a command on this machine."""

import pytest

from system.rig.storm import HELD, pairs
from system.rig.world import Errand, World, counting

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server():
    with counting() as made:
        yield made


@pytest.fixture(scope="module")
def world(forge, server, tmp_path_factory):
    made = World.of(tmp_path_factory.mktemp("world"), forge, server)
    for workflow in ("notify", "command", "pay"):
        made.calm("run", workflow)
    return made


@pytest.fixture
def posting(world, server, tally):
    return Errand(world, "notify", tally, lambda run: server.posts[run])


@pytest.fixture
def commanding(world, tally):
    return Errand(world, "command", tally, lambda run: lines(world.folder / f"{run}.txt"))


@pytest.fixture
def paying(world, server, tally):
    return Errand(world, "pay", tally, lambda run: server.posts[run])


def lines(path):
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_a_post_without_a_key_killed_at_every_place_is_held_and_never_repeated_unasked(posting):
    missed = [death for death in posting.learn() if not posting.round(death)]
    assert not missed
    assert posting.held >= 3


def test_a_post_without_a_key_killed_twice_in_a_row_is_never_repeated_unasked(posting):
    for deaths in pairs(posting.learn(), 2):
        posting.round(*deaths)


def test_an_answer_to_a_held_post_killed_at_every_place_is_still_asked_for_or_taken(posting):
    amid = next(death for death in posting.learn() if death.name.startswith("before http /do/1/post"))
    command = posting.prepare()
    assert posting.world.live(*command, death=amid).killed
    assert posting.world.live(*command).code == HELD
    places = posting.answer().deaths()
    posting.tally.places = len(places)
    for death in places:
        command = posting.prepare()
        assert posting.world.live(*command, death=amid).killed
        assert posting.world.live(*command).code == HELD
        assert posting.answer(death).killed, death
        posting.tally.kills += 2
        posting.tally.rounds += 1
        assert posting.done(posting.run) <= 1
        lived = posting.world.live(*command)
        if lived.code == HELD:
            lived = posting.answer()
        assert lived.code == 0, lived
        posting.check()


def test_a_post_that_the_server_can_be_asked_about_killed_at_every_place_is_done_exactly_once(paying):
    missed = [death for death in paying.learn() if not paying.round(death)]
    assert not missed
    assert paying.held == 0


def test_a_post_that_the_server_can_be_asked_about_killed_twice_in_a_row_is_done_exactly_once(paying):
    for deaths in pairs(paying.learn(), 2):
        paying.round(*deaths)
    assert paying.held == 0


def test_a_command_killed_at_every_place_is_done_exactly_once(commanding):
    missed = [death for death in commanding.learn() if not commanding.round(death)]
    assert not missed
    assert commanding.held == 0


def test_a_command_killed_twice_in_a_row_is_done_exactly_once(commanding):
    for deaths in pairs(commanding.learn(), 2):
        commanding.round(*deaths)
    assert commanding.held == 0
