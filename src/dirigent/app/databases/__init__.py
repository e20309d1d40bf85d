"""Stores on PostgreSQL: joined, read, and copied from and to. The driver is an extra, and imported late."""
