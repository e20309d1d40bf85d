"""Several engines of one folder have a door each, and workers find all of them."""

import asyncio
import os
from contextlib import AsyncExitStack

from dirigent.app.workers.doors import doors, own_door, work_for_all
from dirigent.app.workers.posting import Post
from dirigent.service import door
from dirigent.settings import DatabaseUrl, Settings
from stores.samples import in_loop

URL = DatabaseUrl("postgresql://nobody@127.0.0.1:1/x")


def settings_of(folder):
    return Settings(folder / "state", URL)


@in_loop
async def test_the_first_engine_has_the_known_door_and_each_other_one_of_its_own(tmp_path):
    settings = settings_of(tmp_path)
    async with AsyncExitStack() as stack:
        first, second = own_door(stack, settings), own_door(stack, settings)
        assert first == settings.socket
        assert second == str(tmp_path / "state" / f"database-{os.getpid()}.sock")
        assert doors(settings) == []
        for path in (first, second):
            await stack.enter_async_context(door.opened(path, None))
        assert doors(settings) == sorted([first, second])
    assert doors(settings) == []


@in_loop
async def test_where_nothing_can_be_written_there_is_no_door(tmp_path):
    (tmp_path / "state").write_text("a file in the way")
    async with AsyncExitStack() as stack:
        assert own_door(stack, Settings(tmp_path / "state" / "inner", URL)) == ""


def test_the_engine_of_a_file_is_not_found_at_the_door_of_a_database(tmp_path):
    of_file, of_database = Settings(tmp_path), Settings(tmp_path, URL)
    assert of_file.socket != of_database.socket
    assert of_file.lock != of_database.lock


@in_loop
async def test_who_waits_for_engines_works_for_each_that_comes_and_leaves_when_none_does(tmp_path):
    settings, came = settings_of(tmp_path), asyncio.Queue()

    async def welcome(request, reader, writer):
        came.put_nowait(request["name"])
        await reader.read()

    post = Post(tmp_path, "", ["gpu"], 0, patience_seconds=0.0)
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        paths = [own_door(stack, settings) for _ in range(2)]
        for path in paths:
            await stack.enter_async_context(door.opened(path, None, {"work": welcome}))
        working = asyncio.ensure_future(work_for_all(settings, post, lambda _: None))
        assert await came.get() != await came.get()
        assert not working.done()
        working.cancel()
        await asyncio.wait([working])
    await work_for_all(settings, post, lambda _: None)
