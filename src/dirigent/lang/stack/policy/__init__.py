"""The section `policy` of a stack: its shape, and what it says."""
