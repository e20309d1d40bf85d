"""Volumes, networks and containers of a Docker, by a provider of today that Go has built.

Its build takes minutes of a processor: `python scripts/builds.py --docker` does it, and no gate waits for it.
"""

from __future__ import annotations

import subprocess
from functools import partial

import pytest

from cli.rig import Desk
from providers.real.rig import actions, built
from system.test_containers import IMAGE, docker

pytestmark = pytest.mark.slow
__all__ = ["docker"]

STACK = """\
stack: boxes
inputs: {socket: {type: string}, word: {type: string, default: hello}}
providers: {docker: {source: kreuzwerker/docker, with: {host: '${ "unix://" + $inputs.socket }'}}}
resources:
  image: {read: docker_image, with: {name: 'IMAGE'}}
  net:
    type: docker_network
    with: {name: orders, driver: bridge, internal: true, ipam_config: [{subnet: 10.199.1.0/24}]}
  store: {type: docker_volume, with: {name: orders, labels: [{label: of, value: shop}]}}
  web:
    type: docker_container
    with:
      name: web
      image: '${ $resources.image.id }'
      command: [sleep, '1000']
      network_mode: none
      env: ['${ "WORD=" + $inputs.word }']
      volumes: [{volume_name: '${ $resources.store.name }', container_path: /held}]
      destroy_grace_seconds: 1
    lifecycle: {identity: '{name}'}
outputs: {web: '${ $resources.web.id }'}
""".replace("IMAGE", IMAGE)


def engine(socket, *words):
    """Say something to the Docker as a person would, and return what it answers."""
    command = ["docker", "-H", f"unix://{socket}", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def program():
    """The provider; without it no Docker has to be started."""
    return built("terraform-provider-docker", "python scripts/builds.py --docker")


def test_volumes_networks_and_containers_live(tmp_path, program, docker):
    known = {"DIRIGENT_PROVIDER_DOCKER": str(program), "DIRIGENT_INPUT_SOCKET": docker}
    say = partial(Desk(tmp_path).write(STACK).say, **known)
    told = say("up", "--yes", "--json")
    assert told.code == 0, told
    assert engine(docker, "inspect", "web", "-f", "{{.Id}}") == told.json["outputs"]["web"]
    assert actions(say("plan", "--json")) == {}

    # Drifted by hand, and repaired: one is gone, one has ended.
    engine(docker, "network", "rm", "orders")
    engine(docker, "stop", "-t", "0", "web")
    assert actions(say("plan", "--json")) == {"net": "create", "web": "update"}
    assert say("up", "--yes").code == 0
    assert engine(docker, "inspect", "web", "-f", "{{.State.Running}}") == "true"
    assert actions(say("plan", "--json")) == {}

    # Changed: another container, with the same volume.
    assert say("up", "--yes", "--input", "word=bye").code == 0
    assert "WORD=bye" in engine(docker, "inspect", "web", "-f", "{{.Config.Env}}")

    # Let go of, and taken over again.
    assert say("forget", "store", "--yes").code == 0
    assert say("import", "store", "orders", "--yes", "--input", "word=bye").code == 0
    told = say("plan", "--json", "--input", "word=bye")
    assert actions(told) == {}, told.out

    told = say("down", "--yes")
    assert told.code == 0, told
    assert engine(docker, "ps", "-aqf", "name=web") == engine(docker, "volume", "ls", "-q") == ""
