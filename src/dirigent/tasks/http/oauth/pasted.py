"""Codes that a person brings from the authority: where to get one, and how it is bound to who asked.

The verifier of RFC 7636 is made anew from a key whenever it is needed: the run may wait for the person
longer than an engine lives, and nothing of it has to be kept.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from dirigent.shim import files
from dirigent.tasks.http.failure import unauthenticated
from dirigent.tasks.http.oauth.policy import OAuth

STATE_CHARACTERS: Final = 22


def key_of(path: str) -> str:
    """Return the key that a file holds; one is made where there is none yet. Blocks."""
    files.make_folder(str(Path(path).parent))
    files.write_once(path, token_hex().encode())
    return Path(path).read_text(encoding="ascii")


class Verifiers:
    """Makes verifiers and states. `key` gives the key of clients that have no secret of their own."""

    def __init__(self, key: Callable[[], str] | None = None) -> None:
        """Take where the key is; without one it is this process's own."""
        self._key = key
        self._own = "" if key is not None else token_hex()

    def verifier(self, policy: OAuth) -> str:
        """Return the verifier of a run for a policy: 43 characters."""
        return self._made("verifier", policy)

    def state(self, policy: OAuth) -> str:
        """Return the word by which an answer is known to be one to our question."""
        return self._made("state", policy)[:STATE_CHARACTERS]

    def address(self, policy: OAuth, endpoint: str) -> str:
        """Return the address that a person opens in a browser."""
        challenge = _plain(sha256(self.verifier(policy).encode()).digest())
        pairs = [("response_type", "code"), ("client_id", policy.client.id)]
        if policy.scopes:
            pairs.append(("scope", " ".join(policy.scopes)))
        pairs += [("audience", audience) for audience in policy.audiences]
        pairs += [
            ("state", self.state(policy)),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ]
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(pairs)}"

    def code(self, policy: OAuth, pasted: str) -> str:
        """Return the code of what a person pasted: the code alone, or the whole address with it.

        Raises `CallFailed` for a refusal of the authority, and for an answer to somebody else's question.
        """
        text = pasted.strip()
        if "://" not in text and "code=" not in text and "error=" not in text:
            return text
        query = parse_qs(urlsplit(text).query or text.partition("?")[2] or text)
        if "error" in query:
            raise unauthenticated(f"the authority said no: {', '.join(query['error'])}")
        state = query.get("state", [""])[0]
        if not hmac.compare_digest(state.encode(), self.state(policy).encode()):
            raise unauthenticated(
                "what was pasted is the answer to another question: its `state` is not ours"
            )
        code = query.get("code", [""])[0]
        if not code:
            raise unauthenticated("what was pasted holds no `code`")
        return code

    def _made(self, purpose: str, policy: OAuth) -> str:
        key = policy.client.secret or (self._key() if self._key is not None else self._own)
        words = f"{purpose}\n{policy.run}\n{policy.authority}\n{policy.client.id}"
        return _plain(hmac.digest(key.encode(), words.encode(), "sha256"))


def _plain(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
