"""Forms of several parts, and bytes: what goes over the wire, read by a parser that is not ours."""

from email.parser import BytesParser
from email.policy import HTTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.model.run.effect import Done
from dirigent.tasks.http.failure import CallFailed
from dirigent.tasks.http.multipart import form_of
from tasks.http.loopback import always, call, response
from tasks.openapi.test_call import perform, server_of


def parts_of(body, content_type):
    """Return the parts of a form as name, file name, media type and content."""
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    found = []
    for part in message.iter_parts():
        disposition = part["content-disposition"]
        found.append(
            (
                disposition.params["name"],
                disposition.params.get("filename"),
                part["content-type"] and part.get_content_type(),
                part.get_payload(decode=True),
            )
        )
    return found


def test_a_form_has_fields_lists_objects_and_files():
    _, server = call(
        always(),
        "post",
        headers={"content-type": "multipart/form-data"},
        body={
            "text": "Grüße",
            "number": 1.5,
            "many": ["a", True],
            "nothing": None,
            "object": {"b": 1, "a": [2]},
            "file": {"filename": "a.txt", "contentType": "text/plain", "content": "inside"},
            "bytes": {"base64": "AP8="},
        },
    )
    (seen,) = server.seen
    assert parts_of(seen.body, seen.headers["content-type"]) == [
        ("bytes", "bytes", "application/octet-stream", b"\x00\xff"),
        ("file", "a.txt", "text/plain", b"inside"),
        ("many", None, None, b"a"),
        ("many", None, None, b"true"),
        ("number", None, None, b"1.5"),
        ("object", None, "application/json", b'{"a":[2],"b":1}'),
        ("text", None, None, "Grüße".encode()),
    ]


def test_a_boundary_of_the_author_is_used_and_must_not_stand_in_a_part():
    body, content_type = form_of({"a": "1"}, 'multipart/form-data; boundary="mine"')
    assert body.startswith(b"--mine\r\n")
    assert content_type == 'multipart/form-data; boundary="mine"'
    with pytest.raises(CallFailed):
        form_of({"a": "--mine"}, "multipart/form-data; boundary=mine")


def test_bytes_go_under_their_own_type():
    _, server = call(always(), "put", headers={"Content-Type": "image/png"}, body={"base64": "AP8="})
    assert server.seen[0].body == b"\x00\xff"
    assert server.seen[0].headers["content-type"] == "image/png"


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=4))
def test_the_same_parts_are_the_same_bytes_in_any_order_and_none_is_lost(fields):
    body, content_type = form_of(fields, "multipart/form-data")
    assert form_of(dict(reversed(fields.items())), "multipart/form-data") == (body, content_type)
    boundary = content_type.partition("boundary=")[2].encode()
    assert body.count(b"--" + boundary) == len(fields) + 1


def test_names_cannot_leave_their_header():
    body, _ = form_of({'a"\r\nX: y': {"filename": '"\n', "content": "c"}}, "multipart/form-data")
    assert b'name="a%22%0D%0AX: y"; filename="%22%0A"\r\n' in body


def test_a_file_of_an_operation_of_version_two_goes_as_a_part():
    document = {
        "swagger": "2.0",
        "paths": {
            "/upload": {
                "post": {
                    "operationId": "upload",
                    "parameters": [
                        {"name": "note", "in": "formData", "type": "string"},
                        {"name": "file", "in": "formData", "type": "file", "required": True},
                    ],
                }
            }
        },
    }
    parameters = {"note": "n", "file": {"filename": "a.bin", "base64": "AP8="}}
    reply = server_of(document, lambda seen: response(200, "ok"))
    outcome, server = perform(reply, operation="upload", parameters=parameters)
    assert outcome == Done("ok")
    seen = server.seen[-1]
    assert parts_of(seen.body, seen.headers["content-type"]) == [
        ("file", "a.bin", "application/octet-stream", b"\x00\xff"),
        ("note", None, None, b"n"),
    ]
