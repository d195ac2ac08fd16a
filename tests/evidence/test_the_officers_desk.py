"""The home of the admin is the officer's desk; rows chosen in its lists go to one act.

AC-01: only for operators; AC-03: of one's own systems; its lists ask the database the
same few statements for one row and for many.
"""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.admin import site
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.applicability import request_not_applicable
from controls.models import AuditEvent
from controls.models import ControlImplementation as Control
from tests import factories
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
CONTROLS = "admin:controls_controlimplementation_changelist"
MAX_STATEMENTS = 15


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Any) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def desk(oscar: Any, system: Any) -> Client:
    """The browser of the officer, who is staff."""
    oscar.is_staff = True
    oscar.save(update_fields=["is_staff"])
    return sign_in_just_now(Client(), oscar)


def words(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(unescape(text).split())


def statements(browser: Client, url: str, **query: Any) -> int:
    browser.get(url, query)  # what is kept between requests is kept from here on
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert browser.get(url, query).status_code == 200
    return len(captured)


def test_what_needs_attention_is_counted_and_led_to(desk, system, platform):
    Control.objects.filter(system=system, control__family="ac").update(owner_team=None)
    home = desk.get("/admin/")
    text = words(home)
    assert "For officers of Payments." in text
    assert "No second officer in Payments: nobody can approve." in text
    assert "Nobody uploads for Platform in Payments." in text
    needed = Control.objects.filter(system=system, control__family="ac").exclude(
        responsibility__in=["inherited", "none"]
    )
    assert f"{needed.count()} controls of Payments have no owner." in text
    assert f"{needed.count()} of family AC." in text
    link = re.findall(
        r'href="([^"]+owner=needed&amp;system[^"]+)"', home.content.decode()
    )
    listed = desk.get(unescape(link[0]))
    ticks = re.findall(
        r'name="_selected_action" value="(\d+)"', listed.content.decode()
    )
    assert sorted(map(int, ticks)) == sorted(needed.values_list("pk", flat=True))


def test_what_is_done_is_no_more_said(desk, system, olga, alice):
    text = words(desk.get("/admin/"))
    assert "second officer" not in text
    assert "Nobody uploads for" not in text
    assert "Nobody and nothing is missing." in text


def test_what_waits_for_a_second_officer_is_said(desk, system, olga, alice):
    request_not_applicable(
        factories.implementation(system, "ac-1"),
        justification="No people.",
        review_by=TODAY + dt.timedelta(days=90),
        by=olga,
    )
    text = words(desk.get("/admin/"))
    assert "1 request to leave a control out waits for your decision." in text
    assert "Nobody and nothing is missing" not in text


def test_plumbing_is_out_of_sight_of_officers(desk, system):
    texts = [desk.get("/admin/").content.decode()]
    boss = sign_in_just_now(Client(), factories.administrator())
    texts.append(boss.get("/admin/").content.decode())
    for name in ("requirementterms", "baselinecontrol", "populationitem", "blob"):
        assert [f"/{name}/" in text for text in texts] == [False, True], name
    for name in ("controlimplementation", "requirementcontrol", "evidencerequest"):
        assert f"/{name}/" in texts[0]


def test_officers_of_nothing_and_others(desk, oscar, alice, client):
    client.force_login(alice)
    assert client.get("/admin/").status_code == 403
    nina = factories.make_user("nina", is_staff=True)
    outside = sign_in_just_now(Client(), nina)
    text = words(outside.get("/admin/"))
    assert "You are an officer of no system." in text
    assert "Payments" not in text


def test_rows_of_a_list_go_to_the_page_of_an_act(desk, system, oscar):
    data = factories.make_team("Data")
    rows = Control.objects.filter(system=system, control__family="ac")
    keys = list(rows.values_list("pk", flat=True))
    place = f"{reverse(CONTROLS)}?family=ac"
    listed = desk.get(place).content.decode()
    names = re.findall(r'<input type="hidden" name="action" value="(\w+)"', listed)
    body = {"action": names, "index": names.index("owner"), "_selected_action": keys}
    page = desk.post(place, body)
    assert page.status_code == 302
    seen = desk.post(page["Location"], {"owner_team": data.pk})
    assert f"Assign Data to {len(keys)} controls" in words(seen)
    assert "Administration" in words(seen)
    token = re.findall(r'name="token" value="([^"]+)"', seen.content.decode())[0]
    done = desk.post(f"/systems/{system.slug}/many/owner/confirm/", {"token": token})
    assert done["Location"] == place
    assert set(rows.values_list("owner_team__name", flat=True)) == {"Data"}
    assert AuditEvent.objects.filter(verb="implementation.described").count() == len(
        keys
    )


def test_rows_of_two_systems_and_of_others_are_refused_in_words(desk, oscar, system):
    other = factories.make_system(oscar, slug="ledger")
    keys = list(Control.objects.values_list("pk", flat=True))
    place = reverse(CONTROLS)
    body = {"action": "owner", "index": 0, "_selected_action": keys}
    assert "Choose rows of one system" in words(desk.post(place, body, follow=True))
    nobody = desk.post(place, {"action": "owner", "index": 0}, follow=True)
    assert "Items must be selected" in words(nobody)
    rita = factories.make_user("reader", is_staff=True)
    factories.give_role(rita, other, "reader")
    reader = sign_in_just_now(Client(), rita)
    body["_selected_action"] = list(other.implementations.values_list("pk", flat=True))
    refused = words(reader.post(place, body, follow=True))
    assert "Only a compliance officer of this system may do this." in refused


@pytest.mark.parametrize("app", ["controls", "evidence"])
def test_no_list_asks_the_database_often(app, system, alice, rita):
    boss = sign_in_just_now(Client(), factories.administrator())
    models = [m for m in site._registry if m._meta.app_label == app]
    counted = {
        model.__name__: statements(
            boss, reverse(f"admin:{app}_{model._meta.model_name}_changelist")
        )
        for model in models
    }
    often = {name: n for name, n in counted.items() if n >= MAX_STATEMENTS}
    assert len(counted) > 20
    assert often == {}


LISTS = [
    "admin:controls_controlimplementation_changelist",
    "admin:evidence_requirementcontrol_changelist",
    "admin:evidence_citation_changelist",
    "admin:controls_membership_changelist",
    "admin:controls_systemcomponent_changelist",
    "admin:controls_auditevent_changelist",
    "admin:evidence_evidencerequest_changelist",
    "admin:evidence_evidencelink_changelist",
]


def test_lists_and_home_ask_as_much_of_one_row_as_of_many(desk, oscar, system, rita):
    artifact = factories.make_artifact(oscar, ["pe-3"])
    urls = [reverse(name) for name in LISTS]
    few = [statements(desk, url) for url in urls]
    home = statements(desk, "/admin/")
    for number in range(3):
        more = factories.make_system(oscar, slug=f"more-{number}")
        factories.cite_for(
            more,
            artifact,
            [row.control for row in more.implementations.all()],
            by=oscar,
        )
        for name in ("a", "b"):
            user = factories.make_user(f"{name}{number}")
            factories.give_role(user, more, "reviewer")
    many = [statements(desk, url) for url in urls]
    assert many == few
    assert max(many) < MAX_STATEMENTS, dict(zip(LISTS, many, strict=True))
    assert statements(desk, "/admin/") == home


def test_the_history_of_a_row_says_who_made_what_of_what(desk, oscar, system):
    control = factories.implementation(system, "ac-2")
    data = factories.make_team("Data")
    page = reverse("admin:controls_controlimplementation_change", args=[control.pk])
    form = {
        "owner_team": data.pk,
        "implementation_status": "planned",
        "customer_statement": "",
        "seen_version": control.version,
    }
    assert desk.post(page, form).status_code == 302
    text = words(desk.get(page.replace("/change/", "/history/")))
    assert "Oscar Described" in text
    assert "Owner team: Platform → Data" in text
    stranger = factories.make_user("nemo", is_staff=True)
    other = factories.make_system(stranger, slug="ledger")
    assert other.slug == "ledger"
    outside = sign_in_just_now(Client(), stranger)
    assert outside.get(page.replace("/change/", "/history/")).status_code == 403
