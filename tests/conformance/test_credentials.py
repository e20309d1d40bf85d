"""Tokens and codes in whole runs: nothing on disk holds a token, and a person is asked durably."""

import asyncio
import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from conformance.stage import RUN, Cast, life, program_of
from dirigent.model.run.journal import Held, Intended, Vouched
from dirigent.model.run.start import Start
from dirigent.stores.sqlite import SqliteStore
from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.oauth.authorize import AuthorizePerformer
from dirigent.tasks.http.oauth.pasted import Verifiers, key_of
from dirigent.tasks.http.oauth.tokens import Tokens
from dirigent.testing import VirtualClock
from tasks.http.authority import ID, SECRET, Authority, plain
from tasks.http.loopback import client_of, serving, vault_of

PATIENCE_SECONDS = 60
CLIENT = f"client: {{id: {ID}, secret: '${{ $secrets.client }}'}}"
CALL = "call: http, with: {method: post, body: 1, endpoint: {uri: API/api, authentication: {oauth2: POLICY}}"

CONTROL = "do: [{a: {set: {b: '${ .t }'}}}]"


def document(policy, authority, more=""):
    task = (CALL + more + "}").replace("POLICY", policy).replace("API", authority.server.url)
    return program_of(f"use: {{secrets: [client]}}\ndo: [{{first: {{{task}}}}}]")


def cast(authority, folder):
    """What a new engine is made of: nothing of it knows a token yet."""
    client, vault = client_of(authority.server.host), vault_of(client=SECRET)
    verifiers = Verifiers(lambda: key_of(str(folder / "state" / "authorization.key")))
    credentials = Credentials(vault, Tokens(client, vault, verifiers))
    performers = {
        "http": HttpPerformer(client, vault, credentials),
        "authorize": AuthorizePerformer(credentials),
    }
    return Cast(performers, VirtualClock(), vault)


async def lived(folder, performers, scene):
    store = SqliteStore.open_for_writing(str(folder / "state" / "dirigent.db"))
    try:
        async with life(store, performers) as engine:
            return await asyncio.wait_for(scene(engine, store), PATIENCE_SECONDS)
    finally:
        store.abandon()


def written(folder):
    """Every byte below a folder."""
    files = [Path(place, name) for place, _, names in os.walk(folder) for name in names]
    return b"".join(file.read_bytes() for file in files if file.is_file())


def forms(token):
    return [token.encode(), token.encode().hex().encode()]


def test_no_byte_on_disk_is_of_a_token_or_a_secret_although_the_server_echoes_them(tmp_path):
    async def play():
        authority = Authority(refreshes=True)
        async with serving(authority) as server:
            authority.server = server
            policy = f"{{authority: {authority.url}, grant: client_credentials, {CLIENT}}}"
            more = ", headers: {X-Token: '${ $authorization.parameter }'}, output: response"

            async def scene(engine, _):
                await engine.start(Start(RUN, document(policy, authority, more), {}))
                return await engine.wait(RUN)

            end = await lived(tmp_path, cast(authority, tmp_path), scene)
            return end, authority

    end, authority = asyncio.run(play())
    assert end.phase == "completed", end
    assert authority.calls[0].headers["x-token"] == authority.given[0], "it was sent all the same"
    found = written(tmp_path)
    assert b"first" in found, "the journal was looked at"
    for canary in (*authority.given, *authority.refresh_tokens, SECRET):
        assert not any(form in found for form in forms(canary)), canary


def test_the_canary_would_be_found(tmp_path):
    """The negative control: a task that is told the token as its input has it in the journal."""

    async def play():
        authority = Authority()
        async with serving(authority) as server:
            authority.server = server

            async def scene(engine, _):
                await engine.start(Start(RUN, program_of(CONTROL), {"t": "token-1-canary"}))
                return await engine.wait(RUN)

            await lived(tmp_path, cast(authority, tmp_path), scene)

    asyncio.run(play())
    assert b"token-1-canary" in written(tmp_path)


@pytest.mark.parametrize("public", [False, True], ids=["with a secret", "without a secret"])
def test_a_person_is_asked_for_a_code_and_the_question_outlives_the_engine(tmp_path, public):
    async def play():
        authority = Authority(key="none" if public else None)
        async with serving(authority) as server:
            authority.server = server
            client = f"client: {{id: {ID}, authentication: none}}" if public else CLIENT
            policy = f"{{authority: {authority.url}, grant: authorization_code, {client}, scopes: [mail]}}"

            async def asked(engine, store):
                await engine.start(Start(RUN, document(policy, authority), {}))
                return await held(store)

            async def still_asked(_, store):
                return await store.read(RUN)

            async def answered(engine, store):
                question = await held(store)
                query = parse_qs(urlsplit(question.evidence["open"]).query)
                authority.code_verifiers["c0de"] = plain(query["code_challenge"][0])
                pasted = f"http://127.0.0.1/back?code=c0de&state={query['state'][0]}"
                await engine.tell(RUN, Vouched(1.0, question.position, 1, pasted))
                return await engine.wait(RUN), await store.read(RUN)

            question = await lived(tmp_path, cast(authority, tmp_path), asked)
            before = await lived(tmp_path, cast(authority, tmp_path), still_asked)
            assert [type(fact) for fact in before].count(Held) == 1
            assert authority.asked == []
            return question, *await lived(tmp_path, cast(authority, tmp_path), answered), authority

    question, end, facts, authority = asyncio.run(play())
    assert question.position.endswith("/authorize")
    assert "/oauth2/authorize?response_type=code" in question.evidence["open"]
    assert end.phase == "completed", end
    assert authority.asked[0]["grant_type"] == "authorization_code"
    assert [fact.position for fact in facts if isinstance(fact, Intended)] == [
        "/do/0/first/authorize",
        "/do/0/first/http",
    ]
    assert authority.given[0].encode() not in written(tmp_path)
    assert authority.asked[0]["code_verifier"].encode() not in written(tmp_path)


async def held(store):
    """Return the question as soon as it is in the journal."""
    while True:
        for fact in await store.read(RUN):
            if isinstance(fact, Held):
                return fact
        await asyncio.sleep(0.005)


def test_nobody_is_asked_while_a_token_is_there(tmp_path):
    async def play():
        authority = Authority(refreshes=True)
        async with serving(authority) as server:
            authority.server = server
            policy = f"{{authority: {authority.url}, grant: authorization_code, {CLIENT}}}"
            performers = cast(authority, tmp_path)

            async def scene(engine, store):
                await engine.start(Start(RUN, document(policy, authority), {}))
                question = await held(store)
                query = parse_qs(urlsplit(question.evidence["open"]).query)
                authority.code_verifiers["c0de"] = plain(query["code_challenge"][0])
                await engine.tell(RUN, Vouched(1.0, question.position, 1, "c0de"))
                await engine.wait(RUN)
                await engine.start(Start("second", document(policy, authority), {}))
                return await engine.wait("second")

            return await lived(tmp_path, performers, scene), authority

    end, authority = asyncio.run(play())
    assert end.phase == "completed"
    assert len(authority.asked) == 1
