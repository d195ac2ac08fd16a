"""RFC 9457: whatever goes wrong below /api/v1/, a program is answered problem+json."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from evidence.api.evidence import LinkViewSet
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"


@pytest.fixture
def house(settings: Any, tmp_path: Any) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def browser(house) -> Client:
    """Alice's, which takes an answer of 500 as it is."""
    client = Client(raise_request_exception=False)
    sign_in_just_now(client, house.alice)
    return client


def is_problem(answer: Any, status: int) -> None:
    assert answer.status_code == status, answer.content.decode()
    assert answer["Content-Type"] == PROBLEM
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"] and problem["detail"] and problem["type"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nothing/",
        "/api/v1/systems/shop/nothing/",
        "/api/v1/evidence/no-uuid/",
        "/api/v1/evidence",
        "/api/v1/evidence/00000000-0000-4000-8000-000000000000/",
        "/api/v1/systems/nowhere/",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_what_is_not_there(browser, path, method) -> None:
    answer = getattr(browser, method)(path)
    if answer.status_code == 301:  # Django adds the slash
        return
    is_problem(answer, 405 if answer.status_code == 405 else 404)


def test_an_unknown_address_tells_a_stranger_nothing_either(client) -> None:
    is_problem(client.get("/api/v1/nothing/"), 404)
    is_problem(client.get("/api/v1/evidence/"), 401)


def test_a_method_that_is_not_taken(browser) -> None:
    answer = browser.delete(reverse("evidence-list"))
    is_problem(answer, 405)
    assert "GET" in answer["Allow"]


def test_a_body_of_another_kind(browser) -> None:
    is_problem(browser.post(reverse("export-list"), "a", content_type="text/csv"), 415)


@pytest.mark.parametrize("body", ["{", "[" * 5000, "\ud83d", "", "[]", '"a"', "null"])
def test_json_that_is_none_or_says_nothing(browser, body) -> None:
    sent = body.encode(errors="surrogatepass")
    answer = browser.post(reverse("export-list"), sent, content_type="application/json")
    is_problem(answer, 400)


def test_a_body_that_is_too_long(browser, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = browser.post(
        reverse("export-list"), '{"a": "' + "a" * 200 + '"}', "application/json"
    )
    is_problem(answer, 413)


def test_a_cursor_that_is_none(browser) -> None:
    is_problem(browser.get(reverse("evidence-list"), {"cursor": "cD1hYmM="}), 404)


@pytest.mark.parametrize(
    ("failure", "status"),
    [(ValueError("odd"), 500), (OperationalError("away"), 503)],
)
def test_what_nobody_expected(browser, monkeypatch, failure, status) -> None:
    """RE-06: without a word of what it was."""

    def fails(self: LinkViewSet) -> Any:
        raise failure

    monkeypatch.setattr(LinkViewSet, "get_queryset", fails)
    answer = browser.get(reverse("evidence-list"))
    is_problem(answer, status)
    assert "odd" not in answer.content.decode()
    assert answer.has_header("Retry-After") is (status == 503)


CLOCKS = [
    "known_at=2000-01-01T00:00:00Z",
    "known_at=1990-01-01",
    "known_at=0001-01-01T00:00:00Z",
    "known_at=1989-12-31",
    "on=9999-12-31&as_known_then=1",
    "on=0001-01-01",
    "on=2200-12-31",
    "on=1990-01-01",
    "on=1990-01-01&as_known_then=1",
    "on=2200-12-31&as_known_then=1",
    "window_from=9998-01-01&window_to=9999-12-31",
    "window_from=2199-01-01&window_to=2200-12-31",
    "window_from=1990-01-01&window_to=1990-12-31",
]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/systems/shop/controls/",
        "/api/v1/systems/shop/controls/cm-8/",
        "/systems/shop/",
        "/systems/shop/controls/cm-8/",
        "/systems/shop/requirements/",
        "/systems/shop/calendar/",
    ],
)
@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "Pacific/Kiritimati"])
def test_instants_at_the_ends_of_time_have_an_answer(
    house, browser, path, zone
) -> None:
    """200, or 400 with one sentence; never 500."""
    type(house.system).objects.filter(pk=house.system.pk).update(time_zone=zone)
    for query in CLOCKS:
        answer = browser.get(f"{path}?{query}")
        assert answer.status_code in {200, 400}, (query, answer.content.decode()[:300])
        cannot_be = ("9999", "0001", "1989", "9998", "known_at")
        if path.startswith("/api/") and any(text in query for text in cannot_be):
            is_problem(answer, 400)


@pytest.mark.parametrize(
    "query",
    ["from=9999-12-31", "from=0001-01-01", "from=9999-12-01&to=9999-12-31"],
)
@pytest.mark.parametrize("path", ["/api/v1/systems/shop/calendar/"])
def test_a_calendar_of_days_that_cannot_be(browser, path, query) -> None:
    is_problem(browser.get(f"{path}?{query}"), 400)
    shown = browser.get(f"/systems/shop/calendar/?{query}")
    assert shown.status_code in {200, 400}


@pytest.mark.parametrize(
    "query", ["from=2200-12-31", "from=1990-01-01", "to=1990-01-01"]
)
def test_a_calendar_at_the_ends_has_an_answer(browser, query) -> None:
    answer = browser.get(f"/api/v1/systems/shop/calendar/?{query}")
    assert answer.status_code in {200, 400}
    assert browser.get(f"/systems/shop/calendar/?{query}").status_code in {200, 400}


@pytest.mark.parametrize(
    "body",
    [
        {"on": "9999-12-31"},
        {"on": "0001-01-01"},
        {"known_at": "2000-01-01T00:00:00Z"},
        {"known_at": "0001-01-01T00:00:00+14:00"},
        {"known_at": "9999-12-31T23:59:59-12:00"},
    ],
)
def test_an_export_of_an_instant_that_cannot_be(house, browser, body) -> None:
    sign_in_just_now(browser, house.olivia)
    sent = {"system": "shop", **body}
    answer = browser.post(reverse("export-list"), sent, "application/json")
    is_problem(answer, 400)


@pytest.mark.parametrize("text", ["a\x00b", "\\u0000", "\\ud800"])
@pytest.mark.parametrize("member", ["baseline", "name", "slug"])
def test_characters_that_no_text_has(house, browser, text, member) -> None:
    """IN-06: JSON may name them; no column of the database holds them."""
    sign_in_just_now(browser, house.olivia)
    whole = {"name": "N", "slug": "n", "regime": "soc2", "baseline": "four"}
    whole |= {"impact_level": "low", "components": []}
    whole |= {"window_start": "2026-01-01", "window_end": "2026-12-31"}
    body = json.dumps(whole | {member: "HERE"}).replace("HERE", text)
    is_problem(browser.post("/api/v1/systems/", body, "application/json"), 400)
    form = whole | {member: "a\x00b"}
    is_problem(browser.post("/api/v1/systems/", form), 400)


def refusals_of(method: str) -> set[str]:
    """The codes of refusals that each operation of a method describes."""
    reading = {"400", "401", "403", "404", "405", "406", "409", "410", "429", "503"}
    if method == "get":
        return reading
    return reading | {"412", "413", "415", "422", "428", "507"}


def test_the_schema_says_of_every_operation_how_it_refuses() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    silent = [
        (method, path)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if not refusals_of(method) <= set(operation["responses"])
    ]
    assert schema["paths"] and not silent
