"""How far many controls are is said in one act, after a preview of each of them."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.urls import reverse

from controls.models import (
    AuditEvent,
    ControlImplementation,
    ImplementationStatement,
    System,
    Team,
    User,
)
from evidence.models import RequirementControl
from tests import factories
from tests.evidence import house
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def today(on_day: Any) -> None:
    """Pages and the API are asked on TODAY."""
    on_day(TODAY)


@pytest.fixture
def system(oscar: User, platform: Team) -> System:
    """Payments, of which nobody has said anything but that AC-2 is planned."""
    system = factories.make_system(oscar, team=platform, stated=False)
    planned = factories.implementation(system, "ac-2")
    ImplementationStatement.objects.create(
        implementation=planned, days=(dt.date(2026, 3, 1), None), status="planned"
    )
    ControlImplementation.objects.filter(pk=planned.pk).update(
        implementation_status="planned"
    )
    return system


def ours(system: System) -> set[str]:
    """The ids of the controls of which part is ours."""
    rows = system.implementations.filter(
        responsibility__in=["shared", "customer", "unclassified"]
    )
    return set(rows.values_list("control__ref_id", flat=True))


def statuses(system: System) -> dict[str, str]:
    rows = system.implementations.values_list(
        "control__ref_id", "implementation_status"
    )
    return dict(rows)


def preview_page(browser: Any, system: System, query: str = "", **said: Any) -> Any:
    """The page of the act for the list, by the address of before there was one for
    all acts; then what would become of each control."""
    url = reverse("evidence:status_of_many", args=[system.slug]) + query
    page = browser.post(url)
    assert page.status_code == 302, page.content
    body = {"implementation_status": "implemented", "stated_from": TODAY}
    return browser.post(page["Location"], body | said)


def confirm_page(browser: Any, system: System, page: Any) -> Any:
    token = re.search('name="token" value="([^"]+)"', page.content.decode())
    url = reverse("evidence:status_of_many_confirm", args=[system.slug])
    return browser.post(url, {"token": token[1] if token else ""})


def preview_api(browser: Any, system: System, **said: Any) -> Any:
    url = f"/api/v1/systems/{system.slug}/implementation-status/preview/"
    body = {"implementation_status": "implemented", **said}
    return browser.post(url, body, "application/json")


def confirm_api(browser: Any, system: System, token: str) -> Any:
    url = f"/api/v1/systems/{system.slug}/implementation-status/confirm/"
    return browser.post(url, {"token": token}, "application/json")


def test_the_page_shows_each_control_and_then_says_it(
    system: System, alice: User, as_user: Any
) -> None:
    """R28: by filter with a preview, and shown as said of many at once."""
    browser = as_user(alice)
    listing = browser.get(reverse("evidence:controls", args=[system.slug]))
    shown = " ".join(listing.content.decode().split())
    assert "Of all 14 controls of this list, or of those you tick below" in shown
    assert ">State implementation</button>" in shown
    assert ">Assign an owner</button>" not in shown

    page = preview_page(browser, system)

    text = page.content.decode()
    assert re.search(rf"will change</span>\s*<b>{len(ours(system))}</b>", text)
    assert text.count("Replaces what was said") == 1
    assert text.count("Said for the first time") == len(ours(system)) - 1
    assert "No part of it is ours" in text
    assert set(statuses(system).values()) == {"not-stated", "planned"}

    answer = confirm_page(browser, system, page)

    assert answer.status_code == 302
    said = {ref_id for ref_id, s in statuses(system).items() if s == "implemented"}
    assert said == ours(system)
    events = AuditEvent.objects.filter(verb="implementation.described")
    assert events.count() == len(said)
    assert all(json.loads(event.body)["in_bulk"] for event in events)
    shown = browser.get(reverse("evidence:control", args=[system.slug, "ac-4"]))
    assert "for many controls at once" in shown.content.decode()
    changed = factories.implementation(system, "ac-2").statements.order_by("days")
    assert [row.status for row in changed] == ["planned", "implemented"]


def test_only_what_the_filter_means_is_said(
    system: System, oscar: User, as_user: Any
) -> None:
    browser = as_user(oscar)
    page = preview_page(browser, system, "?family=at&q=")
    confirm_page(browser, system, page)
    said = {ref_id for ref_id, s in statuses(system).items() if s == "implemented"}
    assert said == {"at-2"}


def test_a_preview_says_it_once_and_only_while_it_is_true(
    system: System, oscar: User, alice: User, as_user: Any
) -> None:
    browser = as_user(oscar)
    page = preview_page(browser, system, "?q=ac-4")
    assert confirm_page(browser, system, page).status_code == 302
    again = confirm_page(browser, system, page)
    assert again.status_code == 302
    assert AuditEvent.objects.filter(verb="implementation.described").count() == 1

    page = preview_page(browser, system, "?q=cm-2")
    partly = {"control_ids": ["cm-2"], "implementation_status": "partial"}
    token = preview_api(browser, system, **partly).json()["token"]
    assert confirm_api(browser, system, token).json() == {"controls": 1}
    stale = confirm_page(browser, system, page)
    assert stale.status_code == 409
    assert "Something changed since" in stale.content.decode()


def test_a_preview_is_of_who_asked(
    system: System, oscar: User, alice: User, as_user: Any
) -> None:
    token = preview_api(as_user(oscar), system).json()["token"]
    answer = confirm_api(as_user(alice), system, token)
    assert answer.status_code == 409
    assert "somebody else" in answer.content.decode()


def test_an_earlier_day_only_where_nothing_is_said(
    system: System, oscar: User, as_user: Any
) -> None:
    """R31: what is stated already changes in retrospect only; the rest is first."""
    first = "2026-01-01"
    answer = preview_api(
        as_user(oscar), system, stated_from=first, control_ids=["ac-2", "ac-4"]
    ).json()
    outcomes = {row["control_id"]: row["outcome"] for row in answer["controls"]}
    assert outcomes == {"ac-2": "refused", "ac-4": "first"}
    assert "change in retrospect" in answer["controls"][0]["why"]
    confirm_api(as_user(oscar), system, answer["token"])
    row = factories.implementation(system, "ac-4").statements.get()
    assert (str(row.days.lower), row.stated_on) == (first, TODAY)
    assert row.in_bulk
    before = preview_api(as_user(oscar), system, stated_from="2025-12-31").json()
    assert {row["outcome"] for row in before["controls"]} == {"refused"}
    assert before["token"] == ""


def test_another_teams_controls_are_left_as_they_are(
    system: System, alice: User, as_user: Any
) -> None:
    other = factories.make_team("Other")
    system.implementations.filter(control__ref_id="cm-2").update(owner_team=other)
    answer = preview_api(as_user(alice), system, control_ids=["cm-2"]).json()
    (row,) = answer["controls"]
    assert row["outcome"] == "refused"
    assert "the owner team, Other, may state this" in row["why"]


def test_unknown_controls_and_statuses_are_named(
    system: System, oscar: User, as_user: Any
) -> None:
    wrong = preview_api(as_user(oscar), system, control_ids=["zz-1"])
    assert (wrong.status_code, "zz-1" in wrong.content.decode()) == (400, True)
    unsaid = preview_api(as_user(oscar), system, implementation_status="not-stated")
    assert unsaid.status_code == 400
    page = preview_page(as_user(oscar), system, stated_from="")
    assert page.status_code == 422


def test_the_number_of_queries_does_not_grow(
    system: System,
    oscar: User,
    as_user: Any,
    django_assert_max_num_queries: Any,
) -> None:
    browser = as_user(oscar)
    one = preview_api(browser, system, control_ids=["ac-1"]).json()["token"]
    with django_assert_max_num_queries(60) as queries:
        confirm_api(browser, system, one)
    count = len(queries)
    with django_assert_max_num_queries(60) as queries:
        preview_api(browser, system, control_ids=["ac-4"])
    for_one = len(queries)
    with django_assert_max_num_queries(60) as queries:
        token = preview_api(browser, system).json()["token"]
    assert len(queries) == for_one
    with django_assert_max_num_queries(count + 1) as queries:
        assert confirm_api(browser, system, token).json()["controls"] > 5


def test_my_work_names_each_system_once_and_leads_to_the_controls(
    system: System, alice: User, rita: User, as_user: Any
) -> None:
    """R28: one work item per system; the list is narrowed to what is not stated."""
    work = reverse("evidence:work")
    count = len(ours(system) - {"ac-2"})
    page = " ".join(as_user(alice).get(work).content.decode().split())
    assert f"{count} controls without an implementation status" in page
    url = reverse("evidence:controls", args=[system.slug])
    assert f"{url}?status=not-stated" in page
    listed = as_user(alice).get(url, {"status": "planned"}).content.decode()
    assert "1 of 14" in " ".join(listed.split())
    assert "not stated</h2>" not in as_user(rita).get(work).content.decode()
    page = preview_page(as_user(alice), system, "?status=not-stated")
    confirm_page(as_user(alice), system, page)
    assert "not stated</h2>" not in as_user(alice).get(work).content.decode()
    assert statuses(system)["ac-2"] == "planned"


# --- the upload asks once -----------------------------------------------------------


def upload(browser: Any, system: System, **said: Any) -> Any:
    asked = factories.requirement(system, "ac-4")
    day = TODAY - dt.timedelta(days=10)
    body = {
        "title": "Rules",
        "performed_on": day,
        "period_start": day,
        "period_end": day,
        "collected_on": day,
        "sensitivity": "internal",
        "files": house.file("rules.txt", b"The rules of the day"),
    }
    url = reverse("evidence:upload", args=[system.slug, asked.uuid])
    return browser.post(url, body | said)


@pytest.fixture
def stored(settings: Any, tmp_path: Any) -> None:
    """Somewhere for files."""
    settings.EVIDENCE_STORE = str(tmp_path)


def test_the_upload_asks_once_how_far_it_is(
    system: System, alice: User, stored: None, as_user: Any
) -> None:
    """R28: stated with the first proof, from the day on which it was performed."""
    browser = as_user(alice)
    asked = factories.requirement(system, "ac-4")
    url = reverse("evidence:upload", args=[system.slug, asked.uuid])
    question = "How far is this control implemented?"
    assert question in browser.get(url).content.decode()

    answer = upload(browser, system, implementation_status="implemented")

    assert answer.status_code == 302, answer.content
    row = factories.implementation(system, "ac-4").statements.get()
    assert (row.status, row.stated_by, row.stated_on) == ("implemented", alice, TODAY)
    assert row.days.lower == TODAY - dt.timedelta(days=10)
    assert question not in browser.get(url).content.decode()


def test_an_upload_that_is_refused_states_nothing(
    system: System, alice: User, stored: None, as_user: Any
) -> None:
    tomorrow = TODAY + dt.timedelta(days=60)
    answer = upload(
        as_user(alice),
        system,
        implementation_status="implemented",
        performed_on=tomorrow,
    )
    assert answer.status_code == 400
    assert not factories.implementation(system, "ac-4").statements.exists()


def test_who_may_not_say_it_is_told_whom_to_ask(
    system: System, alice: User, as_user: Any
) -> None:
    """R28: whoever proves without owning the control asks its team."""
    other = factories.make_team("Other")
    system.implementations.filter(control__ref_id="ac-4").update(owner_team=other)
    asked = factories.requirement(system, "ac-4")
    rows = RequirementControl.objects.filter(pk=asked.pk)
    factories.set_terms(rows, owner_team=factories.make_team("Platform"))
    url = reverse("evidence:upload", args=[system.slug, asked.uuid])
    page = as_user(alice).get(url).content.decode()
    assert "How far is this control implemented?" not in page
    assert "Ask Other, which owns it, or a compliance officer" in " ".join(page.split())
