"""The OpenAPI document of a service, made of the routes that it really has."""

from __future__ import annotations

import re

from shopkit.terms import Route, Service


def describe(service: Service, routes: tuple[Route, ...], release: str) -> dict[str, object]:
    """Return the whole document."""
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = operation_of(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"shop {service.name}", "version": release},
        "servers": [{"url": "/"}],
        "paths": paths,
    }


def operation_of(route: Route) -> dict[str, object]:
    """Return the OpenAPI operation of one route."""
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    parameters += [
        {
            "name": name,
            "in": "query",
            "required": not kind.endswith("?"),
            "schema": {"type": kind.rstrip("?")},
        }
        for name, kind in route.query.items()
    ]
    if route.unsafe:
        parameters.append(
            {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string"}}
        )
    media = {"application/json": {"schema": {}}}
    fault = {"description": "a problem document", "content": {"application/problem+json": {"schema": {}}}}
    operation: dict[str, object] = {
        "operationId": route.operation,
        "summary": route.summary,
        "parameters": parameters,
        "responses": {"2XX": {"description": "done", "content": media}, "default": fault},
    }
    if route.body:
        schema = {
            "type": "object",
            "properties": {name: {"type": kind.rstrip("?")} for name, kind in route.body.items()},
            "required": [name for name, kind in route.body.items() if not kind.endswith("?")],
        }
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation
