"""Images of registries that want to know who asks: the user's own log-ins, as Docker and Podman keep them."""

import asyncio
import json
from base64 import b64encode, urlsafe_b64decode

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Done
from dirigent.tasks.container.registry import LEARNT, Registries, registry_of
from tasks.engine_api import running
from tasks.http.loopback import order_of, vault_of

PASSWORD = "s3cret-registry-pass"
HELPER = """#!/bin/sh
read server
case "$server" in
  *token.example*) echo '{"Username": "<token>", "Secret": "an-identity-token"}' ;;
  *empty.example*) echo 'credentials not found in native keychain'; exit 1 ;;
  *broken.example*) echo 'the vault is locked'; exit 3 ;;
  *rubbish.example*) echo 'Welcome!' ;;
  *) echo "{\\"Username\\": \\"ann\\", \\"Secret\\": \\"for $server\\"}" ;;
esac
"""


def basic(user="ann", password=PASSWORD):
    return {"auth": b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def home(tmp_path):
    """A user with a helper on the path."""
    (tmp_path / ".docker").mkdir()
    (tmp_path / "bin").mkdir()
    helper = tmp_path / "bin" / "docker-credential-desk"
    helper.write_text(HELPER)
    helper.chmod(0o755)
    return tmp_path


def written(home, **config):
    (home / ".docker" / "config.json").write_text(json.dumps(config))
    return home


def environ(home, **more):
    return {"HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin", **more}


def shown(home, name, **more):
    """Return who we are for an image, None for nobody."""
    header = asyncio.run(Registries(environ(home, **more), vault_of()).header(name))
    return json.loads(urlsafe_b64decode(header)) if header else None


def user(name, server, password=PASSWORD):
    return {"username": name, "password": password, "serveraddress": server}


@pytest.mark.parametrize(
    ("name", "registry"),
    [
        ("alpine", "docker.io"),
        ("library/alpine", "docker.io"),
        ("docker.io/library/alpine", "docker.io"),
        ("index.docker.io/a/b", "docker.io"),
        ("ghcr.io/a/b", "ghcr.io"),
        ("localhost/a", "localhost"),
        ("box:5000/a", "box:5000"),
        ("box/a", "docker.io"),
    ],
)
def test_the_registry_of_an_image_is_its_first_part_if_that_is_a_host(name, registry):
    assert registry_of(name) == registry


@pytest.mark.parametrize("key", ["far.example", "https://far.example", "https://far.example/v1/"])
def test_what_docker_login_wrote_is_shown_to_its_registry_alone(home, key):
    written(home, auths={key: basic()})
    assert shown(home, "far.example/a/b") == user("ann", "far.example")
    assert shown(home, "other.example/a/b") is None
    assert shown(home, "alpine") is None


def test_dockers_own_registry_has_a_name_of_its_own(home):
    written(home, auths={"https://index.docker.io/v1/": basic()})
    for name in ("alpine", "docker.io/library/alpine"):
        assert shown(home, name) == user("ann", "https://index.docker.io/v1/")


def test_a_token_of_a_registry_is_shown_in_place_of_a_password(home):
    written(home, auths={"far.example": {**basic("00000000-0000", ""), "identitytoken": "tok"}})
    assert shown(home, "far.example/a") == {"identitytoken": "tok", "serveraddress": "far.example"}


@pytest.mark.parametrize("config", [{"credsStore": "desk"}, {"credHelpers": {"far.example": "desk"}}])
def test_a_helper_is_asked(home, config):
    written(home, auths={"far.example": {}}, **config)
    assert shown(home, "far.example/a") == user("ann", "far.example", "for far.example")


def test_a_helper_of_one_registry_comes_before_that_of_all(home):
    written(home, credsStore="absent", credHelpers={"token.example": "desk"})
    expected = {"identitytoken": "an-identity-token", "serveraddress": "token.example"}
    assert shown(home, "token.example/a") == expected


def test_a_helper_that_knows_nothing_leaves_us_nobody(home):
    assert shown(written(home, credsStore="desk"), "empty.example/a") is None


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"credsStore": "desk"}, "broken.example/a"),
        ({"credsStore": "desk"}, "rubbish.example/a"),
        ({"credsStore": "absent"}, "far.example/a"),
        ({"credsStore": "../../bin/sh"}, "far.example/a"),
    ],
)
def test_a_helper_that_cannot_help_says_so(home, config, name):
    with pytest.raises(Refusal, match="E4186") as refused:
        shown(written(home, **config), name)
    assert refused.value.problems[0].help
    assert "locked" not in str(refused.value)


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "\0", "[" * 100_000])
def test_a_file_that_is_none_says_so(home, text):
    (home / ".docker" / "config.json").write_text(text)
    with pytest.raises(Refusal, match="E4185"):
        shown(home, "far.example/a")


@pytest.mark.parametrize("auth", ["!!!", "YW5u", b64encode(b"\xff:x").decode(), 7, None, ""])
def test_an_entry_that_holds_nothing_leaves_us_nobody(home, auth):
    assert shown(written(home, auths={"far.example": {"auth": auth}}), "far.example/a") is None


def test_without_any_file_we_are_nobody(tmp_path):
    assert shown(tmp_path, "far.example/a") is None
    assert asyncio.run(Registries({}, vault_of()).header("far.example/a")) == ""


def test_the_files_of_podman_and_those_that_variables_name_are_read_too(home, tmp_path):
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers" / "auth.json").write_text(json.dumps({"auths": {"a.example": basic("pod")}}))
    (tmp_path / "mine.json").write_text(json.dumps({"auths": {"a.example": basic("mine")}}))
    written(home, auths={"b.example": basic()})
    own = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert shown(home, "a.example/x", **own)["username"] == "pod"
    mine = {**own, "REGISTRY_AUTH_FILE": str(tmp_path / "mine.json")}
    assert shown(home, "a.example/x", **mine)["username"] == "mine"
    elsewhere = {"DOCKER_CONFIG": str(tmp_path / "nowhere")}
    assert shown(home, "b.example/x", **elsewhere) is None


def test_an_image_is_fetched_by_who_we_are_and_the_password_is_known_to_be_secret(home):
    written(home, auths={"far.example": basic()})

    async def play():
        async with running(home) as (runtime, performer):
            runtime.remote |= {"far.example/a:1", "near.example/a:1"}
            vault = performer._vault
            performer._registries = Registries(environ(home), vault)
            ends = [
                await performer.perform(
                    order_of({"image": f"{host}.example/a:1"}, function="container", **more)
                )
                for host, more in (("far", {}), ("near", {"attempt": 2}))
            ]
            return ends, runtime.auths, vault.redact(f"it was {PASSWORD}")

    ends, auths, redacted = asyncio.run(play())
    assert all(isinstance(each, Done) for each in ends)
    assert json.loads(urlsafe_b64decode(auths[0])) == user("ann", "far.example")
    assert auths[1] == "", "another registry does not get it"
    assert redacted == f"it was (secret {LEARNT})"
