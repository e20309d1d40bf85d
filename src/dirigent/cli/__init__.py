"""The command line. It holds no rule: every command makes one call of a use case and shows the answer.

Nothing heavy is imported before the command is known; `tests/cli/test_start.py` holds the list.
"""
