"""The section `policy` of a stack: its shape, and what it says."""

from dirigent.lang.stack.policy.reading import read_doubt, read_hosts, read_retention
from dirigent.lang.stack.policy.shapes import POLICY

__all__ = ["POLICY", "read_doubt", "read_hosts", "read_retention"]
