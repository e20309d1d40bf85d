"""Each protocol with an extra says what to install, where its package is not."""

import pytest

from dirigent.app.protocols import asyncapi, extras
from dirigent.model.problem import Refusal
from dirigent.model.protocols.asyncapi import SPOKEN
from dirigent.tasks.asyncapi.document import PORTS


@pytest.mark.parametrize("protocol", [name for name, (_, package) in extras.DRIVERS.items() if package])
def test_a_protocol_whose_package_is_missing_names_its_extra(protocol, monkeypatch):
    monkeypatch.setitem(extras.DRIVERS, protocol, (extras.DRIVERS[protocol][0], "no_such_package"))
    with pytest.raises(Refusal) as refusal:
        extras.driver(protocol)
    problem = refusal.value.problems[0]
    assert problem.code == "E4140"
    assert f"dirigent[{protocol}]" in problem.help[0]


def test_every_protocol_that_is_spoken_has_a_driver_and_a_port():
    assert {ours for ours, _ in SPOKEN.values()} == set(extras.DRIVERS) == set(asyncapi.CLASSES)
    assert set(SPOKEN.values()) == set(PORTS)
    for protocol, name in asyncapi.CLASSES.items():
        assert hasattr(extras.driver(protocol), name)
