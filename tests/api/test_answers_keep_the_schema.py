"""Answers of the API keep its schema: no 500, no status and no shape but the described.

Schemathesis sends to every operation what its schema allows, and what it does not,
about objects that are there, as a contributor and as an officer; what a request wrote
is taken back. `SCHEMA_EXAMPLES=30` in the environment is a longer run: so many examples
of each, and about objects that are not there as well.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.core.files import File
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.test import Client
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Unsatisfiable
from requests import PreparedRequest, Request
from requests.exceptions import RequestException

from tests.access import world as worlds
from tests.access.walking import Door, Undo, address, browser_of, doors
from tests.access.world import World

pytest.importorskip("schemathesis", reason="make setup-dev brings schemathesis")

from schemathesis import openapi
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

BOUNDED = 2
EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", BOUNDED))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Of requests: what the client of a browser says itself.
OWN_HEADERS = {"cookie", "authorization", "content-length", "user-agent", "host"}
ROUTE_PART = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)|<(?:\w+:)?(\w+)>")


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Any) -> World:
    """One object of every kind."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def objects_there(world: World) -> dict[str, dict[str, str]]:
    """For each path of the schema, the parts of an address that leads to an object."""
    return dict(route_of(door, world) for door in doors() if door.api)


def route_of(door: Door, world: World) -> tuple[str, dict[str, str]]:
    """The path of a door as the schema writes it, and the parts of its address."""
    match = resolve(address(door, world))
    path = ROUTE_PART.sub(lambda part: f"{{{part[1] or part[2]}}}", match.route)
    parts = {name: str(value) for name, value in match.kwargs.items()}
    return f"/{path.strip('^$')}", parts


def prepared(case: Any) -> PreparedRequest | None:
    """What would be sent; None for what no client can send."""
    kwargs = case.as_transport_kwargs(base_url="http://testserver")
    known = ("method", "url", "headers", "data", "json", "params", "files", "cookies")
    try:
        return Request(**{key: kwargs[key] for key in known if key in kwargs}).prepare()
    except (RequestException, UnicodeError, ValueError):
        return None


def answered(browser: Client, request: PreparedRequest) -> Response:
    """The answer to a request, whose writing is taken back."""
    body = request.body or b""
    body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    headers = {
        name: value if isinstance(value, str) else value.decode("latin-1")
        for name, value in request.headers.items()
        if name.lower() not in OWN_HEADERS
    }
    kind = headers.pop("Content-Type", "application/json")
    try:
        with transaction.atomic():
            answer: Any = browser.generic(
                str(request.method), request.path_url, body, kind, headers=headers
            )
            content = b"".join(answer) if answer.streaming else answer.content
            raise Undo
    except Undo:
        pass
    return Response(
        status_code=answer.status_code,
        headers={name.lower(): [value] for name, value in answer.items()},
        content=content,
        request=request,
        elapsed=0.0,
        verify=False,
    )


def ways(operation: Any, parts: dict[str, str]) -> Iterator[Any]:
    """Allowed and not allowed, about an object that is there; in longer runs any."""
    about_it = {"path_parameters": parts} if parts else {}
    yield operation.as_strategy(GenerationMode.POSITIVE, **about_it)
    yield operation.as_strategy(GenerationMode.NEGATIVE, **about_it)
    if parts and EXAMPLES > BOUNDED:
        yield operation.as_strategy(GenerationMode.POSITIVE)


def with_files(body: Any) -> bool:
    """Whether a body carries files, so that it is no JSON."""
    values = body.values() if isinstance(body, dict) else []
    flat = [
        each
        for value in values
        for each in (value if isinstance(value, list) else [value])
    ]
    return any(isinstance(value, File) for value in flat)


def described_fault(case: Any, request: Any, answer: Response) -> str:
    """What of an answer its operation does not describe; empty where all is."""
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        said = "; ".join(
            f"{each.title}: {each.message[:300]}" for each in group.exceptions
        )
        return (
            f"{case.operation.method.upper()} {case.operation.path}:"
            f" {answer.status_code} {said} | {request.path_url[:200]}"
            f" {str(request.body)[:200]} -> {answer.content[:200]!r}"
        )
    return ""


def faults_of(browser: Client, operation: Any, cases: Any) -> Iterator[str]:
    """What was wrong with the answers to some examples of one kind."""
    faults: list[str] = []

    @seed(20261123)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(case=cases)
    def send(case: Any) -> None:
        request = prepared(case)
        if request is None:
            return
        if fault := described_fault(case, request, answered(browser, request)):
            faults.append(fault)

    with suppress(Unsatisfiable):  # there is nothing that is not allowed
        send()
    yield from faults


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alice", "olivia"])
def test_every_operation_answers_as_its_schema_says(world: World, name: str) -> None:
    schema = openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
    browser = Client(raise_request_exception=False)
    browser.force_login(world.house.people[name])
    there = objects_there(world)
    faults: list[str] = []
    reached = Counter[str]()
    for result in schema.get_all_operations():
        operation = result.ok()
        parts = there.get(operation.path, {})
        reached["with an object" if parts else "without"] += 1
        for cases in ways(operation, parts):
            faults += faults_of(browser, operation, cases)
    assert not faults, "\n".join(faults)
    assert reached["with an object"] > 60


@pytest.mark.parametrize("name", ["alice", "rita", "olivia"])
def test_what_is_done_is_answered_as_described(world: World, name: str) -> None:
    """Each change with a body that is right, by those who may do it and who may not."""
    schema = openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
    operations = {
        (operation.path, operation.method.upper()): operation
        for operation in (result.ok() for result in schema.get_all_operations())
    }
    browser = browser_of(world, name)
    faults: list[str] = []
    done = 0
    for door in filter(lambda door: door.api, doors()):
        path, parts = route_of(door, world)
        for method in set(door.methods) - {"GET"}:
            operation = operations.get((path, method))
            body = world.bodies.get(f"{method} {door.view}", {})
            if operation is None or with_files(body):
                continue
            request = Request(
                method,
                f"http://testserver{address(door, world)}",
                data=json.dumps(body, cls=DjangoJSONEncoder),
                headers={
                    "Content-Type": "application/json",
                    "If-Match": world.tag(door.view),
                },
            ).prepare()
            answer = answered(browser, request)
            done += answer.status_code < 300
            case = operation.Case(path_parameters=parts)
            faults.append(described_fault(case, request, answer))
    assert not list(filter(None, faults)), "\n".join(filter(None, faults))
    assert done > {"alice": 5, "rita": 5, "olivia": 25}[name]
