"""Where parameters go and in which style: the tables of the OpenAPI specification."""

import pytest

from dirigent.model.fault import CONFIGURATION, VALIDATION
from dirigent.tasks.http.failure import CallFailed
from dirigent.tasks.openapi.checking import check
from dirigent.tasks.openapi.document import Document
from dirigent.tasks.openapi.operation import operation_of
from dirigent.tasks.openapi.request import Wanted, call_of
from tasks.openapi.documents import PETSTORE_2, document, parameter

EMPTY = ""
ARRAY = ["blue", "black", "brown"]
OBJECT = {"R": 100, "G": 200, "B": 150}
# Members in the order of their names, so that a store may keep another one.
TURNS = "B,150,G,200,R,100"


def built(content, given, name="act", *, url="https://api.example/spec/openapi.json"):
    operation = operation_of(Document(content, "openapi.json", url), name)
    check(operation, given)
    return call_of(operation, given, Wanted())


def fault_of(content, given, name="act", **more):
    with pytest.raises(CallFailed) as failed:
        built(content, given, name, **more)
    return failed.value.fault


def query_of(given, **more):
    content = document({"parameters": [parameter(**more)]})
    return built(content, {"color": given}).endpoint.removeprefix("https://api.example/things")


@pytest.mark.parametrize(
    ("style", "explode", "value", "query"),
    [
        ("form", True, EMPTY, "?color="),
        ("form", True, "blue", "?color=blue"),
        ("form", True, ARRAY, "?color=blue&color=black&color=brown"),
        ("form", True, OBJECT, "?B=150&G=200&R=100"),
        ("form", False, EMPTY, "?color="),
        ("form", False, "blue", "?color=blue"),
        ("form", False, ARRAY, "?color=blue,black,brown"),
        ("form", False, OBJECT, f"?color={TURNS}"),
        ("spaceDelimited", False, ARRAY, "?color=blue%20black%20brown"),
        ("spaceDelimited", False, OBJECT, "?color=B%20150%20G%20200%20R%20100"),
        ("spaceDelimited", True, ARRAY, "?color=blue&color=black&color=brown"),
        ("pipeDelimited", False, ARRAY, "?color=blue%7Cblack%7Cbrown"),
        ("pipeDelimited", False, OBJECT, "?color=B%7C150%7CG%7C200%7CR%7C100"),
        ("deepObject", True, OBJECT, "?color%5BB%5D=150&color%5BG%5D=200&color%5BR%5D=100"),
        ("deepObject", True, {"a": [1, 2], "b": None}, "?color%5Ba%5D=1&color%5Ba%5D=2"),
        ("form", True, "a b&c=d/ü,%", "?color=a%20b%26c%3Dd%2F%C3%BC%2C%25"),
        ("form", False, ["a,b", "c"], "?color=a%2Cb,c"),
        ("form", True, True, "?color=true"),
        ("form", True, 1.5, "?color=1.5"),
        ("form", True, [1, None, False], "?color=1&color=false"),
        ("form", True, None, ""),
    ],
)
def test_a_query_parameter_is_written_in_its_style(style, explode, value, query):
    assert query_of(value, style=style, explode=explode) == query


def test_a_query_parameter_explodes_by_default_only_in_the_style_form():
    assert query_of(ARRAY) == "?color=blue&color=black&color=brown"
    assert query_of(ARRAY, style="pipeDelimited") == "?color=blue%7Cblack%7Cbrown"


def test_reserved_characters_stay_where_the_document_allows_them():
    assert query_of("a/b?c:d&e", allowReserved=True) == "?color=a/b?c:d%26e"


def test_a_parameter_with_a_content_type_is_json():
    content = document(
        {"parameters": [{"name": "filter", "in": "query", "content": {"application/json": {"schema": {}}}}]}
    )
    assert built(content, {"filter": {"b": [1], "a": None}}).endpoint.endswith(
        "?filter=%7B%22a%22%3Anull%2C%22b%22%3A%5B1%5D%7D"
    )


@pytest.mark.parametrize(
    ("style", "explode", "value", "path"),
    [
        ("simple", False, "blue", "blue"),
        ("simple", False, ARRAY, "blue,black,brown"),
        ("simple", False, OBJECT, TURNS),
        ("simple", True, OBJECT, "B=150,G=200,R=100"),
        ("simple", False, "a/b ü", "a%2Fb%20%C3%BC"),
        ("label", False, "blue", ".blue"),
        ("label", False, ARRAY, ".blue,black,brown"),
        ("label", True, ARRAY, ".blue.black.brown"),
        ("label", True, OBJECT, ".B=150.G=200.R=100"),
        ("matrix", False, "blue", ";color=blue"),
        ("matrix", False, ARRAY, ";color=blue,black,brown"),
        ("matrix", True, ARRAY, ";color=blue;color=black;color=brown"),
        ("matrix", False, OBJECT, f";color={TURNS}"),
        ("matrix", True, OBJECT, ";B=150;G=200;R=100"),
    ],
)
def test_a_path_parameter_is_written_in_its_style(style, explode, value, path):
    content = document(
        {"parameters": [parameter(location="path", style=style, explode=explode, required=True)]},
        path="/a/{color}/b",
    )
    assert built(content, {"color": value}).endpoint == f"https://api.example/a/{path}/b"


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_path_parameter_cannot_leave_its_place(value):
    content = document({"parameters": [parameter(location="path")]}, path="/a/{color}")
    assert fault_of(content, {"color": value}).type == VALIDATION


@pytest.mark.parametrize(
    ("explode", "value", "text"),
    [
        (False, "blue", "blue"),
        (False, ARRAY, "blue,black,brown"),
        (False, OBJECT, TURNS),
        (True, OBJECT, "B=150,G=200,R=100"),
        (False, "a b/ü", "a b/ü"),
    ],
)
def test_a_header_parameter_is_written_plainly(explode, value, text):
    content = document({"parameters": [parameter("X-Color", "header", explode=explode)]})
    assert built(content, {"X-Color": value}).headers == {"X-Color": text}


def test_a_header_parameter_cannot_add_a_header():
    content = document({"parameters": [parameter("X-Color", "header")]})
    assert fault_of(content, {"X-Color": "a\r\nX-B: 1"}).type == VALIDATION


def test_cookies_share_one_header():
    content = document({"parameters": [parameter("a", "cookie"), parameter("b", "cookie", explode=False)]})
    assert built(content, {"a": "x y;", "b": [1, 2]}).headers == {"Cookie": "a=x%20y%3B; b=1,2"}


def test_parameters_of_the_path_are_shared_and_may_be_overridden():
    content = document({"parameters": [parameter("a", style="pipeDelimited")]})
    content["paths"]["/things"]["parameters"] = [
        parameter("a", required=True),
        {"$ref": "#/components/parameters/B"},
    ]
    content["components"] = {"parameters": {"B": parameter("b")}}
    assert built(content, {"a": [1, 2], "b": 3}).endpoint.endswith("?a=1%7C2&b=3")


def test_a_missing_parameter_is_named():
    content = document({"parameters": [parameter(required=True)]})
    fault = fault_of(content, {})
    assert (fault.type, fault.status) == (VALIDATION, 400)
    assert "query parameter `color`" in fault.detail
    assert "`color`" in fault_of(content, {"color": None}).detail


def test_an_unknown_parameter_is_refused_with_a_suggestion():
    content = document({"parameters": [parameter()]})
    assert "no parameter `colour`; did you mean `color`?" in fault_of(content, {"colour": 1}).detail


def test_an_object_inside_a_parameter_has_no_style():
    assert "color" in fault_of(document({"parameters": [parameter()]}), {"color": [{"a": 1}]}).detail


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, [5, "5"], ["five", 5.5, True, [5]]),
        ({"type": "string"}, ["a", 5, True], [["a"]]),
        ({"type": "array", "items": {"type": "integer"}}, [[1], 1, "1"], [["a"], "a"]),
        ({"enum": ["available", "sold"]}, ["sold"], ["gone"]),
        ({"type": "string", "pattern": "^(a+)+$"}, ["aaaa"], ["a" * 40 + "b"]),
        ({"$ref": "#/components/schemas/Small"}, [1], [100]),
        ({"type": "no-such-type"}, ["anything"], []),
        ({"$ref": "https://elsewhere.example/schema.json"}, [], []),
    ],
)
def test_parameters_are_checked_lightly_against_their_schema(schema, good, bad):
    components = {"schemas": {"Small": {"type": "integer", "maximum": 9}}}
    content = document({"parameters": [parameter(schema=schema)]}, components=components)
    for value in good:
        built(content, {"color": value})
    for value in bad:
        fault = fault_of(content, {"color": value})
        assert (fault.type, fault.status) == (VALIDATION, 400)
        assert "`color`" in fault.detail
        # What is not allowed may be a secret all the same.
        assert "five" not in fault.detail
        assert "gone" not in fault.detail


# Bodies.


def body_document(media="application/json", *, required=False, schema=None, **more):
    content = {media: {"schema": schema or {}}}
    return document({"requestBody": {"required": required, "content": content}, **more}, method="post")


ORDER = {
    "allOf": [{"$ref": "#/components/schemas/Named"}],
    "properties": {"sum": {"type": "number"}},
}
NAMED = {"schemas": {"Named": {"type": "object", "properties": {"name": {"type": "string"}}}}}


def test_the_parameter_body_is_the_body():
    call = built(body_document(), {"body": [1, {"a": 2}]})
    assert (call.body, call.has_body) == ([1, {"a": 2}], True)
    assert call.headers == {"Content-Type": "application/json"}


def test_a_null_body_is_a_body():
    call = built(body_document(), {"body": None})
    assert (call.body, call.has_body) == (None, True)


def test_without_body_the_properties_of_its_schema_make_it():
    content = {**body_document(schema=ORDER), "components": NAMED}
    call = built(content, {"name": "n", "sum": 5})
    assert call.body == {"name": "n", "sum": 5}


def test_what_the_schema_of_the_body_does_not_name_is_a_mistake_in_writing():
    content = {**body_document(schema=ORDER), "components": NAMED}
    assert "did you mean `name`" in fault_of(content, {"nam": "n", "sum": 5}).detail
    assert "no parameter `sum`" in fault_of(content, {"body": {}, "sum": 5}).detail


def test_a_missing_body_is_named():
    assert "needs a body" in fault_of(body_document(required=True), {}).detail
    assert not built(body_document(), {}).has_body


def test_a_body_without_a_place_is_refused():
    assert "no parameter `body`" in fault_of(document({}), {"body": 1}).detail


def test_a_parameter_called_body_is_that_parameter():
    content = document({"parameters": [parameter("body")]})
    assert built(content, {"body": 1}).endpoint.endswith("?body=1")


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["text/plain", "application/json"], "application/json"),
        (["multipart/form-data", "application/x-www-form-urlencoded"], "application/x-www-form-urlencoded"),
        (["text/plain", "application/merge-patch+json"], "application/merge-patch+json"),
        (["*/*"], "application/json"),
        (["text/csv"], "text/csv"),
    ],
)
def test_json_is_sent_where_it_may_be(offered, chosen):
    content = document({"requestBody": {"content": {media: {} for media in offered}}}, method="post")
    assert built(content, {"body": "x"}).headers["Content-Type"] == chosen


# Operations and servers.


def test_an_unknown_operation_is_refused_with_a_suggestion():
    assert "no operation `akt`; did you mean `act`?" in fault_of(document({}), {}, "akt").detail
    assert "there are `act`" in fault_of(document({}), {}, "zzz").detail


@pytest.mark.parametrize(
    ("servers", "url", "start"),
    [
        (None, "https://api.example/spec/a.json", "https://api.example/things"),
        ([{"url": "https://b.example/v1/"}], None, "https://b.example/v1/things"),
        ([{"url": "../v2"}], "https://api.example/spec/deep/a.json", "https://api.example/spec/v2/things"),
        ([{"url": "/v3"}], "https://api.example/spec/a.json", "https://api.example/v3/things"),
        ([{"url": "//c.example/"}], "https://api.example/a.json", "https://c.example/things"),
        (
            [{"url": "https://{r}.example:{p}", "variables": {"r": {"default": "eu"}, "p": {"default": 84}}}],
            "https://api.example/a.json",
            "https://eu.example:84/things",
        ),
    ],
)
def test_the_first_server_is_called(servers, url, start):
    content = document({}, **({"servers": servers} if servers else {}))
    assert built(content, {}, url=url).endpoint == start


def test_the_servers_of_the_operation_come_first():
    content = document({"servers": [{"url": "/op"}]}, servers=[{"url": "/all"}])
    assert built(content, {}).endpoint == "https://api.example/op/things"


def test_a_file_that_names_no_server_is_refused_with_the_remedy():
    fault = fault_of(document({}), {}, url=None)
    assert fault.type == CONFIGURATION
    assert "under `servers`" in fault.detail


@pytest.mark.parametrize("version", ["1.2", "4.0.0", "3.2.0", None, 3])
def test_another_version_is_refused(version):
    content = {**document({}), "openapi": version}
    assert fault_of(content, {}).type == CONFIGURATION


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("#/components/parameters/A", "leads in a circle"),
        ("#/components/parameters/Absent", "leads to nothing"),
        ("other.yaml#/A", "leads out of"),
        ("https://evil.example/a.json", "leads out of"),
    ],
)
def test_references_stay_inside_and_end(reference, words):
    content = document({"parameters": [{"$ref": reference}]})
    content["components"] = {
        "parameters": {
            "A": {"$ref": "#/components/parameters/B"},
            "B": {"$ref": "#/components/parameters/A"},
        }
    }
    assert words in fault_of(content, {}).detail


def test_references_may_hold_escaped_names():
    content = document({"parameters": [{"$ref": "#/components/parameters/a~1b~0c"}]})
    content["components"] = {"parameters": {"a/b~c": parameter()}}
    assert built(content, {"color": 1}).endpoint.endswith("?color=1")


def test_a_path_that_no_parameter_describes_is_refused():
    assert "`{id}`" in fault_of(document({}, path="/a/{id}"), {}).detail


# Version 2.0.


def pets(name, given):
    return built(PETSTORE_2, given, name, url="https://petstore.example/v2/swagger.json")


def test_version_two_joins_scheme_host_and_base_path():
    call = pets("findPetsByStatus", {"status": ["available", "sold"]})
    assert call.endpoint == "https://petstore.example/v2/pet/findByStatus?status=available&status=sold"
    content = {**PETSTORE_2, "host": "h.example", "schemes": ["http", "https"], "basePath": "/"}
    call = built(content, {"petId": 1}, "getPetById")
    assert call.endpoint == "https://h.example/pet/1"


def test_a_single_status_is_a_list_of_one_to_version_two():
    assert pets("findPetsByStatus", {"status": "sold"}).endpoint.endswith("?status=sold")


def test_the_body_of_version_two_has_a_name_of_its_own():
    for given in ({"pet": {"name": "Rex"}}, {"body": {"name": "Rex"}}, {"name": "Rex"}):
        assert pets("addPet", given).body == {"name": "Rex"}


def test_the_form_of_version_two_is_urlencoded():
    call = pets("updatePetWithForm", {"petId": 1, "name": "Rex", "tags": ["a", "b"]})
    assert call.body == {"name": "Rex", "tags": "a|b"}
    assert call.headers == {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_file_goes_as_a_part():
    call = pets("updatePetWithForm", {"petId": 1, "name": "Rex"})
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    with pytest.raises(CallFailed, match="which no parameter describes"):
        pets("uploadFile", {"file": "content"})
