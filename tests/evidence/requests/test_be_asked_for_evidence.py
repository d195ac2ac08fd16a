"""An officer or auditor asks; a team answers by attaching; the answer is judged."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from controls.models import AuditEvent, Role, Team
from evidence.models import Evidence, EvidenceRequest
from evidence.requests.answers import answer
from evidence.requests.requests import RequestDraft, request_evidence
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, give, submitted

pytestmark = pytest.mark.django_db
DUE = TODAY + dt.timedelta(days=10)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def as_(client, house):
    """`as_("alice")` is the browser with alice signed in."""

    def signed_in(name: str):
        client.force_login(house.people[name])
        return client

    return signed_in


def wished(house: House, **changes: object) -> dict[str, object]:
    """The form as somebody fills it in."""
    return {
        "title": "Who approved the last changes?",
        "what": "The tickets of October",
        "control_ids": "CM-08, si-2",
        "team": house.team.pk,
        "due_on": DUE.isoformat(),
    } | changes


def made(house: House, by: str = "olivia", **changes: object) -> EvidenceRequest:
    wish = {"title": "Tickets", "control_ids": ["cm-8"], "team": house.team}
    return request_evidence(
        house.system,
        RequestDraft(**wish | {"due_on": DUE} | changes),
        by=house.people[by],
    )


def late(asked: EvidenceRequest) -> EvidenceRequest:
    EvidenceRequest.objects.filter(pk=asked.pk).update(
        due_on=TODAY - dt.timedelta(days=3)
    )
    asked.refresh_from_db()
    return asked


@pytest.mark.parametrize("name", ["olivia", "audrey"])
def test_officers_and_auditors_ask(as_, house, name):
    browser = as_(name)
    said = browser.post("/systems/shop/requests/new/", wished(house), follow=True)
    asked = EvidenceRequest.objects.get()
    assert said.redirect_chain[-1][0] == f"/requests/{asked.uuid}/"
    ids = sorted(row.control.ref_id for row in asked.controls.all())
    assert ids == ["cm-8", "si-2"]
    assert (asked.engagement is not None) == (name == "audrey")
    assert AuditEvent.objects.filter(verb="request.asked").count() == 1


@pytest.mark.parametrize(
    ("name", "status"),
    [("alice", 403), ("rita", 403), ("ray", 403), ("mallory", 404)],
)
def test_others_do_not_ask(as_, house, name, status):
    answered = as_(name).post("/systems/shop/requests/new/", wished(house))
    assert answered.status_code == status
    assert not EvidenceRequest.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        (
            {"control_ids": "cm-8, zz-1"},
            "control_ids",
            "This is not in the baseline of the system: zz-1.",
        ),
        ({"control_ids": " , "}, "control_ids", "Name at least one control."),
        (
            {"due_on": "2020-01-01"},
            "due_on",
            "That day has passed: choose today or a later day.",
        ),
        (
            {"due_on": "2199-12-31"},
            "due_on",
            "Ask for a day within the next two years.",
        ),
        (
            {"due_on": "9999-12-31"},
            "due_on",
            "“9999-12-31” lies outside 1990-01-01 to 2200-12-31.",
        ),
        (
            {"due_on": "soon"},
            "due_on",
            "“soon” is not a day such as 2026-06-30.",
        ),
        ({"title": ""}, "title", "“What you want to see” is missing."),
    ],
)
def test_a_wrong_request_is_told_at_its_field(as_, house, changes, field, said):
    page = as_("olivia").post("/systems/shop/requests/new/", wished(house, **changes))
    assert page.status_code == 400
    assert said in page.context["form"].errors[field]
    assert not EvidenceRequest.objects.exists()


def test_a_team_that_proves_nothing_here_is_no_choice(as_, house):
    other = Team.objects.create(name="Elsewhere", slug="elsewhere")
    page = as_("olivia").post(
        "/systems/shop/requests/new/", wished(house, team=other.pk)
    )
    assert "team" in page.context["form"].errors


def test_the_team_sees_it_in_its_work_and_answers_with_what_is_here(as_, house):
    asked = made(house)
    proof = submitted(house).revision.evidence
    browser = as_("alice")
    assert "Asked of me" in browser.get("/work/").content.decode()
    page = browser.get(f"/requests/{asked.uuid}/")
    assert [each.pk for each in page.context["answer_form"].fields["evidence"].queryset]
    given = {"evidence": [proof.pk], "note": "As of today", "version": asked.version}
    browser.post(f"/requests/{asked.uuid}/answer/", given)
    asked.refresh_from_db()
    assert asked.state == "answered"
    assert asked.answers.get().revision == proof.revisions.get()
    assert "Asked of me" not in browser.get("/work/").content.decode()
    assert "Answers to my requests" in as_("olivia").get("/work/").content.decode()


def test_an_upload_answers_in_one_step(as_, house):
    asked = made(house)
    requirement = house.requirement()
    url = f"/systems/shop/requirements/{requirement.uuid}/upload/?request={asked.uuid}"
    browser = as_("alice")
    assert "It also answers" in browser.get(url).content.decode()
    form = {
        "title": "October",
        "performed_on": TODAY.isoformat(),
        "period_start": TODAY.isoformat(),
        "period_end": TODAY.isoformat(),
        "collected_on": TODAY.isoformat(),
        "sensitivity": "internal",
        "files": SimpleUploadedFile("tickets.txt", b"one, two"),
    }
    said = browser.post(url, form)
    assert said.headers["Location"] == f"/requests/{asked.uuid}/"
    asked.refresh_from_db()
    assert asked.state == "answered"
    link = asked.answers.get().revision.links.get()
    assert (link.requirement, link.state) == (requirement, "submitted")


def test_an_upload_for_a_settled_request_stores_nothing(as_, house):
    asked = made(house)
    EvidenceRequest.objects.update(state="cancelled")
    url = f"/systems/shop/controls/cm-8/upload/?request={asked.uuid}"
    form = {
        "title": "October",
        "performed_on": TODAY.isoformat(),
        "period_start": TODAY.isoformat(),
        "period_end": TODAY.isoformat(),
        "collected_on": TODAY.isoformat(),
        "sensitivity": "internal",
        "files": SimpleUploadedFile("tickets.txt", b"one, two"),
    }
    assert as_("alice").post(url, form).status_code == 409
    assert not Evidence.objects.exists()


def test_an_answer_is_returned_with_what_is_missing_and_then_accepted(as_, house):
    asked = made(house, by="audrey")
    answer(asked, [submitted(house).revision.evidence], by=house.alice)
    browser = as_("audrey")
    url = f"/requests/{asked.uuid}/judge/"
    bare = browser.post(url, {"decision": "return", "version": asked.version})
    assert "Say what is still missing." in bare.content.decode()
    why = {"decision": "return", "reason": "No dates", "version": asked.version}
    browser.post(url, why)
    asked.refresh_from_db()
    assert asked.state == "returned"
    assert browser.post(url, why).status_code == 409
    second = submitted(house, "with dates").revision.evidence
    answer(asked, [second], by=house.alice)
    browser.post(url, {"decision": "accept", "version": asked.version})
    asked.refresh_from_db()
    assert asked.state == "accepted"
    assert [each.became for each in asked.judgements.all()] == ["returned", "accepted"]
    page = browser.get(f"/requests/{asked.uuid}/").content.decode()
    assert "No dates" in page


def test_who_answered_does_not_judge(as_, house):
    asked = made(house)
    answer(asked, [submitted(house).revision.evidence], by=house.olivia)
    said = as_("olivia").post(
        f"/requests/{asked.uuid}/judge/",
        {"decision": "accept", "version": asked.version},
    )
    assert said.status_code == 403
    asked.refresh_from_db()
    assert asked.state == "answered"


def test_a_stale_page_is_told(as_, house):
    asked = made(house)
    seen = asked.version
    answer(asked, [submitted(house).revision.evidence], by=house.alice)
    said = as_("olivia").post(
        f"/requests/{asked.uuid}/judge/", {"decision": "accept", "version": seen}
    )
    assert said.status_code == 409


@pytest.mark.parametrize(
    ("name", "status"), [("bob", 404), ("ray", 403), ("rita", 403), ("mallory", 404)]
)
def test_others_neither_answer_nor_judge(as_, house, name, status):
    asked = made(house)
    browser = as_(name)
    given = {"evidence": [], "version": asked.version}
    for step in ("answer", "judge"):
        if step == "judge":
            given = {"decision": "cancel", "reason": "x", "version": asked.version}
        url = f"/requests/{asked.uuid}/{step}/"
        expected = 400 if (status, step) == (403, "answer") else status
        assert browser.post(url, given).status_code in {expected, status}
    asked.refresh_from_db()
    assert asked.state == "open"


def test_auditors_see_their_own_audits_requests_only(as_, house):
    inside, outside = made(house), made(house, by="audrey")
    seen = as_("audrey").get("/requests/").context["page"].object_list
    assert [each.pk for each in seen] == [outside.pk]
    assert as_("audrey").get(f"/requests/{inside.uuid}/").status_code == 404


def test_a_person_may_be_asked(house):
    house.people["anna"] = houses.person("anna")
    give(house, "anna", Role.CONTRIBUTOR, team=house.other_team)
    asked = made(house, person=house.people["anna"])
    answers_to = EvidenceRequest.objects.to_answer(house.people["anna"])
    assert [each.pk for each in answers_to] == [asked.pk]


def test_overdue_is_said_wherever_it_matters(as_, house):
    asked = late(made(house))
    assert asked.overdue_on(TODAY)
    browser = as_("olivia")
    for url in (
        "/requests/?state=overdue",
        f"/requests/{asked.uuid}/",
        "/systems/shop/controls/cm-8/",
    ):
        assert ">Overdue<" in browser.get(url).content.decode(), url
    assert "1 overdue" in browser.get("/systems/shop/").content.decode()
    assert ">Overdue<" in as_("alice").get("/work/").content.decode()


def test_the_last_day_is_not_late(house):
    asked = made(house)
    assert not asked.overdue_on(DUE)
    assert asked.overdue_on(DUE + dt.timedelta(days=1))
    asked.state = "answered"
    assert not asked.overdue_on(DUE + dt.timedelta(days=1))


def test_it_is_taken_back_with_a_reason(as_, house):
    asked = made(house)
    url = f"/requests/{asked.uuid}/judge/"
    given = {"decision": "cancel", "version": asked.version}
    assert as_("olivia").post(url, given).status_code == 400
    as_("olivia").post(url, given | {"reason": "Asked twice"})
    asked.refresh_from_db()
    assert asked.state == "cancelled"


def test_lists_ask_the_database_as_often_for_many(
    as_, house, django_assert_max_num_queries
):
    browser = as_("olivia")
    made(house)
    browser.get("/requests/")
    with django_assert_max_num_queries(9) as one:
        browser.get("/requests/")
    for _ in range(20):
        made(house, control_ids=["cm-8", "si-2", "pe-3"])
    with django_assert_max_num_queries(len(one)):
        browser.get("/requests/")


# --- over the API ---------------------------------------------------------------


def send(client, path: str, body: object, tag: str = ""):
    headers = {"If-Match": tag} if tag else {}
    kind = "application/json"
    return client.post(f"/api/v1/{path}", body, content_type=kind, headers=headers)


def test_the_api_asks_answers_and_judges(as_, house):
    said = {
        "system": "shop",
        "control_ids": ["cm-8"],
        "title": "Tickets",
        "team": "platform",
        "person": "alice@example.test",
        "due_on": DUE.isoformat(),
    }
    asked = send(as_("audrey"), "requests/", said)
    assert asked.status_code == 201, asked.content
    path = f"requests/{asked.json()['uuid']}/"
    given = {"evidence": [str(submitted(house).revision.evidence.uuid)]}
    assert send(as_("alice"), f"{path}answer/", given).status_code == 428
    answered = send(as_("alice"), f"{path}answer/", given, asked["ETag"])
    assert answered.json()["state"] == "answered"
    tag = answered["ETag"]
    assert send(as_("audrey"), f"{path}return/", {}, tag).status_code == 400
    why = {"reason": "No dates"}
    back = send(as_("audrey"), f"{path}return/", why, tag)
    assert back.json()["judgements"][0]["reason"] == "No dates"
    assert send(as_("audrey"), f"{path}accept/", {}, back["ETag"]).status_code == 409
    gone = send(as_("audrey"), f"{path}cancel/", why, back["ETag"])
    assert gone.json()["state"] == "cancelled"
    listed = as_("olivia").get("/api/v1/requests/?state=cancelled").json()["results"]
    assert [row["uuid"] for row in listed] == [asked.json()["uuid"]]


def test_the_api_names_what_is_wrong(as_, house):
    said = {
        "system": "shop",
        "control_ids": ["zz-1"],
        "title": "x",
        "team": "platform",
        "due_on": DUE.isoformat(),
    }
    wrong = send(as_("olivia"), "requests/", said)
    assert "zz-1" in str(wrong.json()["errors"]["control_ids"])
    wrong = send(as_("olivia"), "requests/", said | {"team": "nobody"})
    assert "team" in wrong.json()["errors"]
    stranger = said | {"control_ids": ["cm-8"], "person": "mallory@example.test"}
    assert "person" in send(as_("olivia"), "requests/", stranger).json()["errors"]
    assert send(as_("alice"), "requests/", said).status_code == 403
    assert send(as_("mallory"), "requests/", said).status_code == 404
