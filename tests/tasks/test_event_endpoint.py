"""The endpoint takes events in over real connections, and says what is wrong with those that it does not."""

from __future__ import annotations

import io
import json

import aiohttp
import pytest

from dirigent.model.problem import refuse
from dirigent.service.events.reception import STRUCTURED, events_of
from dirigent.tasks.events.endpoint import Endpoint, opened
from stores.samples import in_loop

EVENT = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "paid"}


def endpoint(taken, token="", failure=None):
    async def take(events):
        if failure is not None:
            raise failure
        fresh = [event not in taken for event in events]
        taken.extend(events)
        return fresh

    return Endpoint(events_of, take, token)


async def sent(url, body, token="", kind=STRUCTURED):
    headers = {"Content-Type": kind, **({"Authorization": f"Bearer {token}"} if token else {})}
    timeout = aiohttp.ClientTimeout(60)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


@in_loop
async def test_an_event_is_taken_in_once():
    taken = []
    async with opened(endpoint(taken), "127.0.0.1", 0) as url:
        assert await sent(url, json.dumps(EVENT)) == (202, {"taken": 1, "known": 0})
        assert await sent(url, json.dumps(EVENT)) == (202, {"taken": 0, "known": 1})
    assert taken[0] == EVENT


@in_loop
async def test_who_has_not_the_token_is_turned_away():
    taken = []
    async with opened(endpoint(taken, "key"), "127.0.0.1", 0) as url:
        assert (await sent(url, json.dumps(EVENT)))[0] == 401
        assert (await sent(url, json.dumps(EVENT), "other"))[0] == 401
        assert taken == []
        assert (await sent(url, json.dumps(EVENT), "key"))[0] == 202


@in_loop
async def test_what_is_no_event_and_what_is_too_large_are_told_apart():
    async with opened(endpoint([]), "127.0.0.1", 0) as url:
        status, problem = await sent(url, "{}")
        assert (status, problem["code"]) == (400, "E4100")
        status, problem = await sent(url, io.BytesIO(b"x" * (9 * 1024 * 1024)))
        assert (status, problem["code"]) == (413, "E4104")
        status, problem = await sent(url, io.BytesIO(json.dumps({**EVENT, "data": "x" * 1_100_000}).encode()))
        assert (status, problem["code"]) == (413, "E4101")


@in_loop
async def test_a_store_that_fails_is_said_so_and_the_sender_may_try_again():
    async with opened(endpoint([], failure=refuse("E5011", "the disk is full")), "127.0.0.1", 0) as url:
        assert (await sent(url, json.dumps(EVENT)))[0] == 503


@in_loop
async def test_an_address_that_is_taken_is_refused():
    async with opened(endpoint([]), "127.0.0.1", 0) as url:
        port = int(url.rsplit(":", 1)[1].strip("/"))
        with pytest.raises(Exception, match="E4106"):
            async with opened(endpoint([]), "127.0.0.1", port):
                pass
