"""To lock from a registry and from mirrors, and every way in which they may lie."""

import hashlib
import json

import pytest

from dirigent.app.protocols.supply import signed_by
from dirigent.lang.stack.outside.providers import REGISTRY
from dirigent.model.problem import Refusal
from dirigent.providers.tofu.finding import locking, mirroring
from dirigent.providers.tofu.finding.choosing import Wish, wishes
from dirigent.providers.tofu.finding.installed import installed
from dirigent.providers.tofu.finding.lock.reading import locks_of
from dirigent.providers.tofu.finding.lock.shape import Locked
from dirigent.providers.tofu.finding.naming import source_of
from dirigent.providers.tofu.finding.origin import Folder
from dirigent.providers.tofu.finding.web.mirror import NetworkMirror
from dirigent.providers.tofu.finding.web.registry import Registry
from providers.tofu.finding.registry import (
    BOTH,
    FILES_AT,
    HOST,
    Pages,
    archive_of,
    armor,
    download,
    files_of,
    h1_of,
    network_mirror,
    registry,
    service,
    signed,
    sums,
    zh_of,
)
from providers.tofu.finding.samples import SOURCE, archive, packed, places, setup, unpacked
from stores.samples import in_loop

HERE = ("linux_amd64",)


class Site:
    """A stack with its places, and one registry behind the folders."""

    def __init__(self, tmp_path, pages=None, **given):
        self.places = places(tmp_path, **given)
        self.pages = pages if pages is not None else registry("1.1.0", "1.2.0", "1.3.0-rc1")
        self.said = []

    def supply(self):
        nets = [NetworkMirror(url, self.pages) for url in self.places.webs]

        def origins(source):
            return [
                *map(Folder, self.places.mirrors),
                *(nets or [Registry(source.host, self.pages, signed_by)]),
            ]

        return locking.Supply(self.places, origins, self.said.append)

    async def lock(self, demand="", platforms=HERE, source=SOURCE, **given):
        wish = Wish(source_of(source), demand)
        known = locks_of(self.places.folder).get(source)
        found = await locking.lock(wish, known, platforms, self.supply(), **given)
        locking.write(self.places.folder, [found.locked])
        return found

    async def refuses(self, code, *args, **given):
        """Lock, which must be refused with a code, and leave neither a lock nor a provider behind."""
        with pytest.raises(Refusal) as refused:
            await self.lock(*args, **given)
        assert [each.code for each in refused.value.problems] == [code], refused.value
        assert not list(self.places.cache.rglob("terraform-provider*"))
        assert [each.name for each in self.places.cache.glob("*")] in ([], [HOST])
        return str(refused.value) + " ".join(refused.value.problems[0].help)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


@in_loop
async def test_the_newest_release_that_will_do_is_locked_and_can_be_started(site):
    found = await site.lock("~> 1.0")
    assert (found.locked.version, found.before, found.origin) == ("1.2.0", "", HOST)
    assert found.signed.lower() == found.signed
    assert len(found.signed) == 40
    # Of the other platform only the signed list of check sums is known.
    assert found.locked.hashes == {
        "linux_amd64": tuple(sorted((h1_of("1.2.0"), zh_of("1.2.0")))),
        "darwin_arm64": (zh_of("1.2.0", "darwin_arm64"),),
    }
    started = installed(setup("~> 1.0"), site.places)
    assert started.version == "1.2.0"
    assert started.program.read_bytes() == files_of("1.2.0", "linux_amd64")[started.program.name]
    assert site.said == [f"{SOURCE} 1.2.0 from {HOST}"]


@in_loop
async def test_what_is_locked_and_here_is_not_asked_for_again(site):
    await site.lock("~> 1.1.0")
    site.pages.asked.clear()
    again = await site.lock("~> 1.1")
    assert (again.locked.version, again.origin, site.pages.asked) == ("1.1.0", "", [])
    assert again.locked.constraints == "~> 1.1"
    upgraded = await site.lock("~> 1.1", upgrade=True)
    assert (upgraded.before, upgraded.locked.version) == ("1.1.0", "1.2.0")
    assert h1_of("1.1.0") not in upgraded.locked.all


@in_loop
async def test_a_lock_from_elsewhere_is_kept_to_and_completed(site):
    await site.lock("1.1.0", BOTH)
    (site.places.cache / SOURCE / "1.1.0" / "linux_amd64" / "LICENSE").write_text("changed")
    with pytest.raises(Refusal, match="E3026"):
        installed(setup(), site.places)
    again = await site.lock("", BOTH)
    assert (again.locked.version, again.before, again.origin) == ("1.1.0", "1.1.0", HOST)
    installed(setup(), site.places)
    assert {each for each in again.locked.all if each.startswith("h1:")} == {
        h1_of("1.1.0", each) for each in BOTH
    }


@in_loop
async def test_the_lock_of_terraform_says_what_is_brought(site):
    (site.places.folder / ".terraform.lock.hcl").write_text(
        f'provider "{SOURCE}" {{\n version = "1.1.0"\n hashes = ["{zh_of("1.1.0")}"]\n}}\n'
    )
    found = await site.lock()
    assert found.locked.version == "1.1.0"
    assert h1_of("1.1.0") in found.locked.hashes["linux_amd64"]
    assert installed(setup(), site.places).version == "1.1.0"


@in_loop
async def test_a_published_version_that_changed_is_refused(site):
    (site.places.folder / ".terraform.lock.hcl").write_text(
        f'provider "{SOURCE}" {{\n version = "1.1.0"\n hashes = ["{zh_of("1.2.0")}"]\n}}\n'
    )
    assert "not what the lock names" in await site.refuses("E3026")


@in_loop
async def test_a_pre_release_is_taken_where_it_is_named(site):
    assert (await site.lock("1.3.0-rc1")).locked.version == "1.3.0-rc1"


def wrong_archive(pages):
    pages.lay(f"{FILES_AT}/1.2.0/terraform-provider-thing_1.2.0_linux_amd64.zip", archive({"evil": b"x"}))


def truncated(pages):
    name = f"{FILES_AT}/1.2.0/terraform-provider-thing_1.2.0_linux_amd64.zip"
    pages.lay(name, pages.pages[name][1][:-30])


def other_sum(pages):
    pages.change(download(), lambda found: {**found, "shasum": "0" * 64})


def sums_changed(pages):
    """The list is changed together with the promise: only the signature tells."""
    pages.change(download(), lambda found: {**found, "shasum": "0" * 64})
    listing = sums("1.2.0", {"linux_amd64": "0" * 64})
    pages.lay(f"{FILES_AT}/1.2.0/SHA256SUMS", listing)


def other_key(pages):
    listing = sums("1.2.0")
    pages.lay(f"{FILES_AT}/1.2.0/SHA256SUMS.sig", signed(listing, "stranger"))


def rubbish_signature(pages):
    pages.lay(f"{FILES_AT}/1.2.0/SHA256SUMS.sig", b"rubbish")


def no_signature(pages):
    del pages.pages[f"{FILES_AT}/1.2.0/SHA256SUMS.sig"]


def no_keys(pages):
    pages.change(download(), lambda found: {**found, "signing_keys": {"gpg_public_keys": []}})


def unreadable_keys(pages):
    keys = {"gpg_public_keys": [{"ascii_armor": "rubbish"}]}
    pages.change(download(), lambda found: {**found, "signing_keys": keys})


def hostile_archive(pages):
    """A publisher that means harm: all is signed, and the archive leads out of its folder."""
    content = archive({"terraform-provider-thing_v1.2.0": b"#!/bin/sh\n", "../../../../outside": b"x"})
    name = "terraform-provider-thing_1.2.0_linux_amd64.zip"
    from_here = hashlib.sha256(content).hexdigest()
    listing = sums("1.2.0", {"linux_amd64": from_here})
    pages.lay(f"{FILES_AT}/1.2.0/{name}", content)
    pages.lay(f"{FILES_AT}/1.2.0/SHA256SUMS", listing)
    pages.lay(f"{FILES_AT}/1.2.0/SHA256SUMS.sig", signed(listing))
    pages.change(download(), lambda found: {**found, "shasum": from_here})


def gone_archive(pages):
    del pages.pages[f"{FILES_AT}/1.2.0/terraform-provider-thing_1.2.0_linux_amd64.zip"]


def not_json(pages):
    pages.lay(f"{service()}acme/thing/versions", b"<html>")


def offline(pages):
    pages.lay(f"https://{HOST}/.well-known/terraform.json", b"the name does not resolve", 0)


def broken_service(pages):
    pages.lay(f"{service()}acme/thing/versions", b"oh", 500)


def no_service(pages):
    pages.lay(f"https://{HOST}/.well-known/terraform.json", {"modules.v1": "/x/"})


FAULTS = [
    (wrong_archive, "E3032", "not what was promised"),
    (truncated, "E3032", "not what was promised"),
    (other_sum, "E3032", "its signed list says"),
    (sums_changed, "E3033", "not signed by a key"),
    (other_key, "E3033", "not signed by a key"),
    (rubbish_signature, "E3033", "not signed by a key"),
    (no_signature, "E3033", "`shasums_signature_url` leads nowhere"),
    (no_keys, "E3033", "names no key"),
    (unreadable_keys, "E3033", "none of the keys"),
    (hostile_archive, "E3034", "leads out of its folder"),
    (gone_archive, "E3031", "it answers 404"),
    (not_json, "E3031", "no JSON object"),
    (offline, "E3031", "does not resolve"),
    (broken_service, "E3031", "it answers 500"),
    (no_service, "E3031", "is no registry of providers"),
]


@pytest.mark.parametrize(("plant", "code", "words"), FAULTS, ids=lambda each: getattr(each, "__name__", None))
@in_loop
async def test_a_registry_that_lies_or_breaks_leaves_nothing_behind(site, plant, code, words):
    plant(site.pages)
    assert words in await site.refuses(code)
    assert not (site.places.folder / "dirigent.lock").exists()


@in_loop
async def test_who_is_not_known_and_what_does_not_fit_is_said_with_what_there_is(site):
    assert "asked: " in await site.refuses("E3028", source=f"{HOST}/acme/other")
    assert "the nearest are 1.3.0-rc1, 1.2.0, 1.1.0" in await site.refuses("E3029", "~> 2.0")
    assert "made for darwin_arm64, linux_amd64" in await site.refuses("E3030", platforms=("windows_amd64",))
    assert "no constraint on versions" in await site.refuses("E3020", "newest")
    await site.lock("1.1.0")
    with pytest.raises(Refusal, match="E3030"):
        await site.lock("", ("linux_amd64", "windows_386"))


@in_loop
async def test_a_version_of_an_older_protocol_is_not_offered(site):
    def older(found):
        found["versions"][1]["protocols"] = ["4.0"]

    site.pages.change(f"{service()}acme/thing/versions", older)
    assert (await site.lock()).locked.version == "1.1.0"


@in_loop
async def test_only_the_registry_that_needs_no_host_may_leave_the_signature_out(tmp_path):
    ours = f"{REGISTRY}/acme/thing"
    site = Site(tmp_path, registry("1.2.0", host=REGISTRY, keys=()))
    found = await site.lock(source=ours)
    assert (found.locked.version, found.signed) == ("1.2.0", "")
    with_key = Site(tmp_path / "other", registry("1.2.0", host=REGISTRY))
    other_key(with_key.pages)
    with pytest.raises(Refusal, match="E3033"):
        await with_key.lock(source=ours)


@pytest.fixture(autouse=True)
def _second_folder(tmp_path):
    (tmp_path / "other").mkdir()


@in_loop
async def test_a_folder_comes_before_a_network_and_is_enough_without_one(tmp_path):
    site = Site(tmp_path, Pages())
    unpacked(site.places.mirrors[0], "1.0.0", files_of("1.0.0", "linux_amd64"))
    packed(site.places.mirrors[0], "1.1.0", archive_of("1.1.0", "linux_amd64"))
    found = await site.lock()
    assert (found.locked.version, site.pages.asked) == ("1.1.0", [])
    assert installed(setup(), site.places).version == "1.1.0"
    older = await site.lock("~> 1.0.0")
    assert older.locked.hashes == {"linux_amd64": (h1_of("1.0.0"),)}
    assert installed(setup(), site.places).program.is_relative_to(site.places.mirrors[0])


@in_loop
async def test_what_a_folder_does_not_have_is_looked_for_further_on(site):
    packed(site.places.mirrors[0], "1.1.0", archive_of("1.1.0", "linux_amd64"))
    assert (await site.lock("~> 1.2")).origin == HOST


@in_loop
async def test_a_network_mirror_stands_in_place_of_the_registry(tmp_path):
    url = "https://mirror.example/p/"
    site = Site(tmp_path, network_mirror(url, SOURCE, "1.1.0", "1.2.0"), webs=(url,))
    found = await site.lock("", BOTH)
    assert (found.locked.version, found.origin) == ("1.2.0", url)
    assert all(each.startswith(url) for each in site.pages.asked)
    assert installed(setup(), site.places).version == "1.2.0"
    site.pages.change(
        f"{url}{SOURCE}/1.1.0.json", lambda found: found["archives"].pop("darwin_arm64") and None
    )
    with pytest.raises(Refusal, match="E3030"):
        await site.lock("1.1.0", BOTH)


@in_loop
async def test_a_network_mirror_that_gives_another_archive_is_refused(tmp_path):
    url = "https://mirror.example/p/"
    site = Site(tmp_path, network_mirror(url, SOURCE, "1.2.0"), webs=(url,))
    site.pages.lay(f"{url}{SOURCE}/1.2.0_linux_amd64.zip", archive_of("1.1.0", "linux_amd64"))
    await site.refuses("E3032")


@in_loop
async def test_a_mirror_that_is_filled_serves_as_folder_and_as_network_mirror(site, tmp_path):
    await site.lock("1.1.0", BOTH)
    wish, known = Wish(source_of(SOURCE), ""), locks_of(site.places.folder)[SOURCE]
    target = tmp_path / "mirror"
    found = await mirroring.mirror(wish, known, BOTH, target, site.supply())
    assert (found.version, len(found.paths)) == ("1.1.0", 2)
    beside = Site(tmp_path / "other", Pages(), mirrors=(target,))
    assert (await beside.lock("", BOTH)).locked.hashes == known.hashes
    pages = Pages()
    for path in target.rglob("*"):
        if path.is_file():
            pages.lay(f"https://mirror.example/{path.relative_to(target)}", path.read_bytes())
    served = Site(tmp_path / "other", pages, webs=("https://mirror.example/",), mirrors=())
    (served.places.folder / "dirigent.lock").unlink()
    assert (await served.lock("", BOTH)).locked.hashes == known.hashes
    listed = json.loads((target / SOURCE / "1.1.0.json").read_text())
    assert listed["archives"]["linux_amd64"]["hashes"] == [h1_of("1.1.0"), zh_of("1.1.0")]
    assert not list(target.rglob(".*"))


@in_loop
async def test_a_mirror_is_filled_from_folders_too_and_not_with_what_is_not_locked(tmp_path):
    site = Site(tmp_path, registry("1.2.0"))
    unpacked(site.places.mirrors[0], "1.0.0", files_of("1.0.0", "linux_amd64"))
    wish, target = Wish(source_of(SOURCE), ""), tmp_path / "mirror"
    found = await mirroring.mirror(wish, None, HERE, target, site.supply())
    assert found.paths == (target / SOURCE / "1.0.0" / "linux_amd64",)
    other = Locked(SOURCE, "1.0.0", "", {"linux_amd64": (h1_of("1.2.0"),)})
    with pytest.raises(Refusal, match="E3026"):
        await mirroring.mirror(wish, other, HERE, target, site.supply())
    with pytest.raises(Refusal, match="E3030"):
        await mirroring.mirror(wish, other, BOTH, target, site.supply())


def test_entries_of_one_source_are_one_wish_with_all_demands():
    first = setup("~> 1.0")
    also = setup(">= 1.1", name="other")
    further = setup("~> 1.0", name="west", of="thing")
    local = setup(name="mine", source="./bin/mine")
    found = wishes([first, also, further, local])
    assert [(str(each.source), each.constraints) for each in found] == [(SOURCE, "~> 1.0, >= 1.1")]


def test_one_of_several_keys_is_enough():
    listing = sums("1.2.0")
    assert signed_by(listing, signed(listing), [armor("stranger"), "rubbish", armor()])
