"""The stack that a command works with: imported where there is one."""
