"""Applies with modules: values cross the borders in the run, also after a death at any place."""

import pytest

from core.simulation import TOOLS
from dirigent.core.decide import decide
from dirigent.core.replay import advance, replay
from dirigent.engine.snapshots import plain as snapshot
from dirigent.model.ids import RunId
from dirigent.model.stack import Input, Module, Stack
from dirigent.planning.compile import compile_plan
from dirigent.stores import codec
from dirigent.testing import Fuse
from engine.boxes import Boxes, Site
from planning.world import refer, resource


def inside(*resources, inputs=(), outputs=None, modules=None):
    return Stack(
        "part",
        "/srv/part",
        inputs={name: Input(name, {"type": ["integer", "string"]}) for name in inputs},
        resources={each.name: each for each in resources},
        outputs=outputs or {},
        modules=modules or {},
    )


def part(name, **more):
    return resource(name, kind="stack", **more)


LEAF = inside(
    resource("one", of=refer("$inputs.up")),
    resource("two", of=refer("$resources.one.id"), key=refer("$inputs.key")),
    inputs=["up", "key"],
    outputs={"last": refer("$resources.two.id"), "key": refer("$inputs.key")},
)
MIDDLE = inside(
    part("leaf", each=["x", "a/b"]),
    resource("end", of=refer('$resources.leaf["a/b"].last'), up=refer("$inputs.up")),
    inputs=["up"],
    outputs={"end": refer("$resources.end.id"), "key": refer('$resources.leaf["x"].key')},
    modules={"leaf": Module(LEAF, {"up": refer("$inputs.up"), "key": refer("$each.key")})},
)


def declared(*more):
    resources = [
        resource("root", size=1),
        part("net"),
        resource("mid", of=refer("$resources.net.end")),
        part("back", count=1),
        resource("top", of=refer("$resources.back[0].end"), key=refer("$resources.net.key")),
        *more,
    ]
    given = {
        "net": Module(MIDDLE, {"up": refer("$resources.root.id")}),
        "back": Module(MIDDLE, {"up": refer("$resources.mid.id")}),
    }
    return Stack("shop", "/srv", resources={each.name: each for each in resources}, modules=given)


def applied(*deaths):
    site = Site(Boxes(Fuse(*deaths)))
    made = site.plan(declared())
    assert len(made.bridges) > 5
    end = site.apply(made, "up-1")
    assert end.phase == "completed", end
    return site


def shape(site):
    """What stands, with every id as the address that it is of."""
    rows = site.rows()
    names = {row.attributes["id"]: str(row.address) for row in rows}
    return {
        str(row.address): {key: names.get(value, value) for key, value in row.config.items()} for row in rows
    }


def test_values_cross_the_borders_of_modules_in_the_run():
    site = applied()
    standing = shape(site)
    assert standing['net/leaf["a/b"]/one'] == {"of": "root"}
    assert standing['net/leaf["a/b"]/two'] == {"of": 'net/leaf["a/b"]/one', "key": "a/b"}
    assert standing["net/end"] == {"of": 'net/leaf["a/b"]/two', "up": "root"}
    assert standing["mid"] == {"of": "net/end"}
    assert standing['back[0]/leaf["x"]/one'] == {"of": "mid"}
    assert standing["top"] == {"of": "back[0]/end", "key": "x"}
    assert site.plan(declared()).pending == ()
    site.standing()


@pytest.mark.slow
def test_a_death_at_any_place_of_an_apply_with_modules_changes_nothing():
    calm, place = shape(applied()), 0
    while True:
        place += 1
        site = applied(place)
        assert shape(site) == calm, f"died at place {place}"
        site.standing()
        assert site.plan(declared()).pending == ()
        if site.boxes.fuse.lives == 1:
            break
    assert place > 40


def test_a_value_that_does_not_fit_its_input_fails_the_run_before_anything_is_made_with_it():
    strict = Stack(
        "part",
        "/srv",
        inputs={"up": Input("up", {"type": "string"})},
        resources={"one": resource("one", of=refer("$inputs.up"))},
    )
    resources = {"root": resource("root"), "net": part("net")}
    modules = {"net": Module(strict, {"up": refer("$resources.root.id")})}
    site = Site()
    end = site.apply(site.plan(Stack("shop", "/srv", resources=resources, modules=modules)), "up-1")
    assert end.phase == "faulted"
    assert "schema" in f"{end.fault.title} {end.fault.detail}"
    assert set(site.standing()) == {"root"}


def folded(site):
    """Fold the run from a snapshot after each fact; every continuation must want the same."""
    program, facts = compile_plan(Site().plan(declared())), site.facts("up-1")
    numbers = snapshot.Numbers()
    for cut in range(1, len(facts)):
        whole = replay(program, RunId("up-1"), facts[:cut], TOOLS)
        plain = snapshot.capture(whole, numbers)
        again = snapshot.restore(codec.decode_plain(codec.encode_plain(plain)), program, RunId("up-1"), TOOLS)
        for fact in facts[cut:]:
            assert decide(again, whole.now) == decide(whole, whole.now), f"{cut} facts kept"
            advance(whole, fact)
            advance(again, fact)
        assert (again.phase, again.result) == (whole.phase, whole.result)


@pytest.mark.slow
def test_a_snapshot_at_any_place_knows_the_scopes_of_modules():
    folded(applied())
