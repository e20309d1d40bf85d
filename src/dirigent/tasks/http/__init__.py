"""Calls over HTTP: one guarded client, and the performer of the function `http`.

Nothing else in Dirigent opens a connection to a host that a document names.
"""

from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.client import Client

__all__ = ["Client", "HttpPerformer"]
