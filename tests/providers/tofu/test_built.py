"""Real objects by real providers: one built by Go, and one written with a framework of others, over TLS."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from cli.rig import Desk
from providers.tofu.conftest import FETCHED
from storms.required import needs

pytestmark = pytest.mark.slow
SHELF = Path(__file__).parent / "shelf.py"

DATABASE = """\
stack: people
inputs: {port: {type: integer}, limit: {type: integer, default: 5}}
secrets: {app: {env: APP_PASSWORD}}
providers:
  postgresql:
    source: cyrilgdn/postgresql
    with: {host: 127.0.0.1, port: '${ $inputs.port }', username: dirigent, sslmode: disable}
resources:
  app:
    type: postgresql_role
    with: {name: app, login: true, password: '${ $secrets.app }', connection_limit: '${ $inputs.limit }'}
    lifecycle: {identity: '{name}'}
  people:
    type: postgresql_database
    with: {name: people, owner: '${ $resources.app.name }'}
outputs: {database: '${ $resources.people.name }', password: '${ $resources.app.password }'}
"""
NOTES = """\
stack: notes
inputs: {text: {type: string, default: hello}}
providers: {shelf: {source: example.com/tests/shelf, with: {owner: me}}}
resources:
  note: {type: shelf_note, with: {title: a, text: '${ $inputs.text }', label: [{name: y}, {name: x}]}}
  next: {type: shelf_note, with: {title: '${ $resources.note.id + ".next" }', words: [b, a]}}
outputs: {id: '${ $resources.next.id }'}
"""


def actions(told):
    assert told.code == 0, told
    return {each["address"]: each["action"] for each in told.json["changes"] if each["action"] != "keep"}


def test_a_provider_built_by_go_manages_a_database_server(tmp_path, server):
    program = FETCHED / "terraform-provider-postgresql"
    needs("built", None if program.exists() else "`python scripts/builds.py` builds it where Go is")
    (tmp_path / "stack.yaml").write_text(DATABASE)
    say = partial(
        Desk(tmp_path).say,
        DIRIGENT_PROVIDER_POSTGRESQL=str(program),
        DIRIGENT_INPUT_PORT=str(server.port),
        APP_PASSWORD="open sesame",
    )
    try:
        told = say("up", "--yes", "--json")
        assert told.code == 0, told
        assert told.json["outputs"] == {"database": "people", "password": "(sensitive)"}
        assert server.sql("select rolconnlimit from pg_roles where rolname = 'app'") == "5"
        assert actions(say("plan", "--json")) == {}

        server.sql("alter role app connection limit 7")
        assert actions(say("plan", "--json")) == {"app": "update"}
        assert say("up", "--yes").code == 0
        assert server.sql("select rolconnlimit from pg_roles where rolname = 'app'") == "5"

        seen = b"".join(each.read_bytes() for each in (tmp_path / ".dirigent").rglob("*") if each.is_file())
        assert b"open sesame" not in seen
        assert say("down", "--yes").code == 0
        assert server.sql("select count(*) from pg_roles where rolname = 'app'") == "0"
    finally:
        server.sql("drop database if exists people")
        server.sql("drop role if exists app")


def test_a_provider_of_version_6_that_insists_on_tls_manages_files(tmp_path):
    python = FETCHED / "framework" / "bin" / "python"
    needs("built", None if python.exists() else "`python scripts/builds.py` brings the framework")
    folder = tmp_path / "notes"
    folder.mkdir()
    program = tmp_path / "terraform-provider-shelf"
    program.write_text(
        f"#!/bin/sh\nexec env HOME={tmp_path} SHELF_FOLDER={folder} {python} {SHELF}\n",
    )
    program.chmod(0o755)
    (tmp_path / "stack.yaml").write_text(NOTES)
    say = partial(Desk(tmp_path).say, DIRIGENT_PROVIDER_SHELF=str(program))
    assert say("up", "--yes").code == 0
    assert {each.name: each.read_text() for each in folder.iterdir()} == {"a": "hello", "a.next": ""}
    assert actions(say("plan", "--json")) == {}
    (folder / "a").write_text("scribbled over")
    assert actions(say("plan", "--json")) == {"note": "update"}
    assert say("up", "--yes", "--input", "text=bye").code == 0
    assert (folder / "a").read_text() == "bye"
    (folder / "a.next").unlink()
    assert actions(say("plan", "--json", "--input", "text=bye")) == {"next": "create"}
    assert say("down", "--yes").code == 0
    assert list(folder.iterdir()) == []
