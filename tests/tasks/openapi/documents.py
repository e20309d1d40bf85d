"""OpenAPI documents for tests."""

import json


def document(operation, *, path="/things", method="get", **more):
    return {
        "openapi": "3.0.3",
        "info": {"title": "things", "version": "1"},
        "paths": {path: {method: {"operationId": "act", **operation}}},
        **more,
    }


def parameter(name="color", location="query", schema=None, **more):
    return {"name": name, "in": location, "schema": schema or {}, **more}


def text(value):
    return json.dumps(value).encode()


PETSTORE_2 = {
    "swagger": "2.0",
    "info": {"title": "pets", "version": "1"},
    "basePath": "/v2",
    "schemes": ["http"],
    "consumes": ["application/json"],
    "paths": {
        "/pet/findByStatus": {
            "get": {
                "operationId": "findPetsByStatus",
                "parameters": [
                    {
                        "name": "status",
                        "in": "query",
                        "required": True,
                        "type": "array",
                        "items": {"type": "string", "enum": ["available", "sold"]},
                        "collectionFormat": "multi",
                    }
                ],
            }
        },
        "/pet": {
            "post": {
                "operationId": "addPet",
                "parameters": [
                    {
                        "name": "pet",
                        "in": "body",
                        "required": True,
                        "schema": {"$ref": "#/definitions/Pet"},
                    }
                ],
            }
        },
        "/pet/{petId}": {
            "get": {
                "operationId": "getPetById",
                "parameters": [{"name": "petId", "in": "path", "required": True, "type": "integer"}],
            },
            "post": {
                "operationId": "updatePetWithForm",
                "consumes": ["application/x-www-form-urlencoded"],
                "parameters": [
                    {"name": "petId", "in": "path", "required": True, "type": "integer"},
                    {"name": "name", "in": "formData", "type": "string"},
                    {"name": "tags", "in": "formData", "type": "array", "collectionFormat": "pipes"},
                ],
            },
            "put": {
                "operationId": "uploadFile",
                "parameters": [{"name": "file", "in": "formData", "type": "file"}],
            },
        },
    },
    "definitions": {"Pet": {"type": "object", "properties": {"name": {}, "status": {}}}},
}
