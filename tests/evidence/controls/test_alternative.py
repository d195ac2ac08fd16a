"""A control may be met in another way than it says, once another officer agrees."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from controls.alternatives import (
    decide_alternative,
    decide_end_of_alternative,
    request_end_of_alternative,
)
from controls.errors import NotPermitted, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import (
    AlternativeImplementation,
    AuditEvent,
    ImplementationStatement,
    Role,
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
def olaf(system: System) -> User:
    """The third compliance officer."""
    user = factories.make_user("olaf")
    factories.give_role(user, system, Role.OFFICER)
    return user


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


@pytest.mark.parametrize("door", ["page", "api"])
def test_it_ends_by_two_persons_and_its_days_stay(
    door: str, proven: System, oscar: User, olga: User, olaf: User, as_user: Any
) -> None:
    """R10, R32: the end is decided by somebody who asked for neither."""
    ask(as_user(oscar), proven, starts_on="2026-06-01")
    decide(as_user(olga), "page")
    assert answer_on(proven, dt.date(2026, 6, 1)).facts.alternative_approved
    ask_to_end(as_user(olga), door)
    assert answer_on(proven, TODAY).facts.alternative_approved
    for person in (oscar, olga):
        refused = decide(as_user(person), door)
        assert refused.status_code == 403
    assert answer_on(proven, TODAY).facts.alternative_approved
    decide(as_user(olaf), door)
    assert not answer_on(proven, TODAY).facts.alternative_approved
    assert answer_on(proven, TODAY - DAY).facts.alternative_approved


def test_an_end_that_is_refused_lets_it_go_on(
    proven: System, oscar: User, olga: User, olaf: User, as_user: Any
) -> None:
    ask(as_user(oscar), proven)
    decide(as_user(olga), "page")
    ask_to_end(as_user(oscar), "api")
    decide(as_user(olaf), "page", approve=False)
    row = AlternativeImplementation.objects.get()
    assert (row.state, row.ended_on, row.end_requested_by) == ("approved", None, None)
    assert answer_on(proven, TODAY).facts.alternative_approved


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
    proven: System, oscar: User, olga: User, olaf: User, as_user: Any
) -> None:
    """Each verb in each state it does not fit."""
    ask(as_user(oscar), proven)
    row = AlternativeImplementation.objects.get()
    again = ask(as_user(olga), proven)
    assert again.status_code == 409
    with pytest.raises(TransitionNotAllowed):
        request_end_of_alternative(row, reason="x", by=oscar, today=TODAY)
    with pytest.raises(TransitionNotAllowed):
        decide_end_of_alternative(row, approve=True, by=olga, today=TODAY)
    with pytest.raises(TransitionNotAllowed, match="lapsed"):
        decide_alternative(row, approve=True, by=olga, today=TODAY + 31 * DAY)
    decide_alternative(row, approve=True, by=olga, today=TODAY + 30 * DAY)
    with pytest.raises(TransitionNotAllowed):
        decide_alternative(row, approve=False, by=olga, today=TODAY)
    overlapping = ask(
        as_user(olga), proven, starts_on="2027-05-31", review_by="2027-06-30"
    )
    assert overlapping.status_code == 409
    request_end_of_alternative(row, reason="x", by=olga, today=TODAY)
    with pytest.raises(NotPermitted):
        decide_end_of_alternative(row, approve=True, by=oscar, today=TODAY)
    decide_end_of_alternative(row, approve=True, by=olaf, today=TODAY)
    with pytest.raises(TransitionNotAllowed):
        request_end_of_alternative(row, reason="x", by=olga, today=TODAY)
    late = ask(as_user(olga), proven, starts_on=str(TODAY - DAY))
    assert late.status_code == 422
    assert "not the first" in late.content.decode()


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
