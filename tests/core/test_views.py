"""What modules of a graph show: put together piece by piece, it is what it would be at once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as some

from dirigent.model.resource import assemble
from dirigent.model.run.views import Views, input_name, output_name

ADDRESSES = ["web", "db[0]", "db[1]", "db[10]", 'eu["a"]', 'eu["b"]', "delete web", 'net["x"]/web', "net/web"]


@settings(derandomize=True, deadline=None, max_examples=100)
@given(some.lists(some.tuples(some.sampled_from(ADDRESSES), some.integers(), some.booleans()), max_size=12))
def test_what_is_shown_is_what_all_ends_come_to(ends):
    views, known = Views({}, {"db": []}), {"db": []}
    for address, value, looks in ends:
        views.put(address, {"id": value})
        known[address] = {"id": value}
        if looks:
            assert views.resources("") == assemble(known)
    assert views.resources("") == assemble(known)
    assert list(views.whole()) == list(assemble(known))


def test_outputs_of_an_instance_come_one_by_one_and_earlier_views_stay():
    views = Views({"net": {"inputs": {"size": 1}}}, {})
    views.put(output_name('net["eu"]', "a"), 1)
    before = views.resources("")
    views.put(output_name('net["eu"]', "b"), 2)
    views.put(output_name("other", "c"), 3)
    views.put(input_name("net", "host"), "h")
    assert before == {"net": {"eu": {"a": 1}}}
    assert views.resources("") == {"net": {"eu": {"a": 1, "b": 2}}, "other": {"c": 3}}
    assert views.inputs("net") == {"size": 1, "host": "h"}
