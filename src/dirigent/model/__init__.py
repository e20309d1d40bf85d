"""Values that every floor above shares. Nothing here acts, waits, reads a clock or a file.

Standard library only. Every value is frozen; lists and dictionaries inside a value are never
changed after they were made.
"""
