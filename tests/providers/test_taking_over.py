"""Steps that change only what we know: other addresses, letting go, and taking over what exists."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import pytest

from dirigent.model.ids import Address, EffectId, Position, RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import OnDoubt
from dirigent.model.resource import ResourceRow, value_of
from dirigent.model.run.effect import Broken, Done, Doubt, Order
from dirigent.model.values import SecretRef, SecretText
from dirigent.planning.request import Adopt, Wish
from dirigent.ports.importing import Importing, Rooted
from dirigent.ports.resources import ProviderFailed, Reading
from dirigent.providers.apply import ResourcePerformer
from dirigent.providers.files.provider import FilesProvider
from dirigent.providers.services.provider import ServiceProvider
from dirigent.service.asking import carry

SECRET = SecretText((SecretRef("sealed:token"),))
ROW = ResourceRow(Address("web"), "web", "box", {}, {"id": 1}, needs=("db",))


class Clock:
    def now(self):
        return 1.0


class Vault:
    def reveal(self, value):
        return "hidden" if isinstance(value, SecretText) else value


class Finder:
    """A provider of boxes that finds what it was told; it does nothing else."""

    types = frozenset({"box"})

    def __init__(self, answer):
        self.answer = answer

    async def adopt(self, type_name, identity, config):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def perform(request, rows=(), provider=None, known=""):
    stored = {str(row.address): row for row in rows}

    async def row_of(address):
        return stored.get(address)

    whole = {"address": "web", "name": "web", "type": "box", "key": None, **request}
    told = Order(RunId("r"), Position("/p"), 1, EffectId("e"), "resource", whole, OnDoubt.HOLD, known=known)
    providers = {"box": provider} if provider is not None else {}
    outcome = asyncio.run(ResourcePerformer(providers, row_of, Clock()).perform(told))
    return outcome, {record.address: record.row for record in outcome.records}


def moving(source, to, needs=()):
    return {"from": source, "to": to, "name": to.partition("[")[0], "key": None, "needs": list(needs)}


def test_rows_change_their_addresses_and_needs_in_one_commit():
    app = replace(ROW, address=Address("app"), name="app", needs=("web",))
    moves = [moving("web", "site", ["db"]), moving("app", "app", ["site"])]
    outcome, rows = perform({"action": "move", "moves": moves}, [ROW, app])
    assert isinstance(outcome, Done)
    assert rows == {
        "web": None,
        "site": replace(ROW, address=Address("site"), name="site"),
        "app": replace(app, needs=("site",)),
    }


def test_two_rows_may_change_places():
    other = replace(ROW, address=Address("site"), name="site", attributes={"id": 2})
    _, rows = perform(
        {"action": "move", "moves": [moving("web", "site"), moving("site", "web")]}, [ROW, other]
    )
    assert {address: row.attributes["id"] for address, row in rows.items()} == {"site": 1, "web": 2}


def test_a_row_that_becomes_another_type_is_written_so_with_all_that_is_ours_in_the_same_commit():
    row = replace(ROW, protect=True, triggers={"$x": 1}, provider="old")
    kept = {"attributes": {"key": SECRET}, "config": {"a": 1}, "private": {"v": 2}}
    after = replace(row, type="jar", provider="new", **kept)
    moves = [{**moving("web", "site"), "becomes": value_of(after)}, moving("site", "web")]
    request, rows = {"action": "move", "moves": moves}, [row, replace(ROW, address=Address("site"))]
    outcome, records = perform(request, rows)
    assert isinstance(outcome, Done)
    assert len(outcome.records) == 2
    assert records["site"] == replace(after, address=Address("site"), name="site", needs=())
    assert records["web"].type == "box"
    # A crash before the commit: the order comes again, and comes to the same.
    assert perform(request, rows)[1] == records


def test_a_row_that_has_vanished_moves_nothing():
    outcome, rows = perform({"action": "move", "moves": [moving("web", "site")]})
    assert (isinstance(outcome, Broken), "E3003" in outcome.fault.detail, rows) == (True, True, {})


def test_what_is_let_go_of_needs_no_provider():
    outcome, rows = perform({"action": "release"}, [ROW])
    assert (isinstance(outcome, Done), rows) == (True, {"web": None})


def test_what_is_found_becomes_a_row_and_once_only():
    request = {"action": "import", "id": "b", "config": {"size": 2}, "needs": ["db"], "protect": True}
    found = Finder(Reading({"id": "b"}, {"size": 1}, private={"p": 1}))
    outcome, rows = perform(request, provider=found)
    assert outcome.output == {"id": "b"}
    made = rows["web"]
    assert (made.config, made.private, made.needs, made.protect) == ({"size": 1}, {"p": 1}, ("db",), True)
    again, nothing = perform(request, [made], found)
    assert (again.output, nothing) == ({"id": "b"}, {})


def test_a_provider_that_compares_attributes_leaves_the_configuration_to_the_stack():
    request = {"action": "import", "id": "b", "config": {"size": 2}, "needs": [], "protect": False}
    _, rows = perform(request, provider=Finder(Reading({"id": "b"})))
    assert rows["web"].config == {"size": 2}


PUT = {"action": "create", "needs": [], "config": {"size": 1}}


def test_what_a_person_names_is_looked_up_and_becomes_the_row_of_the_creation():
    found = Finder(Reading({"id": "b7", "size": 1}, private="p"))
    outcome, rows = perform(PUT, provider=found, known="b7")
    made = rows["web"]
    assert outcome.output == made.attributes == {"id": "b7", "size": 1}
    assert (made.config, made.private, made.tainted) == ({"size": 1}, "p", False)


def test_a_successor_that_a_person_names_puts_its_predecessor_aside():
    _, rows = perform({**PUT, "deposes": "web#old"}, [ROW], Finder(Reading({"id": 2})), known="2")
    assert (rows["web"].attributes, rows["web#old"].attributes) == ({"id": 2}, {"id": 1})


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        (Finder(Reading(None)), "E2038"),
        (Finder(refuse("E3101", "no")), "no"),
        (Finder(ProviderFailed("broken")), "broken"),
        (None, "E2021"),
    ],
)
def test_what_a_person_names_and_is_not_found_stays_in_doubt(provider, code):
    outcome, rows = perform(PUT, provider=provider, known="b8")
    assert (isinstance(outcome, Doubt), code in outcome.reason, rows) == (True, True, {})
    assert outcome.evidence["address"] == "web"


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        (Finder(Reading(None)), "E2020"),
        (Finder(refuse("E3101", "no")), "no"),
        (Finder(ProviderFailed("broken")), "broken"),
        (None, "E2021"),
    ],
)
def test_what_cannot_be_taken_over_leaves_no_row(provider, code):
    outcome, rows = perform({"action": "import", "id": "b", "config": {}}, provider=provider)
    assert (isinstance(outcome, Broken), code in outcome.fault.detail, rows) == (True, True, {})


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        (Finder(refuse("E3101", "no")), "E3101"),
        (Finder(ProviderFailed("x")), "E3002"),
        (object(), "E2021"),
        (None, "E3001"),
    ],
)
def test_a_plan_hears_why_nothing_can_be_taken_over(provider, code):
    def asking():
        answers = yield Adopt((Wish("web", "box", None, {}, identity="b"),))
        return answers

    providers = {"box": provider} if provider is not None else {}
    (answer,) = asyncio.run(carry(asking(), providers, None))
    assert isinstance(answer, Refusal)
    assert answer.problems[0].code == code


def adopt(folder, identity, config, kind="file"):
    return asyncio.run(FilesProvider(str(folder), Vault()).adopt(kind, identity, config))


def test_a_file_is_found_by_its_path_as_it_stands(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "a.txt").chmod(0o640)
    seen = adopt(
        tmp_path, "a.txt", {"path": "./a.txt", "content": "new", "mode": "0644", "owner": os.getuid()}
    )
    assert seen.config == {"path": "./a.txt", "content": "old", "mode": "0640", "owner": os.getuid()}
    assert (seen.attributes["bytes"], seen.attributes["mode"]) == (3, "0640")
    assert adopt(tmp_path, str(tmp_path / "a.txt"), {"path": "b.txt", "content": ""}).config["path"] == str(
        tmp_path / "a.txt"
    )


def test_a_file_that_was_taken_over_reads_as_it_was_applied(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    seen = adopt(tmp_path, "a.txt", {"path": "a.txt", "content": "old"})
    row = ResourceRow(Address("a"), "a", "file", seen.config, seen.attributes, private=seen.private)
    assert asyncio.run(FilesProvider(str(tmp_path), Vault()).read(row)).config == {}


def test_a_secret_content_is_compared_and_never_shown(tmp_path):
    (tmp_path / "a.txt").write_text("hidden")
    (tmp_path / "b.txt").write_text("something else")
    secret = SecretText((SecretRef("key"),))
    same = adopt(tmp_path, "a.txt", {"path": "a.txt", "content": secret})
    assert (same.config["content"], same.attributes["sha256"]) == (secret, None)
    assert "hidden" not in str(same)
    other = adopt(tmp_path, "b.txt", {"path": "b.txt", "content": secret})
    assert other.config["content"] == "(14 bytes that were not written by Dirigent)"


def test_nothing_or_something_else_is_not_found(tmp_path):
    (tmp_path / "folder").mkdir()
    assert adopt(tmp_path, "folder", {}).attributes is None
    assert adopt(tmp_path, "nothing", {}).attributes is None
    directory = adopt(tmp_path, "folder", {"path": "folder"}, "directory")
    assert (directory.attributes["path"], directory.private["made"]) == (str(tmp_path / "folder"), False)
    with pytest.raises(Refusal, match="E3101"):
        adopt(tmp_path, "", {})


def test_who_says_what_it_can_do(tmp_path):
    assert isinstance(FilesProvider(str(tmp_path), Vault()), Importing)
    assert not isinstance(FilesProvider(str(tmp_path), Vault()), Rooted)
    assert issubclass(ServiceProvider, Rooted)
