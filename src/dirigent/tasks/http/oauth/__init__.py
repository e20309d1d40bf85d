"""Tokens of OAuth 2 and OpenID Connect: how one is asked for, kept, renewed before its end, and given up.

A token lives in the memory of the engine and in the header that carries it, nowhere else.
"""

from dirigent.tasks.http.oauth.policy import OAuth
from dirigent.tasks.http.oauth.tokens import Tokens

__all__ = ["OAuth", "Tokens"]
