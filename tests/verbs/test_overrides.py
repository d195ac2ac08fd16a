"""R9, R32: what each verb of an override answers from each state, at each door."""

from __future__ import annotations

import pytest
from django.urls import reverse

from controls.models import EndRequest, ResponsibilityOverride
from controls.responsibility.overrides import settle_override
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
    "waits": "Oscar has already asked for another class of this control.",
    "asked-by": "Oscar has already asked for it.",
    "not-approved": "Only what is approved can be ended.",
    "settled": "It was settled from 2026-11-23 on.",
    "ended": "It has ended already.",
    "looked-at": "You may not do this",
}
# A cell says where the override stands, whether its end is asked for, and, after `new`,
# where one stands that was asked for now.
TABLE = """
verb            door   requested         late                       lapsed                  approved                  ending                            expired                   settled                            refused                  withdrawn
ask             page   409 waits         =requested, new requested  =lapsed, new requested  =approved, new requested  =approved, ending, new requested  =approved, new requested  =approved, settled, new requested  =refused, new requested  =withdrawn, new requested
ask             api    409 waits         =requested, new requested  =lapsed, new requested  =approved, new requested  =approved, ending, new requested  =approved, new requested  =approved, settled, new requested  =refused, new requested  =withdrawn, new requested
approve         page   =approved         302 lapsed                 302 lapsed              302 decided-by            302 decided-by                    302 decided-by            302 decided-by                     302 decided-by           302 taken-back
approve         api    =approved         409 lapsed                 409 lapsed              409 decided-by            409 decided-by                    409 decided-by            409 decided-by                     409 decided-by           409 taken-back
approve own     page   403 own           403 own                    403 own                 403 own                   403 own                           403 own                   403 own                            403 own                  403 own
approve own     api    403 own           403 own                    403 own                 403 own                   403 own                           403 own                   403 own                            403 own                  403 own
refuse          page   =refused          302 lapsed                 302 lapsed              302 decided-by            302 decided-by                    302 decided-by            302 decided-by                     302 decided-by           302 taken-back
refuse          api    =refused          409 lapsed                 409 lapsed              409 decided-by            409 decided-by                    409 decided-by            409 decided-by                     409 decided-by           409 taken-back
end             page   409 not-approved  409 not-approved           409 not-approved        =approved, ending         409 asked-by                      =approved, settled        409 settled                        409 not-approved         409 not-approved
end             api    409 not-approved  409 not-approved           409 not-approved        =approved, ending         409 asked-by                      =approved, settled        409 settled                        409 not-approved         409 not-approved
change          admin  403 looked-at     403 looked-at              403 looked-at           403 looked-at             403 looked-at                     403 looked-at             403 looked-at                      403 looked-at            403 looked-at
delete          admin  403 looked-at     403 looked-at              403 looked-at           403 looked-at             403 looked-at                     403 looked-at             403 looked-at                      403 looked-at            403 looked-at
withdraw        page   =withdrawn        302 lapsed                 302 lapsed              302 decided-by            302 decided-by                    302 decided-by            302 decided-by                     302 decided-by           302 taken-back
withdraw        api    =withdrawn        409 lapsed                 409 lapsed              409 decided-by            409 decided-by                    409 decided-by            409 decided-by                     409 decided-by           409 taken-back
withdraw other  page   403 not-mine      403 not-mine               403 not-mine            403 not-mine              403 not-mine                      403 not-mine              403 not-mine                       403 not-mine             403 not-mine
withdraw other  api    403 not-mine      403 not-mine               403 not-mine            403 not-mine              403 not-mine                      403 not-mine              403 not-mine                       403 not-mine             403 not-mine
"""  # noqa: E501 - one line for each verb and door
ENDS = """
verb            door   requested           late           lapsed         approved        refused         ended          settled              withdrawn
approve         page   =approved, settled  302 lapsed     302 lapsed     302 decided-by  302 decided-by  302 ended      302 ended            302 taken-back
approve         api    =approved, settled  409 lapsed     409 lapsed     409 decided-by  409 decided-by  409 ended      409 ended            409 taken-back
approve own     page   403 own             403 own        403 own        403 own         403 own         403 own        403 own              403 own
approve own     api    403 own             403 own        403 own        403 own         403 own         403 own        403 own              403 own
refuse          page   =refused            302 lapsed     302 lapsed     302 decided-by  302 decided-by  302 ended      302 ended            302 taken-back
refuse          api    =refused            409 lapsed     409 lapsed     409 decided-by  409 decided-by  409 ended      409 ended            409 taken-back
change          admin  403 looked-at       403 looked-at  403 looked-at  403 looked-at   403 looked-at   403 looked-at  403 looked-at        403 looked-at
withdraw        page   =withdrawn          302 lapsed     302 lapsed     302 decided-by  302 decided-by  =withdrawn     =withdrawn, settled  302 taken-back
withdraw        api    =withdrawn          409 lapsed     409 lapsed     409 decided-by  409 decided-by  =withdrawn     =withdrawn, settled  409 taken-back
withdraw other  page   403 not-mine        403 not-mine   403 not-mine   403 not-mine    403 not-mine    403 not-mine   403 not-mine         403 not-mine
withdraw other  api    403 not-mine        403 not-mine   403 not-mine   403 not-mine    403 not-mine    403 not-mine   403 not-mine         403 not-mine
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


def attempt(house: House, row: Row, override: ResponsibilityOverride) -> Attempt:
    """The request by which the verb is taken at the door."""
    by = states.person(house, WHO.get(row.verb, "olivia"))
    asked = {
        "responsibility": "customer",
        "starts_on": str(TODAY),
        "ends_on": str(TODAY + 9 * DAY),
        "reason": "Our own hall.",
    }
    verb = row.verb.removesuffix(" own").removesuffix(" other")
    if row.door == "admin":
        view = f"admin:controls_responsibilityoverride_{verb}"
        body = {"state": "approved", "post": "yes"}
        return Attempt(by, reverse(view, args=[override.pk]), body)
    if row.door == "page":
        view, args, body = {
            "ask": ("override_request", ["shop", "pe-3"], asked),
            "approve": ("override_decide", [override.uuid], {"decision": "approve"}),
            "refuse": ("override_decide", [override.uuid], {"decision": "refuse"}),
            "withdraw": ("override_decide", [override.uuid], {"decision": "withdraw"}),
            "end": ("override_settle", [override.uuid], {"reason": "No cage now."}),
        }[verb]
        return Attempt(by, reverse(f"evidence:{view}", args=args), body)
    api = "/api/v1/overrides/"
    if verb == "ask":
        body = {"system": "shop", "control_id": "pe-3"} | asked
        return Attempt(by, api, body, api=True)
    end, body = {
        "approve": ("approve/", {}),
        "refuse": ("refuse/", {}),
        "withdraw": ("withdraw/", {}),
        "end": ("settle/", {"reason": "No cage now."}),
    }[verb]
    return Attempt(by, f"{api}{override.uuid}/{end}", body, api=True, headers=ANY)


def state_of(override: ResponsibilityOverride) -> str:
    """Where it stands, what of its end waits, and a newer one of the same control."""
    override.refresh_from_db()
    words = [override.state]
    if override.settled_on:
        words.append("settled")
    if override.end_requests.filter(state="requested").exists():
        words.append("ending")
    newest = ResponsibilityOverride.objects.latest("pk")
    if newest != override:
        words.append(f"new {newest.state}")
    return ", ".join(words)


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_of_an_override_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        lambda state: states.override(house, state),
        lambda row, override: attempt(house, row, override),
        state_of,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])


def ended(house: House, state: str) -> EndRequest:
    """The end of an override.

    `ended` waits although the override holds no more; `settled` although it ran out
    meanwhile and an officer settled it, which an end from an earlier day would undo.
    """
    override = states.override(house, "approved")
    end = states.end_of(house, override, state)
    rows = ResponsibilityOverride.objects.filter(pk=override.pk)
    if state == "ended":
        rows.update(state="lapsed")
    if state == "settled":
        rows.update(starts_on=TODAY - 9 * DAY, ends_on=TODAY - DAY)
        settle_override(override, on=TODAY, by=house.otto, today=TODAY)
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
    override = end.override
    override.refresh_from_db()
    return f"{end.state}, settled" if override.settled_on else end.state


@pytest.mark.parametrize("row", rows_of(ENDS))
def test_what_each_verb_of_an_early_end_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        lambda state: ended(house, state),
        lambda row, end: attempt_on_end(house, row, end),
        state_of_end,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
