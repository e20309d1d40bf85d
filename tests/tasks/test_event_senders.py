"""Events to files, to pipes and over HTTP: whole, and nothing is called delivered that is not."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import select

import pytest

from dirigent.app.outside.sinks import named
from dirigent.core.events.shape import complaint
from dirigent.model.events.sink import Mode, ToFile, ToStdout, ToWeb
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.problem import Refusal, refuse
from dirigent.model.run.effect import Broken, Done, Doubt
from dirigent.ports.events import Undelivered
from dirigent.service.events.reception import events_of
from dirigent.tasks.events.lines import Appender, Printer
from dirigent.tasks.events.posting import BATCH, ONE, Poster
from dirigent.tasks.http.message import call_of, outgoing_of

SECONDS = 60


def event(n=1, **more):
    return {
        "specversion": "1.0",
        "id": str(n),
        "source": "/shop",
        "type": "paid",
        "datacontenttype": "application/json",
        "data": {"n": n},
        **more,
    }


def run(work):
    return asyncio.run(asyncio.wait_for(work, SECONDS))


# -- lines ----------------------------------------------------------------------------------------------


def test_a_file_gets_a_line_for_each_event_at_its_end(tmp_path):
    file = tmp_path / "events.jsonl"
    run(Appender(file).send([event(1), event(2, data="zwölf\n")]))
    run(Appender(file).send([event(3)]))
    lines = file.read_text().splitlines()
    assert [json.loads(line) for line in lines] == [event(1), event(2, data="zwölf\n"), event(3)]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_torn_is_not_gone_on_with(tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text('{"specversion": "1.')
    run(Appender(file).send([event(1)]))
    torn, whole = file.read_text().splitlines()
    assert torn == '{"specversion": "1.'
    assert json.loads(whole) == event(1)


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path):
    file = tmp_path / "events.jsonl"
    sink = Appender(file)
    run(sink.send([event(1)]))
    file.rename(tmp_path / "old.jsonl")
    run(sink.send([event(2)]))
    assert json.loads(file.read_text()) == event(2)


@pytest.mark.parametrize("place", ["missing/events.jsonl", "."])
def test_a_file_that_cannot_be_written_is_said(tmp_path, place):
    with pytest.raises(Undelivered, match="E5072"):
        run(Appender(tmp_path / place).send([event()]))


def test_a_full_disk_leaves_no_half_event(tmp_path, monkeypatch):
    file = tmp_path / "events.jsonl"
    run(Appender(file).send([event(1)]))
    whole = file.read_bytes()
    write = os.write
    monkeypatch.setattr("dirigent.tasks.events.lines.os.write", lambda at, what: write(at, what[:10]))
    with pytest.raises(Undelivered, match="not enough space"):
        run(Appender(file).send([event(2)]))
    assert file.read_bytes() == whole


def test_a_pipe_whose_reader_does_not_read_blocks_nobody():
    reading, writing = os.pipe()
    fcntl.fcntl(writing, 1031, 4096)  # F_SETPIPE_SZ: a pipe of one page.
    sink = Printer(writing)

    async def test():
        sending = asyncio.ensure_future(sink.send([event(1, data="x" * 10_000)]))
        room = True
        while room:
            await asyncio.sleep(0)
            room = bool(select.select([], [writing], [], 0)[1])
        assert not sending.done()
        sending.cancel()
        await asyncio.wait([sending])
        torn = os.read(reading, 100_000)
        assert torn
        await sink.send([event(2)])
        return torn + os.read(reading, 100_000)

    lines = run(test()).decode().splitlines()
    assert json.loads(lines[-1]) == event(2), "it has a line of its own"
    os.close(reading)
    os.close(writing)


def test_a_pipe_without_a_reader_is_no_delivery():
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(Undelivered, match="standard output"):
        run(Printer(writing).send([event()]))
    os.close(writing)


# -- HTTP -----------------------------------------------------------------------------------------------


class Caller:
    """A performer that keeps its orders, and ends them as it is told."""

    def __init__(self, outcome=None):
        self.orders, self.outcome = [], outcome or Done(None)

    async def perform(self, order):
        self.orders.append(order)
        if isinstance(self.outcome, Refusal):
            raise self.outcome
        return self.outcome

    async def abandon(self, order):
        """Nothing is under way."""


def sent(events, mode=Mode.STRUCTURED, batch=1):
    """What goes over the wire, by the rules of calls."""
    caller = Caller()
    request = {"method": "POST", "endpoint": "https://a.example/", "headers": {"X-Own": "yes"}}
    poster = Poster(caller, "hook", request, ("a.example",), mode, batch)
    run(poster.send(events))
    (order,) = caller.orders
    return order, outgoing_of(call_of(order.request), order.id)


FULL = {"subject": 'a b/ü"%', "time": "2026-01-01T00:00:00Z", "attempt": 3, "flag": True}


@pytest.mark.parametrize(("mode", "batch"), [(Mode.STRUCTURED, 1), (Mode.BINARY, 1), (Mode.STRUCTURED, 5)])
@pytest.mark.parametrize(
    "given",
    [
        event(1, **FULL),
        event(2, data="text", datacontenttype="text/plain"),
        event(3, data="a JSON text"),
        event(4, data=None),
        {**event(5), "data": 2**70},
        {"specversion": "1.0", "id": "6", "source": "/x", "type": "t"},
        {"specversion": "1.0", "id": "7", "source": "/x", "type": "t", "data_base64": "/wD/"},
    ],
)
def test_what_is_sent_is_what_our_own_endpoint_takes_in(mode, batch, given):
    _, outgoing = sent([given], mode, batch)
    (found,) = events_of({name.lower(): text for name, text in outgoing.headers}, outgoing.body or b"")
    assert complaint(found) == ""
    if mode is Mode.BINARY:
        # Headers are texts, and data has a media type.
        plain = {name: str(given[name]).lower() for name in ("attempt", "flag") if name in given}
        given = {**given, **plain}
        found = {name: value for name, value in found.items() if name in given}
    assert found == given


def test_a_batch_of_one_is_a_list_and_headers_of_the_author_stay():
    order, outgoing = sent([event(1)], batch=5)
    headers = dict(outgoing.headers)
    assert headers["Content-Type"] == BATCH
    assert headers["X-Own"] == "yes"
    assert json.loads(outgoing.body) == [event(1)]
    assert order.hosts == ("a.example",)
    assert dict(sent([event(1)])[1].headers)["Content-Type"] == ONE


def test_what_comes_again_has_the_same_key_and_another_event_has_another():
    first, again, other = (sent([event(n)])[0].id for n in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Broken(Fault(COMMUNICATION, 503, "Bad", "answered 503")), "answered 503"),
        (Doubt("nobody knows"), "nobody knows"),
        (refuse("E6001", "there is no secret `x`"), "no secret"),
    ],
)
def test_whatever_is_no_success_is_no_delivery(outcome, words):
    with pytest.raises(Undelivered, match=words):
        run(Poster(Caller(outcome), "hook", {"method": "POST", "endpoint": "https://a"}).send([event()]))


# -- what a command names -------------------------------------------------------------------------------


def test_a_command_names_a_sink_by_its_place():
    assert named("stdout").to == ToStdout()
    assert named("file:a/b.jsonl").to == ToFile("a/b.jsonl")
    web = named("http://Localhost:8080/x").to
    assert isinstance(web, ToWeb)
    assert web.hosts == ("localhost:8080",)


@pytest.mark.parametrize("text", ["", "file:", "nowhere", "ftp://a.example", "https://", "http://[::1"])
def test_what_is_no_place_is_refused(text):
    with pytest.raises(Refusal, match="E4195"):
        named(text)
