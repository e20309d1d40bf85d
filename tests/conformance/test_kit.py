"""The technology compatibility kit of the standard, read in place and run as it stands.

Everything is real but the two public services: front-end, core, engine, store, guarded client.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
import subprocess
import sys
from base64 import b64encode

import aiohttp
import pytest
import yaml

from conformance import kit, standins
from conformance.gherkin import scenarios_of
from conformance.stage import Cast, played, program_of
from dirigent.app.looking import SystemClock
from dirigent.stores.sqlite import SqliteStore
from dirigent.tasks.http import Client, HttpPerformer
from dirigent.tasks.openapi import OpenApiPerformer
from dirigent.tasks.openapi.document import within
from dirigent.tasks.secrets import EnvironmentVault

pytestmark = kit.needed

SCENARIOS = kit.scenarios()

# What a later issue brings. A scenario that is not refused any more must leave this table.
LATER = {}

NOW = [scenario for scenario in SCENARIOS if scenario.name not in LATER]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The stand-ins: over https with a private authority where there is openssl, else over http."""
    authority = None
    if standins.OPENSSL:
        authority = standins.Authority(tmp_path_factory.mktemp("authority"))
    with standins.standing(authority) as server, pytest.MonkeyPatch.context() as patch:
        if authority is not None:
            # What a process that starts with this variable has from the beginning: the library makes its
            # context when it is imported.
            patch.setenv("SSL_CERT_FILE", authority.trusted)
            patch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", ssl.create_default_context())
        server.trusted = authority.trusted if authority else None
        yield server


def perform(scenario, server, folder):
    """Carry out a scenario and return how its run ended."""
    vault = EnvironmentVault({}, {}, folder)
    client = Client(resolve=standins.resolve)
    openapi = OpenApiPerformer(client, vault, within(folder))
    cast = Cast({"http": HttpPerformer(client, vault), "openapi": openapi}, SystemClock(), vault)
    program = program_of(standins.moved(scenario.text_of(kit.DEFINITION), server))
    given = yaml.safe_load(scenario.text_of(kit.INPUT) or "{}")

    async def scene():
        store = SqliteStore.open_for_writing(str(folder / "state" / "dirigent.db"))
        try:
            return await played(store, cast, program, given)
        finally:
            await store.close()

    return asyncio.run(scene())


# What each sentence asks of the run: its phrase, and the check. The text below it is YAML.


def completes(run, _text):
    assert run.phase == "completed", run.fault


def completes_with(run, text):
    completes(run, text)
    assert run.output == yaml.safe_load(text)


def faults(run, _text):
    assert run.phase == "faulted"


def faults_with(run, text):
    faults(run, text)
    assert run.error == yaml.safe_load(text)


def has_properties(run, _text, names):
    for name in re.findall(r"'([^']+)'", names):
        member_of(run.output, name)


def has_value(run, text, name):
    assert member_of(run.output, name) == yaml.safe_load(text)


def has_items(run, _text, name, count):
    assert len(member_of(run.output, name)) == int(count)


def runs_first(run, _text, task):
    assert run.order[0] == task


def runs_last(run, _text, task):
    assert run.order[-1] == task


def runs_after(run, _text, task, before):
    assert run.order.index(before) < run.order.index(task)


def member_of(value, path):
    for name in path.split("."):
        assert isinstance(value, dict), f"no `{path}` in {value}"
        assert name in value, f"no `{path}` in {value}"
        value = value[name]
    return value


SENTENCES = {
    r"the workflow should complete": completes,
    r"the workflow should complete with output:": completes_with,
    r"the workflow should fault": faults,
    r"the workflow should fault with error:": faults_with,
    r"the workflow output should have properties (.+)": has_properties,
    r"the workflow output should have a '([^']+)' property with value:": has_value,
    r"the workflow output should have a '([^']+)' property containing (\d+) items": has_items,
    r"(\w+) should run first": runs_first,
    r"(\w+) should run last": runs_last,
    r"(\w+) should run after (\w+)": runs_after,
}
PREPARING = (kit.DEFINITION, kit.INPUT, "the workflow is executed")


def checks_of(scenario):
    """Return the checks of a scenario; every sentence has exactly one meaning."""
    found = []
    for step in scenario.steps:
        if step.sentence in PREPARING:
            continue
        meanings = [
            (check, match.groups())
            for phrase, check in SENTENCES.items()
            if (match := re.fullmatch(phrase, step.sentence))
        ]
        assert len(meanings) == 1, f"{scenario.name}: `{step.sentence}` has {len(meanings)} meanings"
        check, parts = meanings[0]
        found.append((check, step.text, parts))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("scenario", NOW, ids=lambda scenario: scenario.name)
def test_a_scenario_of_the_kit_passes(scenario, server, tmp_path):
    run = perform(scenario, server, tmp_path)
    checks = checks_of(scenario)
    assert checks
    for check, text, parts in checks:
        check(run, text, *parts)


def test_a_scenario_that_expects_something_else_fails(server, tmp_path):
    scenario = next(each for each in SCENARIOS if each.name == "set-set-task")
    run = perform(scenario, server, tmp_path)
    ((check, text, parts),) = checks_of(scenario)
    with pytest.raises(AssertionError):
        check(run, text.replace("circle", "square"), *parts)


def test_the_kit_passes_but_for_what_is_named(capsys):
    assert (len(SCENARIOS), LATER) == (21, {})
    with capsys.disabled():
        print(f"\n{len(NOW)} of {len(SCENARIOS)} scenarios of the kit")


@pytest.mark.skipif(not standins.OPENSSL, reason="no openssl: the stand-ins speak http")
def test_the_stand_ins_speak_https(server):
    assert server.scheme == "https"


@pytest.mark.slow
@pytest.mark.skipif(not standins.OPENSSL, reason="no openssl: no certificate can be made")
@pytest.mark.parametrize("trusted", [True, False])
def test_a_private_authority_is_trusted_by_whoever_names_its_file(server, tmp_path, trusted):
    document = {
        "document": {"dsl": "1.0.3", "namespace": "tests", "name": "private", "version": "1.0.0"},
        "do": [{"greet": {"call": "http", "with": {"method": "get", "endpoint": greeting(server)}}}],
    }
    (tmp_path / "private.json").write_text(json.dumps(document))
    done = dirigent(tmp_path, "private.json", **({"SSL_CERT_FILE": server.trusted} if trusted else {}))
    told = done.stdout + done.stderr
    assert (done.returncode == 0) == trusted, told
    assert trusted or "does not show a certificate that is trusted" in told


@pytest.mark.slow
@pytest.mark.skipif(not standins.OPENSSL, reason="no openssl: no certificate can be made")
@pytest.mark.parametrize("password", ["conformance-test", "another-password"])
def test_a_secret_of_the_environment_signs_a_call_and_is_written_nowhere(server, tmp_path, password):
    place = greeting(server).replace("greeting", "basic-auth/ann/conformance-test")
    endpoint = {"uri": place, "authentication": {"basic": {"use": "login"}}}
    document = {
        "document": {"dsl": "1.0.3", "namespace": "tests", "name": "signed", "version": "1.0.0"},
        "use": {"secrets": ["login"]},
        "do": [
            {"sign": {"call": "http", "with": {"method": "get", "endpoint": endpoint, "output": "response"}}}
        ],
    }
    (tmp_path / "signed.json").write_text(json.dumps(document))
    login = json.dumps({"username": "ann", "password": password})
    done = dirigent(tmp_path, "signed.json", SSL_CERT_FILE=server.trusted, DIRIGENT_SECRET_LOGIN=login)
    told = done.stdout + done.stderr
    assert (done.returncode == 0) == (password == "conformance-test"), told
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    if password == "another-password":
        assert "authentication" in told or "401" in told
        assert password not in told
        assert password.encode() not in kept
    assert b64encode(f"ann:{password}".encode()) not in kept


def dirigent(folder, document, **environment):
    """Run a workflow with the command line, as a user does."""
    kept = {name: text for name, text in os.environ.items() if name not in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
    whole = {**kept, "PYTHONPATH": os.pathsep.join(sys.path), "NO_COLOR": "1", **environment}
    line = [sys.executable, "-m", "dirigent", "run", document]
    return subprocess.run(line, cwd=folder, env=whole, capture_output=True, text=True, check=False)


def greeting(server):
    return f"https://localhost:{server.server_address[1]}/greeting"


@pytest.mark.parametrize(
    "text",
    [
        "Scenario: a\nBut not this",
        "Scenario: a\nGiven b\n| a | table |",
        "Given c",
        'Scenario: a\nGiven b\n"""',
    ],
)
def test_what_is_not_read_is_refused(text):
    with pytest.raises(ValueError, match=r"not read|no end"):
        scenarios_of("feature", text)
