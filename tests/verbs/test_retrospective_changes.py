"""R31, R32: what each verb of a change in retrospect answers from each state."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.urls import reverse

from controls.lapses import lapse_requests
from controls.models import RetrospectiveChange
from controls.retrospect import approve, refuse, withdraw
from evidence.models import RequirementControl
from evidence.requirements.changes import NewTerms, change_requirement
from evidence.requirements.terms import terms_on
from tests.evidence.house import TODAY, House
from tests.one_day import BEGINS
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells
from tests.verbs.states import DAY

pytestmark = pytest.mark.django_db

SENTENCES = {
    "taken-back": "Oscar took this request back.",
    "not-mine": "Only whoever asked for it takes it back;",
    "own": "Somebody other than the requester must approve this.",
    "decided-by": "Olivia has already decided this.",
    "lapsed": "This request lapsed: it was to be decided by",
    "changed": "What is asked was changed since this was requested.",
    "stranger": "There is no such",
    "looked-at": "You may not do this",
}
# A cell says where the change stands and how often is asked on its first day, and,
# after `new`, where one stands that was asked for now. `changed` waits although what is
# asked was changed since; `gone` waits although who asked for it holds no role more.
TABLE = """
verb            door   requested                           gone                  late                                lapsed                           approved                             refused                           changed                             withdrawn
ask             api    =requested, monthly, new requested  404 stranger          =requested, monthly, new requested  =lapsed, monthly, new requested  =approved, quarterly, new requested  =refused, monthly, new requested  =requested, monthly, new requested  =withdrawn, monthly, new requested
approve         page   =approved, quarterly                =approved, quarterly  302 lapsed                          302 lapsed                       302 decided-by                       302 decided-by                    302 changed                         302 taken-back
approve         api    =approved, quarterly                =approved, quarterly  409 lapsed                          409 lapsed                       409 decided-by                       409 decided-by                    409 changed                         409 taken-back
approve own     page   403 own                             404 stranger          403 own                             403 own                          403 own                              403 own                           403 own                             403 own
approve own     api    403 own                             404 stranger          403 own                             403 own                          403 own                              403 own                           403 own                             403 own
refuse          page   =refused, monthly                   =refused, monthly     302 lapsed                          302 lapsed                       302 decided-by                       302 decided-by                    =refused, monthly                   302 taken-back
refuse          api    =refused, monthly                   =refused, monthly     409 lapsed                          409 lapsed                       409 decided-by                       409 decided-by                    =refused, monthly                   409 taken-back
change          admin  403 looked-at                       403 looked-at         403 looked-at                       403 looked-at                    403 looked-at                        403 looked-at                     403 looked-at                       403 looked-at
withdraw        page   =withdrawn, monthly                 404 stranger          302 lapsed                          302 lapsed                       302 decided-by                       302 decided-by                    =withdrawn, monthly                 302 taken-back
withdraw        api    =withdrawn, monthly                 404 stranger          409 lapsed                          409 lapsed                       409 decided-by                       409 decided-by                    =withdrawn, monthly                 409 taken-back
withdraw other  page   403 not-mine                        403 not-mine          403 not-mine                        403 not-mine                     403 not-mine                         403 not-mine                      403 not-mine                        403 not-mine
withdraw other  api    403 not-mine                        403 not-mine          403 not-mine                        403 not-mine                     403 not-mine                         403 not-mine                      403 not-mine                        403 not-mine
"""  # noqa: E501 - one line for each verb and door
WHO = {"ask": "oscar", "approve own": "oscar", "withdraw": "oscar", "change": "admin"}
ANY = {"If-Match": "*"}
SINCE = dt.date(2026, 10, 1)


@pytest.fixture
def house(settings, tmp_path):
    return states.build(settings, tmp_path)


def asked_for(house: House, state: str) -> RetrospectiveChange:
    """That CM-8 was asked quarterly since October, asked for by oscar."""
    asked = house.requirement()
    terms = replace(NewTerms.stated_by(asked), cadence="quarterly", grace_days=None)
    again = {"version": None, "by": house.oscar, "today": TODAY}
    made = change_requirement(asked, terms, from_day=SINCE, reason="Merged.", **again)
    assert made is not None
    if state in {"late", "lapsed"}:
        RetrospectiveChange.objects.filter(pk=made.pk).update(
            requested_on=TODAY - 31 * DAY
        )
    if state == "lapsed":
        lapse_requests(house.system, TODAY)
    if state == "approved":
        approve(made, by=house.olivia, today=TODAY)
    if state == "refused":
        refuse(made, by=house.olivia, today=TODAY)
    if state == "withdrawn":
        withdraw(made, by=house.oscar, today=TODAY)
    if state == "changed":
        other = replace(NewTerms.stated_by(asked), title="Other words")
        change_requirement(asked, other, **again)
    if state == "gone":
        house.oscar.memberships.update(ends_at=BEGINS - dt.timedelta(minutes=1))
    made.refresh_from_db()
    return made


def attempt(house: House, row: Row, change: RetrospectiveChange) -> Attempt:
    by = states.person(house, WHO.get(row.verb, "olivia"))
    verb = row.verb.removesuffix(" own").removesuffix(" other")
    if row.door == "admin":
        address = reverse("admin:controls_retrospectivechange_change", args=[change.pk])
        return Attempt(by, address, {"state": "approved"})
    if verb == "ask":
        asked = RequirementControl.objects.get(uuid=change.body["requirement"])
        body = {
            "title": asked.title,
            "cadence": "quarterly",
            "purpose": asked.purpose,
            "operates_from": str(asked.operates_from),
            "from_day": str(SINCE),
            "reason": "Merged.",
        }
        address = f"/api/v1/requirements/{asked.uuid}/"
        return Attempt(by, address, body, api=True, headers=ANY, method="put")
    if row.door == "page":
        address = reverse("evidence:retrospective_decide", args=[change.uuid])
        return Attempt(by, address, {"decision": verb})
    address = f"/api/v1/retrospective-changes/{change.uuid}/{verb}/"
    return Attempt(by, address, {}, api=True, headers=ANY)


def state_of(change: RetrospectiveChange) -> str:
    """Where it stands, what is asked on its first day, and a newer change."""
    change.refresh_from_db()
    asked = RequirementControl.objects.get(uuid=change.body["requirement"])
    words = [change.state, terms_on(asked.ask, SINCE).cadence]
    newest = RetrospectiveChange.objects.latest("pk")
    if newest != change:
        words.append(f"new {newest.state}")
    return ", ".join(words)


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_of_a_change_in_retrospect_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        lambda state: asked_for(house, state),
        lambda row, change: attempt(house, row, change),
        state_of,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
