"""AC-05, R28, R29, R32: what each verb of an audit answers from each of its states, at
each door: by its auditors, and by the officers of its systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import reverse

from controls.api.conventions import etag
from controls.audit_systems import make_audit
from controls.engagement_scope import choose_controls, scope_of_engagement
from controls.engagements import EngagementDraft, end_engagement
from controls.models import Engagement, Membership, Role, System
from evidence.engagements.item_results import record_result
from evidence.engagements.marks import MarkDraft, mark_control
from evidence.exports.closing import (
    confirm_closing,
    refuse_closing,
    request_closing,
    withdraw_closing,
)
from evidence.models import (
    EvidenceRequest,
    FailingObservation,
    Finding,
    SampleItem,
)
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House
from tests.one_day import BEGINS
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells
from tests.verbs.states import DAY

pytestmark = pytest.mark.django_db

SENTENCES = {
    "gone": "There is no such",
    "auditors": "Only the auditors of this engagement write here",
    "ended": "This engagement has ended",
    "closed": "Its window is closed",
    "closed-in": "The window of this audit is closed in Shop",
    "closed-already": "This window is closed already.",
    "waits": "Somebody asked for it already",
    "begun": "The auditors have begun with CM-8",
    "outside": "is out of the scope of",
    "stale": "since you opened",
    "is-closed": "This closing is closed already.",
    "is-refused": "This closing is refused by the auditors already.",
    "is-withdrawn": "This closing is withdrawn already.",
    "looked-at": "You may not do this",
}
# `future`: the auditor's days have not begun; `over`: they have ended; `outside`: CM-8
# is not in scope; `begun`: it is marked already; `stale`: an earlier version was seen.
# What officers may does not turn on whether CM-8 is in scope.
AUDITORS = """
verb     door     running       future         over           outside        begun          stale          closed        ended
mark     page     =marks        404 gone       404 gone       422 outside    =marks         409 stale      =marks        404 gone
mark     table    =marks        404 gone       404 gone       400 outside    =marks         409 stale      =marks        404 gone
mark     api      =marks        404 gone       404 gone       400 outside    =marks         412 stale      =marks        404 gone
test     page     =tested       404 gone       404 gone       400 outside    =tested        409 stale      =tested       404 gone
test     api      =tested       404 gone       404 gone       400 outside    =tested        412 stale      =tested       404 gone
observe  page     =observed     404 gone       404 gone       400 outside    =observed      -              =observed     404 gone
observe  api      =observed     404 gone       404 gone       400 outside    =observed      -              =observed     404 gone
find     page     =found        404 gone       404 gone       400 outside    =found         -              =found        404 gone
find     api      =found        404 gone       404 gone       400 outside    =found         -              =found        404 gone
ask      page     =requests     404 gone       404 gone       =requests      =requests      -              =requests     404 gone
ask      api      =requests     404 gone       404 gone       =requests      =requests      -              =requests     404 gone
mark     officer  403 auditors  403 auditors   403 auditors   403 auditors   403 auditors   403 auditors   403 auditors  409 ended
change   admin    -             -              -              -              403 looked-at  403 looked-at  -             -
"""  # noqa: E501 - one line for each verb and door
OFFICERS = """
verb      door   running           over        begun             stale      closed              ended
extend    page   =scope            =scope      =scope            409 stale  409 closed          409 ended
extend    api    =scope            =scope      =scope            412 stale  409 closed          409 ended
narrow    page   =scope            =scope      422 begun         409 stale  409 closed          409 ended
narrow    api    =scope            =scope      400 begun         412 stale  409 closed          409 ended
add       page   =systems, access  =systems    =systems, access  409 stale  409 closed-in       409 ended
add       api    =systems, access  =systems    =systems, access  412 stale  409 closed-in       409 ended
take out  page   =taken out        =taken out  409 begun         409 stale  409 closed          409 ended
take out  api    =taken out        =taken out  409 begun         412 stale  409 closed          409 ended
renew     page   =access           =access     =access           409 stale  =access             409 ended
renew     api    =access           =access     =access           412 stale  =access             409 ended
correct   api    =title            =title      =title            412 stale  =title              409 ended
correct   admin  =title            =title      =title            -          =title              302 ended
close     page   =closings         =closings   =closings         -          409 closed-already  409 ended
close     api    =closings         =closings   =closings         -          409 closed-already  409 ended
end       page   =ended            =ended      =ended            302 stale  =ended              302 ended
end       api    =ended            =ended      =ended            412 stale  =ended              409 ended
"""  # noqa: E501 - one line for each verb and door
CLOSINGS = """
verb     door   requested  closed         refused         withdrawn         ended
confirm  page   =closed    409 is-closed  409 is-refused  409 is-withdrawn  404 gone
confirm  api    =closed    409 is-closed  409 is-refused  409 is-withdrawn  404 gone
refuse   page   =refused   409 is-closed  409 is-refused  409 is-withdrawn  404 gone
refuse   api    =refused   409 is-closed  409 is-refused  409 is-withdrawn  404 gone
"""
CONTROL = "cm-8"


@dataclass
class Case:
    """An engagement in a state, with what its verbs name, and what it was before."""

    house: House
    engagement: Engagement
    item: SampleItem
    stale: bool = False
    before: Any = None

    @property
    def seen(self) -> int:
        """The version of the engagement that was seen."""
        self.engagement.refresh_from_db()
        return self.engagement.version - self.stale


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    for slug in ("bank", "depot"):
        factories.make_system(
            built.olivia, slug=slug, baseline=built.system.baseline, services=("s3",)
        )
    built.people["ann"] = houses.person("ann")
    return built


def made(house: House, state: str) -> Case:
    """An audit of shop and depot, its window over, in which ann audits the shop."""
    item = states.sample(house, "drawn").items.order_by("pk")[0]
    depot = System.objects.get(slug="depot")
    draft = EngagementDraft(
        "SOC 2", "type2", "Audit & Sons", TODAY - 100 * DAY, TODAY - DAY
    )
    engagement, _ = make_audit(
        [house.system, depot], draft, by=house.olivia, now=BEGINS
    )
    chosen = ["ac-1", "pe-3"] if state == "outside" else ["ac-1", CONTROL]
    choose_controls(engagement, chosen, by=house.olivia)
    starts, ends = {
        "future": (BEGINS + DAY, BEGINS + 20 * DAY),
        "over": (BEGINS - 20 * DAY, BEGINS - DAY),
    }.get(state, (BEGINS - DAY, BEGINS + 20 * DAY))
    Membership.objects.create(
        system=house.system, user=house.people["ann"], role=Role.AUDITOR,
        engagement=engagement, starts_at=starts, ends_at=ends,
    )  # fmt: skip
    case = Case(house, engagement, item, stale=state == "stale")
    if state in {"begun", "stale"}:
        mark_control(
            engagement,
            factories.implementation(house.system, CONTROL),
            MarkDraft("in_progress"),
            by=house.people["ann"],
            now=BEGINS,
        )
    if state == "closed":
        closing = request_closing(engagement, by=house.olivia, now=BEGINS)
        confirm_closing(closing, by=house.people["ann"], now=BEGINS)
    if state == "ended":
        end_engagement(engagement, by=house.olivia, now=BEGINS)
    engagement.refresh_from_db()
    case.before = facts(case)
    return case


def facts(case: Case) -> dict[str, Any]:
    """What a verb may change, by what a cell calls it."""
    engagement = Engagement.objects.get(pk=case.engagement.pk)
    ann = case.house.people["ann"]
    scope = scope_of_engagement(engagement)
    return {
        "marks": list(engagement.marks.values_list("pk", "version")),
        "tested": engagement.tested_items.count(),
        "observed": FailingObservation.objects.count(),
        "found": Finding.objects.count(),
        "requests": EvidenceRequest.objects.count(),
        "scope": scope.covered and scope.controls,
        "systems": Engagement.objects.filter(audit=engagement.audit).count(),
        "taken out": not scope.covered,
        "access": ann.memberships.count(),
        "title": engagement.title,
        "closings": engagement.closings.count(),
        "ended": engagement.ended_at is not None,
    }


def state_of(case: Case) -> str:
    """What became otherwise; what follows of itself is left out."""
    changed = [name for name, now in facts(case).items() if now != case.before[name]]
    if "taken out" in changed:
        return "taken out"
    return ", ".join(changed)


def attempt(row: Row, case: Case) -> Attempt:
    """The request by which an auditor takes the verb at the door."""
    house, audit = case.house, case.engagement
    by = house.olivia if row.door == "officer" else house.people["ann"]
    if row.door == "admin":
        address = reverse(
            "admin:evidence_controlmark_change", args=[audit.marks.get().pk]
        )
        return Attempt(factories.administrator(), address, {"state": "satisfied"})
    if row.verb == "mark":
        return _mark(row, case, by)
    if row.verb == "test":
        if row.door == "api" and case.stale:
            return _tested_meanwhile(case, by)
        seen = 7 if case.stale else 0
        note = {"result": "exception", "note": "Nobody approved."}
        if row.door == "page":
            sample = case.item.sample
            address = reverse("evidence:results_save", args=[audit.uuid, sample.uuid])
            of_item = {f"{name}-{case.item.uuid}": text for name, text in note.items()}
            return Attempt(
                by, address, of_item | {f"seen-{case.item.uuid}": f"{seen}||"}
            )
        body = note | {"engagement": str(audit.uuid), "item": str(case.item.uuid)}
        return Attempt(by, "/api/v1/tested-items/", body, api=True)
    if row.verb == "ask":
        due = {"title": "Tickets", "due_on": str(TODAY + 9 * DAY)}
        if row.door == "page":
            body = due | {"control_ids": "CM-8", "team": house.team.pk}
            return Attempt(by, reverse("evidence:request_new", args=["shop"]), body)
        body = due | {"system": "shop", "control_ids": ["cm-8"], "team": "platform"}
        return Attempt(by, "/api/v1/requests/", body, api=True)
    body = {"source": "A walk", "text": "An open door.", "observed_on": str(TODAY)}
    view, noun = "observation_new", "observations"
    if row.verb == "find":
        view, noun = "finding_new", "findings"
        body = {"title": "Doors", "text": "They stood open.", "severity": "low",
                "found_on": str(TODAY), "source": "A walk"}  # fmt: skip
    if row.door == "page":
        return Attempt(by, reverse(f"evidence:{view}", args=["shop", CONTROL]), body)
    named = {"system": "shop", "control_id": CONTROL}
    return Attempt(by, f"/api/v1/{noun}/", body | named, api=True)


def _mark(row: Row, case: Case, by: Any) -> Attempt:
    audit = case.engagement
    there = audit.marks.first()
    version = (there.version if there else 0) - case.stale
    if row.door == "table":
        body = {
            f"state-{CONTROL}": "satisfied",
            f"seen-{CONTROL}": f"not_started:{version}",
        }
        return Attempt(by, reverse("evidence:marks_save", args=[audit.uuid]), body)
    if row.door != "api":
        address = reverse("evidence:mark", args=[audit.uuid, CONTROL])
        typed = {"state": "satisfied", "note": "Looked at all.", "version": version}
        return Attempt(by, address, typed)
    if there is None:
        body = {"engagement": str(audit.uuid), "control_id": CONTROL}
        body["state"] = "satisfied"
        return Attempt(by, "/api/v1/marks/", body, api=True)
    there.version = version
    return Attempt(
        by,
        f"/api/v1/marks/{there.uuid}/",
        {"state": "satisfied"},
        api=True,
        headers={"If-Match": etag(there)},
        method="patch",
    )


def _tested_meanwhile(case: Case, by: Any) -> Attempt:
    """A result that somebody else recorded since."""
    tested = record_result(
        case.engagement, case.item, result="passed", note="", by=by, now=BEGINS
    )
    case.before = facts(case)
    tested.version -= 1
    return Attempt(
        by,
        f"/api/v1/tested-items/{tested.uuid}/",
        {"result": "exception", "note": "Nobody approved."},
        api=True,
        headers={"If-Match": etag(tested)},
        method="patch",
    )


def attempt_of_officer(row: Row, case: Case) -> Attempt:
    """The request by which an officer takes the verb at the door."""
    audit, by, seen = case.engagement, case.house.olivia, case.seen
    last = str(TODAY + 60 * DAY)
    controls = ["ac-1", "si-2"] if row.verb == "narrow" else ["ac-1", CONTROL, "pe-3"]
    if row.verb == "extend":
        controls.append("si-2")
    ann = case.house.people["ann"]
    why = {"reason": "Agreed with the firm."}
    if row.door == "admin":
        address = reverse("admin:controls_engagement_change", args=[audit.pk])
        body = {"title": "SOC 2 of the shop", "kind": audit.kind, "firm": audit.firm,
                "window_start": audit.window_start, "window_end": audit.window_end,
                "seen_version": seen}  # fmt: skip
        return Attempt(factories.administrator(), address, body)
    if row.door == "page":
        view, body = {
            "extend": ("engagement_scope", {"which": "chosen", "controls": controls}),
            "narrow": (
                "engagement_scope",
                {"which": "chosen", "controls": controls} | why,
            ),
            "add": ("engagement_add_system", {"system": "bank", "let_in": "on"}),
            "take out": ("engagement_take_out", why),
            "renew": ("engagement_renew", {"people": [ann.uuid], "last_day": last}),
            "close": ("closing_request", {"note": "All is shown."}),
            "end": ("engagement_end", {}),
        }[row.verb]
        parts = [audit.uuid] if row.verb == "close" else ["shop", audit.uuid]
        address = reverse(f"evidence:{view}", args=parts)
        return Attempt(by, address, body | {"version": seen})
    end, body, method = {
        "extend": ("scope/", {"controls": controls}, "put"),
        "narrow": ("scope/", {"controls": controls} | why, "put"),
        "add": ("systems/", {"system": "bank"}, "post"),
        "take out": ("take-out/", why, "post"),
        "renew": ("renew/", {"people": [ann.email], "last_day": last}, "post"),
        "correct": ("", {"title": "SOC 2 of the shop"}, "patch"),
        "close": ("", {"engagement": str(audit.uuid)}, "post"),
        "end": ("end/", {}, "post"),
    }[row.verb]
    if row.verb == "close":
        return Attempt(by, "/api/v1/closings/", body, api=True)
    audit.version = seen
    address = f"/api/v1/engagements/{audit.uuid}/{end}"
    tag = {"If-Match": etag(audit)}
    return Attempt(by, address, body, api=True, headers=tag, method=method)


def closing_in(house: House, state: str) -> Case:
    """A request to close, that stands there."""
    case = made(house, "running")
    closing = request_closing(case.engagement, by=house.olivia, now=BEGINS)
    ann = house.people["ann"]
    if state == "closed":
        confirm_closing(closing, by=ann, now=BEGINS)
    if state == "refused":
        refuse_closing(closing, reason="Populations lack.", by=ann, now=BEGINS)
    if state == "withdrawn":
        withdraw_closing(closing, by=house.olivia, now=BEGINS)
    if state == "ended":
        end_engagement(case.engagement, by=house.olivia, now=BEGINS)
    return case


def attempt_on_closing(row: Row, case: Case) -> Attempt:
    closing = case.engagement.closings.get()
    by = case.house.people["ann"]
    if row.door == "page":
        decision = {"confirm": "confirm", "refuse": "refuse"}[row.verb]
        body = {"decision": decision, "reason": "It lacks.", "version": closing.version}
        address = reverse("evidence:closing_decide", args=[case.engagement.uuid])
        return Attempt(by, address, body)
    address = f"/api/v1/closings/{closing.uuid}/{row.verb}/"
    body = {"reason": "It lacks."} if row.verb == "refuse" else {}
    tag = {"If-Match": etag(closing)}
    return Attempt(by, address, body, api=True, headers=tag)


def state_of_closing(case: Case) -> str:
    return str(case.engagement.closings.get().state)


@pytest.mark.parametrize("row", rows_of(AUDITORS))
def test_what_auditors_are_answered(house, row: Row) -> None:
    wrong = wrong_cells(
        row, lambda state: made(house, state), attempt, state_of, SENTENCES
    )
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(OFFICERS))
def test_what_officers_are_answered(house, row: Row) -> None:
    wrong = wrong_cells(
        row, lambda state: made(house, state), attempt_of_officer, state_of, SENTENCES
    )
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(CLOSINGS))
def test_what_a_closing_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        lambda state: closing_in(house, state),
        attempt_on_closing,
        state_of_closing,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
