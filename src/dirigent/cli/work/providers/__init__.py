"""The work of `providers`: to lock, to mirror, to list, to show schemas."""
