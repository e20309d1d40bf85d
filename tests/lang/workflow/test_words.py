"""The single values that only workflow documents have: versions, URIs, templates, secrets' names."""

import pytest

from dirigent.lang.workflow import words
from dirigent.lang.workflow.document import read_naked
from lang.workflow.languages import Brackets


@pytest.mark.parametrize(
    "text", ["0.0.0", "1.2.3", "10.20.30", "1.0.0-alpha.1", "1.0.0+build.5", "1.0.0-rc+x"]
)
def test_a_semantic_version_is_taken(text):
    assert words.semver_complaint(text) == ""


@pytest.mark.parametrize("text", ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0 ", "1.0.0\n", "1.0.٣"])
def test_what_is_no_semantic_version_is_refused(text):
    assert "is not a semantic version" in words.semver_complaint(text)


@pytest.mark.parametrize("text", ["1.0.0", "1.0.3", "1.0.0-alpha5", "1.0.99"])
def test_documents_of_one_point_zero_are_read(text):
    assert words.dsl_complaint(text) == ""


@pytest.mark.parametrize("text", ["0.8.0", "1.1.0", "2.0.0", "11.0.0"])
def test_documents_of_other_versions_are_not(text):
    assert f"version `{text}` of the DSL is not supported" in words.dsl_complaint(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example",
        "HTTP://a.example:80/x?y=z#f",
        "https://a.example/{id}/{ship-to}?q={q.1}",
        "https://{host}:{port}/",
    ],
)
def test_a_web_address_can_be_called(text):
    assert words.web_complaint(text) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not an absolute URI"),
        ("/orders", "not an absolute URI"),
        ("//a.example/x", "not an absolute URI"),
        ("a.example", "not an absolute URI"),
        ("https://", "not an absolute URI"),
        ("https:///x", "not an absolute URI"),
        ("https://a b", "not an absolute URI"),
        (" https://a.example", "not an absolute URI"),
        ("ftp://a.example", "cannot be called"),
        ("file:///etc/passwd", "cannot be called"),
        ("https://a.example/{", "not a URI template"),
        ("https://a.example/}", "not a URI template"),
        ("https://a.example/{}", "not a URI template"),
        ("https://a.example/{+x}", "not a URI template"),
        ("https://a.example/{a,b}", "not a URI template"),
        ("https://a.example/{{a}}", "not a URI template"),
    ],
)
def test_what_cannot_be_called_is_refused(text, said):
    assert said in words.web_complaint(text)


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("https://a.example/x.json", True),
        ("file:///apis/{name}.json", True),
        ("file:/apis/x.json", False),
        ("s3://bucket/x.json", False),
        ("openapi.json", False),
    ],
)
def test_documents_lie_on_the_web_or_in_files(text, fine):
    assert (words.document_complaint(text) == "") is fine


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("plain", "$secrets.plain.token"),
        ("with-hyphen", '$secrets["with-hyphen"].token'),
        ('with "quotes" \\', '$secrets["with \\"quotes\\" \\\\"].token'),
        ("ünlich", '$secrets["ünlich"].token'),
        ("1st", '$secrets["1st"].token'),
    ],
)
def test_the_members_of_a_secret_are_read_whatever_its_name(name, expression):
    quoted = "'" + name + "'"
    text = (
        "document: {dsl: 1.0.3, namespace: tests, name: case, version: 1.0.0}\n"
        f"use: {{secrets: [{quoted}]}}\n"
        "do: [{a: {call: http, with: {method: get, endpoint: "
        f"{{uri: 'https://a.example', authentication: {{bearer: {{use: {quoted}}}}}}}}}}}}}]\n"
    )
    program, problems = read_naked(text, "flow.yaml", Brackets())
    assert problems == []
    assert program.root.node.tasks[0].node.request["authentication"]["token"].text == expression
