"""`providers lock`, `mirror`, `list` and `schema`, against a registry on loopback and our own provider."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from cli.rig import ROOT, Desk
from cli.test_json import refused, valid
from dirigent.providers.tofu.finding.naming import this_platform
from providers.tofu.finding.registry import Pages, h1_of, registry
from providers.tofu.finding.samples import PLATFORM
from providers.tofu.finding.serving import served
from tasks import certificates

pytestmark = pytest.mark.slow
OURS = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    certificates.written(folder)
    return folder


class Place:
    """A stack whose provider is of a registry, with a cache of its own."""

    def __init__(self, folder, host):
        self.desk = Desk(folder)
        self.source = f"{host}/acme/thing"
        self.wants("~> 1.0")

    def wants(self, version):
        self.desk.write(
            "stack: small\n"
            "policy: {http: {authorities: ca.pem}}\n"
            f"providers:\n  thing: {{source: '{self.source}', version: '{version}'}}\n"
        )

    def say(self, *words, **extra):
        return self.desk.say("providers", *words, DIRIGENT_CACHE=str(self.desk.folder / "cache"), **extra)

    def answer(self, *words, **extra):
        told = self.say(*words, "--json", **extra)
        assert told.code == 0, told
        return valid("providers", told.json)


@pytest.fixture
def place(keys, tmp_path):
    pages = Pages()
    with served(pages, keys) as host:
        found = registry("1.1.0", "1.2.0", host=host, at=f"https://{host}/files")
        pages.pages.update(found.pages)
        shutil.copy(keys / "ca.pem", tmp_path / "ca.pem")
        stack = Place(tmp_path, host)
        stack.pages = pages
        yield stack


@pytest.mark.skipif(this_platform() != PLATFORM, reason=f"the samples are made for {PLATFORM}")
def test_a_provider_is_locked_listed_mirrored_and_brought_again_without_a_network(place):
    told = place.say("list")
    assert (told.code, told.out.splitlines()[1].split()[-2:]) == (0, ["no:", "E3023"])
    told = place.say("lock", "--platform", PLATFORM)
    assert told.code == 0, told
    assert f"{place.source} 1.2.0: from " in told.out
    assert told.out.endswith("wrote dirigent.lock\n")
    assert told.err == f"fetching {place.source} 1.2.0 from {place.source.split('/')[0]}\n"
    text = (place.desk.folder / "dirigent.lock").read_text()
    assert h1_of("1.2.0") in text

    place.pages.asked.clear()
    again = place.answer("lock", "--platform", PLATFORM)
    assert (again["written"], again["providers"][0]["origin"], place.pages.asked) == (False, None, [])
    row = place.answer("list")["providers"][0]
    assert (row["locked"], row["version"], row["problem"]) == ("1.2.0", "1.2.0", None)

    made = place.answer("mirror", "air-gap", "--platform", PLATFORM)
    assert made["providers"][0]["version"] == "1.2.0"
    place.pages.pages.clear()
    shutil.rmtree(place.desk.folder / "cache")
    assert refused_list(place)["code"] == "E3025"
    there = place.answer("list", DIRIGENT_PROVIDERS="air-gap")["providers"][0]
    assert there["version"] == "1.2.0"
    (place.desk.folder / "dirigent.lock").unlink()
    alone = place.answer("lock", "--platform", PLATFORM, DIRIGENT_PROVIDERS="air-gap")
    assert alone["providers"][0]["hashes"][PLATFORM][0] == h1_of("1.2.0")


def refused_list(place):
    return place.answer("list")["providers"][0]["problem"]


def test_what_is_refused_has_its_code_and_exit_code(place):
    refused(place.say("lock", "--platform", "beos", "--json"), "E3021", 2)
    refused(place.say("lock", "--platform", "beos_ppc", "--json"), "E3030", 4)
    place.wants("~> 7.0")
    found = refused(place.say("lock", "--json"), "E3029", 4)
    assert "the nearest are 1.2.0, 1.1.0" in found["help"]
    assert found["at"]["line"] == 4
    place.pages.pages.clear()
    refused(place.say("lock", "--json"), "E3031", 1)
    refused(place.say("lock", "--json", DIRIGENT_PROVIDERS="ftp://x"), "E3038", 2)
    assert not (place.desk.folder / "dirigent.lock").exists()


@pytest.fixture
def own(tmp_path):
    program = tmp_path / "fixture"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} {ROOT / 'tests/providers/tofu/fixture.py'}\n")
    program.chmod(0o755)
    return Desk(tmp_path).write("stack: small\nproviders:\n  fixture: {source: ./fixture}\n")


def test_a_program_of_ones_own_needs_no_lock_and_tells_its_schema(own):
    told = own.say("providers", "lock")
    assert (told.code, told.out) == (0, "the stack declares no provider that can be locked\n")
    assert not (own.folder / "dirigent.lock").exists()
    listed = valid("providers", own.say("providers", "list", "--json").json)["providers"][0]
    assert (listed["version"], listed["program"]) == ("local", str(own.folder / "fixture"))
    told = own.say("providers", "schema", **OURS)
    assert told.code == 0, told
    found = valid("providers", told.json)["provider_schemas"]["./fixture"]
    assert found["provider"]["block"]["attributes"]["region"] == {"type": "string", "optional": True}
    thing = json.loads(own.say("providers", "schema", "fixture_thing", **OURS).out)
    assert thing["provider_schemas"]["./fixture"] == {"resource_schemas": found["resource_schemas"]}
    assert found["resource_schemas"]["fixture_thing"]["version"] == 2
    ports = found["resource_schemas"]["fixture_thing"]["block"]["block_types"]["port"]
    assert (ports["nesting_mode"], sorted(ports["block"]["attributes"])) == ("list", ["number", "url"])


def test_a_type_that_is_not_there_and_a_provider_that_does_not_start_are_told(own):
    wrong = refused(own.say("providers", "schema", "fixture_thin", "--json", **OURS), "E3039", 4)
    assert wrong["help"] == ["did you mean `fixture_thing`?"]
    refused(own.say("providers", "schema", "other_thing", "--json", **OURS), "E3039", 4)
    silent = own.say("providers", "schema", "--json", **OURS, FIXTURE_MODE="ends at once")
    assert "no licence" in refused(silent, "E3037", 1)["message"]


@pytest.mark.skipif(this_platform() != PLATFORM, reason=f"the samples are made for {PLATFORM}")
def test_a_provider_in_the_folder_beside_the_stack_is_locked_used_and_refused_once_it_changed(tmp_path):
    place = tmp_path / "providers" / "registry.opentofu.org" / "acme" / "fixture" / "2.0.1" / PLATFORM
    place.mkdir(parents=True)
    program = place / "terraform-provider-fixture_v2.0.1"
    program.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={OURS['PYTHONPATH']} FIXTURE_WORLD={tmp_path}\n"
        f"exec {sys.executable} {ROOT / 'tests/providers/tofu/fixture.py'}\n"
    )
    program.chmod(0o755)
    desk = Desk(tmp_path).write(
        "stack: small\nproviders:\n  fixture: {source: acme/fixture}\n"
        "resources:\n  a: {type: fixture_thing, with: {name: a}}\n"
    )
    around = {"DIRIGENT_CACHE": str(tmp_path / "cache")}
    refused(desk.say("plan", "--json", **around), "E3023", 1)
    assert desk.say("providers", "lock", **around).code == 0
    told = desk.say("up", "--yes", **around)
    assert told.code == 0, told
    assert (tmp_path / "a.json").exists()
    program.write_text(program.read_text() + "# one line more\n")
    refused(desk.say("plan", "--json", **around), "E3026", 1)
    refused(desk.say("providers", "lock", "--json", **around), "E3026", 1)
