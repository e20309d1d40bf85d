"""Objects of an LXD, by a provider of 2021 that speaks version 5 of the protocol and knows no identities."""

from __future__ import annotations

from functools import partial

import pytest

from cli.rig import Desk
from providers.real.lxd_rig import lxd
from providers.real.rig import actions
from providers.tofu.conftest import program_of

pytestmark = pytest.mark.slow

STACK = """\
stack: boxes
inputs: {limit: {type: string, default: "2"}}
providers: {lxd: {source: terraform-lxd/lxd, with: {config_dir: config, refresh_interval: 1s}}}
resources:
  net: {type: lxd_network, with: {name: orders0, config: {ipv4.nat: "true", ipv6.address: none}}}
  pool: {type: lxd_storage_pool, with: {name: orders, driver: dir, config: {source: /srv/orders}}}
  disk: {type: lxd_volume, with: {name: orders, pool: '${ $resources.pool.name }'}}
  box:
    type: lxd_profile
    with:
      name: orders
      config: {limits.cpu: '${ $inputs.limit }'}
      device:
        - {name: eth0, type: nic, properties: {nictype: bridged, parent: '${ $resources.net.name }'}}
        - {name: root, type: disk, properties: {path: /, pool: '${ $resources.pool.name }'}}
  web:
    type: lxd_container
    with: {name: web, image: box, profiles: ['${ $resources.box.name }'], start_container: false}
"""


@pytest.fixture
def world():
    """An LXD that has nothing but an image, `box`."""
    with lxd() as running:
        yield running


@pytest.fixture
def say(tmp_path, world):
    """What gives a command in a folder with the stack."""
    desk = Desk(tmp_path).write(STACK)
    known = {"DIRIGENT_PROVIDER_LXD": str(program_of("lxd")), "LXD_DIR": str(world.folder)}
    return partial(desk.say, **known)


def test_containers_profiles_networks_and_volumes_live(say, world):
    told = say("up", "--yes", "--json")
    assert told.code == 0, told
    assert sorted(world.objects) == [
        "containers/web",
        "networks/orders0",
        "profiles/orders",
        "storage-pools/orders",
        "storage-pools/orders/volumes/custom/orders",
    ]
    assert world.objects["profiles/orders"]["devices"]["eth0"]["parent"] == "orders0"
    assert actions(say("plan", "--json")) == {}

    # Drifted by hand, and repaired.
    world.objects["profiles/orders"]["config"] = {"limits.cpu": "9"}
    world.objects["networks/orders0"]["config"]["ipv4.nat"] = "false"
    del world.objects["containers/web"]
    assert actions(say("plan", "--json")) == {"box": "update", "net": "update", "web": "create"}
    assert say("up", "--yes", "--input", "limit=3").code == 0
    assert world.objects["profiles/orders"]["config"] == {"limits.cpu": "3"}
    assert world.objects["networks/orders0"]["config"]["ipv4.nat"] == "true"
    assert "containers/web" in world.objects

    # Let go of, and taken over again.
    assert say("forget", "net", "box", "--yes").code == 0
    assert say("import", "box", "orders", "--yes", "--input", "limit=3").code == 0
    assert say("import", "net", "orders0", "--yes", "--input", "limit=3").code == 0
    assert actions(say("plan", "--json", "--input", "limit=3")) == {}

    told = say("down", "--yes")
    assert told.code == 0, told
    assert world.objects == {}


def test_what_the_server_refuses_is_said_in_its_words_and_nothing_is_forgotten(say, world):
    assert say("up", "--yes").code == 0
    world.objects["containers/other"] = {"profiles": ["orders"]}
    told = say("down", "--yes")
    assert told.code == 1
    assert "Profile is currently in use" in told.err
    assert {"profiles/orders", "networks/orders0"} < set(world.objects)
    del world.objects["containers/other"]
    assert say("down", "--yes").code == 0
    assert world.objects == {}
