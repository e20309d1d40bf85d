"""Sensitive values at rest: opened by who has the key, equal where they are equal, and told to nobody."""

from __future__ import annotations

import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from dirigent.model.problem import Refusal
from dirigent.model.stack import Secret
from dirigent.model.values import SecretRef, SecretText, Unknown
from dirigent.providers.tofu.provider.changing import identified
from dirigent.providers.tofu.provider.secrecy import Secrecy
from dirigent.providers.tofu.schema.shape import Attribute, Block, NestedBlock, Nesting
from dirigent.providers.tofu.sealing import Seal, opened, sealed_leaves, token_of
from dirigent.providers.tofu.values.types import NUMBER, STRING, Collection, Kind
from dirigent.tasks.secrets import EnvironmentVault

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
BLOCK = Block(
    {
        "name": Attribute("name", STRING, optional=True),
        "url": Attribute("url", STRING, computed=True),
        "key": Attribute("key", STRING, optional=True, sensitive=True),
        "codes": Attribute("codes", Collection(Kind.LIST, NUMBER), optional=True, sensitive=True),
    },
    {
        "login": NestedBlock(
            "login",
            Block(
                {"user": Attribute("user", STRING), "password": Attribute("password", STRING, sensitive=True)}
            ),
            Nesting.MAP,
        )
    },
)


@pytest.fixture
def seal(tmp_path):
    return Seal(str(tmp_path / "state" / "sensitive.key"))


@pytest.fixture
def secrecy(seal):
    secret = Secret("token", "env", "TOKEN")
    return Secrecy(EnvironmentVault({"token": secret}, {"TOKEN": "hunter2"}, ".", None, seal.text), seal)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(VALUES)
def test_what_is_sealed_is_opened_again(tmp_path_factory, value):
    seal = Seal(str(tmp_path_factory.getbasetemp() / "one.key"))
    closed = seal.close(value)
    assert closed == seal.close(value)
    assert str(closed) == "(sensitive)"
    assert seal.open(token_of(closed)) == value
    leaves = sealed_leaves(value, seal)
    assert opened(leaves, lambda text: seal.open(token_of(text))) == value


def test_the_key_is_a_file_for_nobody_else_and_another_key_opens_nothing(seal, tmp_path):
    token = token_of(seal.close("hunter2"))
    place = tmp_path / "state" / "sensitive.key"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert [each.name for each in place.parent.iterdir()] == ["sensitive.key"]
    assert Seal(str(place)).open(token) == "hunter2"
    other = Seal(str(tmp_path / "other.key"))
    other.close("")
    for broken in (other, Seal(str(tmp_path / "none.key"))):
        with pytest.raises(Refusal) as refused:
            broken.open(token)
        assert refused.value.problems[0].code == "E3018"
    with pytest.raises(Refusal):
        seal.open(token[:-4] + "AAA=")


def test_a_state_shows_nothing_that_is_sensitive_or_holds_a_secret_that_was_sent(secrecy):
    assert secrecy.reveal({"name": SecretText(("x-", SecretRef("token")))}) == {"name": "x-hunter2"}
    state = {
        "name": "x-hunter2",
        "url": "http://me:hunter2@host",
        "key": "k" * 9,
        "codes": [1, None, Unknown()],
        "login": {"a": {"user": "me", "password": "open sesame"}},
    }
    hidden = secrecy.hide(BLOCK, state)
    assert "hunter2" not in repr(hidden)
    assert "sesame" not in repr(hidden)
    assert [str(hidden[name]) for name in ("name", "url", "key")] == ["(sensitive)"] * 3
    assert hidden["codes"][1:] == [None, Unknown()]
    assert hidden["login"]["a"]["user"] == "me"
    assert secrecy.fresh().reveal(hidden) == state


def test_a_provider_that_says_a_secret_is_not_repeated(secrecy):
    secrecy.learn(BLOCK, {"key": "very secret", "codes": None, "login": {"a": {"password": "open sesame"}}})
    secrecy.reveal(SecretText((SecretRef("token"),)))
    said = "cannot log in with hunter2 or open sesame at very secret"
    assert secrecy.withheld(said) == "cannot log in with (secret token) or (sensitive) at (sensitive)"


def test_a_vault_opens_what_was_sealed_and_takes_it_out_of_what_comes_back(secrecy, seal):
    closed = seal.close("open sesame")
    assert secrecy.vault.reveal([closed]) == ["open sesame"]
    assert secrecy.vault.redact("say open sesame") == "say (secret of a resource)"


@pytest.mark.parametrize(
    ("pattern", "identity"),
    [
        ("{name}", "web"),
        ("{place.zone}/{name}:{port}", "eu/web:80"),
        ("fixed", "fixed"),
        ("{missing}", ""),
        ("{place}", ""),
        ("{flag}", ""),
    ],
)
def test_an_identity_is_filled_in_from_the_configuration(pattern, identity):
    given_ = {"name": "web", "port": 80, "place": {"zone": "eu"}, "flag": True, "missing": None}
    assert identified(pattern, given_) == identity
