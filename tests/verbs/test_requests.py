"""R32: what each verb of a request for evidence answers from each state."""

from __future__ import annotations

from functools import partial

import pytest
from django.urls import reverse

from evidence.models import EvidenceRequest
from tests.evidence.house import TODAY, House, file
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells
from tests.verbs.states import DAY

pytestmark = pytest.mark.django_db

SENTENCES = {
    "own": "Somebody other than who answered must judge it.",
    "not-asked": "This is asked of Platform.",
    "of-asker": "Whoever asked",
    "accepted": "This request is accepted already.",
    "cancelled": "This request is cancelled already.",
    "open-still": "This request is open: there is nothing to judge.",
    "returned-still": "This request is returned: there is nothing to judge.",
    "accepted-before": "This request is accepted: there is nothing to judge.",
    "cancelled-before": "This request is cancelled: there is nothing to judge.",
    "looked-at": "You may not do this",
}
# A cell says where the request stands and how many answers it has.
TABLE = """
verb       door    open                answered                returned                accepted                cancelled
ask        page    =open, 0, new open  =answered, 1, new open  =returned, 1, new open  =accepted, 1, new open  =cancelled, 0, new open
ask        api     =open, 0, new open  =answered, 1, new open  =returned, 1, new open  =accepted, 1, new open  =cancelled, 0, new open
answer     page    =answered, 1        =answered, 2            =answered, 2            409 accepted            409 cancelled
answer     api     =answered, 1        =answered, 2            =answered, 2            409 accepted            409 cancelled
answer     upload  =answered, 1        =answered, 2            =answered, 2            409 accepted            409 cancelled
accept     page    409 open-still      =accepted, 1            409 returned-still      409 accepted-before     409 cancelled-before
accept     api     409 open-still      =accepted, 1            409 returned-still      409 accepted-before     409 cancelled-before
return     page    409 open-still      =returned, 1            409 returned-still      409 accepted-before     409 cancelled-before
return     api     409 open-still      =returned, 1            409 returned-still      409 accepted-before     409 cancelled-before
take back  page    =cancelled, 0       =cancelled, 1           =cancelled, 1           409 accepted            409 cancelled
take back  api     =cancelled, 0       =cancelled, 1           =cancelled, 1           409 accepted            409 cancelled
change     admin   403 looked-at       403 looked-at           403 looked-at           403 looked-at           403 looked-at
"""  # noqa: E501 - one line for each verb and door
WHO = {"answer": "alice", "change": "admin"}
ANY = {"If-Match": "*"}


@pytest.fixture
def house(settings, tmp_path):
    return states.build(settings, tmp_path)


def attempt(house: House, row: Row, asked: EvidenceRequest) -> Attempt:
    """The request by which the verb is taken at the door."""
    by = states.person(house, WHO.get(row.verb, "olivia"))
    evidence = states.link(house, "submitted").revision.evidence
    draft = {"title": "Once more", "due_on": str(TODAY + 9 * DAY)}
    judged = {"reason": "One is missing.", "version": asked.version}
    uuid = str(evidence.uuid)
    if row.door == "admin":
        address = reverse("admin:evidence_evidencerequest_change", args=[asked.pk])
        return Attempt(by, address, {"state": "accepted"})
    if row.door == "upload":
        return _upload(house, asked)
    if row.door == "page":
        view, args, body = {
            "ask": (
                "request_new",
                ["shop"],
                draft | {"control_ids": "CM-8", "team": house.team.pk},
            ),
            "answer": (
                "request_answer",
                [asked.uuid],
                {"evidence": [evidence.pk], "note": "Here.", "version": asked.version},
            ),
            "accept": ("request_judge", [asked.uuid], judged | {"decision": "accept"}),
            "return": ("request_judge", [asked.uuid], judged | {"decision": "return"}),
            "take back": (
                "request_judge",
                [asked.uuid],
                judged | {"decision": "cancel"},
            ),
        }[row.verb]
        return Attempt(by, reverse(f"evidence:{view}", args=args), body)
    api = "/api/v1/requests/"
    if row.verb == "ask":
        body = {"system": "shop", "control_ids": ["cm-8"], "team": "platform"} | draft
        return Attempt(by, api, body, api=True)
    end, body = {
        "answer": ("answer/", {"evidence": [uuid], "note": "Here."}),
        "accept": ("accept/", {}),
        "return": ("return/", {"reason": "One is missing."}),
        "take back": ("cancel/", {"reason": "Not needed."}),
    }[row.verb]
    return Attempt(by, f"{api}{asked.uuid}/{end}", body, api=True, headers=ANY)


def _upload(house: House, asked: EvidenceRequest) -> Attempt:
    """New evidence that answers as it is uploaded."""
    address = reverse("evidence:upload", args=["shop", house.requirement().uuid])
    fields = {
        "title": "Tickets of October",
        "performed_on": TODAY,
        "period_start": TODAY.replace(day=1),
        "period_end": TODAY,
        "collected_on": TODAY,
        "sensitivity": "internal",
        "files": [file(content=b"tickets")],
    }
    return Attempt(house.alice, f"{address}?request={asked.uuid}", fields)


def state_of(asked: EvidenceRequest) -> str:
    asked.refresh_from_db()
    words = [asked.state, str(asked.answers.count())]
    newest = EvidenceRequest.objects.latest("pk")
    if newest != asked:
        words.append(f"new {newest.state}")
    return ", ".join(words)


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_of_a_request_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(states.request, house),
        partial(attempt, house),
        state_of,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
