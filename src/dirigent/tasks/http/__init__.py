"""Calls over HTTP: one guarded client, and the performer of the function `http`.

Nothing else in Dirigent opens a connection to a host that a document names.
"""
