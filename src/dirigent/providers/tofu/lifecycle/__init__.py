"""What is done around the calls of a provider: propose, check, replace, apply, keep.

Rules of order and of comparison: OpenTofu, docs/resource-instance-change-lifecycle.md.
"""
