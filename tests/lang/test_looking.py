"""What is looked up, opened or called: one key in the place of `type`, and a provider that is declared."""

import pytest

from dirigent.lang.stack import read_stack
from lang.fakes import context

HEAD = "stack: demo\nproviders: {time: {source: hashicorp/time}, west: {of: time}}\nresources:\n"


def read(entry):
    return read_stack(f"{HEAD}  a: {entry}\n", "stack.yaml", "/stack", context())


def refused(entry):
    return [(each.code, each.at.line, each.at.column) for each in read(entry)[1]]


@pytest.mark.parametrize(
    ("entry", "kind", "provider"),
    [
        ("{read: time_now}", "time_now", "time"),
        ("{open: time_lease, with: {a: 1}}", "open time_lease", "time"),
        ("{open: lease, provider: west}", "open lease", "west"),
        ("{call: time::parse, with: {at: x}}", "call time::parse", "time"),
        ("{call: provider::time::parse}", "call provider::time::parse", "time"),
        ("{call: 'time::parse', provider: west, count: 2}", "call time::parse", "west"),
    ],
)
def test_an_entry_says_what_it_looks_up(entry, kind, provider):
    stack, problems = read(entry)
    assert not problems
    found = stack.resources["a"]
    assert (found.type, found.provider, found.reads) == (kind, provider, True)


def test_only_one_of_them_may_stand():
    assert refused("{read: time_now, open: time_lease}") == [("E1440", 4, 23)]
    assert ("E1440", 4, 19) in refused("{type: file, call: time::parse, with: {path: x}}")


def test_a_function_is_written_with_its_provider():
    assert ("E1440", 4, 13) in refused("{call: parse}")
    assert ("E1440", 4, 13) in refused("{call: 'time::pa rse'}")


def test_the_provider_is_declared():
    assert refused("{call: tine::parse}") == [("E1441", 4, 13)]
    assert refused("{open: vault_token}") == [("E1441", 4, 13)]
