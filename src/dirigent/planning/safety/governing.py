"""A plan under the policy of its stack."""

from __future__ import annotations

from dataclasses import replace

from dirigent.model.plan import ApplyPolicy, OnFailure, Plan, identity
from dirigent.model.stack import Stack


def policy_of(stack: Stack) -> ApplyPolicy:
    """Return how plans of a stack are carried out, with what its providers allow."""
    narrow = {
        name: setup.parallel
        for name, setup in stack.providers.items()
        if setup.parallel < stack.apply.parallel
    }
    return replace(stack.apply, providers=narrow)


def governed(made: Plan, policy: ApplyPolicy) -> Plan:
    """Return a plan that is to be carried out under a policy; how is part of what is approved by its id."""
    again = under(made, policy)
    return made if again is made else replace(again, id=identity(again))


def under(made: Plan, policy: ApplyPolicy) -> Plan:
    """Return a plan under a policy, before it has an id."""
    wanted = {change.provider for change in made.pending}
    narrow = {name: width for name, width in policy.providers.items() if name in wanted}
    policy = replace(policy, providers=narrow)
    return made if made.policy == policy else replace(made, policy=policy)


def of_end(policy: ApplyPolicy) -> ApplyPolicy:
    """Return the policy for taking everything down: nobody wants all of it back because one thing stays."""
    if policy.on_failure is OnFailure.COMPENSATE:
        return replace(policy, on_failure=OnFailure.KEEP)
    return policy
