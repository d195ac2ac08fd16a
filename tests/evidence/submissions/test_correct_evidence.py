"""A correction voids what it replaces from now on; an addition leaves it (R17)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.urls import reverse

from controls.errors import Refused
from controls.models import AuditEvent
from evidence.models import EvidenceLink, EvidenceRevision, Proof
from evidence.submissions.revise import attach
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file, patch_report, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def link(house) -> EvidenceLink:
    made = submitted(house)
    made.accept(by=house.rita)
    return made


def url(link: EvidenceLink) -> str:
    return reverse("evidence:revision_new", args=[link.revision.evidence.uuid])


def said(**changes) -> dict:
    return {
        "kind": "correction",
        "reason": "The first one was of the wrong account",
        "performed_on": TODAY.isoformat(),
        "period_start": TODAY.replace(day=1).isoformat(),
        "period_end": TODAY.isoformat(),
        "collected_on": TODAY.isoformat(),
        "files": [file(content=b"corrected")],
    } | changes


def states() -> list[tuple[int, str]]:
    found = EvidenceLink.objects.order_by("revision__number", "pk")
    return [(each.revision.number, each.state) for each in found]


def test_correction_voids_the_earlier_review_and_waits_for_another(client, house, link):
    client.force_login(house.alice)
    assert client.post(url(link), said()).status_code == 302
    assert states() == [(1, "void"), (2, "submitted")]
    assert Proof.objects.get(known_until=None).state == "submitted"
    assert Proof.objects.exclude(known_until=None).filter(state="accepted").exists()
    assert link.reviews.count() == 1
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {"evidence.void", "evidence.revised"} <= verbs
    page = client.get(reverse("evidence:evidence", args=[link.revision.evidence.uuid]))
    assert "wrong account" in page.content.decode()


def test_addition_leaves_what_was_accepted(client, house, link):
    client.force_login(house.alice)
    client.post(url(link), said(kind="addition"))
    assert states() == [(1, "accepted"), (2, "submitted")]


def test_form_begins_with_what_was_said(client, house, link):
    client.force_login(house.alice)
    page = client.get(url(link)).content.decode()
    assert link.revision.performed_on.isoformat() in page


@pytest.mark.parametrize(
    "changes", [{"reason": " "}, {"kind": "rewrite"}, {"files": []}]
)
def test_revision_says_what_it_is_for(client, house, link, changes):
    client.force_login(house.alice)
    assert client.post(url(link), said(**changes)).status_code == 400
    assert EvidenceRevision.objects.count() == 1
    assert states() == [(1, "accepted")]


@pytest.mark.parametrize(
    ("name", "status"),
    [("rita", 403), ("ray", 403), ("audrey", 403), ("bob", 404), ("mallory", 404)],
)
def test_others_may_not_revise(client, house, link, name, status):
    client.force_login(house.people[name])
    assert client.get(url(link)).status_code == status
    assert client.post(url(link), said()).status_code == status


def test_the_form_says_what_becomes_of_each_control(client, house, link):
    other = attach(link.revision, requirement=house.requirement("si-2"), by=house.alice)
    other.reject(by=house.rita, reason="No date")
    client.force_login(house.alice)
    page = client.get(url(link)).content.decode()
    submitted, untouched = page.split("It leaves as it is")
    assert "SI-2" in submitted.partition("It is submitted for")[2]
    assert "CM-8" in untouched and "SI-2" not in untouched
    assert "makes void" not in page
    other.refresh_from_db()
    client.post(url(link), said())
    assert states() == [(1, "accepted"), (1, "rejected"), (2, "submitted")]
    page = client.get(url(link)).content.decode()
    assert "CM-8" in page.partition("A correction makes void")[2]


def test_the_replacement_of_a_draft_is_handed_over_as_the_draft_was(client, house):
    draft = submit(
        replace(patch_report(), draft=True),
        [store("report.txt", [b"not ready"])],
        requirement=house.requirement(),
        by=house.alice,
        today=TODAY,
    )
    client.force_login(house.alice)
    page = client.get(url(draft)).content.decode()
    assert "It is kept as a draft for" in page
    assert ">Keep as a draft</button>" in page
    client.post(url(draft), said())
    (new,) = EvidenceLink.objects.filter(state="draft")
    assert str(new.uuid) in client.get("/work/").content.decode()
    step = reverse("evidence:submit_draft", args=[draft.uuid])
    assert client.post(step).status_code == 409
    step = reverse("evidence:submit_draft", args=[new.uuid])
    assert client.post(step).status_code == 302
    assert states() == [(1, "void"), (2, "submitted")]


def test_a_revision_that_was_left_without_a_link_is_corrected(client, house):
    link = submitted(house)
    link.reject(by=house.rita, reason="No date")
    earlier = link.revision
    EvidenceRevision.objects.create(
        evidence=earlier.evidence,
        uploaded_by=house.alice,
        number=2,
        kind="correction",
        reason="Stored without a link, as earlier versions did",
        performed_on=earlier.performed_on,
        period_from=earlier.period_from,
        period_until=earlier.period_until,
        collected_on=earlier.collected_on,
        digest=earlier.digest,
    )
    client.force_login(house.alice)
    assert client.post(url(link), said()).status_code == 302
    assert states() == [(1, "rejected"), (3, "submitted")]


def test_what_can_be_continued_nowhere_is_refused_before_the_form(client, house, link):
    EvidenceLink.objects.update(state="void")
    client.force_login(house.alice)
    page = client.get(url(link))
    assert page.status_code == 409
    assert "Upload it anew" in page.content.decode()


def test_link_to_one_more_control_touches_no_other(house, link):
    new = attach(link.revision, requirement=house.requirement("si-2"), by=house.alice)
    link.refresh_from_db()
    assert (link.state, new.state) == ("accepted", "submitted")


def test_evidence_stays_within_its_system(house, link):
    with pytest.raises(Refused, match="within its system"):
        attach(link.revision, by=house.alice)


@pytest.mark.parametrize("field", ["title", "source_system", "procedure"])
def test_the_api_refuses_what_only_the_first_upload_says(client, house, link, field):
    """R17: a revision brings files, days, collector and addresses; none is dropped."""
    client.force_login(house.alice)
    path = reverse("evidence-revise", args=[link.uuid])
    answer = client.post(path, said(**{field: "Another"}))
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert EvidenceRevision.objects.count() == 1


@pytest.mark.parametrize(
    "address", ["ftp://example.org/report", "javascript:alert(1)", "not one"]
)
def test_over_the_api_as_on_the_page_an_address_is_one_of_the_web(
    client, house, link, address
):
    """IN-01: first upload and revision refuse alike what no page would take."""
    client.force_login(house.alice)
    before = EvidenceRevision.objects.count()
    revise = reverse("evidence-revise", args=[link.uuid])
    first = {"title": "Report", "requirement": str(house.requirement().uuid)}
    of_first = {n: v for n, v in said().items() if n not in {"kind", "reason"}} | first
    for path, body in ((revise, said()), (reverse("evidence-list"), of_first)):
        answer = client.post(path, body | {"addresses": [address]})
        assert answer.status_code == 400
        assert "addresses" in answer.json()["errors"]
    assert EvidenceRevision.objects.count() == before


def test_over_the_api_a_revision_carries_its_own_addresses(client, house, link):
    """R17: as on the page, where each revision names them."""
    client.force_login(house.alice)
    path = reverse("evidence-revise", args=[link.uuid])
    addresses = ["https://example.org/report"]
    assert client.post(path, said(addresses=addresses)).status_code == 201
    assert EvidenceRevision.objects.latest("number").addresses == addresses
