"""Performers of protocols whose packages are extras."""
