"""`place-order` on a shop that is up, killed at every place."""

import pytest

from system.rig.shop import Shop
from system.rig.storm import Ordering, pairs

pytestmark = pytest.mark.slow

KINDS = {
    "success": {},
    "unavailable-twice": {"faults": [{"operation": "charge", "mode": "fail", "times": 2}]},
    "refused": {"country": "AQ"},
    "dies-after-commit": {"faults": [{"operation": "charge", "mode": "die", "moment": "after"}]},
}


@pytest.fixture(scope="module")
def shop(forge, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    made = Shop.made(folder, forge)
    made.calm("up", "--yes")
    yield made
    forge.sweep()


@pytest.fixture(params=KINDS)
def ordering(request, shop, tally):
    return Ordering(shop, request.param, tally, **KINDS[request.param])


def test_an_order_killed_once_at_every_place_ends_as_the_calm_one(ordering):
    missed = [death for death in ordering.learn() if not ordering.round(death)]
    assert not missed


def test_an_order_killed_twice_in_a_row_ends_as_the_calm_one(ordering):
    for deaths in pairs(ordering.learn(), 3):
        ordering.round(*deaths)
