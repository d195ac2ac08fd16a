"""R1: day, knowledge and window of an auditor's page go along every link in the system.

Walks from the page of the audit, about an earlier day, through all pages that it leads
to, also by way of requests, reports and populations that are about no day themselves.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections import Counter, deque
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import resolve, reverse

from controls import clock
from evidence.models import Evidence
from evidence.requests.answers import answer
from evidence.requests.requests import RequestDraft, request_evidence
from evidence.views.carried_clocks import NAMES
from tests.access import world as worlds
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = TODAY - dt.timedelta(days=3)
DAYS = {
    "on": str(DAY),
    "window_from": str(TODAY - dt.timedelta(days=100)),
    "window_to": str(TODAY - dt.timedelta(days=2)),
}
# The pages on which a day can be asked for.
ABOUT_A_DAY = {
    "audit", "audit_news", "audit_controls", "mark", "audit_samples", "audit_sample",
    "request_list", "dashboard", "controls", "control", "number", "numbers", "evidence",
    "findings", "finding", "observation", "matrix", "provider_window", "responses",
    "window",
}  # fmt: skip
MAX_PAGES = {"control": 2, "evidence": 2, "mark": 2}
HREF = re.compile(r'<a\b[^>]*?\shref="(/[^"]*)"')


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> worlds.World:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


@pytest.fixture
def clocks(world: worlds.World) -> dict[str, str]:
    """An earlier day, another window, and what is known by now."""
    return DAYS | {"known_at": clock.now().isoformat()}


def links_of(page: Any) -> list[str]:
    """The pages that a page leads to."""
    return [html.unescape(href) for href in HREF.findall(page.content.decode())]


def clocks_in(link: str) -> dict[str, str]:
    fields = parse_qs(urlsplit(link).query)
    return {name: fields[name][0] for name in NAMES if name in fields}


def test_every_link_keeps_the_clocks(world) -> None:
    house = world.house
    draft = RequestDraft("Show it", ["cm-8"], house.team, TODAY)
    request = request_evidence(house.system, draft, by=house.audrey)
    answer(request, [Evidence.objects.order_by("pk")[0]], by=house.alice)
    clocks = DAYS | {"known_at": clock.now().isoformat()}
    client = sign_in_just_now(Client(), house.audrey)
    audit = house.system.engagements.get(title="SOC 2")
    start = reverse("evidence:audit", args=[audit.uuid])
    waiting, seen = deque([f"{start}?{urlencode(clocks)}"]), Counter[str]()
    lost, walked = set(), set()
    while waiting:
        place = waiting.popleft()
        page = client.get(place)
        if page.status_code != 200 or "html" not in page["Content-Type"]:
            continue
        here = urlsplit(place).path
        for link in links_of(page):
            path = urlsplit(link).path
            match = resolve(path)
            view = match.url_name or ""
            own = match.kwargs.get("slug") in (None, "shop")
            if match.namespaces != ["evidence"] or path == here or not own:
                continue
            named = clocks_in(link)
            of_its_own_day = "on" in named and named["on"] != clocks["on"]  # of a trend
            if view in ABOUT_A_DAY and named != clocks and not of_its_own_day:
                lost.add((resolve(here).url_name, view))
            if clocks_in(link) != clocks or path in walked:
                continue
            walked.add(path)
            seen[view] += 1
            if seen[view] <= MAX_PAGES.get(view, 5):
                waiting.append(link)
    assert lost == set()
    assert {"request", "artifact", "population", "evidence", "control"} <= set(seen)


def test_back_to_today_and_other_systems_stay_without(world, clocks) -> None:
    client = sign_in_just_now(Client(), world.house.audrey)
    place = reverse("evidence:dashboard", args=["shop"])
    links = links_of(client.get(place, clocks))
    assert place in links
    assert reverse("evidence:work") in links


@pytest.mark.parametrize("odd", ["yesterday", "9999-12-31", "2026-02-29"])
def test_what_is_no_day_is_not_carried(world, odd) -> None:
    client = sign_in_just_now(Client(), world.house.audrey)
    page = client.get(reverse("evidence:requests"), {"on": odd})
    assert page.status_code == 200
    assert not [link for link in links_of(page) if clocks_in(link)]
