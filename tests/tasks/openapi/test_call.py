"""The performer of `openapi`, from the document to the answer."""

import asyncio
import json

import pytest

from dirigent.model.fault import AUTHORIZATION, COMMUNICATION, CONFIGURATION, VALIDATION
from dirigent.model.run.effect import Broken, Done, Doubt
from dirigent.model.values import SecretRef, SecretText
from dirigent.tasks.http.client import Client
from dirigent.tasks.openapi.call import OpenApiPerformer
from dirigent.tasks.openapi.document import Documents, within
from tasks.http.loopback import KEY, SMALL, client_of, names, order_of, response, serving, vault_of
from tasks.openapi.documents import PETSTORE_2, document, parameter, text


def absent(name):
    raise FileNotFoundError(2, "No such file", name)


def server_of(content, reply=None, headers=()):
    """Return replies that serve a document at `/openapi.json` and something at all other places."""

    def answer(seen):
        if seen.target.startswith("/openapi.json"):
            return response(200, content if isinstance(content, bytes) else text(content), headers)
        return reply(seen) if reply else response(200, {"target": seen.target})

    return answer


def request_of(endpoint, operation="act", **more):
    return {"document": {"endpoint": endpoint}, "operation": operation, **more}


async def outcome_of(reply, *, vault=None, read=absent, order=None, endpoint=None, **request):
    async with serving(reply) as server:
        performer = OpenApiPerformer(client_of(server.host), vault or vault_of(), read)
        wanted = request_of(endpoint or f"{server.url}/openapi.json", **request)
        outcome = await performer.perform(order_of(wanted, function="openapi", **(order or {})))
    return outcome, server


def perform(*arguments, **named):
    return asyncio.run(outcome_of(*arguments, **named))


THINGS = document({"parameters": [parameter("id", "path")]}, path="/things/{id}")
KEYED = document({"parameters": [parameter("Idempotency-Key", "header")]}, method="post")
UNKEYED = document({"requestBody": {"content": {"application/json": {}}}}, method="post")


def test_an_operation_is_looked_up_and_called():
    outcome, server = perform(server_of(THINGS), parameters={"id": "a/b"})
    assert outcome == Done({"target": "/things/a%2Fb"})
    assert [seen.target for seen in server.seen] == ["/openapi.json", "/things/a%2Fb"]


def test_version_two_is_called_too():
    outcome, _ = perform(server_of(PETSTORE_2), operation="findPetsByStatus", parameters={"status": "sold"})
    assert outcome == Done({"target": "/v2/pet/findByStatus?status=sold"})


def test_a_document_may_be_yaml():
    yaml = b"""
openapi: 3.1.0
info: {title: things, version: 2024-01-01}
paths:
  /things:
    get:
      operationId: act
      parameters: [{name: on, in: query, schema: {type: string}}]
      responses: {200: {description: yes}}
"""
    assert perform(server_of(yaml), parameters={"on": "1"})[0] == Done({"target": "/things?on=1"})


@pytest.mark.parametrize(
    "content",
    [
        b"\x00",
        b"[" * 50_000,
        b"{" * 50_000,
        b"- " * 30_000,
        b"a: !!timestamp 2024-01-01",
        b"a: !!binary aGk=",
        b"a: !!set {b, c}",
        b"? [a]\n: b",
        b"a: &a [1]\nb: *a",
        b"a: !!python/object/apply:os.system [x]",
        b"a: 'open",
        b"just a text",
        b"",
        b"[1]",
        b'{"openapi": "3.0.0", "paths": []}',
        b"\xff\xfe",
    ],
)
def test_a_document_that_is_none_is_a_fault_and_nothing_worse(content):
    outcome, server = perform(server_of(content), parameters={})
    assert isinstance(outcome, Broken)
    assert outcome.fault.type in {CONFIGURATION, VALIDATION}
    assert len(server.seen) == 1


def test_a_document_that_is_missing_is_a_communication_fault():
    outcome, _ = perform(lambda seen: response(404))
    assert outcome.fault.type == COMMUNICATION
    assert outcome.fault.status == 404
    assert "the OpenAPI document" in outcome.fault.detail
    assert not outcome.fault.doubtful


def test_a_document_is_fetched_once_by_many():
    async def scenario():
        async with serving(server_of(THINGS)) as server:
            performer = OpenApiPerformer(client_of(server.host), vault_of(), absent)
            request = request_of(f"{server.url}/openapi.json", parameters={"id": 1})
            await asyncio.gather(*(performer.perform(order_of(request)) for _ in range(5)))
            return [seen.target for seen in server.seen]

    assert asyncio.run(scenario()).count("/openapi.json") == 1


def test_a_document_is_asked_for_again_by_its_tag_when_it_is_no_longer_fresh():
    def reply(seen):
        if seen.headers.get("if-none-match") == '"v1"':
            return response(304)
        return response(200, text(THINGS), [("ETag", '"v1"')])

    async def scenario():
        now = [0.0]
        async with serving(reply) as server:
            documents = Documents(client_of(server.host), absent, lambda: now[0])
            for moment in (0.0, 59.0, 61.0, 100.0):
                now[0] = moment
                found = await documents.document(server.url, None, ())
                assert found.content == THINGS
            return server.seen

    seen = asyncio.run(scenario())
    assert ["if-none-match" in one.headers for one in seen] == [False, True]


def test_a_document_fetched_for_some_hosts_is_not_given_to_others():
    async def scenario():
        async with serving(server_of(THINGS)) as server:
            performer = OpenApiPerformer(Client((), names(), SMALL), vault_of(), absent)
            request = request_of(f"{server.url}/openapi.json", parameters={"id": 1})
            first = await performer.perform(order_of(request, hosts=(server.host,)))
            return first, await performer.perform(order_of(request))

    allowed, refused = asyncio.run(scenario())
    assert isinstance(allowed, Done)
    assert refused.fault.type == AUTHORIZATION
    assert "the OpenAPI document" in refused.fault.detail


def test_a_document_may_lie_in_the_folder_of_the_stack(tmp_path):
    async def scenario():
        async with serving(server_of(THINGS)) as server:
            (tmp_path / "api").mkdir()
            (tmp_path / "api" / "spec.json").write_bytes(text({**THINGS, "servers": [{"url": server.url}]}))
            performer = OpenApiPerformer(client_of(server.host), vault_of(), within(tmp_path))
            return [
                await performer.perform(order_of(request_of(name, parameters={"id": 1})))
                for name in ("api/spec.json", f"file://{tmp_path}/api/spec.json", "file:api/spec.json")
            ]

    assert asyncio.run(scenario()) == [Done({"target": "/things/1"})] * 3


@pytest.mark.parametrize(
    "name",
    ["../spec.json", "/etc/passwd", "absent.json", "link.json", "file:///etc/passwd", "ftp://a/b", "a\0b"],
)
def test_a_file_outside_the_folder_is_not_read(tmp_path, name):
    (tmp_path / "stack").mkdir()
    (tmp_path / "spec.json").write_bytes(text(THINGS))
    (tmp_path / "stack" / "link.json").symlink_to(tmp_path / "spec.json")
    with pytest.raises((OSError, ValueError)):
        within(tmp_path / "stack")(name)
    performer = OpenApiPerformer(client_of(), vault_of(), within(tmp_path / "stack"))
    outcome = asyncio.run(performer.perform(order_of(request_of(name))))
    assert outcome.fault.type == CONFIGURATION


def test_a_file_that_changed_is_read_anew(tmp_path):
    async def scenario():
        async with serving(server_of(THINGS)) as server:
            performer = OpenApiPerformer(client_of(server.host), vault_of(), within(tmp_path))
            targets = []
            for path in ("/a/{id}", "/a/{id}", "/b/{id}"):
                content = document({"parameters": [parameter("id", "path")]}, path=path)
                (tmp_path / "a.json").write_bytes(text({**content, "servers": [{"url": server.url}]}))
                outcome = await performer.perform(order_of(request_of("a.json", parameters={"id": 1})))
                targets.append(outcome.output["target"])
            return targets

    assert asyncio.run(scenario()) == ["/a/1", "/a/1", "/b/1"]


def test_only_so_many_documents_are_kept():
    async def scenario():
        async with serving(server_of(THINGS)) as server:
            documents = Documents(client_of(server.host), absent)
            for number in range(70):
                await documents.document(f"{server.url}/openapi.json?{number}", None, ())
            return documents

    assert len(asyncio.run(scenario())._kept) == 64


# Doubt.


def test_an_operation_that_declares_the_key_gets_it_and_is_repeated_in_doubt():
    outcome, server = perform(server_of(KEYED), order={"doubtful": True})
    assert isinstance(outcome, Done)
    assert server.seen[1].headers["idempotency-key"] == KEY


def test_the_authors_key_wins_over_the_effects():
    _, server = perform(server_of(KEYED), parameters={"Idempotency-Key": "mine"})
    assert server.seen[1].headers["idempotency-key"] == "mine"


def test_another_unsafe_operation_is_held_in_doubt():
    outcome, server = perform(server_of(UNKEYED), parameters={"body": {"a": 1}}, order={"doubtful": True})
    assert isinstance(outcome, Doubt)
    assert outcome.evidence["url"] == f"{server.url}/things"
    assert len(server.seen) == 1


def test_a_doubtful_order_whose_document_cannot_be_read_stays_doubtful():
    outcome, _ = perform(lambda seen: response(500), order={"doubtful": True})
    assert outcome.fault.doubtful


def test_a_safe_operation_is_repeated_in_doubt():
    assert isinstance(perform(server_of(THINGS), parameters={"id": 1}, order={"doubtful": True})[0], Done)


# Secrets.

TOKEN = SecretText((SecretRef("token"),))
BEARER = {"scheme": "bearer", "token": TOKEN}


def test_the_document_and_the_operation_have_their_own_credentials():
    async def scenario():
        async with serving(server_of(THINGS)) as server:
            performer = OpenApiPerformer(
                client_of(server.host), vault_of(token="t0ken", other="0ther"), absent
            )
            other = {"scheme": "bearer", "token": SecretText((SecretRef("other"),))}
            request = request_of(f"{server.url}/openapi.json", parameters={"id": 1}, authentication=BEARER)
            request["document"]["authentication"] = other
            await performer.perform(order_of(request))
            return [seen.headers["authorization"] for seen in server.seen]

    assert asyncio.run(scenario()) == ["Bearer 0ther", "Bearer t0ken"]


@pytest.mark.parametrize("carried", [{"authentication": BEARER}, {"parameters": {"color": TOKEN}}])
def test_a_fetched_document_cannot_send_a_credential_to_another_host(carried):
    evil = document({"parameters": [parameter()]}, servers=[{"url": "https://evil.example"}])
    outcome, server = perform(server_of(evil), vault=vault_of(token="t0ken-canary"), **carried)
    assert outcome.fault.type == AUTHORIZATION
    assert "declare `evil.example:443`" in outcome.fault.detail
    assert len(server.seen) == 1


def test_a_fetched_document_cannot_lead_to_an_address_that_is_not_declared():
    for url in ("http://169.254.169.254/", "https://10.0.0.1/", "https://localhost:1/"):
        outcome, _ = perform(server_of(document({}, servers=[{"url": url}])))
        assert isinstance(outcome, Broken)
        assert outcome.fault.type in {AUTHORIZATION, COMMUNICATION}


def test_no_secret_is_in_any_fault():
    content = document({"parameters": [parameter(schema={"type": "integer"}), parameter("b")]})
    secrets = vault_of(token="t0ken-canary")
    for parameters in ({"color": TOKEN}, {"b": TOKEN, "color": 1}, {"unknown": TOKEN}):
        outcome, _ = perform(
            server_of(content, lambda seen: response(500, {"you": seen.target})),
            vault=secrets,
            parameters=parameters,
        )
        assert isinstance(outcome, Broken)
        assert "canary" not in json.dumps(outcome.fault.detail)


@pytest.mark.parametrize(
    "request_",
    [
        None,
        {},
        {"document": "x"},
        {"document": {"endpoint": 5}, "operation": "act"},
        {"document": {"endpoint": "a.json"}},
        {"document": {"endpoint": "a.json"}, "operation": "act", "parameters": [1]},
        {"document": {"endpoint": "a.json"}, "operation": "act", "output": "x"},
    ],
)
def test_a_request_that_is_malformed_is_refused(request_):
    performer = OpenApiPerformer(client_of(), vault_of(), absent)
    assert asyncio.run(performer.perform(order_of(request_))).fault.type in {VALIDATION, CONFIGURATION}


def test_a_secret_without_a_value_is_an_authorization_fault():
    request = request_of("a.json")
    request["document"]["authentication"] = BEARER
    performer = OpenApiPerformer(client_of(), vault_of(), absent)
    assert asyncio.run(performer.perform(order_of(request))).fault.type == AUTHORIZATION


def test_abandoning_has_nothing_to_stop():
    asyncio.run(OpenApiPerformer(client_of(), vault_of(), absent).abandon(order_of({})))
