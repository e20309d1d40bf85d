"""Objects of a vCenter, by the provider 2.0.2 of 2021 in front of `vcsim`."""

from __future__ import annotations

from functools import partial

import pytest

from cli.rig import Desk
from providers.real.rig import actions, built
from providers.real.vcentre import centre
from providers.tofu.conftest import program_of

pytestmark = pytest.mark.slow

# A vCenter of today tells the kinds of a category in a longer form than this provider writes.
STACK = """\
stack: cloud
inputs: {server: {type: string}, name: {type: string, default: orders}}
providers:
  vsphere:
    source: hashicorp/vsphere
    with: {user: user, password: pass, vsphere_server: '${ $inputs.server }', allow_unverified_ssl: true}
resources:
  centre: {read: vsphere_datacenter, with: {name: DC0}}
  cluster: {read: vsphere_compute_cluster, with: {name: DC0_C0, datacenter_id: '${ $resources.centre.id }'}}
  category:
    type: vsphere_tag_category
    with: {name: purpose, cardinality: SINGLE, associable_types: [Folder]}
    lifecycle: {ignore: [associable_types]}
  tag:
    type: vsphere_tag
    with: {name: shop, category_id: '${ $resources.category.id }', description: first}
  folder:
    type: vsphere_folder
    with:
      path: '${ $inputs.name }'
      type: vm
      datacenter_id: '${ $resources.centre.id }'
      tags: ['${ $resources.tag.id }']
  pool:
    type: vsphere_resource_pool
    with:
      name: orders
      parent_resource_pool_id: '${ $resources.cluster.resource_pool_id }'
      cpu_limit: 2000
outputs: {folder: '${ $resources.folder.id }', pool: '${ $resources.pool.id }', tag: '${ $resources.tag.id }'}
"""


@pytest.fixture
def vcentre():
    """A vCenter of this test's own."""
    with centre(built("vcsim")) as running:
        yield running


def test_tags_folders_and_pools_live(tmp_path, vcentre):
    known = {"DIRIGENT_PROVIDER_VSPHERE": str(program_of("vsphere")), "DIRIGENT_INPUT_SERVER": vcentre.server}
    say = partial(Desk(tmp_path).write(STACK).say, **known)
    told = say("up", "--yes", "--json")
    assert told.code == 0, told
    made = told.json["outputs"]
    assert vcentre.tags()[made["tag"]]["description"] == "first"
    assert made["folder"].startswith("group-")
    assert actions(say("plan", "--json")) == {}

    # Changed and drifted at once: both are put right.
    vcentre.describe(made["tag"], "by hand")
    vcentre.destroy("ResourcePool", made["pool"])
    changed = ("--json", "--input", "name=bought")
    assert actions(say("plan", *changed)) == {"folder": "update", "pool": "create", "tag": "update"}
    told = say("up", "--yes", *changed)
    assert told.code == 0, told
    assert told.json["outputs"]["folder"] == made["folder"]
    assert told.json["outputs"]["pool"] != made["pool"]
    assert vcentre.tags()[made["tag"]]["description"] == "first"
    assert actions(say("plan", *changed)) == {}

    told = say("down", "--yes")
    assert told.code == 0, told
    assert vcentre.tags() == {}
