"""Containers as effects: run, waited for through crashes, stopped, removed; over a runtime in Python."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dirigent.model import fault
from dirigent.model.problem import Refusal
from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Broken, Done, Doubt
from dirigent.tasks.container import janitor
from dirigent.tasks.container.recipe import LIFETIME
from dirigent.tasks.container.runtime import Seen, socket_of
from tasks.engine_api import performer_of, running
from tasks.http.loopback import KEY, order_of, secret

NAME = f"dirigent-{KEY}-1"


def order(doubtful=False, attempt=1, on_doubt=OnDoubt.HOLD, **request):
    request = {"image": "box:1", **request}
    return order_of(request, function="container", doubtful=doubtful, attempt=attempt, on_doubt=on_doubt)


def played(folder, play, program=lambda container: (0, b"out", b"err"), **plan):
    async def go():
        async with running(folder, program, **plan) as (runtime, performer):
            return await play(runtime, performer)

    return asyncio.run(go())


def outcome(folder, program=lambda container: (0, b"out", b"err"), plan=None, **request):
    return played(folder, lambda _, performer: performer.perform(order(**request)), program, **(plan or {}))


@pytest.mark.parametrize(
    ("returned", "output"),
    [
        (None, "out"),
        ("stdout", "out"),
        ("stderr", "err"),
        ("code", 0),
        ("none", None),
        ("all", {"stdout": "out", "stderr": "err", "code": 0}),
    ],
)
def test_each_kind_of_result_is_given(tmp_path, returned, output):
    request = {"return": returned} if returned else {}
    assert outcome(tmp_path, **request) == Done(output)


def test_a_container_that_fails_is_a_fault_with_the_end_of_its_words(tmp_path):
    found = outcome(tmp_path, lambda _: (3, b"", b"no such table\n"))
    assert found.fault.detail == "exit code 3: no such table"
    assert found.fault.type == fault.RUNTIME
    assert not found.fault.doubtful


def test_its_code_can_be_the_result(tmp_path):
    assert outcome(tmp_path, lambda _: (3, b"", b""), **{"return": "code"}) == Done(3)


def test_what_is_written_beyond_the_limit_is_cut_and_said_to_be(tmp_path):
    found = outcome(tmp_path, lambda _: (0, b"x" * 5000, b""))
    assert found.output == "x" * 1000 + "\n[truncated: the limit is 1000 bytes]\n"


def test_it_is_named_after_the_effect_or_as_its_author_says(tmp_path):
    async def play(runtime, performer):
        await performer.perform(order())
        await performer.perform(replace(order(name="mine"), id="f" * 32))
        return [each.name for each in runtime.containers.values()]

    assert played(tmp_path, play) == [NAME, "mine"]


def test_standard_input_reaches_it_whole(tmp_path):
    async def program(container):
        await container.let_go.wait()
        return 0, str(len(container.stdin)).encode(), b""

    assert outcome(tmp_path, program, stdin="ä" * 500_000) == Done("1000000")


def test_a_container_that_ends_without_reading_its_input_is_no_failure(tmp_path):
    assert outcome(tmp_path, stdin="x" * 1_000_000) == Done("out")


def test_a_secret_goes_in_and_does_not_come_out(tmp_path):
    def program(container):
        return 0, container.body["Env"][0].encode(), b""

    found = outcome(tmp_path, program, environment={"TOKEN": secret()})
    assert found == Done("TOKEN=(secret token)")
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*.json"))
    assert b"canary" not in kept


# Images.


def test_an_image_that_is_missing_is_fetched_once(tmp_path):
    async def play(runtime, performer):
        runtime.remote.add("far:latest")
        return await performer.perform(order(image="far")), runtime.told

    found, told = played(tmp_path, play)
    assert found == Done("out")
    assert told.count("POST images/create") == 1


def test_an_image_that_is_here_is_not_fetched_unless_always(tmp_path):
    async def play(runtime, performer):
        await performer.perform(order())
        before = runtime.told.count("POST images/create")
        runtime.remote.add("box:1")
        await performer.perform(replace(order(pullPolicy="always"), id="f" * 32))
        return before, runtime.told.count("POST images/create")

    assert played(tmp_path, play) == (0, 1)


@pytest.mark.parametrize(
    ("policy", "words"), [("ifNotPresent", "manifest unknown"), ("never", "No such image")]
)
def test_an_image_that_is_nowhere_is_a_fault(tmp_path, policy, words):
    found = outcome(tmp_path, image="nowhere:9", pullPolicy=policy)
    assert words in found.fault.detail
    assert not found.fault.doubtful


# Lifetimes.


def test_a_container_stays_unless_it_is_to_be_cleaned_up(tmp_path):
    async def play(runtime, performer):
        await performer.perform(order())
        await performer.perform(replace(order(lifetime={"cleanup": "always"}), id="f" * 32))
        return [each.name for each in runtime.containers.values()]

    assert played(tmp_path, play) == [NAME]


def test_a_container_is_removed_eventually(tmp_path):
    async def play(runtime, performer):
        await performer.perform(order(lifetime={"cleanup": "eventually", "after": {"milliseconds": 1}}))
        await asyncio.gather(*performer._janitor._waiting.values())
        return runtime.containers

    assert played(tmp_path, play) == {}


def test_what_an_engine_before_left_is_removed_in_its_time(tmp_path):
    async def play(runtime, performer):
        lifetime = {"cleanup": "eventually", "after": {"days": 1}}
        await performer.perform(order(lifetime=lifetime))
        (left,) = runtime.containers.values()
        left.finished = "2020-01-01T00:00:00Z"
        for task in list(performer._janitor._waiting.values()):
            task.cancel()
        after = performer_of(tmp_path, str(tmp_path / "d.sock"))
        await after.perform(replace(order(), id="f" * 32))
        await asyncio.gather(*after._janitor._waiting.values())
        return [each.name for each in runtime.containers.values()]

    assert played(tmp_path, play) == [f"dirigent-{'f' * 32}-1"]


def test_what_ended_while_no_engine_was_there_is_not_removed_before_it_was_asked(tmp_path):
    lifetime = {"cleanup": "eventually", "after": {"milliseconds": 1}}

    async def play(runtime, performer):
        container = await begun(runtime, performer, order(lifetime=lifetime))
        container.let_go.set()
        await container.over.wait()
        after = performer_of(tmp_path, str(tmp_path / "d.sock"))
        await after.perform(replace(order(image="nowhere:1", pullPolicy="never"), id="f" * 32))
        await asyncio.gather(*after._janitor._waiting.values())
        there = container.id in runtime.containers
        found = await after.perform(order(doubtful=True, lifetime=lifetime))
        await asyncio.gather(*after._janitor._waiting.values())
        return there, found, runtime.containers

    assert played(tmp_path, play, slow) == (True, Done("done at last"), {})


def test_the_containers_of_another_store_are_left_alone(tmp_path):
    async def play(runtime, performer):
        await performer.perform(order(lifetime={"cleanup": "eventually", "after": {"days": 1}}))
        (left,) = runtime.containers.values()
        left.finished = "2020-01-01T00:00:00Z"
        other = tmp_path / "other"
        other.mkdir()
        after = performer_of(other, str(tmp_path / "d.sock"))
        await after.perform(replace(order(image="nowhere:1", pullPolicy="never"), id="f" * 32))
        return after._janitor._waiting, len(runtime.containers)

    assert played(tmp_path, play) == ({}, 1)


@pytest.mark.parametrize(
    ("finished", "life", "left"),
    [
        ("2026-11-23T12:00:00.5Z", "60", 30.5),
        ("2026-11-23T12:00:00Z", "10", 0.0),
        ("0001-01-01T00:00:00Z", "60", 0.0),
        ("never", "60", None),
        ("2026-11-23T12:00:00Z", "long", None),
    ],
)
def test_the_time_that_is_left_counts_from_its_end(finished, life, left):
    seen = Seen("c", "exited", 0, {LIFETIME: life}, finished)
    now = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
    found = janitor.seconds_left(seen, now)
    assert found == (left if left is None else pytest.approx(left))


def test_what_nobody_waits_for_goes_on_alone(tmp_path):
    async def play(runtime, performer):
        found = await performer.perform(order(**{"await": False}))
        (container,) = runtime.containers.values()
        return found, container.status

    async def program(container):
        await container.let_go.wait()

    assert played(tmp_path, play, program) == (Done(None), "running")


# Crashes.


async def begun(runtime, performer, given):
    """Let an engine die while the container runs; return the container."""
    first = asyncio.create_task(performer.perform(given))
    await runtime.started.wait()
    (container,) = runtime.containers.values()
    if given.request.get("stdin"):
        await container.let_go.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    return container


async def slow(container):
    await container.let_go.wait()
    return 0, b"done at last", b""


def test_the_next_engine_finds_the_container_again_and_its_result(tmp_path):
    async def play(runtime, performer):
        container = await begun(runtime, performer, order())
        again = asyncio.create_task(
            performer_of(tmp_path, str(tmp_path / "d.sock")).perform(order(doubtful=True))
        )
        container.let_go.set()
        return await again, [line for line in runtime.told if line.endswith(("create", "start"))]

    found, told = played(tmp_path, play, slow)
    assert found == Done("done at last")
    assert len(told) == 2, "it was created and started once"


def test_a_container_that_ended_meanwhile_has_its_result(tmp_path):
    async def play(runtime, performer):
        container = await begun(runtime, performer, order())
        container.let_go.set()
        await container.over.wait()
        return await performer_of(tmp_path, str(tmp_path / "d.sock")).perform(order(doubtful=True))

    assert played(tmp_path, play, slow) == Done("done at last")


def test_an_outcome_outlives_the_container_that_was_cleaned_up(tmp_path):
    async def play(runtime, performer):
        request = {"lifetime": {"cleanup": "always"}}
        first = await performer.perform(order(**request))
        assert runtime.containers == {}
        after = performer_of(tmp_path, str(tmp_path / "nothing.sock"))
        return first, await after.perform(order(doubtful=True, **request))

    first, second = played(tmp_path, play, lambda _: (7, b"", b"bad"))
    assert first == second
    assert isinstance(first, Broken)


@pytest.mark.parametrize(
    ("on_doubt", "kind"), [(OnDoubt.HOLD, Doubt), (OnDoubt.SKIP, Done), (OnDoubt.REPEAT, Done)]
)
def test_a_container_that_somebody_removed_is_the_authors_to_judge(tmp_path, on_doubt, kind):
    async def play(runtime, performer):
        container = await begun(runtime, performer, order())
        del runtime.containers[container.id]
        runtime.program = lambda _: (0, b"again", b"")
        after = performer_of(tmp_path, str(tmp_path / "d.sock"))
        return await after.perform(order(doubtful=True, on_doubt=on_doubt))

    found = played(tmp_path, play, slow)
    assert isinstance(found, kind)
    if on_doubt is OnDoubt.REPEAT:
        assert found == Done("again")
    if on_doubt is OnDoubt.HOLD:
        assert found.evidence["container"] == NAME


def test_input_that_may_be_cut_off_is_a_doubt_and_input_that_was_given_is_none(tmp_path):
    async def play(runtime, performer):
        container = await begun(runtime, performer, order(stdin="abc"))
        container.let_go.set()
        await container.over.wait()
        spool = tmp_path / "spool" / f"{KEY}-1"
        note = spool / "fed.json"
        given = note.exists()
        note.write_text("{}")
        fed = await performer_of(tmp_path, str(tmp_path / "d.sock")).perform(
            order(doubtful=True, stdin="abc")
        )
        (spool / "outcome.json").unlink()
        note.unlink()
        cut = await performer_of(tmp_path, str(tmp_path / "d.sock")).perform(
            order(doubtful=True, stdin="abc")
        )
        return given, fed, cut

    _, fed, cut = played(tmp_path, play, slow)
    assert fed == Done("done at last")
    assert isinstance(cut, Doubt)
    assert "standard input" in cut.reason


def test_what_a_person_has_done_again_is_run_afresh(tmp_path):
    async def play(runtime, performer):
        first = await performer.perform(order())
        runtime.program = lambda _: (0, b"second", b"")
        return first, await performer.perform(order()), len(runtime.containers)

    assert played(tmp_path, play) == (Done("out"), Done("second"), 1)


def test_a_retry_takes_over_the_name_that_its_author_gave(tmp_path):
    async def play(runtime, performer):
        runtime.program = lambda _: (1, b"", b"")
        first = await performer.perform(order(name="mine"))
        runtime.program = lambda _: (0, b"ok", b"")
        return first, await performer.perform(order(name="mine", attempt=2))

    first, second = played(tmp_path, play)
    assert isinstance(first, Broken)
    assert second == Done("ok")


def test_the_container_of_another_is_left_alone(tmp_path):
    async def play(runtime, performer):
        await performer.perform(order(name="mine"))
        other = await performer.perform(replace(order(name="mine"), id="f" * 32))
        await performer.abandon(replace(order(name="mine"), id="f" * 32))
        return other, [each.name for each in runtime.containers.values()]

    other, names = played(tmp_path, play)
    assert "is there already" in other.fault.detail
    assert names == ["mine"]


def test_stopping_ends_the_container(tmp_path):
    async def play(runtime, performer):
        container = await begun(runtime, performer, order(lifetime={"cleanup": "always"}))
        await performer.abandon(order(doubtful=True, lifetime={"cleanup": "always"}))
        return container.code, runtime.containers

    assert played(tmp_path, play, slow) == (143, {})


# The runtime itself.


def test_a_runtime_that_is_away_before_anything_began_is_no_doubt(tmp_path):
    performer = performer_of(tmp_path, str(tmp_path / "nothing.sock"))
    found = asyncio.run(performer.perform(order()))
    assert "does not answer" in found.fault.detail
    assert not found.fault.doubtful


def test_a_runtime_that_is_away_after_the_start_is_a_doubt(tmp_path):
    async def play(runtime, performer):
        await begun(runtime, performer, order())
        return await performer_of(tmp_path, str(tmp_path / "nothing.sock")).perform(order(doubtful=True))

    assert played(tmp_path, play, slow).fault.doubtful


def test_a_runtime_of_another_age_is_refused(tmp_path):
    async def play(runtime, performer):
        runtime.version = {"ApiVersion": "2.0", "MinAPIVersion": "1.99"}
        with pytest.raises(Refusal) as refusal:
            await performer.perform(order())
        return refusal.value.problems[0].code

    assert played(tmp_path, play) == "E4127"


def test_the_socket_is_the_named_one_or_the_first_that_is_there(tmp_path):
    assert socket_of({"DOCKER_HOST": "unix:///x/d.sock"}) == "/x/d.sock"
    podman = tmp_path / "podman" / "podman.sock"
    podman.parent.mkdir()
    podman.touch()
    if not Path("/var/run/docker.sock").exists():
        assert socket_of({"XDG_RUNTIME_DIR": str(tmp_path)}) == str(podman)
    with pytest.raises(Refusal) as refusal:
        socket_of({"DOCKER_HOST": "tcp://far:2375"})
    assert refusal.value.problems[0].code == "E4126"


def test_no_runtime_at_all_says_what_to_do(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda self: False)
    with pytest.raises(Refusal) as refusal:
        socket_of({})
    assert refusal.value.problems[0].code == "E4125"
    assert "DOCKER_HOST" in refusal.value.problems[0].help[0]
