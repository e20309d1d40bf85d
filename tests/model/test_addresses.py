"""Addresses: what lies where, with keys that look like borders."""

import pytest

from dirigent.model.ids import address_of, canonical, declared_path, split_address, split_path

NAMES = ["web", "net/web", 'net["eu"]/web', 'net["a/b"]/sub[3]/web', 'net["x]/y["]/web']


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", [None, 0, 12, "eu", "a/b", "a b", "[", "]", "x[0]", "é", "0"])
def test_an_address_is_parted_as_it_was_put_together(name, key):
    address = address_of(name, key)
    assert split_address(address) == (name, key)
    module, local = split_path(address)
    assert address == (f"{module}/{local}" if module else local)
    assert split_address(local) == ("web", key)
    assert declared_path(address) == declared_path(name)
    assert canonical(address) == address


def test_the_declaration_of_an_address_has_no_key():
    assert declared_path('net["a/b"]/sub[3]/web["x"]#deposed') == "net/sub/web"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("web[eu]", 'web["eu"]'),
        ("net[eu]/web[0]", 'net["eu"]/web[0]'),
        ("net['eu']/web", 'net["eu"]/web'),
        ('net["a/b"]/web[c]', 'net["a/b"]/web["c"]'),
    ],
)
def test_what_a_shell_leaves_of_an_address_is_understood(written, meant):
    assert canonical(written) == meant


def test_what_is_no_address_stays_as_it_is():
    assert split_address("web[0]#deposed") == ("web[0]#deposed", None)
    assert split_address("web[]") == ("web[]", None)
    assert split_address("web]") == ("web]", None)
