"""A plan under the policy of its stack."""

from __future__ import annotations

from dataclasses import replace

from dirigent.model.plan import ApplyPolicy, OnFailure, Plan, identity


def governed(made: Plan, policy: ApplyPolicy) -> Plan:
    """Return a plan that is to be carried out under a policy; how is part of what is approved by its id."""
    if made.policy == policy:
        return made
    again = replace(made, policy=policy)
    return replace(again, id=identity(again))


def of_end(policy: ApplyPolicy) -> ApplyPolicy:
    """Return the policy for taking everything down: nobody wants all of it back because one thing stays."""
    if policy.on_failure is OnFailure.COMPENSATE:
        return replace(policy, on_failure=OnFailure.KEEP)
    return policy
