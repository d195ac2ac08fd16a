"""R17: what each verb of evidence answers from each state, at each door."""

from __future__ import annotations

import pytest
from django.urls import reverse

from evidence.models import EvidenceLink
from tests.evidence.house import TODAY, House, file
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells

pytestmark = pytest.mark.django_db

SENTENCES = {
    "no-draft": "Only a draft can be submitted.",
    "accepted-by": "Rita has already accepted this.",
    "rejected-by": "Rita has already rejected this.",
    "not-waiting": "there is nothing to review.",
    "ended": "cannot be withdrawn.",
    "ended-there": "This evidence is already attached there, and",
    "attached": "This evidence is already attached there.",
    "removed": "was removed as a spill",
    "looked-at": "You may not do this",
}  # fmt: skip
# Cells say where the link stands and, after a comma, where a new one does.
TABLE = """
verb          door         draft                 submitted             accepted              rejected              withdrawn             void                  removed
submit        page         =submitted            409 no-draft          409 no-draft          409 no-draft          409 no-draft          409 no-draft          409 no-draft
submit        api          =submitted            409 no-draft          409 no-draft          409 no-draft          409 no-draft          409 no-draft          409 no-draft
hand over     page         =submitted            409 no-draft          409 no-draft          409 no-draft          409 no-draft          409 no-draft          409 no-draft
hand over     api          =submitted            409 no-draft          409 no-draft          409 no-draft          409 no-draft          409 no-draft          409 no-draft
accept        page         409 not-waiting       =accepted             409 accepted-by       409 rejected-by       409 not-waiting       409 not-waiting       409 not-waiting
accept        several      409 not-waiting       =accepted             409 accepted-by       409 rejected-by       409 not-waiting       409 not-waiting       409 not-waiting
accept        the desk     409 not-waiting       =accepted             409 accepted-by       409 rejected-by       409 not-waiting       409 not-waiting       409 not-waiting
accept        api          409 not-waiting       =accepted             409 accepted-by       409 rejected-by       409 not-waiting       409 not-waiting       409 not-waiting
accept        api of many  409 not-waiting       =accepted             409 accepted-by       409 rejected-by       409 not-waiting       409 not-waiting       409 not-waiting
reject        page         409 not-waiting       =rejected             409 accepted-by       409 rejected-by       409 not-waiting       409 not-waiting       409 not-waiting
reject        several      409 not-waiting       =rejected             409 accepted-by       409 rejected-by       409 not-waiting       409 not-waiting       409 not-waiting
reject        the desk     409 not-waiting       =rejected             409 accepted-by       409 rejected-by       409 not-waiting       409 not-waiting       409 not-waiting
reject        api          409 not-waiting       =rejected             409 accepted-by       409 rejected-by       409 not-waiting       409 not-waiting       409 not-waiting
reject        api of many  409 not-waiting       =rejected             409 accepted-by       409 rejected-by       409 not-waiting       409 not-waiting       409 not-waiting
withdraw      page         =withdrawn            =withdrawn            =withdrawn            409 ended             409 ended             409 ended             409 ended
withdraw      api          =withdrawn            =withdrawn            =withdrawn            409 ended             409 ended             409 ended             409 ended
correct       page         =void, draft          =void, submitted      =void, submitted      =rejected, submitted  =withdrawn, submitted  =void, submitted     =withdrawn, submitted
correct       api          =void, draft          =void, submitted      =void, submitted      =rejected, submitted  =withdrawn, submitted  =void, submitted     =withdrawn, submitted
add           page         =draft, draft         =submitted, submitted  =accepted, submitted  =rejected, submitted  =withdrawn, submitted  =void, submitted     =withdrawn, submitted
add           api          =draft, draft         =submitted, submitted  =accepted, submitted  =rejected, submitted  =withdrawn, submitted  =void, submitted     =withdrawn, submitted
attach        page         =draft, submitted     =submitted, submitted  =accepted, submitted  =rejected, submitted  =withdrawn, submitted  =void, submitted     400 removed
attach        api          =draft, submitted     =submitted, submitted  =accepted, submitted  =rejected, submitted  =withdrawn, submitted  =void, submitted     409 removed
attach again  page         400 attached          400 attached          400 attached          400 ended-there       400 ended-there       400 attached          400 ended-there
attach again  api          409 attached          409 attached          409 attached          409 ended-there       409 ended-there       409 attached          409 ended-there
change        admin        403 looked-at         403 looked-at         403 looked-at         403 looked-at         403 looked-at         403 looked-at         403 looked-at
delete        admin        403 looked-at         403 looked-at         403 looked-at         403 looked-at         403 looked-at         403 looked-at         403 looked-at
"""  # noqa: E501 - one line for each verb and door
WHO = {
    "submit": "alice", "hand over": "olivia", "accept": "rita", "reject": "rita",
    "withdraw": "alice", "correct": "alice", "add": "alice", "attach": "alice",
    "attach again": "alice", "change": "admin", "delete": "admin",
}  # fmt: skip
ANY = {"If-Match": "*"}


@pytest.fixture
def house(settings, tmp_path):
    return states.build(settings, tmp_path)


def state_of(link: EvidenceLink) -> str:
    link.refresh_from_db()
    evidence = link.revision.evidence
    newest = EvidenceLink.objects.filter(revision__evidence=evidence).latest("pk")
    return link.state if newest == link else f"{link.state}, {newest.state}"


def attempt(house: House, row: Row, link: EvidenceLink) -> Attempt:
    """The request by which the verb is taken at the door."""
    by = states.person(house, WHO[row.verb])
    evidence = link.revision.evidence
    other = house.requirement("si-2")
    same = house.requirement("cm-8")
    reason = {"reason": "Because."}
    days = {"performed_on": TODAY, "period_start": TODAY.replace(day=1),
            "period_end": TODAY, "collected_on": TODAY}  # fmt: skip
    revised = days | {"reason": "Signed now.", "files": [file(content=b"signed")]}
    corrected, added = revised | {"kind": "correction"}, revised | {"kind": "addition"}
    key = str(link.uuid)
    api = f"/api/v1/evidence/{link.uuid}/"
    page = {
        "submit": ("evidence:submit_draft", link, {}),
        "hand over": ("evidence:submit_draft", link, {}),
        "accept": ("evidence:accept", link, {}),
        "reject": ("evidence:reject", link, reason),
        "withdraw": ("evidence:withdraw", link, reason),
        "correct": (
            "evidence:revision_new",
            evidence,
            revised | {"kind": "correction"},
        ),
        "add": ("evidence:revision_new", evidence, added),
        "attach": ("evidence:attach", evidence, {"requirement": other.pk}),
        "attach again": ("evidence:attach", evidence, {"requirement": same.pk}),
    }
    programs = {
        "submit": ("submit/", {}),
        "hand over": ("submit/", {}),
        "accept": ("accept/", {}),
        "reject": ("reject/", reason),
        "withdraw": ("withdraw/", reason),
        "correct": ("revise/", corrected),
        "add": ("revise/", added),
        "attach": ("attach/", {"requirement": str(other.uuid)}),
        "attach again": ("attach/", {"requirement": str(same.uuid)}),
    }
    if row.door == "page":
        view, subject, body = page[row.verb]
        return Attempt(by, reverse(view, args=[subject.uuid]), body)
    if row.door == "several":
        body = {f"decision-{key}": row.verb, f"reason-{key}": "Because."}
        return Attempt(by, reverse("evidence:review_several"), body)
    if row.door == "the desk":
        ticked = {f"accept-{key}": "on"} if row.verb == "accept" else {}
        body = {f"version-{key}": str(link.version)} | reason
        address = reverse("evidence:decide", args=[link.revision.uuid])
        return Attempt(by, address, body | ticked)
    if row.door == "api of many":
        decision = {"link": key, "accept": row.verb == "accept"} | reason
        return Attempt(by, "/api/v1/evidence/decide/", [decision], api=True)
    if row.door == "admin":
        view = f"admin:evidence_evidencelink_{row.verb}"
        body = {"state": "accepted", "post": "yes"}
        return Attempt(by, reverse(view, args=[link.pk]), body)
    end, body = programs[row.verb]
    return Attempt(by, api + end, body, api=True, headers=ANY)


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_answers_from_each_state(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        lambda state: states.link(house, state),
        lambda row, link: attempt(house, row, link),
        state_of,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
