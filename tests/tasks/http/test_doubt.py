"""What the performer does when the engine died in the middle of a call."""

import asyncio
import hashlib

import pytest

from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Done, Doubt
from dirigent.tasks.http.call import HttpPerformer
from tasks.http.loopback import (
    KEY,
    always,
    call,
    client_of,
    order_of,
    request_of,
    secret,
    serving,
    vault_of,
)


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
def test_in_doubt_a_repeatable_call_is_repeated(method):
    outcome, server = call(always(200), method, order={"doubtful": True})
    assert outcome == Done(None)
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_in_doubt_a_deletion_of_what_is_gone_is_done(status):
    assert call(always(status), "delete", order={"doubtful": True})[0] == Done(None)
    assert call(always(status), "delete")[0].fault.status == status
    assert call(always(status), "get", order={"doubtful": True})[0].fault.status == status


def test_in_doubt_an_unsafe_call_is_held_with_the_evidence_and_nothing_is_sent():
    outcome, server = call(
        always(), "post", "/pay?token=abc", body={"sum": secret()}, has_body=True, order={"doubtful": True}
    )
    assert isinstance(outcome, Doubt)
    assert outcome.evidence == {
        "method": "POST",
        "url": f"{server.url}/pay?token=(hidden)",
        "key": KEY,
        "body_sha256": hashlib.sha256(b'{"sum":"(secret token)"}').hexdigest(),
        "attempt": 1,
    }
    assert server.seen == []


def test_in_doubt_the_author_may_have_it_repeated_or_skipped():
    repeated, server = call(always(200, 1), "post", order={"doubtful": True, "on_doubt": OnDoubt.REPEAT})
    assert repeated == Done(1)
    assert len(server.seen) == 1
    skipped, server = call(always(200, 1), "post", order={"doubtful": True, "on_doubt": OnDoubt.SKIP})
    assert skipped == Done(None)
    assert server.seen == []


def test_in_doubt_a_keyed_call_is_repeated_with_the_same_bytes():
    async def scenario():
        async with serving(always(200, 1)) as server:
            performer = HttpPerformer(client_of(server.host), vault_of())
            request = request_of(
                server.url, "post", headers={"Idempotency-Key": "o-1"}, body={"a": 1}, has_body=True
            )
            await performer.perform(order_of(request))
            outcome = await performer.perform(order_of(request, doubtful=True))
            return outcome, server.seen

    outcome, (first, second) = asyncio.run(scenario())
    assert outcome == Done(1)
    assert first.raw == second.raw


def test_a_repeat_that_fails_does_not_end_the_doubt_about_the_first_time():
    order = {"doubtful": True, "on_doubt": OnDoubt.REPEAT}
    outcome, _ = call(always(500), "post", order=order)
    assert outcome.fault.doubtful


def test_abandoning_a_call_has_nothing_to_stop():
    asyncio.run(HttpPerformer(client_of(), vault_of()).abandon(order_of(request_of("https://a.example"))))
