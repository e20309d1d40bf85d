"""Tokens: how each grant and client gets one, how they are kept and renewed, and that nobody sees them."""

import asyncio
import json
from base64 import urlsafe_b64decode
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from dirigent.model.fault import AUTHENTICATION, COMMUNICATION, CONFIGURATION, VALIDATION
from dirigent.model.run.effect import Done
from dirigent.tasks.http.oauth.asking import Token, fresh_seconds
from dirigent.tasks.http.oauth.policy import placed
from dirigent.tasks.secrets import LEARNED
from tasks.http.authority import EXCHANGE, ID, SECRET, pem_of, standing
from tasks.http.loopback import KEY, order_of, secret, vault_of

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def asked(plan=None, *, calls=1, **policy):
    """Make a call under a policy, and return the outcome, what the authority was asked, and the authority."""

    async def play():
        async with standing(**(plan or {})) as (authority, asker):
            outcome = None
            for _ in range(calls):
                outcome = await asker.call(asker.policy(**policy))
            return outcome, authority

    return asyncio.run(play())


def test_client_credentials_give_a_token_that_the_api_believes():
    outcome, authority = asked(scopes=["read", "write"], audiences=["a", "b"])
    assert isinstance(outcome, Done)
    assert authority.asked == [
        {
            "grant_type": "client_credentials",
            "scope": "read write",
            "audience": ["a", "b"],
            "client_id": ID,
            "client_secret": SECRET,
        }
    ]


def test_a_token_is_never_seen_although_the_api_echoes_it():
    outcome, authority = asked()
    assert outcome.output["echo"] == f"(secret token of {authority.url})"
    assert authority.given[0] not in json.dumps(outcome.output)


def test_a_request_in_json_holds_the_same():
    _, authority = asked(request={"encoding": "application/json"}, audiences=["a", "b"])
    assert authority.asked[0]["audience"] == ["a", "b"]
    assert authority.asked[0]["grant_type"] == "client_credentials"


@pytest.mark.parametrize(
    ("way", "plan", "client"),
    [
        ("client_secret_basic", {}, {}),
        ("client_secret_post", {}, {}),
        ("client_secret_jwt", {}, {}),
        ("private_key_jwt", {"key": RSA.public_key()}, {"secret": pem_of(RSA)}),
        ("private_key_jwt", {"key": CURVE.public_key()}, {"secret": pem_of(CURVE)}),
        ("none", {"key": "none"}, {"secret": None}),
    ],
)
def test_a_client_says_who_it_is_in_each_of_the_five_ways(way, plan, client):
    outcome, authority = asked(plan, client={"authentication": way, **client})
    assert isinstance(outcome, Done), outcome
    told = authority.asked[0]
    assert ("client_secret" in told) is (way == "client_secret_post")
    assert ("client_assertion" in told) is way.endswith("jwt")


def test_an_assertion_that_somebody_else_signed_is_sent_as_it_is():
    outcome, authority = asked(
        client={"authentication": "private_key_jwt", "secret": None, "assertion": "e30.e30.AAAA"}
    )
    assert authority.asked[0]["client_assertion"] == "e30.e30.AAAA"
    assert outcome.fault.type == AUTHENTICATION


def test_a_key_that_is_none_is_said_to_be_none():
    outcome, authority = asked(client={"authentication": "private_key_jwt"})
    assert outcome.fault.type == CONFIGURATION
    assert "E4122" in outcome.fault.detail
    assert SECRET not in outcome.fault.detail
    assert authority.calls == []


@pytest.mark.parametrize(
    ("policy", "sent"),
    [
        ({"grant": "password", "username": "joe", "password": "hunter2"}, {"username": "joe"}),
        (
            {
                "grant": EXCHANGE,
                "subject": {"token": "of-joe", "type": "urn:ietf:params:oauth:token-type:access_token"},
                "actor": {"token": "of-us", "type": "urn:ietf:params:oauth:token-type:jwt"},
            },
            {
                "subject_token": "of-joe",
                "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "actor_token": "of-us",
                "actor_token_type": "urn:ietf:params:oauth:token-type:jwt",
            },
        ),
    ],
)
def test_each_grant_sends_what_it_lives_on(policy, sent):
    outcome, authority = asked(**policy)
    assert isinstance(outcome, Done)
    assert authority.asked[0]["grant_type"] == policy["grant"]
    assert sent.items() <= authority.asked[0].items()


def test_a_refresh_token_is_the_grant_of_who_has_one():
    async def play():
        async with standing() as (authority, asker):
            authority.refresh_tokens.add("long-lived-one")
            subject = {"token": "long-lived-one", "type": "urn:ietf:params:oauth:token-type:refresh_token"}
            return await asker.call(asker.policy(grant="refresh_token", subject=subject))

    assert isinstance(asyncio.run(play()), Done)


# Kept and renewed.


def test_calls_share_a_token_and_ask_for_it_once_however_many_begin_together():
    async def play():
        async with standing() as (authority, asker):
            outcomes = await asyncio.gather(*(asker.call(asker.policy()) for _ in range(20)))
            return outcomes, authority

    outcomes, authority = asyncio.run(play())
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert len(authority.asked) == 1


def test_a_token_is_renewed_before_its_end_and_not_sooner():
    async def play():
        async with standing(life=100) as (authority, asker):
            for moved in (0, 79, 0.5, 1):
                asker.clock.now += moved
                assert isinstance(await asker.call(asker.policy()), Done)
            return authority

    assert len(asyncio.run(play()).asked) == 2


@pytest.mark.parametrize(("life", "fresh"), [(3600, 3540), (100, 80), (1, 0.8), (None, None)])
def test_the_margin_is_a_minute_or_a_fifth_of_a_short_life(life, fresh):
    assert fresh_seconds(Token("t", life)) == fresh


def test_a_refresh_token_renews_where_there_is_one():
    async def play():
        async with standing(refreshes=True) as (authority, asker):
            await asker.call(asker.policy())
            asker.clock.now += 3600
            await asker.call(asker.policy())
            return authority

    assert [each["grant_type"] for each in asyncio.run(play()).asked] == [
        "client_credentials",
        "refresh_token",
    ]


def test_a_refresh_token_that_was_taken_back_is_no_end():
    async def play():
        async with standing(refreshes=True) as (authority, asker):
            await asker.call(asker.policy())
            asker.clock.now += 3600
            authority.refresh_tokens.clear()
            return await asker.call(asker.policy()), authority

    outcome, authority = asyncio.run(play())
    assert isinstance(outcome, Done)
    assert [each["grant_type"] for each in authority.asked] == [
        "client_credentials",
        "refresh_token",
        "client_credentials",
    ]


def test_a_refused_token_is_renewed_once_also_for_a_call_that_is_unsafe():
    async def play():
        async with standing() as (authority, asker):
            await asker.call(asker.policy())
            authority.wanted.add(authority.given[0])
            return await asker.call(asker.policy(), method="post", body={"n": 1}), authority

    outcome, authority = asyncio.run(play())
    assert isinstance(outcome, Done)
    assert len(authority.asked) == 2
    assert [seen.method for seen in authority.calls] == ["GET", "POST", "POST"]
    assert {seen.headers.get("idempotency-key") for seen in authority.calls[1:]} == {KEY}


def test_a_server_that_refuses_the_second_token_too_ends_it():
    async def play():
        async with standing() as (authority, asker):
            authority.refused = lambda: authority.given
            return await asker.call(asker.policy()), authority

    outcome, authority = asyncio.run(play())
    assert (outcome.fault.type, outcome.fault.status) == (AUTHENTICATION, 401)
    assert not outcome.fault.doubtful
    assert len(authority.asked) == len(authority.calls) == 2
    assert not any(token in outcome.fault.detail for token in authority.given)


def test_a_refused_token_is_revoked_where_the_policy_says_where():
    async def play():
        async with standing() as (authority, asker):
            policy = asker.policy(endpoints={"revocation": "/oauth2/revoke"})
            await asker.call(policy)
            authority.wanted.add(authority.given[0])
            await asker.call(policy)
            return authority

    authority = asyncio.run(play())
    assert authority.revoked == [authority.given[0]]


def test_a_token_that_came_under_other_hosts_is_not_given_out():
    async def play():
        async with standing() as (authority, asker):
            await asker.call(asker.policy())
            await asker.call(asker.policy(), order={"hosts": ("elsewhere.example",)})
            return authority

    assert len(asyncio.run(play()).asked) == 2


# What goes wrong.


def test_an_authority_that_does_not_know_us_is_an_error_of_authentication():
    outcome, authority = asked(client={"secret": "wrong-secret-here"})
    assert (outcome.fault.type, outcome.fault.status) == (AUTHENTICATION, 401)
    assert "invalid_client, who are you?" in outcome.fault.detail
    assert authority.calls == []


def test_an_authority_that_is_down_is_an_error_of_communication_and_no_doubt():
    async def play():
        async with standing() as (authority, asker):
            authority.down = 1
            return await asker.call(asker.policy(), method="post")

    fault = asyncio.run(play()).fault
    assert (fault.type, fault.status, fault.doubtful) == (COMMUNICATION, 503, False)
    assert "no token was given" in fault.detail


def test_an_authority_that_cannot_be_reached_is_no_doubt_either():
    outcome, _ = asked(authority="https://authority.example")
    assert (outcome.fault.type, outcome.fault.doubtful) == (COMMUNICATION, False)


def test_the_guard_watches_over_the_token_endpoint_too():
    outcome, _ = asked(endpoints={"token": "http://127.0.0.1:1/token"})
    assert outcome.fault.status == 403
    assert "policy.http.hosts" in outcome.fault.detail


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"authority": ""}, "`oauth2.authority`"),
        ({"grant": "implicit"}, "`grant` of the authentication is `implicit`"),
        ({"grant": None}, "`grant` of the authentication is missing"),
        ({"grant": "password"}, "`username`"),
        ({"grant": EXCHANGE}, "`subject`"),
        ({"grant": "refresh_token"}, "`subject.token`"),
        ({"client": {"id": None}}, "`client.id`"),
        ({"client": {"secret": None, "authentication": "client_secret_basic"}}, "`client.secret`"),
        ({"client": {"secret": None, "authentication": "private_key_jwt"}}, "`client.assertion`"),
        ({"client": {"authentication": "mtls"}}, "`authentication` of the authentication is `mtls`"),
        ({"request": {"encoding": "text/plain"}}, "`encoding`"),
        ({"scopes": [1]}, "`authentication.scopes`"),
        ({"subject": {"token": "t"}, "grant": EXCHANGE}, "`subject.type`"),
    ],
)
def test_a_policy_that_cannot_work_says_what_it_lacks_before_anything_is_sent(policy, words):
    outcome, authority = asked(**policy)
    assert outcome.fault.type == VALIDATION
    assert words in outcome.fault.detail
    assert authority.asked == authority.calls == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "without an `access_token`"),
        ({"access_token": "a\nb"}, "without an `access_token`"),
        ({"access_token": "a", "token_type": "mac"}, "token of type `mac`"),
        ([], "not a JSON object"),
    ],
)
def test_an_answer_that_is_no_token_is_not_sent_to_the_api(answer, words):
    async def play():
        async with standing() as (authority, asker):
            authority.answer = lambda: answer
            return await asker.call(asker.policy()), authority

    outcome, authority = asyncio.run(play())
    assert words in outcome.fault.detail
    assert authority.calls == []


# OpenID Connect, issuers, secrets.


def test_openid_connect_finds_the_endpoint_and_asks_for_its_scope():
    outcome, authority = asked(scheme="oidc", scopes=["mail"])
    assert isinstance(outcome, Done)
    assert authority.asked[0]["scope"] == "openid mail"


def test_an_authority_that_is_written_as_its_description_is_read_there():
    async def play():
        async with standing() as (authority, asker):
            well_known = authority.url + "/.well-known/openid-configuration"
            return await asker.call(asker.policy(authority=well_known))

    assert isinstance(asyncio.run(play()), Done)


def test_a_description_of_another_issuer_is_refused():
    async def play():
        async with standing() as (authority, asker):
            authority.description = lambda: {
                "issuer": "https://other.example",
                "token_endpoint": authority.url,
            }
            return await asker.call(asker.policy("oidc")), authority

    outcome, authority = asyncio.run(play())
    assert outcome.fault.type == CONFIGURATION
    assert "`https://other.example`" in outcome.fault.detail
    assert authority.asked == []


@pytest.mark.parametrize("jwt", [True, False], ids=["in the token", "by introspection"])
def test_issuers_are_held_against_who_issued_the_token(jwt):
    async def play():
        async with standing(jwt=jwt) as (authority, asker):
            right = await asker.call(asker.policy(issuers=[authority.url]))
            wrong = await asker.call(asker.policy(issuers=["https://other.example"]))
            return right, wrong

    right, wrong = asyncio.run(play())
    assert isinstance(right, Done)
    assert wrong.fault.type == AUTHENTICATION
    assert "not one of the `issuers`" in wrong.fault.detail


def test_a_secret_may_hold_the_whole_policy():
    async def play():
        async with standing() as (authority, asker):
            text = json.dumps({name: each for name, each in asker.policy().items() if name != "scheme"})
            asker.vault = vault_of(shop=text)
            asker.performer._exchange._vault = asker.vault
            asker.performer._exchange.credentials._vault = asker.vault
            return await asker.call({"scheme": "oauth2", "secret": secret("shop")}), authority

    outcome, authority = asyncio.run(play())
    assert isinstance(outcome, Done)
    assert authority.asked[0]["client_secret"] == SECRET


def test_a_secret_that_is_no_policy_is_not_shown():
    outcome, _ = asked()
    assert isinstance(outcome, Done)

    async def play():
        async with standing(secrets={"shop": "[canary-text]"}) as (_, asker):
            return await asker.call({"scheme": "oidc", "secret": secret("shop")})

    fault = asyncio.run(play()).fault
    assert fault.type == VALIDATION
    assert "canary" not in fault.detail


def test_the_parameter_of_the_header_can_be_sent_elsewhere_and_is_not_recorded():
    async def play():
        async with standing() as (authority, asker):
            headers = {"X-Token": secret("$authorization", "is ")}
            return await asker.call(asker.policy(), headers=headers, output="response"), authority

    outcome, authority = asyncio.run(play())
    token = authority.given[0]
    assert authority.calls[0].headers["x-token"] == f"is {token}"
    assert token not in json.dumps(outcome.output)


def test_the_parameter_of_a_digest_is_not_known_before_the_call():
    async def play():
        async with standing() as (_, asker):
            digest = {"scheme": "digest", "username": "joe", "password": "p"}
            return await asker.call(digest, headers={"X": secret("$authorization")})

    assert "`$authorization.parameter`" in asyncio.run(play()).fault.detail


def test_the_vault_forgets_the_oldest_tokens_of_an_authority():
    vault = vault_of()
    tokens = [f"token-number-{number:03}" for number in range(LEARNED + 3)]
    for token in tokens:
        vault.learn("token of a", token)
    assert vault.redact(tokens[-1]) == vault.redact(tokens[-LEARNED]) == "(secret token of a)"
    assert vault.redact(tokens[0]) == tokens[0]
    assert len(vault._learned["token of a"]) == LEARNED


# A code that a person brings.


def test_a_code_that_a_person_brings_gives_a_token_once():
    async def play():
        async with standing() as (authority, asker):
            waiting = asker.policy(grant="authorization_code", scopes=["mail"])
            order = order_of({}, hosts=())
            policy = asker.performer._exchange.credentials.policy(order, waiting)
            assert not asker.tokens.known(policy)
            address = await asker.tokens.address(policy)
            query = parse_qs(urlsplit(address).query)
            challenge = query["code_challenge"][0]
            authority.code_verifiers["c0de"] = urlsafe_b64decode(challenge + "=")
            pasted = f"http://127.0.0.1/back?code=c0de&state={query['state'][0]}"
            first = await asker.call({**waiting, "code": pasted})
            assert asker.tokens.known(policy)
            second = await asker.call({**waiting, "code": pasted})
            asker.clock.now += 4000
            third = await asker.call({**waiting, "code": pasted})
            return address, first, second, third

    address, first, second, third = asyncio.run(play())
    assert "/oauth2/authorize?response_type=code&client_id=runtime&scope=mail" in address
    assert SECRET not in address
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert third.fault.type == AUTHENTICATION
    assert "has been used" in third.fault.detail


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("http://127.0.0.1/?code=c&state=forged", "the answer to another question"),
        ("http://127.0.0.1/?error=access_denied", "access_denied"),
        ("unheard-of", "invalid_grant"),
    ],
)
def test_what_was_pasted_wrongly_says_so(pasted, words):
    outcome, authority = asked(grant="authorization_code", code=pasted)
    assert outcome.fault.type == AUTHENTICATION
    assert words in outcome.fault.detail
    assert authority.calls == []


@pytest.mark.parametrize(
    ("authority", "endpoint", "address"),
    [
        ("https://a.example/realms/x", "/oauth2/token", "https://a.example/realms/x/oauth2/token"),
        ("https://a.example/", "oauth2/token", "https://a.example/oauth2/token"),
        ("https://a.example", "https://b.example/t", "https://b.example/t"),
        ("https://a.example/.well-known/openid-configuration", "/t", "https://a.example/t"),
    ],
)
def test_an_endpoint_stands_below_its_authority(authority, endpoint, address):
    assert placed(authority, endpoint) == address
