"""A control may be met in another way than it says, once another officer agrees."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from controls.alternatives import decide_alternative
from controls.early_ends import decide_end, request_end
from controls.errors import TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.lapses import lapse_requests
from controls.models import (
    AlternativeImplementation,
    AuditEvent,
    EndRequest,
    ImplementationStatement,
    System,
    User,
)
from evidence.status.control_status import ControlStatus, control_statuses
from evidence.status.gather import Moment
from tests import factories

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 11, 16)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def today(on_day: Any) -> None:
    """Pages and the API are asked on TODAY."""
    on_day(TODAY)


@pytest.fixture
def proven(system: System, alice: User, rita: User) -> System:
    """AC-4 has accepted proof, and is an alternative implementation on all days."""
    asked = factories.requirement(system, "ac-4")
    link = factories.make_evidence(asked, by=alice, performed_on=TODAY - DAY)
    link.accept(by=rita)
    ImplementationStatement.objects.filter(
        implementation__control__ref_id="ac-4"
    ).update(status="alternative")
    return system


def answer_on(
    system: System, day: dt.date, known_at: dt.datetime | None = None
) -> ControlStatus:
    pks = [factories.implementation(system, "ac-4").pk]
    (answer,) = control_statuses(system, Moment(day, known_at), pks=pks)
    return answer


def ask(browser: Any, system: System, door: str = "page", **changes: Any) -> Any:
    said = {
        "constraint": "The firewall knows no zones.",
        "objective": "Traffic flows as agreed: routes are reviewed.",
        "residual_risk": "A wrong route lives until the next review.",
        "requirements": [str(factories.requirement(system, "ac-4").uuid)],
        "starts_on": str(TODAY),
        "review_by": "2027-05-31",
    } | changes
    if door == "page":
        args = [system.slug, "ac-4"]
        return browser.post(reverse("evidence:alternative_request", args=args), said)
    named = {"system": system.slug, "control_id": "ac-4"}
    return browser.post("/api/v1/alternatives/", named | said, "application/json")


def decide(browser: Any, door: str, *, approve: bool = True) -> Any:
    row = AlternativeImplementation.objects.get()
    word = "approve" if approve else "refuse"
    if door == "page":
        url = reverse("evidence:alternative_decide", args=[row.uuid])
        return browser.post(url, {"decision": word}, follow=True)
    headers = {"If-Match": f'"{row.uuid}:{row.version}"'}
    url = f"/api/v1/alternatives/{row.uuid}/{word}/"
    return browser.post(url, {}, "application/json", headers=headers)


def ask_to_end(browser: Any, door: str) -> Any:
    row = AlternativeImplementation.objects.get()
    said = {"reason": "The firewall has zones now."}
    if door == "page":
        url = reverse("evidence:alternative_end", args=[row.uuid])
        return browser.post(url, said, follow=True)
    url = f"/api/v1/alternatives/{row.uuid}/end/"
    return browser.post(
        url, said, "application/json", headers={"If-Match": f'"{row.uuid}:2"'}
    )


@pytest.mark.parametrize("door", ["page", "api"])
def test_it_is_asked_for_approved_and_becomes_true(
    door: str, proven: System, oscar: User, olga: User, as_user: Any
) -> None:
    """R10, R28: `alternative` counts with an approved description, on its days."""
    before = answer_on(proven, TODAY).status
    assert before.verdict == "partly"
    assert {reason.code for reason in before.reasons} == {"implementation_partial"}

    answer = ask(as_user(oscar), proven, door)
    assert answer.status_code in {201, 302}, answer.content
    assert answer_on(proven, TODAY).status.verdict == "partly"
    known = knowledge_now()
    page = as_user(olga).get(reverse("evidence:work")).content.decode()
    assert "asks to meet it in another way" in page
    decide(as_user(olga), door)

    assert answer_on(proven, TODAY).status.verdict == "proven"
    assert answer_on(proven, TODAY, known).status.verdict == "partly"
    assert not answer_on(proven, TODAY - DAY).facts.alternative_approved
    last = dt.date(2027, 5, 31)
    assert answer_on(proven, last).facts.alternative_approved
    assert not answer_on(proven, last + DAY).facts.alternative_approved
    verbs = AuditEvent.objects.filter(verb__startswith="alternative.")
    assert list(verbs.order_by("seq").values_list("verb", flat=True)) == [
        "alternative.requested",
        "alternative.approved",
    ]


def decide_the_end(browser: Any, door: str, *, approve: bool = True) -> Any:
    end = EndRequest.objects.get()
    word = "approve" if approve else "refuse"
    if door == "page":
        url = reverse("evidence:end_decide", args=[end.uuid])
        return browser.post(url, {"decision": word}, follow=True)
    headers = {"If-Match": f'"{end.uuid}:{end.version}"'}
    url = f"/api/v1/end-requests/{end.uuid}/{word}/"
    return browser.post(url, {}, "application/json", headers=headers)


@pytest.mark.parametrize("door", ["page", "api"])
@pytest.mark.parametrize("asks", ["approver", "requester"])
def test_it_ends_by_two_persons_and_its_days_stay(
    asks: str, door: str, proven: System, oscar: User, olga: User, as_user: Any
) -> None:
    """R10, R32: by the officer who did not ask for the end; two officers are enough."""
    ask(as_user(oscar), proven, starts_on="2026-06-01")
    decide(as_user(olga), "page")
    assert answer_on(proven, dt.date(2026, 6, 1)).facts.alternative_approved
    first, second = (olga, oscar) if asks == "approver" else (oscar, olga)
    assert ask_to_end(as_user(first), door).status_code in {200, 202}
    assert answer_on(proven, TODAY).facts.alternative_approved
    assert decide_the_end(as_user(first), door).status_code == 403
    assert answer_on(proven, TODAY).facts.alternative_approved
    page = as_user(second).get(reverse("evidence:work")).content.decode()
    assert "the other way it is met in" in page
    assert decide_the_end(as_user(second), door).status_code == 200
    assert not answer_on(proven, TODAY).facts.alternative_approved
    assert answer_on(proven, TODAY - DAY).facts.alternative_approved
    row = AlternativeImplementation.objects.get()
    assert (row.state, row.end_requested_by, row.ended_by) == ("ended", first, second)
    with pytest.raises(IntegrityError), transaction.atomic():
        AlternativeImplementation.objects.update(ended_by=first)


def test_an_end_that_is_refused_lets_it_go_on(
    proven: System, oscar: User, olga: User, as_user: Any
) -> None:
    ask(as_user(oscar), proven)
    decide(as_user(olga), "page")
    ask_to_end(as_user(oscar), "api")
    decide_the_end(as_user(olga), "page", approve=False)
    row = AlternativeImplementation.objects.get()
    assert (row.state, row.ended_on, row.end_requested_by) == ("approved", None, None)
    assert answer_on(proven, TODAY).facts.alternative_approved


def test_what_nobody_decides_lapses_and_may_be_asked_again(
    proven: System, oscar: User, olga: User, as_user: Any
) -> None:
    """R31: undecided for 30 days, an alternative lapses as other requests do."""
    ask(as_user(oscar), proven)
    row = AlternativeImplementation.objects.get()
    assert lapse_requests(proven, TODAY + 30 * DAY) == 0
    assert lapse_requests(proven, TODAY + 31 * DAY) == 1
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("lapsed", None)
    assert AuditEvent.objects.filter(verb="alternative.lapsed").count() == 1
    assert decide(as_user(olga), "api").status_code == 409
    assert "asks to meet it in another way" not in (
        as_user(olga).get(reverse("evidence:work")).content.decode()
    )
    assert ask(as_user(oscar), proven).status_code == 302
    assert answer_on(proven, TODAY).status.verdict == "partly"


def test_an_end_asked_for_before_the_upgrade_waits_as_a_request(
    proven: System, oscar: User, olga: User, as_user: Any
) -> None:
    """R32: open rows of the version before are decided by the rule of all ends."""
    ask(as_user(oscar), proven)
    decide(as_user(olga), "page")
    AlternativeImplementation.objects.update(
        state="ending", end_requested_by=olga, end_reason="Zones.", ended_on=TODAY
    )
    migration = import_module("controls.migrations.0020_ends_asked_for_before")
    with connection.cursor() as cursor:
        cursor.execute(migration.ENDS)
        cursor.execute(migration.APPROVED)
    end = EndRequest.objects.get()
    assert (end.requested_by, end.reason, end.ends_from) == (olga, "Zones.", TODAY)
    assert answer_on(proven, TODAY).facts.alternative_approved
    assert decide_the_end(as_user(olga), "page").status_code == 403
    assert decide_the_end(as_user(oscar), "page").status_code == 200
    assert not answer_on(proven, TODAY).facts.alternative_approved


@pytest.mark.parametrize("door", ["page", "api"])
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"constraint": ""}, "constraint"),
        ({"objective": " "}, "objective"),
        ({"residual_risk": ""}, "residual_risk"),
        ({"requirements": []}, "requirements"),
        ({"requirements": ["00000000-0000-4000-8000-000000000000"]}, "requirements"),
        ({"starts_on": "2025-12-31"}, "starts_on"),
        ({"review_by": "2026-11-15"}, "looked at again after"),
        ({"review_by": "2200-01-01"}, "at most three years after the first"),
    ],
)
def test_what_is_missing_is_refused(
    changes: dict[str, Any],
    field: str,
    door: str,
    proven: System,
    oscar: User,
    as_user: Any,
) -> None:
    """R10: constraint, objective, residual risk and requirements of its own."""
    answer = ask(as_user(oscar), proven, door, **changes)
    assert answer.status_code in {400, 422}
    assert field in answer.content.decode()
    assert not AlternativeImplementation.objects.exists()


@pytest.mark.parametrize("door", ["page", "api"])
def test_the_requester_does_not_decide(
    door: str, proven: System, oscar: User, as_user: Any
) -> None:
    """R32, at every door and by constraint."""
    ask(as_user(oscar), proven)
    assert decide(as_user(oscar), door).status_code == 403
    with pytest.raises(IntegrityError), transaction.atomic():
        AlternativeImplementation.objects.update(state="approved", decided_by=oscar)
    assert answer_on(proven, TODAY).status.verdict == "partly"


@pytest.mark.parametrize("door", ["page", "api"])
@pytest.mark.parametrize(
    ("who", "status"), [("alice", 403), ("rita", 403), ("mallory", 404)]
)
def test_others_neither_ask_nor_decide(
    who: str,
    status: int,
    door: str,
    request: pytest.FixtureRequest,
    proven: System,
    oscar: User,
    as_user: Any,
) -> None:
    person = request.getfixturevalue(who)
    assert ask(as_user(person), proven, door).status_code == status
    ask(as_user(oscar), proven)
    assert decide(as_user(person), door).status_code == status
    assert AlternativeImplementation.objects.get().state == "requested"


def test_what_every_state_refuses(
    proven: System, oscar: User, olga: User, as_user: Any
) -> None:
    """Each verb in each state it does not fit."""
    ask(as_user(oscar), proven)
    row = AlternativeImplementation.objects.get()
    again = ask(as_user(olga), proven)
    assert again.status_code == 409
    with pytest.raises(TransitionNotAllowed):
        request_end(row, reason="x", by=oscar, today=TODAY)
    with pytest.raises(TransitionNotAllowed, match="lapsed"):
        decide_alternative(row, approve=True, by=olga, today=TODAY + 31 * DAY)
    decide_alternative(row, approve=True, by=olga, today=TODAY + 30 * DAY)
    with pytest.raises(TransitionNotAllowed):
        decide_alternative(row, approve=False, by=olga, today=TODAY)
    overlapping = ask(
        as_user(olga), proven, starts_on="2027-05-31", review_by="2027-06-30"
    )
    assert overlapping.status_code == 409
    end = request_end(row, reason="x", by=olga, today=TODAY)
    with pytest.raises(TransitionNotAllowed, match="already asked"):
        request_end(row, reason="x", by=oscar, today=TODAY)
    with pytest.raises(TransitionNotAllowed, match="lapsed"):
        decide_end(end, approve=True, by=oscar, today=TODAY + 31 * DAY)
    decide_end(end, approve=True, by=oscar, today=TODAY)
    with pytest.raises(TransitionNotAllowed):
        decide_end(end, approve=True, by=oscar, today=TODAY)
    with pytest.raises(TransitionNotAllowed):
        request_end(row, reason="x", by=olga, today=TODAY)
    late = ask(as_user(olga), proven, starts_on=str(TODAY - DAY))
    assert late.status_code == 422
    assert "only the first one may begin earlier" in late.content.decode()


def test_nothing_of_an_inherited_control_is_met_otherwise(
    system: System, oscar: User, as_user: Any
) -> None:
    url = reverse("evidence:alternative_request", args=[system.slug, "pe-13"])
    said = {
        "constraint": "x",
        "objective": "x",
        "residual_risk": "x",
        "starts_on": TODAY,
        "review_by": TODAY,
    }
    assert as_user(oscar).post(url, said).status_code == 422
    assert not AlternativeImplementation.objects.exists()
