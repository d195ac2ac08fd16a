"""Every address of the URLconf, asked for by everybody; what came back, as a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from knox.models import AuthToken

from controls.models import TokenScope
from tests.access.world import COLUMNS, World
from tests.sign_ins import sign_in_just_now

TABLE = Path(__file__).with_name("table.txt")
# Not ours to describe: allauth's and Django's own pages, tried in other tests.
OTHERS = ("accounts/", "admin/", "livez", "readyz")
# Served as they are to other programs, or a page that is not ours.
NOT_OURS = {"api_docs", "evidence:preview_page"}
PART = re.compile(r"\(\?P<(\w+)>|<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Door:
    """One view: its name, what its address needs, the methods that it takes."""

    view: str
    parts: frozenset[str]
    methods: tuple[str, ...]
    api: bool = False
    callback: Any = field(default=None, compare=False)


class Undo(Exception):
    """Raised to take back what a request wrote."""


def doors() -> list[Door]:
    """Every address of ours, one line for each method."""
    return [_door(*each) for each in _patterns(get_resolver().url_patterns)]


def _patterns(
    patterns: list[Any], route: str = "", space: str = ""
) -> Iterator[tuple[URLPattern, str, str]]:
    for each in patterns:
        path = route + str(each.pattern)
        if path.lstrip("^").startswith(OTHERS):
            continue
        if isinstance(each, URLPattern):
            yield each, path, space
        else:
            named = f"{each.namespace}:" if each.namespace else space
            yield from _patterns(each.url_patterns, path, named)


def _door(pattern: URLPattern, route: str, space: str) -> Door:
    found = frozenset(a or b for a, b in PART.findall(route))
    actions = getattr(pattern.callback, "actions", None)
    methods = _methods(actions) if actions else ("GET", "POST")
    view = f"{space}{pattern.name}" if pattern.name else route
    kind = getattr(pattern.callback, "cls", None)
    api = kind is not None and route.startswith("api/v1/")
    return Door(view, found, methods, api, pattern.callback)


def _methods(actions: dict[str, str]) -> tuple[str, ...]:
    return tuple(m.upper() for m in actions if m not in {"head", "options"})


def address(door: Door, world: World) -> str:
    """Where a door is, for an object that is there."""
    if door.view.endswith(("livez", "readyz", "favicon.ico")):
        return f"/{door.view}"
    return reverse(door.view, kwargs=world.parts(door.view, set(door.parts)))


def browser_of(world: World, name: str) -> Client:
    """The browser of a person; of nobody for `anonymous`."""
    client = Client(raise_request_exception=False)
    if name != "anonymous":
        sign_in_just_now(client, world.house.people[name])
    return client


def token_of(world: World, name: str) -> Client:
    """A program with a token of this person that may only read."""
    token, secret = AuthToken.objects.create(world.house.people[name])
    TokenScope.objects.create(token=token, name="walk", scope="read")
    headers = {"Authorization": f"Token {secret}"}
    return Client(raise_request_exception=False, headers=headers)


def said_in_table(name: str) -> dict[tuple[str, str], int]:
    """The column of a person: the status for each method and view."""
    column, said = COLUMNS.index(name), {}
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            method, view, *statuses = line.split()
            said[method, view] = int(statuses[column])
    return said


def pages_of_table(world: World, name: str) -> Iterator[tuple[str, str, str]]:
    """View, address and HTML of every page that the table lets this person open."""
    table, browser = said_in_table(name), browser_of(world, name)
    for door in doors():
        if table.get(("GET", door.view)) != 200 or door.api or door.view in NOT_OURS:
            continue
        answer = browser.get(address(door, world))
        if answer.get("Content-Type", "").startswith("text/html"):
            yield door.view, address(door, world), answer.content.decode()
        answer.close()


def files_of(body: Any) -> list[Any]:
    """The files of a body; one that is a list holds none."""
    if not isinstance(body, dict):
        return []
    return [*body.get("files", ()), *([body["file"]] if "file" in body else ())]


def tried(client: Client, door: Door, method: str, world: World) -> int:
    """The status of one request, whose writing is taken back."""
    body = world.bodies.get(f"{method} {door.view}", {})
    how: dict[str, Any] = {}
    files = files_of(body)
    if address(door, world).startswith("/api/") and not files:
        how = {"content_type": "application/json"}
    how["headers"] = {"If-Match": world.tag(door.view)}
    for file in files:
        file.seek(0)
    try:
        with transaction.atomic():
            ask = getattr(client, method.lower())
            answer = ask(address(door, world), {} if method == "GET" else body, **how)
            if answer.streaming:
                b"".join(answer.streaming_content)
            raise Undo
    except Undo:
        return int(answer.status_code)
