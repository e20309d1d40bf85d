"""An authority of OAuth 2 and OpenID Connect on loopback, and the API that believes its tokens.

It is strict: a client that does not prove who it is gets no token, and a code is good once.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, unquote_plus

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.oauth.tokens import Clocks, Tokens
from tasks.http.loopback import client_of, order_of, request_of, response, serving, vault_of

ID, SECRET = "runtime", "s3cret/of the+client"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Ticking:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def plain(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authority:
    """Answers as the standards say. `plan` changes what it does; `asked` is what its endpoints were sent."""

    def __init__(self, **plan):
        self.life = plan.get("life", 3600)
        self.refreshes = plan.get("refreshes", False)
        self.jwt = plan.get("jwt", False)
        self.key = plan.get("key")
        self.code_verifiers = {}
        self.wanted = set()
        self.given = []
        self.refresh_tokens = set()
        self.asked = []
        self.calls = []
        self.revoked = []
        self.down = 0
        self.server = None

    @property
    def url(self):
        return self.server.url + "/realms/shop"

    async def __call__(self, seen):
        path = seen.target.partition("?")[0]
        await asyncio.sleep(0)
        match path.removeprefix("/realms/shop"):
            case "/oauth2/token" | "/t":
                return self.token(seen)
            case "/oauth2/introspect":
                return response(200, {"active": True, "iss": self.url})
            case "/oauth2/revoke":
                self.revoked.append(self.members(seen)["token"])
                return response(200, {})
            case "/.well-known/openid-configuration":
                return response(200, self.description())
            case _:
                return self.api(seen)

    def description(self):
        return {
            "issuer": self.url,
            "token_endpoint": self.url + "/t",
            "authorization_endpoint": self.url + "/enter",
        }

    def api(self, seen):
        self.calls.append(seen)
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if token in self.given and token not in self.refused():
            return response(200, {"echo": token, "x": seen.headers.get("x-token", "")})
        return response(401, {"you": token})

    def refused(self):
        return self.wanted

    def members(self, seen):
        if seen.headers["content-type"] == "application/json":
            return json.loads(seen.body)
        found = parse_qs(seen.body.decode())
        return {name: texts[0] if len(texts) == 1 else texts for name, texts in found.items()}

    def token(self, seen):
        members = self.members(seen)
        self.asked.append(members)
        if self.down:
            self.down -= 1
            return response(503, b"later", content_type="text/plain")
        if not self.client(seen, members):
            return response(401, {"error": "invalid_client", "error_description": "who are you?"})
        if not self.grant(members):
            return response(400, {"error": "invalid_grant"})
        return response(200, self.answer())

    def answer(self):
        number = len(self.given) + 1
        token = f"token-{number}-{hashlib.sha256(str(number).encode()).hexdigest()[:20]}"
        if self.jwt:
            claims = base64.urlsafe_b64encode(json.dumps({"iss": self.url, "n": number}).encode())
            token = f"e30.{claims.decode().rstrip('=')}.c2ln"
        self.given.append(token)
        given = {"access_token": token, "token_type": "Bearer"}
        if self.life:
            given["expires_in"] = self.life
        if self.refreshes:
            given["refresh_token"] = f"refresh-{number}-{'r' * 12}"
            self.refresh_tokens.add(given["refresh_token"])
        return given

    def grant(self, members):
        match members["grant_type"]:
            case "client_credentials":
                return True
            case "password":
                return (members["username"], members["password"]) == ("joe", "hunter2")
            case "refresh_token":
                return members["refresh_token"] in self.refresh_tokens
            case "authorization_code":
                challenge = self.code_verifiers.pop(members["code"], None)
                made = hashlib.sha256(members["code_verifier"].encode()).digest()
                return challenge is not None and challenge == made
            case other:
                return other == EXCHANGE and members["subject_token"] == "of-joe"

    def client(self, seen, members):
        basic = seen.headers.get("authorization", "")
        if basic.startswith("Basic "):
            pair = base64.b64decode(basic.removeprefix("Basic ")).decode().split(":")
            return [unquote_plus(part) for part in pair] == [ID, SECRET]
        if "client_assertion" in members:
            return self.signed(members["client_assertion"])
        if self.key == "none":
            return members["client_id"] == ID and "client_secret" not in members
        return (members.get("client_id"), members.get("client_secret")) == (ID, SECRET)

    def signed(self, assertion):
        content, _, signature = assertion.rpartition(".")
        head, claims = (json.loads(plain(part)) for part in content.split("."))
        if not claims:
            return False
        assert claims["iss"] == claims["sub"] == ID
        assert claims["aud"].endswith("/oauth2/token")
        assert claims["exp"] - claims["iat"] == 300
        raw = plain(signature)
        match head["alg"]:
            case "HS256":
                return hmac.compare_digest(hmac.digest(SECRET.encode(), content.encode(), "sha256"), raw)
            case "RS256":
                self.key.verify(raw, content.encode(), padding.PKCS1v15(), hashes.SHA256())
            case "ES256":
                halves = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
                self.key.verify(encode_dss_signature(*halves), content.encode(), ec.ECDSA(hashes.SHA256()))
        return True


def pem_of(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@asynccontextmanager
async def standing(**plan):
    """Yield an authority, and what asks it for tokens with a clock that stands still."""
    authority = Authority(**plan)
    async with serving(authority) as server:
        authority.server = server
        yield authority, Asker(authority, plan.get("secrets", {}))


class Asker:
    """The performer of `http` beside the authority, with its vault and its clock."""

    def __init__(self, authority, secrets):
        self.authority = authority
        self.clock = Ticking()
        self.vault = vault_of(**{"client": SECRET, **secrets})
        client = client_of(authority.server.host)
        clocks = Clocks(self.clock, lambda: 1_700_000_000.0, lambda: "unique")
        self.tokens = Tokens(client, self.vault, clocks=clocks)
        self.performer = HttpPerformer(client, self.vault, Credentials(self.vault, self.tokens))

    async def call(self, authentication, order=None, **request):
        request = request_of(self.authority.server.url + "/api", authentication=authentication, **request)
        return await self.performer.perform(order_of(request, **(order or {})))

    def policy(self, scheme="oauth2", **more):
        client = {"id": ID, "secret": SECRET, **more.pop("client", {})}
        client = {name: text for name, text in client.items() if text is not None}
        return {
            "scheme": scheme,
            "authority": self.authority.url,
            "grant": "client_credentials",
            "client": client,
            **more,
        }
