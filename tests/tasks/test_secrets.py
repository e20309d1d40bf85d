"""The vault: where values come from, and that none of them stays in what comes back."""

import base64
import json
import shlex
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.model.problem import Refusal
from dirigent.model.source import Span
from dirigent.model.stack import Secret
from dirigent.model.values import SecretRef, SecretText, Unknown
from dirigent.tasks.secrets import EnvironmentVault, named, rewritten

SPAN = Span("stack.yaml", 3, 5, 3, 9)


def vault_of(folder="/nowhere", **values):
    secrets = {name: Secret(name, "env", name.upper(), SPAN) for name in values}
    return EnvironmentVault(secrets, {name.upper(): value for name, value in values.items()}, folder)


def secret(name, before="", after=""):
    return SecretText((before, SecretRef(name), after))


def refusal_of(vault, value):
    with pytest.raises(Refusal) as refused:
        vault.reveal(value)
    (problem,) = refused.value.problems
    return problem


def revealed(text, **more):
    """Return a vault that has revealed one secret with that text."""
    vault = vault_of(key=text, **more)
    vault.reveal(secret("key"))
    return vault


# Revealing.


def test_every_secret_of_a_value_is_replaced_by_its_text():
    vault = vault_of(user="joe", key="hunter2")
    value = {
        "a": [secret("key"), 1, None],
        "b": {"c": SecretText((SecretRef("user"), ":", SecretRef("key")))},
    }
    assert vault.reveal(value) == {"a": ["hunter2", 1, None], "b": {"c": "joe:hunter2"}}


def test_revealing_leaves_the_given_value_alone():
    value = {"a": [secret("key")]}
    vault_of(key="hunter2").reveal(value)
    assert value == {"a": [secret("key")]}


def test_a_value_without_secrets_is_the_same():
    value = [1, "a", {"b": Unknown(("x",))}]
    assert vault_of().reveal(value) == value


@pytest.mark.parametrize(
    ("written", "text"),
    [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("a\nb\n\n", "a\nb\n"), ("s3cret", "s3cret")],
)
def test_a_file_gives_its_text_without_the_last_line_break(tmp_path, written, text):
    (tmp_path / "key").write_bytes(written.encode())
    vault = EnvironmentVault({"key": Secret("key", "file", "key")}, {}, tmp_path)
    assert vault.reveal(secret("key")) == text


def test_a_file_is_read_anew_so_that_a_changed_secret_counts(tmp_path):
    vault = EnvironmentVault({"key": Secret("key", "file", "key")}, {}, tmp_path)
    for text in ("first", "second"):
        (tmp_path / "key").write_text(text)
        assert vault.reveal(secret("key")) == text
    assert vault.redact("first second") == "(secret key) (secret key)"


def test_an_absent_variable_is_a_problem_with_place_and_remedy():
    vault = EnvironmentVault({"key": Secret("key", "env", "PAYMENT_KEY", SPAN)}, {}, "/nowhere")
    problem = refusal_of(vault, secret("key"))
    assert problem.code == "E6001"
    assert problem.at == SPAN
    assert "`PAYMENT_KEY`" in problem.message
    assert problem.help == ("Set `PAYMENT_KEY`.",)


@pytest.mark.parametrize("prepare", ["absent", "folder", "binary", "large"])
def test_a_file_that_cannot_be_a_secret_is_a_problem(tmp_path, prepare):
    path = tmp_path / "key"
    match prepare:
        case "folder":
            path.mkdir()
        case "binary":
            path.write_bytes(b"\xff\xfe\x00")
        case "large":
            path.write_bytes(b"x" * 1024 * 1024)
    vault = EnvironmentVault({"key": Secret("key", "file", "key")}, {}, tmp_path)
    assert refusal_of(vault, secret("key")).code == "E6001"


def test_an_undeclared_secret_is_a_problem():
    assert "`other` is not declared" in refusal_of(vault_of(key="x"), secret("other")).message


def test_an_unknown_kind_of_place_is_a_problem():
    vault = EnvironmentVault({"key": Secret("key", "moon", "x")}, {}, "/nowhere")
    assert refusal_of(vault, secret("key")).code == "E6001"


def test_a_structured_secret_has_members():
    vault = vault_of(api=json.dumps({"username": "joe", "deep": {"port": 5, "on": True}}))
    assert vault.reveal(secret("api.username")) == "joe"
    assert vault.reveal(secret("api.deep.port")) == "5"
    assert vault.reveal(secret("api.deep")) == '{"port":5,"on":true}'
    assert vault.redact("hello joe joe-smith") == "hello joe joe-smith"  # Three characters protect nothing.


def test_a_name_with_a_dot_is_that_secret_before_it_is_a_member():
    secrets = {"a": Secret("a", "env", "A"), "a.b": Secret("a.b", "env", "AB")}
    vault = EnvironmentVault(secrets, {"A": '{"b": "inner"}', "AB": "outer"}, "/nowhere")
    assert vault.reveal(secret("a.b")) == "outer"


@pytest.mark.parametrize("text", ["not json", "[1]", '{"a": {}}', "5", "[" * 100_000])
def test_a_member_that_is_absent_is_a_problem_without_the_secret_in_it(text):
    problem = refusal_of(vault_of(api=text), secret("api.a.b"))
    assert problem.code == "E6002"
    assert "`a.b`" in problem.message
    assert text not in problem.message


# Redacting.


def test_nothing_is_redacted_before_something_was_revealed():
    assert vault_of(key="hunter2").redact("hunter2") == "hunter2"


def test_a_revealed_secret_is_redacted_in_strings_and_keys_at_any_depth():
    vault = revealed("hunter2")
    value = {"a hunter2": [{"b": "x hunter2 y hunter2"}, 5, None, True]}
    assert vault.redact(value) == {"a (secret key)": [{"b": "x (secret key) y (secret key)"}, 5, None, True]}


def test_redacting_leaves_the_given_value_alone():
    value = ["hunter2"]
    revealed("hunter2").redact(value)
    assert value == ["hunter2"]


def test_a_secret_inside_another_leaves_nothing_of_it():
    vault = vault_of(short="hunter2", long="hunter2-and-more")
    vault.reveal([secret("short"), secret("long")])
    assert vault.redact("hunter2-and-more hunter2") == "(secret long) (secret short)"


def test_a_member_is_redacted_by_its_own_name_and_the_whole_by_its():
    text = json.dumps({"password": "hunter2"})
    vault = vault_of(api=text)
    vault.reveal(secret("api.password"))
    assert vault.redact("hunter2") == "(secret api.password)"
    other = vault_of(api=text)
    other.reveal(secret("api"))
    assert other.redact("hunter2") == "(secret api)"


def test_each_line_of_a_key_is_redacted():
    vault = revealed("-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END KEY-----")
    assert vault.redact("line 2 was kqhkiG9w0BAQ") == "line 2 was (secret key)"


@pytest.mark.parametrize("text", ["", "a", "abc"])
def test_what_is_too_short_is_left_alone(text):
    assert revealed(text).redact("abcabc") == "abcabc"


SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=60)
FORMS = [
    lambda text: text,
    json.dumps,
    lambda text: json.dumps(text, ensure_ascii=False),
    quote,
    lambda text: quote(text, safe=""),
    lambda text: quote(text, safe="").lower(),
    quote_plus,
    shlex.quote,
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    lambda text: text.encode().hex(),
]


@settings(derandomize=True, deadline=None, max_examples=150)
@given(SECRETS, st.sampled_from(range(len(FORMS))), st.sampled_from(["", "x", "before ", "é"]))
def test_a_secret_is_redacted_in_every_form_that_servers_echo(text, form, around):
    shown = revealed(text).redact(f"{around}{FORMS[form](text)}{around}")
    if FORMS[form](text) not in around * 2 and form != 5:
        assert "(secret key)" in shown


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=10, max_size=40),
    st.binary(max_size=7),
    st.binary(max_size=7),
)
def test_a_secret_is_redacted_inside_longer_base64(text, before, after):
    whole = base64.b64encode(before + text.encode() + after).decode()
    shown = revealed(text).redact(whole)
    assert "(secret key)" in shown
    # What is left around it is at most what the neighbours' bytes are mixed into.
    assert len(shown) - len("(secret key)") <= 2 * 12


# Walking.


def test_a_deep_value_is_walked_without_recursion():
    value = leaf = []
    for _ in range(50_000):
        leaf.append([])
        leaf = leaf[0]
    leaf.append("end")
    walked = rewritten(value, lambda one: "END" if one == "end" else one)
    for _ in range(50_000):
        walked = walked[0]
    assert walked == ["END"]


def test_names_of_secrets_are_what_is_shown():
    assert named({"a": [secret("key", "Bearer ")]}) == {"a": ["Bearer (secret key)"]}


def test_a_secret_of_a_document_that_this_process_never_saw_is_looked_for_where_it_must_be():
    def otherwise(name):
        return Secret(name, "env", f"DIRIGENT_SECRET_{name.upper()}")

    vault = EnvironmentVault({}, {"DIRIGENT_SECRET_TOKEN": "hunter2"}, "/nowhere", otherwise)
    assert vault.reveal(secret("token")) == "hunter2"
    assert vault.redact("login hunter2") == "login (secret token)"
    assert "`DIRIGENT_SECRET_OTHER`" in str(refusal_of(vault, secret("other")))
