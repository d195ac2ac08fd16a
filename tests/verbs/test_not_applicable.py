"""R10, R32: what each verb of leaving a control out answers from each state."""

from __future__ import annotations

import pytest
from django.urls import reverse

from controls.models import ApplicabilityDecision, EndRequest, RetrospectiveChange
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
    "already": "The control is marked as not applicable already",
    "not-approved": "Only what is approved can be ended.",
    "anyway": "It holds to 2026-11-22 anyway.",
    "before": "It holds from 2026-11-23 on.",
    "ended": "It has ended already.",
    "looked-at": "You may not do this",
}
# A cell says where the request stands, whether its end is asked for, `back` for a
# change in retrospect, and, after `new`, where one stands that was asked for now.
TABLE = """
verb            door   requested         late              lapsed                  approved           ending          expired                   ended                  refused                  withdrawn
ask             page   409 asked         409 asked         =lapsed, new requested  409 already        409 already     =approved, new requested  =ended, new requested  =refused, new requested  =withdrawn, new requested
ask             api    409 asked         409 asked         =lapsed, new requested  409 already        409 already     =approved, new requested  =ended, new requested  =refused, new requested  =withdrawn, new requested
approve         page   =approved         302 lapsed        302 lapsed              302 decided-by     302 decided-by  302 decided-by            302 decided-by         302 decided-by           302 taken-back
approve         api    =approved         409 lapsed        409 lapsed              409 decided-by     409 decided-by  409 decided-by            409 decided-by         409 decided-by           409 taken-back
approve own     page   403 own           403 own           403 own                 403 own            403 own         403 own                   403 own                403 own                  403 own
approve own     api    403 own           403 own           403 own                 403 own            403 own         403 own                   403 own                403 own                  403 own
refuse          page   =refused          302 lapsed        302 lapsed              302 decided-by     302 decided-by  302 decided-by            302 decided-by         302 decided-by           302 taken-back
refuse          api    =refused          409 lapsed        409 lapsed              409 decided-by     409 decided-by  409 decided-by            409 decided-by         409 decided-by           409 taken-back
end             page   409 not-approved  409 not-approved  409 not-approved        =approved, ending  409 asked-end   409 anyway                409 not-approved       409 not-approved         409 not-approved
end             api    409 not-approved  409 not-approved  409 not-approved        =approved, ending  409 asked-end   409 anyway                409 not-approved       409 not-approved         409 not-approved
end back        page   409 not-approved  409 not-approved  409 not-approved        400 before         400 before      =approved, back           400 before             409 not-approved         409 not-approved
end back        api    409 not-approved  409 not-approved  409 not-approved        400 before         400 before      =approved, back           400 before             409 not-approved         409 not-approved
change          admin  403 looked-at     403 looked-at     403 looked-at           403 looked-at      403 looked-at   403 looked-at             403 looked-at          403 looked-at            403 looked-at
withdraw        page   =withdrawn        302 lapsed        302 lapsed              302 decided-by     302 decided-by  302 decided-by            302 decided-by         302 decided-by           302 taken-back
withdraw        api    =withdrawn        409 lapsed        409 lapsed              409 decided-by     409 decided-by  409 decided-by            409 decided-by         409 decided-by           409 taken-back
withdraw other  page   403 not-mine      403 not-mine      403 not-mine            403 not-mine       403 not-mine    403 not-mine              403 not-mine           403 not-mine             403 not-mine
withdraw other  api    403 not-mine      403 not-mine      403 not-mine            403 not-mine       403 not-mine    403 not-mine              403 not-mine           403 not-mine             403 not-mine
"""  # noqa: E501 - one line for each verb and door
ENDS = """
verb            door  requested             late          lapsed        approved        refused         ended              withdrawn
approve         page  =approved, ended      302 lapsed    302 lapsed    302 decided-by  302 decided-by  302 ended          302 taken-back
approve         api   =approved, ended      409 lapsed    409 lapsed    409 decided-by  409 decided-by  409 ended          409 taken-back
approve own     page  403 own               403 own       403 own       403 own         403 own         403 own            403 own
refuse          page  =refused, approved    302 lapsed    302 lapsed    302 decided-by  302 decided-by  302 ended          302 taken-back
refuse          api   =refused, approved    409 lapsed    409 lapsed    409 decided-by  409 decided-by  409 ended          409 taken-back
withdraw        page  =withdrawn, approved  302 lapsed    302 lapsed    302 decided-by  302 decided-by  =withdrawn, ended  302 taken-back
withdraw        api   =withdrawn, approved  409 lapsed    409 lapsed    409 decided-by  409 decided-by  =withdrawn, ended  409 taken-back
withdraw other  page  403 not-mine          403 not-mine  403 not-mine  403 not-mine    403 not-mine    403 not-mine       403 not-mine
withdraw other  api   403 not-mine          403 not-mine  403 not-mine  403 not-mine    403 not-mine    403 not-mine       403 not-mine
"""  # noqa: E501 - one line for each verb and door
WHO = {"ask": "oscar", "approve own": "oscar", "withdraw": "oscar", "change": "admin"}
ANY = {"If-Match": "*"}


@pytest.fixture
def house(settings, tmp_path):
    return states.build(settings, tmp_path)


def attempt(house: House, row: Row, exclusion: ApplicabilityDecision) -> Attempt:
    """The request by which the verb is taken at the door."""
    by = states.person(house, WHO.get(row.verb, "olivia"))
    asked = {"justification": "Nobody here.", "review_by": str(TODAY + 60 * DAY)}
    end = {"reason": "People came."}
    back = end | {"ends_from": str(TODAY - 2 * DAY)}
    verb = row.verb.removesuffix(" own").removesuffix(" other")
    if row.door == "admin":
        view = "admin:controls_applicabilitydecision_change"
        body = {"state": "approved"}
        return Attempt(by, reverse(view, args=[exclusion.pk]), body)
    if row.door == "page":
        view, args, body = {
            "ask": ("na_request", ["shop", "ac-1"], asked),
            "approve": ("na_decide", [exclusion.uuid], {"decision": "approve"}),
            "refuse": ("na_decide", [exclusion.uuid], {"decision": "refuse"}),
            "withdraw": ("na_decide", [exclusion.uuid], {"decision": "withdraw"}),
            "end": ("na_end", [exclusion.uuid], end),
            "end back": ("na_end", [exclusion.uuid], back),
        }[verb]
        return Attempt(by, reverse(f"evidence:{view}", args=args), body)
    api = "/api/v1/not-applicable/"
    if verb == "ask":
        body = {"system": "shop", "control_id": "ac-1"} | asked
        return Attempt(by, api, body, api=True)
    last, body = {
        "approve": ("approve/", {}),
        "refuse": ("refuse/", {}),
        "withdraw": ("withdraw/", {}),
        "end": ("end/", end),
        "end back": ("end/", back),
    }[verb]
    return Attempt(by, f"{api}{exclusion.uuid}/{last}", body, api=True, headers=ANY)


def state_of(exclusion: ApplicabilityDecision) -> str:
    """Where it stands, and what else of the same control waits."""
    exclusion.refresh_from_db()
    words = [exclusion.state]
    if exclusion.end_requests.filter(state="requested").exists():
        words.append("ending")
    if RetrospectiveChange.objects.filter(state="requested").exists():
        words.append("back")
    newest = ApplicabilityDecision.objects.latest("pk")
    if newest != exclusion:
        words.append(f"new {newest.state}")
    return ", ".join(words)


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_of_leaving_out_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        lambda state: states.exclusion(house, state),
        lambda row, exclusion: attempt(house, row, exclusion),
        state_of,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])


def ended(house: House, state: str) -> EndRequest:
    """The end of an exclusion; `ended` waits although the exclusion ended."""
    exclusion = states.exclusion(house, "approved")
    end = states.end_of(house, exclusion, state)
    if state == "ended":
        rows = ApplicabilityDecision.objects.filter(pk=exclusion.pk)
        rows.update(state="ended", ended_on=TODAY)
    return end


def attempt_on_end(house: House, row: Row, end: EndRequest) -> Attempt:
    by = states.person(house, WHO.get(row.verb, "olivia"))
    verb = row.verb.removesuffix(" own").removesuffix(" other")
    if row.door == "page":
        address = reverse("evidence:end_decide", args=[end.uuid])
        return Attempt(by, address, {"decision": verb})
    address = f"/api/v1/end-requests/{end.uuid}/{verb}/"
    return Attempt(by, address, {}, api=True, headers=ANY)


def state_of_end(end: EndRequest) -> str:
    end.refresh_from_db()
    end.exclusion.refresh_from_db()
    return f"{end.state}, {end.exclusion.state}"


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
