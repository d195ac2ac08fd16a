"""An officer sends the provider's document by page or API, adopts and ends it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls import clock
from controls.models import ProviderDocument, RetrospectiveChange
from controls.retrospect import approve
from tests import factories
from tests.controls.provider_documents import (
    DAY,
    HEAD,
    TABLE,
    adopted,
    form,
    read,
    second_officer,
    send,
    sheet,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def today(system):
    return system.day_of(clock.now())


def test_upload_preview_adopt_and_read_the_differences(system, oscar, olga, as_user):
    browser = as_user(oscar)
    sent = send(browser, system)
    assert sent.status_code == 302
    page = browser.get(sent.url).content.decode()
    assert "2 differ from our template" in page
    assert "We filter what passes between tenants." in page
    assert "We guard the halls." not in page  # it agrees
    assert not ProviderDocument.objects.exists()

    done = browser.post(f"{sent.url}adopt/", follow=True)

    page = done.content.decode()
    assert "waits for a second officer: once approved, it rules from 2026-06-01" in page
    assert "We guard the halls." in page
    document = ProviderDocument.objects.get()
    assert (document.imported_by, document.file_name) == (oscar, "matrix.csv")
    assert factories.implementation(system, "si-2").responsibility == "shared"
    again = browser.post(f"{sent.url}adopt/", follow=True).content.decode()
    assert "Nothing was added" in again  # the used preview shows what it made
    assert ProviderDocument.objects.count() == 1
    listed = browser.get(reverse("evidence:provider", args=[system.slug]))
    assert "Responsibility matrix, v1" in listed.content.decode()

    waits = reverse("evidence:retrospective", args=[document.change.uuid])
    own = browser.post(f"{waits}decide/", {"decision": "approve"})
    assert own.status_code == 403
    second = as_user(olga)
    assert waits in second.get(reverse("evidence:work")).content.decode()
    page = second.get(waits).content.decode()
    assert "SI-2 shared by our template, customer by the document" in page
    second.post(f"{waits}decide/", {"decision": "approve"})
    assert factories.implementation(system, "si-2").responsibility == "customer"


def test_what_the_document_adds_to_us_asks_for_proof(system, oscar, as_user, today):
    browser = as_user(oscar)
    control = factories.implementation(system, "pe-3")
    assert not control.requirements.exists()
    sent = send(browser, system, text=f"{HEAD}PE-3,Shared,Guard your cage.\n")
    browser.post(f"{sent.url}adopt/")
    assert not control.requirements.exists()
    change = ProviderDocument.objects.get().change
    approve(change, by=second_officer(system, oscar), today=today)
    asked = control.requirements.get()
    assert asked.operates_from == dt.date(2026, 6, 1)


def test_wrong_lines_are_shown_beside_the_form(system, oscar, as_user):
    content = sheet([["Control ID", "Responsibility"], ["ZZ-9", "shared"]])
    answer = send(as_user(oscar), system, text=content, name="m.xlsx")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "1 line is not understood" in page
    assert "there is no control ZZ-9 in the catalog." in page
    assert "Responsibility matrix" in page  # what was typed is kept


def test_a_file_without_headings_is_refused_with_the_form(system, oscar, as_user):
    answer = send(as_user(oscar), system, text="a,b\n1,2\n")
    assert answer.status_code == 422
    assert "No line names the columns" in answer.content.decode()


def test_a_preview_belongs_to_the_one_who_sent_it(system, oscar, olga, as_user):
    sent = send(as_user(oscar), system)
    page = as_user(olga).get(sent.url, follow=True).content.decode()
    assert "send the file again" in page


def test_an_adoption_that_comes_too_late_shows_the_form(system, oscar, as_user, today):
    browser = as_user(oscar)
    sent = send(browser, system)
    adopted(system, oscar, today, starts_on=today)
    answer = browser.post(f"{sent.url}adopt/")
    assert answer.status_code == 422
    assert "must start later" in answer.content.decode()


def test_the_control_page_shows_the_providers_words(system, oscar, as_user, today):
    before = clock.now()
    adopted(system, oscar, today)
    url = reverse("evidence:control", args=[system.slug, "ac-4"])
    browser = as_user(oscar)
    page = browser.get(url).content.decode()
    assert "We filter what passes between tenants." in page
    assert "Said by the provider's document" in page
    then = browser.get(url, {"known_at": before.isoformat()}).content.decode()
    assert "We filter what passes" not in then
    earlier = browser.get(url, {"on": str(today - 11 * DAY)}).content.decode()
    assert "We filter what passes" not in earlier


def test_a_document_is_ended_on_its_page(system, oscar, as_user, today):
    document = adopted(system, oscar, today)
    browser = as_user(oscar)
    url = reverse("evidence:provider_document_end", args=[document.uuid])
    body = {"ended_on": str(today), "reason": "They withdrew it."}
    early = browser.post(url, body | {"ended_on": str(today - 30 * DAY)})
    assert early.status_code == 422
    assert "cannot end before it starts" in early.content.decode()
    page = browser.post(url, body, follow=True).content.decode()
    assert f"once approved, the template holds again from {today}" in page
    assert "We filter what passes between tenants." in page  # differences stay readable
    assert browser.post(url, body).status_code == 409
    change = RetrospectiveChange.objects.get(state="requested")
    approve(change, by=second_officer(system, oscar), today=today)
    document.refresh_from_db()
    assert (document.state, document.ended_on) == ("ended", today)
    assert browser.post(url, body).status_code == 409


def test_the_template_lists_every_control(system, oscar, as_user):
    url = reverse("evidence:provider_template", args=[system.slug])
    text = as_user(oscar).get(url).content.decode("utf-8-sig")
    assert text.splitlines()[0] == "Control ID,Responsibility,Description,Title"
    assert len(text.splitlines()) == system.implementations.count() + 1
    assert not read(text).errors


@pytest.mark.parametrize(
    ("who", "reads", "writes"),
    [
        ("alice", 200, 403),
        ("rita", 200, 403),
        ("audrey", 200, 403),
        ("mallory", 404, 404),
    ],
)
def test_others_read_but_do_not_import(
    who, reads, writes, request, system, oscar, as_user, today
):
    document = adopted(system, oscar, today)
    browser = as_user(request.getfixturevalue(who))
    assert browser.get(f"/systems/{system.slug}/provider/").status_code == reads
    shown = reverse("evidence:provider_document", args=[document.uuid])
    assert browser.get(shown).status_code == reads
    assert send(browser, system).status_code == writes
    ended = browser.post(f"{shown}end/", {"ended_on": str(today)})
    assert ended.status_code == writes
    token = "11111111-1111-4111-8111-111111111111"
    previewed = f"/systems/{system.slug}/provider/{token}/"
    assert browser.get(previewed).status_code == writes
    assert browser.post(f"{previewed}adopt/").status_code == writes


def test_many_documents_cost_as_many_queries_as_one(
    system, oscar, as_user, today, django_assert_num_queries
):
    browser = as_user(oscar)
    url = reverse("evidence:provider", args=[system.slug])
    adopted(system, oscar, today)
    browser.get(url)
    with CaptureQueriesContext(
        connection,
    ) as one:
        browser.get(url)
    for number in range(3):
        adopted(system, oscar, today, title=f"Annex {number}")
    with django_assert_num_queries(len(one)):
        browser.get(url)


# --- the second door ----------------------------------------------------------


def test_the_api_compares_imports_reads_and_ends(system, oscar, olga, as_user, today):
    browser = as_user(oscar)
    door = f"/api/v1/systems/{system.slug}/provider-documents/"
    file = form()["file"]
    compared = browser.post(f"{door}preview/", {"file": file}).json()
    assert [row["control_id"] for row in compared["differences"]] == ["ac-4", "si-2"]
    assert not ProviderDocument.objects.exists()

    made = browser.post(door, form())

    assert made.status_code == 201, made.content
    assert len(made.json()["statements"]) == 3
    listed = browser.get(door).json()["results"]
    assert [(row["statements"], row["differing"]) for row in listed] == [(3, 2)]
    one = f"{door}{made.json()['uuid']}/"
    assert browser.get(one).json()["statements"][0]["differs"] is True
    assert browser.get(one).json()["state"] == "waiting"
    changes = "/api/v1/retrospective-changes/"
    waits = f"{changes}{made.json()['change']}/"
    own = {"HTTP_IF_MATCH": browser.get(waits)["ETag"]}
    assert browser.post(f"{waits}approve/", **own).status_code == 403
    second = as_user(olga)
    seen = second.get(waits)
    assert {"name": "Document", "text": "Responsibility matrix, v1"} in seen.json()[
        "says"
    ]
    agreed = {"HTTP_IF_MATCH": seen["ETag"]}
    assert second.post(f"{waits}approve/", **agreed).status_code == 200
    assert second.get(one).json()["state"] == "current"
    browser = as_user(oscar)
    body = {"ended_on": str(today), "reason": "Withdrawn."}
    kind = "application/json"
    assert browser.post(f"{one}end/", body, kind).json()["state"] == "current"
    assert browser.post(f"{one}end/", body, kind).status_code == 409  # it waits
    assert RetrospectiveChange.objects.filter(state="requested").count() == 1


def test_the_api_names_wrong_lines_and_keeps_nothing(system, oscar, as_user):
    door = f"/api/v1/systems/{system.slug}/provider-documents/"
    answer = as_user(oscar).post(door, form(text=TABLE + "ZZ-9,Shared,\n"))
    assert answer.status_code == 400
    assert "Line 5, column A" in answer.json()["errors"]["file"][0]
    assert not ProviderDocument.objects.exists()


@pytest.mark.parametrize(
    ("who", "reads", "writes"), [("alice", 200, 403), ("mallory", 404, 404)]
)
def test_the_api_refuses_as_the_pages_do(who, reads, writes, request, system, as_user):
    browser = as_user(request.getfixturevalue(who))
    door = f"/api/v1/systems/{system.slug}/provider-documents/"
    assert browser.get(door).status_code == reads
    assert browser.post(door, form()).status_code == writes
    assert browser.post(f"{door}preview/", form()).status_code == writes
