"""One module a protocol; those that need an extra are imported only when it is there."""
