"""A revision follows whatever state its evidence is in, and says what it became (R17).

The table is read: where the links stand, revision by revision, then after a
correction, then after an addition.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import Evidence, EvidenceLink, EvidenceRevision, Proof
from evidence.submissions.revise import revise
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file, patch_report
from tests.evidence.submissions.test_correct_evidence import said as form_data

pytestmark = pytest.mark.django_db

TABLE = """
cm-8 draft | cm-8 void draft | cm-8 draft draft
cm-8 submitted | cm-8 void submitted | cm-8 submitted submitted
cm-8 accepted | cm-8 void submitted | cm-8 accepted submitted
cm-8 rejected | cm-8 rejected submitted | cm-8 rejected submitted
cm-8 withdrawn | cm-8 withdrawn submitted | cm-8 withdrawn submitted
cm-8 void | refused | refused
cm-8 void submitted | cm-8 void void submitted | cm-8 void submitted submitted
cm-8 void accepted | cm-8 void void submitted | cm-8 void accepted submitted
cm-8 void rejected | cm-8 void rejected submitted | cm-8 void rejected submitted
cm-8 void withdrawn | cm-8 void withdrawn submitted | cm-8 void withdrawn submitted
cm-8 draft draft | cm-8 void void draft | cm-8 draft draft draft
cm-8 accepted submitted | cm-8 void void submitted | cm-8 accepted submitted submitted
cm-8 accepted rejected | cm-8 accepted rejected submitted | cm-8 accepted rejected submitted
cm-8 accepted, si-2 submitted | cm-8 void submitted, si-2 void submitted | cm-8 accepted submitted, si-2 submitted submitted
cm-8 accepted, si-2 rejected | cm-8 accepted, si-2 rejected submitted | cm-8 accepted, si-2 rejected submitted
cm-8 submitted, si-2 withdrawn | cm-8 submitted, si-2 withdrawn submitted | cm-8 submitted, si-2 withdrawn submitted
cm-8 rejected, si-2 withdrawn | cm-8 rejected submitted, si-2 withdrawn submitted | cm-8 rejected submitted, si-2 withdrawn submitted
cm-8 draft, si-2 accepted | cm-8 void draft, si-2 void submitted | cm-8 draft draft, si-2 accepted submitted
cm-8 draft, si-2 rejected, ac-1 accepted | cm-8 void draft, si-2 rejected submitted, ac-1 accepted | cm-8 draft draft, si-2 rejected submitted, ac-1 accepted
cm-8 void accepted, si-2 void rejected | cm-8 void accepted, si-2 void rejected submitted | cm-8 void accepted, si-2 void rejected submitted
"""  # noqa: E501 - a table reads in rows
ROWS = [
    tuple(cell.strip() for cell in row.split("|")) for row in TABLE.split("\n") if row
]
CELLS = [
    pytest.param(before, kind, after, id=f"{before}: {kind}")
    for before, *outcomes in ROWS
    for kind, after in zip(("correction", "addition"), outcomes, strict=True)
]
IN_PROOF = {"submitted", "accepted", "rejected"}
States = dict[str, list[str]]


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def read(cell: str) -> States:
    """`cm-8 void draft, si-2 accepted` as the states of each control's links."""
    words = [part.split() for part in cell.split(",")]
    return {ref_id: states for ref_id, *states in words}


def move(house: House, link: EvidenceLink, state: str) -> None:
    """Take a link, a draft or submitted, to a state by the steps people take."""
    if link.state == "draft" and state != "draft":
        link.submit(by=house.alice)
    if state in {"accepted", "void"}:
        link.accept(by=house.rita)
    elif state == "rejected":
        link.reject(by=house.rita, reason="No date")
    elif state == "withdrawn":
        link.withdraw(by=house.alice, reason="Wrong account")


def make(house: House, histories: States) -> Evidence:
    """Evidence whose links went through these states, one for each revision."""
    first, *further = (house.requirement(ref_id) for ref_id in histories)
    link = submit(
        replace(patch_report(), draft="draft" in str(histories)),
        [store("report.txt", [b"first"])],
        requirement=first,
        also=further,
        by=house.alice,
        today=TODAY,
    )
    evidence = link.revision.evidence
    place(house, link.revision, {name: states[0] for name, states in histories.items()})
    seconds = {name: states[1] for name, states in histories.items() if states[1:]}
    if seconds:
        corrected = any(states[0] == "void" for states in histories.values())
        second = revise(
            evidence,
            patch_report(),
            [store("second.txt", [b"second"])],
            kind="correction" if corrected else "addition",
            reason="Once more",
            by=house.alice,
            today=TODAY,
        )
        place(house, second, seconds)
    else:
        alone = {name for name, states in histories.items() if states == ["void"]}
        links = EvidenceLink.objects.filter(implementation__control__ref_id__in=alone)
        links.update(state="void")
        Proof.objects.follow_all(list(links.values_list("pk", flat=True)))
    assert by_control() == histories
    return evidence


def place(house: House, revision: EvidenceRevision, states: dict[str, str]) -> None:
    for ref_id, state in states.items():
        control = {"implementation__control__ref_id": ref_id}
        move(house, revision.links.get(**control), state)


def by_control() -> States:
    """Where the links of each control stand, oldest first."""
    states: States = {}
    for link in EvidenceLink.objects.order_by("pk"):
        states.setdefault(link.implementation.control.ref_id, []).append(link.state)
    return states


def post(client, evidence: Evidence, door: str, kind: str):
    """Send the revision as a page or a script does."""
    body = form_data(kind=kind, files=[file(content=b"revised")])
    if door == "page":
        url = reverse("evidence:revision_new", args=[evidence.uuid])
        return client.post(url, body, follow=True)
    link = EvidenceLink.objects.order_by("pk")[0]
    return client.post(f"/api/v1/evidence/{link.uuid}/revise/", body)


def versions() -> dict[int, tuple[str, int]]:
    rows = EvidenceLink.objects.values_list("pk", "state", "version")
    return {pk: (state, version) for pk, state, version in rows}


def open_proof() -> dict[int, str]:
    rows = Proof.objects.filter(known_until=None)
    return dict(rows.values_list("link_id", "state"))


def events_since(seq: int) -> Counter[tuple[str, str]]:
    """Verb and control (none: the evidence) of what was written to the log."""
    labels = {
        link.uuid: link.implementation.control.ref_id
        for link in EvidenceLink.objects.select_related("implementation__control")
    }
    events = AuditEvent.objects.filter(pk__gt=seq)
    return Counter((event.verb, labels.get(event.subject_uuid, "")) for event in events)


@pytest.mark.parametrize("door", ["page", "api"])
@pytest.mark.parametrize(("before", "kind", "after"), CELLS)
def test_every_state_by_every_door(client, house, before, kind, after, door):
    evidence = make(house, read(before))
    earlier = versions()
    client.force_login(house.alice)
    last_event = AuditEvent.objects.latest("pk").pk
    answer = post(client, evidence, door, kind)
    if after == "refused":
        assert answer.status_code == 409
        assert "Nothing of this evidence can be continued" in answer.content.decode()
        assert (versions(), events_since(last_event)) == (earlier, Counter())
        assert EvidenceRevision.objects.count() == 1
        return

    assert by_control() == read(after)
    new = {
        link.implementation.control.ref_id: link
        for link in EvidenceRevision.objects.latest("number").links.all()
    }
    assert {pk for pk in versions() if pk not in earlier} == {
        link.pk for link in new.values()
    }
    assert all(
        (link.state == "draft") == (link.submitted_at is None) for link in new.values()
    )
    check_earlier_links(kind, earlier)
    check_proof()
    check_events(last_event, new, earlier)
    check_answer(answer, door, {name: link.state for name, link in new.items()})


def check_earlier_links(kind: str, earlier: dict[int, tuple[str, int]]) -> None:
    """What was void or answered is as it was; only a correction voids, once each."""
    changed = {pk: now for pk, now in versions().items() if earlier.get(pk, now) != now}
    assert kind == "correction" or not changed
    for pk, (state, version) in changed.items():
        assert (state, version) == ("void", earlier[pk][1] + 1)


def check_proof() -> None:
    """Exactly what waits, stands or was rejected has an open row of its state."""
    assert open_proof() == {
        link.pk: link.state
        for link in EvidenceLink.objects.all()
        if link.state in IN_PROOF
    }


def check_events(
    last_event: int,
    new: dict[str, EvidenceLink],
    earlier: dict[int, tuple[str, int]],
) -> None:
    verbs = {"draft": "evidence.drafted", "submitted": "evidence.submitted"}
    expected = Counter((verbs[link.state], name) for name, link in new.items())
    now = EvidenceLink.objects.in_bulk(list(earlier))
    expected += Counter(
        ("evidence.void", link.implementation.control.ref_id)
        for pk, link in now.items()
        if link.state != earlier[pk][0]
    )
    assert events_since(last_event) == expected + Counter([("evidence.revised", "")])


def check_answer(answer, door: str, states: dict[str, str]) -> None:
    """The message names the controls that wait, and those kept as a draft."""
    if door == "api":
        assert answer.status_code == 201
        assert {row["control_id"]: row["state"] for row in answer.json()} == states
        return
    (message,) = [str(each) for each in answer.context["messages"]]
    for state, words in (("submitted", "Submitted for "), ("draft", "draft for ")):
        labels = {name.upper() for name, became in states.items() if became == state}
        assert (words in message) == bool(labels)
        sentence = message.partition(words)[2].partition(".")[0]
        assert set(sentence.replace(" and ", ", ").split(", ")) - {""} == labels
    assert message in answer.content.decode()
