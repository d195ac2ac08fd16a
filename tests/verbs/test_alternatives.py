"""R10, R32: what each verb of an alternative answers from each state, at each door."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from controls.models import AlternativeImplementation, EndRequest
from tests.evidence.house import TODAY, House
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
    "asked-end": "Oscar has already asked for it.",
    "asked": "Oscar has already asked for this.",
    "holds": "An alternative holds from 2026-11-23 to 2026-12-23 already.",
    "not-approved": "Only what is approved can be ended.",
    "anyway": "It holds to 2026-11-22 anyway.",
    "ended": "It has ended already.",
    "looked-at": "You may not do this",
}
# A cell says where the request stands, whether its end is asked for, and, after `new`,
# where one stands that was asked for now.
TABLE = """
verb            door   requested         late              lapsed                  approved           ending          expired                   ended                  refused                  withdrawn
ask             page   409 asked         409 asked         =lapsed, new requested  409 holds          409 holds       =approved, new requested  =ended, new requested  =refused, new requested  =withdrawn, new requested
ask             api    409 asked         409 asked         =lapsed, new requested  409 holds          409 holds       =approved, new requested  =ended, new requested  =refused, new requested  =withdrawn, new requested
approve         page   =approved         302 lapsed        302 lapsed              302 decided-by     302 decided-by  302 decided-by            302 decided-by         302 decided-by           302 taken-back
approve         api    =approved         409 lapsed        409 lapsed              409 decided-by     409 decided-by  409 decided-by            409 decided-by         409 decided-by           409 taken-back
approve own     page   403 own           403 own           403 own                 403 own            403 own         403 own                   403 own                403 own                  403 own
approve own     api    403 own           403 own           403 own                 403 own            403 own         403 own                   403 own                403 own                  403 own
refuse          page   =refused          302 lapsed        302 lapsed              302 decided-by     302 decided-by  302 decided-by            302 decided-by         302 decided-by           302 taken-back
refuse          api    =refused          409 lapsed        409 lapsed              409 decided-by     409 decided-by  409 decided-by            409 decided-by         409 decided-by           409 taken-back
end             page   409 not-approved  409 not-approved  409 not-approved        =approved, ending  409 asked-end   409 anyway                409 not-approved       409 not-approved         409 not-approved
end             api    409 not-approved  409 not-approved  409 not-approved        =approved, ending  409 asked-end   409 anyway                409 not-approved       409 not-approved         409 not-approved
change          admin  403 looked-at     403 looked-at     403 looked-at           403 looked-at      403 looked-at   403 looked-at             403 looked-at          403 looked-at            403 looked-at
delete          admin  403 looked-at     403 looked-at     403 looked-at           403 looked-at      403 looked-at   403 looked-at             403 looked-at          403 looked-at            403 looked-at
withdraw        page   =withdrawn        302 lapsed        302 lapsed              302 decided-by     302 decided-by  302 decided-by            302 decided-by         302 decided-by           302 taken-back
withdraw        api    =withdrawn        409 lapsed        409 lapsed              409 decided-by     409 decided-by  409 decided-by            409 decided-by         409 decided-by           409 taken-back
withdraw other  page   403 not-mine      403 not-mine      403 not-mine            403 not-mine       403 not-mine    403 not-mine              403 not-mine           403 not-mine             403 not-mine
withdraw other  api    403 not-mine      403 not-mine      403 not-mine            403 not-mine       403 not-mine    403 not-mine              403 not-mine           403 not-mine             403 not-mine
"""  # noqa: E501 - one line for each verb and door
ENDS = """
verb            door   requested             late           lapsed         approved        refused         ended               withdrawn
approve         page   =approved, ended      302 lapsed     302 lapsed     302 decided-by  302 decided-by  302 ended           302 taken-back
approve         api    =approved, ended      409 lapsed     409 lapsed     409 decided-by  409 decided-by  409 ended           409 taken-back
approve own     page   403 own               403 own        403 own        403 own         403 own         403 own             403 own
approve own     api    403 own               403 own        403 own        403 own         403 own         403 own             403 own
refuse          page   =refused, approved    302 lapsed     302 lapsed     302 decided-by  302 decided-by  302 ended           302 taken-back
refuse          api    =refused, approved    409 lapsed     409 lapsed     409 decided-by  409 decided-by  409 ended           409 taken-back
change          admin  403 looked-at         403 looked-at  403 looked-at  403 looked-at   403 looked-at   403 looked-at       403 looked-at
withdraw        page   =withdrawn, approved  302 lapsed     302 lapsed     302 decided-by  302 decided-by  =withdrawn, lapsed  302 taken-back
withdraw        api    =withdrawn, approved  409 lapsed     409 lapsed     409 decided-by  409 decided-by  =withdrawn, lapsed  409 taken-back
withdraw other  page   403 not-mine          403 not-mine   403 not-mine   403 not-mine    403 not-mine    403 not-mine        403 not-mine
withdraw other  api    403 not-mine          403 not-mine   403 not-mine   403 not-mine    403 not-mine    403 not-mine        403 not-mine
"""  # noqa: E501 - one line for each verb and door
WHO = {
    "ask": "oscar",
    "approve own": "oscar",
    "withdraw": "oscar",
    "change": "admin",
    "delete": "admin",
}
ANY = {"If-Match": "*"}


@pytest.fixture
def house(settings, tmp_path):
    return states.build(settings, tmp_path)


def attempt(house: House, row: Row, alternative: AlternativeImplementation) -> Attempt:
    """The request by which the verb is taken at the door."""
    by = states.person(house, WHO.get(row.verb, "olivia"))
    asked: dict[str, Any] = {
        "constraint": "No labels at all.",
        "objective": "Counted by two people.",
        "residual_risk": "A week is not counted.",
        "requirements": [str(house.requirement().uuid)],
        "starts_on": str(TODAY),
        "review_by": str(TODAY + 60 * DAY),
    }
    end = {"reason": "There is a new tool."}
    verb = row.verb.removesuffix(" own").removesuffix(" other")
    if row.door == "admin":
        view = f"admin:controls_alternativeimplementation_{verb}"
        body = {"state": "approved", "post": "yes"}
        return Attempt(by, reverse(view, args=[alternative.pk]), body)
    if row.door == "page":
        view, args, sent = {
            "ask": ("alternative_request", ["shop", "cm-8"], asked),
            "approve": (
                "alternative_decide",
                [alternative.uuid],
                {"decision": "approve"},
            ),
            "refuse": (
                "alternative_decide",
                [alternative.uuid],
                {"decision": "refuse"},
            ),
            "withdraw": (
                "alternative_decide",
                [alternative.uuid],
                {"decision": "withdraw"},
            ),
            "end": ("alternative_end", [alternative.uuid], end),
        }[verb]
        return Attempt(by, reverse(f"evidence:{view}", args=args), sent)
    api = "/api/v1/alternatives/"
    if verb == "ask":
        body = {"system": "shop", "control_id": "cm-8"} | asked
        return Attempt(by, api, body, api=True)
    last, body = {
        "approve": ("approve/", {}),
        "refuse": ("refuse/", {}),
        "withdraw": ("withdraw/", {}),
        "end": ("end/", end),
    }[verb]
    return Attempt(by, f"{api}{alternative.uuid}/{last}", body, api=True, headers=ANY)


def state_of(alternative: AlternativeImplementation) -> str:
    """Where it stands, whether its end waits, and a newer one of the same control."""
    alternative.refresh_from_db()
    words = [alternative.state]
    if alternative.end_requests.filter(state="requested").exists():
        words.append("ending")
    newest = AlternativeImplementation.objects.latest("pk")
    if newest != alternative:
        words.append(f"new {newest.state}")
    return ", ".join(words)


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_of_an_alternative_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        lambda state: states.alternative(house, state),
        lambda row, alternative: attempt(house, row, alternative),
        state_of,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])


def ended(house: House, state: str) -> EndRequest:
    """The end of an alternative; `ended` waits although it lapsed meanwhile."""
    alternative = states.alternative(house, "approved")
    end = states.end_of(house, alternative, state)
    if state == "ended":
        rows = AlternativeImplementation.objects.filter(pk=alternative.pk)
        rows.update(state="lapsed", decided_by=None)
    return end


def attempt_on_end(house: House, row: Row, end: EndRequest) -> Attempt:
    by = states.person(house, WHO.get(row.verb, "olivia"))
    verb = row.verb.removesuffix(" own").removesuffix(" other")
    if row.door == "admin":
        address = reverse("admin:controls_endrequest_change", args=[end.pk])
        return Attempt(by, address, {"state": "approved"})
    if row.door == "page":
        address = reverse("evidence:end_decide", args=[end.uuid])
        return Attempt(by, address, {"decision": verb})
    address = f"/api/v1/end-requests/{end.uuid}/{verb}/"
    return Attempt(by, address, {}, api=True, headers=ANY)


def state_of_end(end: EndRequest) -> str:
    end.refresh_from_db()
    alternative = end.alternative
    alternative.refresh_from_db()
    return f"{end.state}, {alternative.state}"


@pytest.mark.parametrize("row", rows_of(ENDS))
def test_what_each_verb_of_its_end_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        lambda state: ended(house, state),
        lambda row, end: attempt_on_end(house, row, end),
        state_of_end,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
