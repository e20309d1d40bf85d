"""The state of Terraform and OpenTofu, version 4: read, written, and held against our rows. No I/O.

Reference: the document is not specified; its members are those that OpenTofu reads and writes
(internal/states/statefile/version4.go), see docs/decisions/0039-state.md.
"""
