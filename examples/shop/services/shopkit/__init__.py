"""What the three services of the shop share: HTTP, one SQLite file each, and effects that happen once.

Law: an effect, its line in the ledger and the answer kept under its `Idempotency-Key` are one
commit. So the same key never acts twice, whoever repeats it and wherever the process died.
Standard library only; a service is a table of routes.
"""

from shopkit.server import serve
from shopkit.store import enter, rows
from shopkit.terms import Refused, Request, Route, Service

__all__ = ["Refused", "Request", "Route", "Service", "enter", "rows", "serve"]
