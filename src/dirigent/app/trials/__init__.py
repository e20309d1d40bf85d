"""Tests of workflows: found, played and recorded."""
