"""R32: who asked and was refused may approve what the other officer asks anew.

Two officers have then put their names to it, each once. Nobody approves their own, in
whatever order it was asked, refused and taken back. docs/security.md says why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from controls import retrospect
from controls.alternatives import AlternativeDraft, decide_alternative
from controls.alternatives import request_alternative as ask_alternative
from controls.applicability import decide_not_applicable, request_not_applicable
from controls.early_ends import decide_end, request_end
from controls.errors import NotPermitted
from controls.models import User
from controls.responsibility.overrides import decide_override, request_override
from controls.withdrawals import withdraw_request
from evidence.systems.component_days import ask_end
from tests import factories
from tests.evidence.house import TODAY, House
from tests.verbs import states
from tests.verbs.states import DAY

pytestmark = pytest.mark.django_db
Ask = Callable[[House, User], Any]


@pytest.fixture
def house(settings, tmp_path) -> House:
    return states.build(settings, tmp_path)


def override(house: House, by: User) -> Any:
    return request_override(
        factories.implementation(house.system, "pe-3"),
        responsibility="shared",
        reason="A cage of ours.",
        starts_on=TODAY,
        ends_on=TODAY + 30 * DAY,
        by=by,
        today=TODAY,
    )


def exclusion(house: House, by: User) -> Any:
    return request_not_applicable(
        factories.implementation(house.system, "ac-1"),
        justification="No people.",
        review_by=TODAY + 30 * DAY,
        by=by,
        today=TODAY,
    )


def alternative(house: House, by: User) -> Any:
    draft = AlternativeDraft(
        constraint="No labels.",
        objective="Counted by hand.",
        residual_risk="A part of a week.",
        requirement_uuids=[house.requirement().uuid],
        starts_on=TODAY,
        review_by=TODAY + 30 * DAY,
    )
    control = factories.implementation(house.system, "cm-8")
    return ask_alternative(control, draft, by=by, today=TODAY)


def early_end(house: House, by: User) -> Any:
    holds = house.system.implementations.get(control__ref_id="pe-3").overrides.first()
    holds = holds or states.override(house, "approved")
    return request_end(holds, reason="No cage.", by=by, today=TODAY)


def change_back(house: House, by: User) -> Any:
    return ask_end(
        house.system.components.order_by("pk")[1],
        last_day=TODAY - 30 * DAY,
        reason="It was shut down then.",
        by=by,
        today=TODAY,
    )


def decide_back(change: Any, *, approve: bool, by: User, today: Any) -> None:
    act = retrospect.approve if approve else retrospect.refuse
    act(change, by=by, today=today)


KINDS: dict[str, tuple[Ask, Callable[..., None]]] = {
    "override": (override, decide_override),
    "not applicable": (exclusion, decide_not_applicable),
    "alternative": (alternative, decide_alternative),
    "early end": (early_end, decide_end),
    "change in retrospect": (change_back, decide_back),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_other_officer_asks_anew_and_the_first_approves(house, kind) -> None:
    ask, decide = KINDS[kind]
    oscar, olivia = house.oscar, house.olivia
    first = ask(house, oscar)
    decide(first, approve=False, by=olivia, today=TODAY)
    anew = ask(house, olivia)
    with pytest.raises(NotPermitted):
        decide(anew, approve=True, by=olivia, today=TODAY)
    anew.decided_by = olivia  # past the verb
    with pytest.raises(IntegrityError, match="by_another"), transaction.atomic():
        anew.save(update_fields=["decided_by"])
    anew.refresh_from_db()
    decide(anew, approve=True, by=oscar, today=TODAY)
    assert (anew.state, anew.decided_by_id) == ("approved", oscar.pk)
    first.refresh_from_db()
    assert (first.state, first.requested_by_id) == ("refused", oscar.pk)


@pytest.mark.parametrize("kind", KINDS)
def test_taken_back_it_is_asked_anew_and_never_approved_as_it_was(house, kind) -> None:
    """Also by the database: what was taken back was decided by nobody."""
    ask, decide = KINDS[kind]
    mine = ask(house, house.oscar)
    withdraw = withdraw_request
    if kind == "change in retrospect":
        withdraw = retrospect.withdraw  # type: ignore[assignment]
    with pytest.raises(NotPermitted):
        withdraw(mine, by=house.olivia, today=TODAY)
    withdraw(mine, by=house.oscar, today=TODAY)
    assert (mine.state, mine.decided_by_id) == ("withdrawn", None)
    mine.decided_by = house.olivia
    with pytest.raises(IntegrityError), transaction.atomic():
        mine.save(update_fields=["decided_by"])
    again = ask(house, house.oscar)
    decide(again, approve=True, by=house.olivia, today=TODAY)
    assert again.state == "approved"
