"""The reviewer's desk: the list left, one submission with its files and one decision.

R17: one act decides all controls of a submission, or all but some. RE-09: whoever comes
second is told who was first and loses nothing that was typed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import EvidenceLink, Review
from evidence.submissions.revise import attach, newest
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, patch_report, submitted

pytestmark = pytest.mark.django_db
DESK = "/review/"


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def pair(house: House) -> list[EvidenceLink]:
    """One submission for two controls."""
    link = submitted(house)
    evidence = newest(link.revision.evidence)
    other = attach(evidence, requirement=house.requirement("si-2"), by=house.alice)
    return [link, other]


def fields(links: list[EvidenceLink], *accepted: EvidenceLink, **more: str):
    ticked = {f"accept-{link.uuid}": "on" for link in accepted}
    seen = {f"version-{link.uuid}": str(link.version) for link in links}
    return seen | ticked | more


def decide(client: Client, links: list[EvidenceLink], said: dict[str, str]):
    address = reverse("evidence:decide", args=[links[0].revision.uuid])
    return client.post(address, said)


def states(links: list[EvidenceLink]) -> list[str]:
    return [EvidenceLink.objects.get(pk=link.pk).state for link in links]


def test_one_act_accepts_all_controls_of_a_submission(client, house, pair):
    client.force_login(house.rita)
    page = client.get(DESK).content.decode()
    assert page.count('class="desk-list"') == 1
    assert "CM-8, SI-2" in page
    answer = decide(client, pair, fields(pair, *pair, reason="Complete"))
    assert answer.status_code == 302
    assert states(pair) == ["accepted", "accepted"]
    assert [review.reason for review in Review.objects.all()] == ["Complete"] * 2
    after = client.get(answer["Location"]).content.decode()
    assert "accepted for CM-8, SI-2" in after


def test_all_but_one_each_with_its_reason(client, house, pair):
    client.force_login(house.rita)
    why = {f"reason-{pair[1].uuid}": "No day of installation"}
    assert decide(client, pair, fields(pair, pair[0], **why)).status_code == 302
    assert states(pair) == ["accepted", "rejected"]
    reasons = dict(Review.objects.values_list("link", "reason"))
    assert reasons == {pair[0].pk: "", pair[1].pk: "No day of installation"}


def test_reject_all_with_the_common_reason(client, house, pair):
    client.force_login(house.rita)
    said = fields(pair, *pair, verdict="reject", reason="Another period")
    assert decide(client, pair, said).status_code == 302
    assert states(pair) == ["rejected", "rejected"]
    assert set(Review.objects.values_list("reason", flat=True)) == {"Another period"}


def test_an_unticked_box_without_a_reason_records_nothing(client, house, pair):
    """Nothing is accepted beside a rejection that could not be recorded."""
    client.force_login(house.rita)
    answer = decide(client, pair, fields(pair, pair[0]))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "There is a problem" in page
    assert f'href="#reason-{pair[1].uuid}"' in page
    assert states(pair) == ["submitted", "submitted"]
    assert not Review.objects.exists()
    assert not AuditEvent.objects.filter(verb="evidence.accepted").exists()


def test_whoever_comes_second_is_told_and_keeps_what_was_typed(client, house, pair):
    """RE-09."""
    pair[1].accept(by=house.raul)
    client.force_login(house.rita)
    why = {f"reason-{pair[1].uuid}": "Typed for a while"}
    answer = decide(client, pair, fields(pair, pair[0], **why))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Raul has already accepted this." in page
    assert "Typed for a while" in page
    assert states(pair) == ["submitted", "accepted"]


def test_sent_twice_it_is_decided_once(client, house, pair):
    client.force_login(house.rita)
    said = fields(pair, *pair)
    assert decide(client, pair, said).status_code == 302
    again = decide(client, pair, said)
    assert again.status_code == 409
    assert Review.objects.count() == 2


def test_a_form_of_before_a_change_is_refused_with_what_was_typed(client, house, pair):
    client.force_login(house.rita)
    said = fields(pair, *pair, reason="Seen") | {f"version-{pair[0].uuid}": "99"}
    answer = decide(client, pair, said)
    assert answer.status_code == 409
    assert "changed since you opened it" in answer.content.decode()
    assert "Seen</textarea>" in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "status"),
    [("alice", 403), ("bob", 403), ("audrey", 403), ("ray", 403), ("mallory", 404)],
)
def test_who_may_not_review_decides_nothing(client, house, pair, name, status):
    """R32, AC-07."""
    client.force_login(house.people[name])
    assert decide(client, pair, fields(pair, *pair)).status_code == status
    assert states(pair) == ["submitted", "submitted"]


def test_a_form_that_names_another_submission_records_nothing(client, house, pair):
    """Neither decided unseen, nor an error after the fact; the same one twice too."""
    other = submitted(house, "other")
    client.force_login(house.rita)
    answer = decide(client, pair, fields([*pair, other], *pair, other))
    assert answer.status_code == 409
    assert "not of this submission" in answer.content.decode()
    twice = fields(pair, *pair) | {f"version-{str(pair[0].uuid).upper()}": "1"}
    assert decide(client, pair, twice).status_code == 409
    assert states([*pair, other]) == ["submitted"] * 3
    assert not Review.objects.exists()


def test_an_address_of_something_decided_shows_the_next(client, house, pair):
    """Two tabs: the second says what became of it."""
    other = submitted(house, "other")
    client.force_login(house.rita)
    decide(client, pair, fields(pair, *pair))
    page = client.get(DESK, {"item": str(pair[0].revision.uuid)}).content.decode()
    assert "no longer waits for your decision" in page
    assert str(other.revision.uuid) in page


def test_the_address_of_the_form_leads_back_to_the_desk(client, house, pair):
    """Reloaded, or come back to after the sign-in: never 405."""
    client.force_login(house.rita)
    address = reverse("evidence:decide", args=[pair[0].revision.uuid])
    answer = client.get(address)
    assert (answer.status_code, answer["Location"]) == (
        302, f"/review/?item={pair[0].revision.uuid}"
    )  # fmt: skip


def test_nothing_chosen_and_nonsense_is_said(client, house, pair):
    client.force_login(house.rita)
    for said in ({}, {"version-x": "1"}, {"accept-": "on"}):
        answer = decide(client, pair, said)
        assert answer.status_code == 422
        assert "Nothing was chosen." in answer.content.decode()
    assert client.get(DESK, {"item": "x", "page": "x", "by": "x"}).status_code == 200


@pytest.mark.parametrize("door", ["desk", "several"])
def test_a_reason_that_cannot_be_kept_is_said(client, house, pair, door):
    """RE-09: a pasted null character is named at its reason, and all stays typed."""
    client.force_login(house.rita)
    key = pair[0].uuid
    pasted = {f"reason-{key}": "Pasted\x00 words"}
    if door == "desk":
        answer = decide(client, pair, fields(pair, pair[1], **pasted))
    else:
        decision = {f"decision-{key}": "reject"}
        answer = client.post("/review/several/", decision | pasted)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Null characters are not allowed." in page
    assert "Pasted\x00 words</textarea>" in page
    assert states(pair) == ["submitted", "submitted"]


def test_what_it_counts_as_stands_before_the_decision(client, house):
    """R14: performed two weeks after the due day of the month it is about."""
    month = (TODAY.replace(day=1) - dt.timedelta(days=40)).replace(day=1)
    following = (month + dt.timedelta(days=31)).replace(day=1)
    due = following - dt.timedelta(days=1) + dt.timedelta(days=10)
    late = replace(
        patch_report(),
        performed_on=due + dt.timedelta(days=14),
        collected_on=TODAY,
        period_start=month,
        period_end=following - dt.timedelta(days=1),
    )
    submit(
        late, [store("late.txt", [b"late"])],
        requirement=house.requirement(), by=house.alice, today=TODAY,
    )  # fmt: skip
    client.force_login(house.rita)
    page = client.get(DESK).content.decode()
    assert "late by 14 days" in page
    assert "Would prove" in page
    assert f"{due}" in page


def test_the_files_are_shown_where_the_decision_is_taken(client, house):
    two = [store("one.txt", [b"first file"]), store("two.txt", [b"second file"])]
    link = submit(
        patch_report(), two,
        requirement=house.requirement(), by=house.alice, today=TODAY,
    )  # fmt: skip
    client.force_login(house.rita)
    page = client.get(DESK).content.decode()
    first, second = link.revision.files.order_by("pk")
    assert f"/files/{first.uuid}/preview/" in page
    assert first.blob.sha256[:12] in page
    chosen = {"item": str(link.revision.uuid), "file": str(second.uuid)}
    page = client.get(DESK, chosen).content.decode()
    assert f"/files/{second.uuid}/preview/" in page


def test_the_list_narrows_by_system_person_and_words(client, house, pair):
    submitted(house, "other")
    client.force_login(house.rita)

    def shown(**narrowing: str) -> int:
        page = client.get(DESK, narrowing)
        return page.context["page"].paginator.count

    assert shown() == 2
    assert shown(q="SI-2") == 1
    assert shown(q="nothing of the kind") == 0
    assert shown(system="shop") == 2
    assert shown(by=str(house.alice.pk)) == 2
    assert shown(system="elsewhere") == 2  # no choice of the list


def test_the_oldest_period_is_first_whenever_it_was_submitted(client, house):
    """What is most overdue is decided first."""
    recent = submitted(house, "recent")
    last_month = TODAY.replace(day=1) - dt.timedelta(days=1)
    old = submit(
        replace(
            patch_report(),
            title="Old",
            performed_on=last_month,
            collected_on=TODAY,
            period_start=last_month.replace(day=1),
            period_end=last_month,
        ),
        [store("old.txt", [b"of last month"])],
        requirement=house.requirement(), by=house.alice, today=TODAY,
    )  # fmt: skip
    client.force_login(house.rita)
    page = client.get(DESK).content.decode()
    places = [page.index(f"item={link.revision.uuid}") for link in (old, recent)]
    assert places == sorted(places)


def test_as_many_queries_for_ten_submissions_as_for_one(client, house):
    client.force_login(house.rita)
    submitted(house, "0")
    client.get(DESK)
    counts = []
    for more in (0, 9):
        for number in range(more):
            submitted(house, f"more {number}")
        with CaptureQueriesContext(connection) as queries:
            client.get(DESK)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_several_at_once_ticks_all_that_is_on_time(client, house, pair):
    client.force_login(house.rita)
    page = client.get("/review/several/", {"all": "accept"}).content.decode()
    ticked = [
        chunk for chunk in page.split("<input")
        if 'value="accept"' in chunk and "checked" in chunk
    ]  # fmt: skip
    assert len(ticked) == 2


def test_several_keeps_a_reason_for_what_was_decided_meanwhile(client, house, pair):
    """RE-09: the second reviewer's words are shown, though the row is gone."""
    pair[0].accept(by=house.raul)
    client.force_login(house.rita)
    said = {
        f"decision-{pair[0].uuid}": "reject",
        f"reason-{pair[0].uuid}": "Long thought of",
    }
    answer = client.post("/review/several/", said)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Raul has already accepted this." in page
    assert "Long thought of" in page
