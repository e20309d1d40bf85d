"""Test files of workflows, from text with places to values."""

from dirigent.lang.trial.document import read_trials
from dirigent.lang.trial.shapes import trials_schema

__all__ = ["read_trials", "trials_schema"]
