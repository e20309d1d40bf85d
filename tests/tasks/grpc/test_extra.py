"""A package that is not there is said to be missing, with what to install."""

import asyncio

import pytest

from dirigent.app.protocols import extras
from dirigent.model.problem import Refusal


def test_a_missing_package_is_a_problem_that_says_what_to_install():
    with pytest.raises(Refusal) as refusal:
        extras.require("a call over gRPC", "grpc", "grpc", "no_such_package.inside")
    problem = refusal.value.problems[0]
    assert problem.code == "E4140"
    assert "no_such_package" in problem.message
    assert "dirigent[grpc]" in problem.help[0]


def test_packages_that_are_there_are_no_problem():
    extras.require("a thing", "none", "asyncio", "json.decoder")
    assert asyncio
