"""The same provider and the same configuration through Terraform 1.0.3 and through us."""

from collections import Counter

import pytest

from dirigent.providers.tofu.lifecycle import cycle as cycles
from providers.zoo.cases import WAYS, cases
from providers.zoo.comparing import disagreements
from providers.zoo.conftest import declared, drifts
from providers.zoo.ours import instances
from stores.samples import in_loop

pytestmark = pytest.mark.slow
CASES = cases(130)


async def ours_of(cycle, some):
    async with cycle() as (ours, folder):
        await ours.bring(declared(some, "before"))
        drifts(folder, some)
        return await ours.meet(declared(some, "after"))


@pytest.fixture(scope="module")
def theirs(terraform):
    """What Terraform makes of the cases; it is asked once."""
    terraform.bring(declared(CASES, "before"))
    drifts(terraform.folder, CASES)
    return terraform.meet(declared(CASES, "after"))


def of(some, met):
    """Return what was met of some of the cases."""
    names = declared(some, "before").keys() | declared(some, "after").keys()
    return {address: each for address, each in met.items() if address.split("[")[0] in names}


@in_loop
async def test_terraform_and_our_life_cycle_agree_about_every_case(theirs, cycle):
    ours = await ours_of(cycle, CASES)
    assert disagreements(CASES, ours, theirs) == []
    met = Counter(each.action for each in ours.values())
    assert set(met) == {"keep", "create", "update", "delete", "replace", "replace, create first"}
    print(f"{len(CASES)} cases, {len(ours)} instances: {dict(met)}")


@pytest.mark.parametrize(
    ("name", "fault", "seen"),
    [
        ("_forcing", lambda *_: (), "action update, of Terraform replace"),
        ("proposed", lambda _block, _prior, config: dict(config), "planned "),
    ],
)
@in_loop
async def test_a_life_cycle_with_a_planted_fault_is_found_out(theirs, cycle, monkeypatch, name, fault, seen):
    few = CASES[:39]
    monkeypatch.setattr(cycles, name, fault)
    found = disagreements(few, await ours_of(cycle, few), of(few, theirs))
    assert any(seen in line for line in found)


@pytest.fixture(scope="module")
def stood(product):
    """The product with everything made that stood before, and changed outside since."""
    made = product()
    made.bring(declared(CASES, "before"))
    drifts(made.folder, CASES)
    return made


def test_terraform_and_the_whole_product_agree_about_every_case(theirs, stood):
    ours = stood.meet(declared(CASES, "after"))
    assert disagreements(CASES, ours, theirs) == []
    met = Counter(each.action for each in ours.values())
    assert set(met) == {"keep", "create", "update", "delete", "replace", "replace, create first"}
    print(f"{len(CASES)} cases, {len(ours)} instances through the product: {dict(met)}")


def test_a_product_with_planted_faults_is_found_out(theirs, product):
    few = CASES[:26]
    made = product()
    made.bring(declared(few, "before"))
    drifts(made.folder, few)
    found = disagreements(few, made.meet(declared(few, "after"), "bad maker"), of(few, theirs))
    for seen in ("action update, of Terraform replace", "state revision: 1, of Terraform 2", "shown "):
        assert any(seen in line for line in found), found


def test_the_cases_are_of_every_way_and_always_the_same():
    assert {each.what for each in CASES} == set(WAYS)
    assert cases(130) == CASES
    assert len(list(instances(declared(CASES, "after")))) > 130
