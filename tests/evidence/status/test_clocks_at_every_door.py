"""Pages and API take the same clocks and refuse the same ones with the same words."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from urllib.parse import urlencode

import pytest
import yaml
from django.conf import settings as project
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controls.models import Engagement
from evidence.findings.recording import record_finding, record_observation
from evidence.models import EvidenceRequirement, Export, FailingObservation, Finding
from srm_project.errors import MAX_ADDRESS
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
SYSTEM = "/api/v1/systems/payments/"
CLOCKS = ("on", "known_at", "as_known_then", "window_from", "window_to")
PAGES = {
    "/systems/payments/": CLOCKS,
    "/systems/payments/controls/": CLOCKS,
    "/systems/payments/controls/si-2/": CLOCKS,
    "/systems/payments/matrix/": CLOCKS,
    "/systems/payments/matrix/expected-of-providers/": CLOCKS,
    "/systems/payments/responses/": CLOCKS,
    "/systems/payments/window/providers/": CLOCKS,
    "/systems/payments/calendar/": ("month",),
    "/calendar/": ("month",),
    "/systems/payments/roll-forward/": ("window_from", "window_to"),
    "/systems/payments/events/": ("first_day", "last_day"),
    "/systems/payments/components/what-if/": ("first_day",),
}
API = {
    f"{SYSTEM}controls/": CLOCKS,
    f"{SYSTEM}controls/si-2/": CLOCKS,
    f"{SYSTEM}controls/si-2/occurrences/": CLOCKS,
    f"{SYSTEM}calendar/": ("from", "to"),
    f"{SYSTEM}roll-forward/": ("window_from", "window_to"),
    f"{SYSTEM}controls/si-2/text/": CLOCKS,
    f"{SYSTEM}what-if/": ("first_day",),
}
RECORDS = ("findings", "observations")  # of each there is one, named as the ask is
ASK = "0a5b0000-0000-4000-8000-000000000001"
API[f"/api/v1/asks/{ASK}/occurrences/"] = CLOCKS
API |= dict.fromkeys([f"/api/v1/{noun}/{ASK}/" for noun in RECORDS], CLOCKS)
API |= dict.fromkeys(
    [
        f"{SYSTEM}{noun}/"
        for noun in ("matrix", "expected-of-providers", "responses", "window/providers")
    ],
    CLOCKS,
)
API[f"{SYSTEM}window/"] = CLOCKS
OF_AUDIT = f"/api/v1/engagements/{ASK}/"
API |= {f"{OF_AUDIT}controls/": CLOCKS, f"{OF_AUDIT}request-list/workbook/": CLOCKS}
DOORS = list((PAGES | API).items())
ODD = [
    "2026-02-30",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-06-30\0",
    "²",
    "9" * 5000,
    "2026-06-30T23:59:60Z",
    "2026-06-30T12:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
]
TEXTS = st.sampled_from(
    [*ODD, "", "1", "2026-06-30", "2027-12-31", "2026-06-30T12:00:00+05:30", "2026-11"]
) | st.text(max_size=20)


def test_every_route_of_the_api_that_takes_days_is_tried_here():
    described = yaml.safe_load((project.BASE_DIR / "docs/openapi.yaml").read_text())
    taking_days = {
        path.format(slug="payments", ref_id="si-2", uuid=ASK)
        for path, verbs in described["paths"].items()
        for parameter in verbs.get("get", {}).get("parameters", [])
        if parameter["in"] == "query"
        and parameter["schema"].get("format") in {"date", "date-time"}
    }
    assert taking_days == set(API)


@pytest.fixture(autouse=True)
def one_of_each(system, oscar, monkeypatch):
    """An ask, a finding and what was seen to fail, of names that we know."""
    first = EvidenceRequirement.objects.filter(system=system).order_by("pk")[:1]
    EvidenceRequirement.objects.filter(pk__in=first).update(uuid=ASK)
    for model in (FailingObservation, Finding):
        named = model._meta.get_field("uuid")
        monkeypatch.setattr(named, "_get_default", lambda: uuid.UUID(ASK))
    audit = factories.make_engagement(system)
    Engagement.objects.filter(pk=audit.pk).update(uuid=ASK)
    control = factories.implementation(system, "si-2")
    seen = {"source": "Scan", "text": "A patch is missing.", "by": oscar}
    record_observation(control, observed_on=TODAY, **seen)
    record_finding(control, title="No patch", severity="low", found_on=TODAY, **seen)


@pytest.mark.parametrize(("path", "names"), list(API.items()))
def test_the_api_refuses_odd_texts_by_the_name_of_the_parameter(
    path, names, system, oscar, as_user
):
    browser = as_user(oscar)
    for name, text in itertools.product(names, ODD):
        answer = browser.get(path, {name: text})
        assert answer.status_code == 400, (name, text)
        if "\0" not in text:  # refused before any view
            assert answer["Content-Type"].startswith("application/problem+json")
            assert name in answer.json()["errors"]


@pytest.mark.parametrize(("path", "names"), list(PAGES.items()))
def test_odd_texts_never_break_a_page(path, names, system, oscar, as_user):
    browser = as_user(oscar)
    for text, typed in itertools.product(ODD, [names, *([name] for name in names)]):
        if len(text) > 100 and len(typed) > 1:
            continue  # an address is shorter than that
        answer = browser.get(path, dict.fromkeys(typed, text))
        assert answer.status_code in {200, 400, 422}, (typed, text)
        if names == CLOCKS and "\0" not in text:
            wrong = {"on", "known_at"} & set(typed)
            assert set(answer.context["clocks"].form.errors) >= wrong


@pytest.mark.parametrize(("path", "names"), DOORS)
def test_no_text_breaks_a_door(path, names, system, oscar, as_user):
    browser = as_user(oscar)

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.lists(st.tuples(st.sampled_from(names), TEXTS), max_size=5))
    def try_it(pairs):
        address = f"{path}?{urlencode(pairs)}"
        answer = browser.get(address)
        if len(address) > MAX_ADDRESS:
            assert answer.status_code == 414
        else:
            assert answer.status_code in {200, 400, 404, 422}

    try_it()


@pytest.mark.parametrize(
    "parameters",
    [
        {"on": "2026-02-30"},
        {"on": "9999-12-31", "as_known_then": "1"},
        {"on": ["2026-01-01", "2026-02-01"]},
        {"known_at": "2026-06-30T12:00:00"},
        {"known_at": "yesterday"},
        {"as_known_then": "perhaps"},
        {"window_from": "2026-01-01"},
        {"window_from": "2026-02-01", "window_to": "2026-01-01"},
        {"window_from": "9998-01-01", "window_to": "9999-12-31"},
        {"window_from": "2020-01-01", "window_to": "2026-01-01"},
        {"window_from": "2026-01-01", "window_to": "2026-06-30T12:00:00Z"},
    ],
)
def test_page_and_api_refuse_the_same_with_the_same_sentences(
    parameters, system, alice, as_user
):
    browser = as_user(alice)
    errors = browser.get(f"{SYSTEM}controls/si-2/", parameters).json()["errors"]
    page = browser.get("/systems/payments/controls/si-2/", parameters)
    shown = page.context["clocks"].form.errors
    assert errors
    of_page = {sentence for sentences in shown.values() for sentence in sentences}
    assert of_page == {s for sentences in errors.values() for s in sentences}
    for sentence in of_page:
        assert sentence in page.content.decode()


@pytest.mark.parametrize(
    "parameters",
    [
        {"on": "2026-06-30"},
        {"on": "2026-06-30", "as_known_then": "true"},
        {"on": "2199-12-31", "as_known_then": "1"},
        {"known_at": "2199-12-31"},
        {"known_at": "2199-12-31T00:00:00Z"},
        {"window_from": "2026-01-01", "window_to": "2030-12-31"},
    ],
)
def test_page_and_api_answer_about_the_same_moment(parameters, system, alice, as_user):
    browser = as_user(alice)
    api = browser.get(f"{SYSTEM}controls/si-2/occurrences/", parameters)
    page = browser.get("/systems/payments/controls/si-2/", parameters)
    if api.status_code == 400:  # not recorded by then
        assert "period" not in page.context
        return
    body, clocks = api.json(), page.context["clocks"]
    assert body["on"] == str(clocks.moment.on)
    assert (body["window_from"], body["window_to"]) == tuple(map(str, clocks.window))
    known = clocks.moment.known_at
    assert (body["known_at"] is None) == (known is None)
    if known and clocks.moment.on < dt.date(2190, 1, 1):
        assert dt.datetime.fromisoformat(body["known_at"]) == known


@pytest.mark.parametrize(
    "parameters",
    [
        {"on": "2026-06-30", "known_at": "2026-07-01 12:00:00+02:00"},
        {"on": "2026-06-30", "known_at": "2026-07-01"},
        {"on": "2026-06-30", "as_known_then": "1"},
        {"on": "2026-06-30", "window_from": "2025-01-01", "window_to": "2025-12-31"},
    ],
)
def test_links_of_a_page_ask_for_the_same_moment(parameters, system, alice, as_user):
    browser = as_user(alice)
    clocks = browser.get("/systems/payments/", parameters).context["clocks"]
    assert " " not in clocks.query
    again = browser.get(f"/systems/payments/?{clocks.query}").context["clocks"]
    assert (again.moment, again.window) == (clocks.moment, clocks.window)


@pytest.mark.parametrize("path", [p for p, names in DOORS if names == CLOCKS])
def test_before_the_system_was_recorded_there_is_nothing(path, system, alice, as_user):
    answer = as_user(alice).get(path, {"known_at": "2000-01-01T00:00:00Z"})
    # a finding was not yet there to be named; of a system it is said
    of_one = path.endswith(f"/{ASK}/") and path.split("/")[3] in RECORDS
    # what a control asks is no record of the system's
    of_catalog = path.endswith("/text/")
    of_one |= path.startswith(OF_AUDIT)  # which is for its auditors and officers
    expected = 404 if of_one else 400 if path in API and not of_catalog else 200
    assert answer.status_code == expected


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("/exports/request/", {"on": "9999-12-31"}),
        ("/exports/request/", {"on": "2026-02-30"}),
        ("/api/v1/exports/", {"on": "9999-12-31"}),
        ("/api/v1/exports/", {"on": "20260630"}),
        ("/api/v1/exports/", {"known_at": "2026-06-30T12:00:00"}),
        ("/api/v1/exports/", {"known_at": "9999-12-31T23:59:59-14:00"}),
    ],
)
def test_exports_take_the_same_clocks(path, changed, system, oscar, as_user):
    sent = {"system": "payments", "on": "2026-06-30", "as_known_then": "1"} | changed
    answer = as_user(oscar).post(path, sent)
    assert answer.status_code == 400
    assert not Export.objects.exists()


@pytest.mark.parametrize("known", ["2031-01-01", "2031-01-01T00:00:00Z"])
def test_r31_nothing_is_answered_as_known_at_a_time_that_has_not_come(
    system, oscar, as_user, known
):
    """Whoever asks it is told what is known now, and under that name."""
    browser = as_user(oscar)
    api = browser.get("/api/v1/systems/payments/controls/pe-3/", {"known_at": known})
    assert api.json()["known_at"] is None
    page = browser.get("/systems/payments/controls/pe-3/", {"known_at": known})
    text = " ".join(page.content.decode().split())
    assert page.context["clocks"].known_text == "now"
    assert "2031-01-01 00:00" not in text
