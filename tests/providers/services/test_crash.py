import asyncio
import os
import shutil
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dirigent.model.values import SecretRef, SecretText
from dirigent.ports.resources import ProviderFailed, Reading
from dirigent.providers.services import control
from dirigent.providers.services.folder import MARK, Wish
from dirigent.shim import pulse

pytestmark = pytest.mark.slow


def test_a_killed_steward_takes_its_replicas_along_and_comes_back_on_the_same_port(desk, fetch, wait_until):
    async def main():
        attributes = await desk.apply(desk.config(replicas=2))
        former = desk.pids()
        os.kill(desk.status().mark["pid"], signal.SIGKILL)
        await wait_until(lambda: not any(pulse.start_ticks(pid) for pid in former))
        assert await desk.provider.read(desk.row) == Reading(None)
        assert await desk.apply(desk.config(replicas=2), "create") == attributes
        assert await fetch(attributes["url"]) == "1"
        await desk.delete()

    asyncio.run(main())


def test_what_escaped_from_a_killed_steward_is_ended_by_the_next(desk, wait_until):
    async def main():
        program = ["sh", "-c", "setsid sleep 61 & exec sleep 60"]
        config = desk.config(command=program, health={"alive": True, "interval": 0.05})
        await desk.apply(config)
        mark = str(desk.at().path)
        os.kill(desk.status().mark["pid"], signal.SIGKILL)
        (escaped,) = await wait_until(lambda: len(found := pulse.bearing(MARK, mark)) == 1 and found)
        await desk.apply(config)
        assert pulse.start_ticks(escaped) is None
        await desk.delete()

    asyncio.run(main())


def test_delete_after_the_steward_was_killed_leaves_nothing(desk):
    async def main():
        program = ["sh", "-c", "setsid sleep 61 & exec sleep 60"]
        await desk.apply(desk.config(command=program, health={"alive": True, "interval": 0.05}))
        os.kill(desk.status().mark["pid"], signal.SIGKILL)
        await desk.delete()
        assert not desk.at().path.exists()

    asyncio.run(main())


def test_forgetting_a_service_whose_steward_was_killed_leaves_no_secret_and_no_log(desk):
    async def main():
        await desk.apply(desk.config(environment={"KEY": SecretText((SecretRef("token"),))}))
        os.kill(desk.status().mark["pid"], signal.SIGKILL)
        assert b"s3cr3t-value" in (desk.at().path / "desired.json").read_bytes()
        await desk.provider.apply(desk.operation("forget", {}))
        assert not desk.at().path.exists()

    asyncio.run(main())


def test_a_steward_told_to_end_ends_everything_and_is_drift(desk, wait_until):
    async def main():
        attributes = await desk.apply(desk.config())
        mark = desk.status().mark
        os.kill(mark["pid"], signal.SIGTERM)
        await wait_until(lambda: not pulse.alive(mark))
        assert await desk.provider.read(desk.row) == Reading(None)
        assert await desk.apply(desk.config()) == attributes
        await desk.delete()

    asyncio.run(main())


@pytest.mark.slow
def test_a_steward_whose_folder_was_deleted_ends_and_frees_its_port(desk, wait_until):
    async def main():
        attributes = await desk.apply(desk.config())
        mark, pids = desk.status().mark, desk.pids()
        shutil.rmtree(desk.at().path)
        await wait_until(lambda: not pulse.alive(mark))
        assert [pid for pid in pids if pulse.start_ticks(pid) is not None] == []
        with socket.create_server(("127.0.0.1", attributes["port"])):
            pass

    asyncio.run(main())


@pytest.mark.slow
def test_a_steward_whose_folder_was_deleted_says_nothing_about_its_successor(desk, fetch, wait_until):
    async def main():
        await desk.apply(desk.config(stop={"grace": 0.2}))
        former = desk.status().mark
        shutil.rmtree(desk.at().path)
        await desk.apply(desk.config())
        mark = desk.status().mark
        await wait_until(lambda: not pulse.alive(former))
        assert desk.status().mark == mark != former
        assert desk.status().settled == 1
        await desk.delete()

    asyncio.run(main())


@pytest.mark.slow
def test_a_service_whose_folder_was_moved_ends_and_starts_anew_where_it_is_declared(desk, fetch, wait_until):
    async def main():
        await desk.apply(desk.config())
        mark = desk.status().mark
        desk.at().path.rename(desk.folder / "moved")
        await wait_until(lambda: not pulse.alive(mark))
        attributes = await desk.apply(desk.config())
        assert await fetch(attributes["url"]) == "1"
        await desk.delete()

    asyncio.run(main())


def test_the_same_attempt_given_again_is_the_same_generation(desk):
    async def main():
        config = desk.config()
        first = await desk.apply(config, "create", order="e1")
        pids = desk.pids()
        again = await desk.apply(config, "create", order="e1", doubtful=True)
        assert (again, desk.pids(), desk.at().desired().generation) == (first, pids, 1)
        await desk.apply(config, order="e2")
        assert (desk.pids(), desk.at().desired().generation) == (pids, 2)
        await desk.delete()

    asyncio.run(main())


def test_an_operation_cut_off_at_any_step_is_finished_by_its_repetition(desk, fetch):
    async def main():
        config = desk.config()
        operation = desk.operation("create", config, order="e1")
        for steps in range(0, 40, 3):
            work = asyncio.create_task(desk.provider.apply(operation))
            for _ in range(steps):
                await asyncio.sleep(0.002)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        attributes = await desk.apply(config, "create", order="e1", doubtful=True)
        assert await fetch(attributes["url"]) == "1"
        assert len(desk.pids()) == 1
        await desk.delete()

    asyncio.run(main())


def test_two_stewards_of_one_folder_are_impossible(desk):
    async def main():
        await desk.apply(desk.config())
        mark = desk.status().mark
        for _ in range(3):
            await asyncio.to_thread(control._start, desk.at())
        assert desk.status().mark == mark
        assert pulse.alive(mark)
        await desk.delete()

    asyncio.run(main())


def test_a_steward_that_is_just_starting_finds_the_wish_to_end(desk):
    async def main():
        operation = desk.operation("create", desk.config())
        creating = asyncio.create_task(desk.provider.apply(operation))
        await asyncio.sleep(0.02)
        creating.cancel()
        await asyncio.gather(creating, return_exceptions=True)
        await desk.delete()
        assert not desk.at().path.exists()

    asyncio.run(main())


def test_a_steward_that_cannot_start_is_a_failure_with_its_complaint(desk, monkeypatch):
    async def main():
        monkeypatch.setattr("sys.executable", "/bin/false")
        with pytest.raises(ProviderFailed, match="the steward does not stay"):
            await desk.apply(desk.config(), "create")
        monkeypatch.undo()
        await desk.delete()

    asyncio.run(main())


def test_a_wish_without_a_signal_is_found_all_the_same(desk, wait_until):
    async def main():
        await desk.apply(desk.config("1"))
        current = desk.at().current()
        desk.at().desire(Wish(2, "x", current.definition, current.shown))
        await wait_until(lambda: desk.status().settled == 2)
        await desk.delete()

    asyncio.run(main())


ENGINE = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import Desk
desk = Desk(Path(sys.argv[2]))
desk.provider._surroundings["PATH"] = sys.argv[4]
asyncio.run(desk.apply(desk.config(sys.argv[3], replicas=2), order="e1"))
"""


@pytest.mark.parametrize("rounds", [8])
def test_an_engine_killed_at_any_moment_of_an_operation_is_followed_by_one_that_finishes_it(
    desk, fetch, rounds, tmp_path
):
    source = str(Path(pulse.__file__).parents[2])
    here = str(Path(__file__).parent)

    async def main():
        for round_ in range(rounds):
            version = str(round_)
            arguments = [sys.executable, "-c", ENGINE, here, str(tmp_path), version, os.environ["PATH"]]
            engine = await asyncio.create_subprocess_exec(*arguments, env={"PYTHONPATH": source})
            # The places where it is caught are spread over import, wish, start and wait.
            await asyncio.sleep(0.15 + 0.05 * round_)
            if engine.returncode is None:
                engine.kill()
            await engine.wait()
            config = desk.config(version, replicas=2)
            attributes = await desk.apply(config, order="e1", doubtful=True)
            assert await fetch(attributes["url"]) == version
            assert len(set(desk.pids())) == 2
            desk.at().desire(replace(desk.at().desired(), key="another"))
        await desk.delete()

    asyncio.run(main())
