"""Scripts whose source has a URL: fetched through the guarded client, and kept for the time after a crash."""

import asyncio

import pytest

from dirigent.model.fault import AUTHORIZATION, COMMUNICATION, CONFIGURATION
from dirigent.model.run.effect import Broken, Done
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.oauth.tokens import Tokens
from dirigent.tasks.http.sources import Sources
from dirigent.tasks.process import Surroundings
from dirigent.tasks.script import FETCHED, ScriptPerformer
from tasks.http.loopback import KEY, client_of, order_of, response, secret, serving, vault_of

CODE = b"import sys\nprint('hi ' + sys.argv[1], end='')\n"


def performed(folder, reply, *, hosts=None, doubtful=False, **source):
    async def play():
        async with serving(reply) as server:
            vault = vault_of(token="t0ken-canary")
            client = client_of(*([server.host] if hosts is None else hosts))
            sources = Sources(client, Credentials(vault, Tokens(client, vault)))
            around = Surroundings(str(folder / "spool"), str(folder), {"PATH": "/usr/bin:/bin"}, 1.0)
            performer = ScriptPerformer(around, vault, remote=lambda: sources)
            request = {
                "language": "python",
                "source": {"endpoint": f"{server.url}/hi.py", **source},
                "arguments": ["you"],
            }
            order = order_of(request, function="script", doubtful=doubtful)
            return await performer.perform(order), server.seen

    return asyncio.run(play())


def test_a_source_with_a_url_is_fetched_and_run(tmp_path):
    outcome, seen = performed(tmp_path, lambda _: response(200, CODE, content_type="text/plain"))
    assert outcome == Done("hi you")
    assert [each.target for each in seen] == ["/hi.py"]


def test_a_source_may_want_credentials(tmp_path):
    bearer = {"scheme": "bearer", "token": secret()}
    outcome, seen = performed(tmp_path, lambda _: response(200, CODE), authentication=bearer)
    assert outcome == Done("hi you")
    assert seen[0].headers["authorization"] == "Bearer t0ken-canary"


def test_after_a_crash_what_was_fetched_runs_whatever_is_there_now(tmp_path):
    performed(tmp_path, lambda _: response(200, CODE))
    (tmp_path / "spool" / f"{KEY}-1").rename(tmp_path / "kept")
    (tmp_path / "spool" / f"{KEY}-1").mkdir()
    (tmp_path / "kept" / FETCHED).rename(tmp_path / "spool" / f"{KEY}-1" / FETCHED)
    outcome, seen = performed(tmp_path, lambda _: response(200, b"print('changed')"), doubtful=True)
    assert outcome == Done("hi you")
    assert seen == []


@pytest.mark.parametrize(
    ("reply", "hosts", "kind", "words"),
    [
        (lambda _: response(404), None, COMMUNICATION, "404 Not Found"),
        (lambda _: response(200, b"\xff"), None, CONFIGURATION, "is not UTF-8"),
        (lambda _: response(200, CODE), (), AUTHORIZATION, "policy.http.hosts"),
    ],
)
def test_a_source_that_cannot_be_had_is_a_fault(tmp_path, reply, hosts, kind, words):
    outcome, _ = performed(tmp_path, reply, hosts=hosts)
    assert isinstance(outcome, Broken)
    assert outcome.fault.type == kind
    assert words in outcome.fault.detail
