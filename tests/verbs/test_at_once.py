"""R32, AC-05: two people take a verb at the same moment: nothing breaks, one thing
happens, and who came second is told what was so already."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from controls.accounts.invitations import invite, link_key
from controls.audit_systems import add_system
from controls.memberships import RoleOffer
from controls.models import (
    AuditEvent,
    Engagement,
    Invitation,
    Membership,
    RetrospectiveChange,
    Role,
    System,
    SystemComponent,
)
from evidence.files.legal_holds import place_hold
from evidence.models import EvidenceLink, RequirementControl
from evidence.requirements.changes import NewTerms, change_requirement
from evidence.requirements.terms import terms_on
from tests.evidence.house import TODAY, House, file
from tests.one_day import BEGINS
from tests.sign_ins import sign_in_just_now
from tests.verbs import states
from tests.verbs.matrix import Attempt, send, shown_by
from tests.verbs.states import DAY
from tests.verbs.test_systems import confirmation, previewed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    built.requirement("si-2")
    settings.ACCOUNT_RATE_LIMITS = False  # its lock gives up after a second
    return built


def at_once(*attempts: Attempt) -> list[tuple[int, str]]:
    """The status and the text that each of these is answered, taken together."""
    gate = threading.Barrier(len(attempts))
    answers: dict[int, tuple[int, str]] = {}
    clients = []
    for attempt in attempts:
        client = Client(raise_request_exception=False)
        sign_in_just_now(client, attempt.by)
        clients.append(client)

    def take(number: int) -> None:
        try:
            gate.wait(timeout=20)
            answer = send(clients[number], attempts[number])
            answers[number] = (answer.status_code, shown_by(answer))
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=take, args=[number]) for number in range(len(attempts))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(answers) == len(attempts)
    taken = [answers[number] for number in range(len(attempts))]
    assert all(status < 500 for status, _ in taken), taken
    return taken


def reworded(house: House, by: Any) -> Attempt:
    """CM-8 is asked in other words, over the API."""
    row = house.requirement()
    body = {
        "title": "New words",
        "cadence": row.cadence,
        "purpose": row.purpose,
        "grace_days": row.grace_days,
        "operates_from": str(row.operates_from),
        "owner_team": "platform",
    }
    tag = {"If-Match": f'"{row.uuid}:{row.version}"'}
    address = f"/api/v1/requirements/{row.uuid}/"
    return Attempt(by, address, body, api=True, headers=tag, method="put")


def joining(house: House, by: Any) -> Attempt:
    """CM-8 and SI-2 are put under one ask, over the API."""
    rows = [house.requirement(), house.requirement("si-2")]
    body = {
        "system": "shop",
        "title": "Both",
        "cadence": "monthly",
        "owner_team": "platform",
        "controls": [
            {
                "requirement": str(row.uuid),
                "what_it_shows": "The list.",
                "version": row.version,
            }
            for row in rows
        ],
    }
    return Attempt(by, "/api/v1/asks/", body, api=True)


def waiting_change(house: House) -> RetrospectiveChange:
    """That CM-8 was asked quarterly since October, asked for by oscar."""
    row = house.requirement()
    terms = replace(NewTerms.stated_by(row), cadence="quarterly", grace_days=None)
    made = change_requirement(
        row, terms, version=None, by=house.oscar, today=TODAY,
        from_day=TODAY - 50 * DAY, reason="Merged.",
    )  # fmt: skip
    assert made is not None
    return made


def deciding(change: RetrospectiveChange, by: Any, word: str = "approve") -> Attempt:
    address = f"/api/v1/retrospective-changes/{change.uuid}/{word}/"
    return Attempt(by, address, {}, api=True, headers={"If-Match": "*"})


def ending(membership: Membership, by: Any, reason: str = "") -> Attempt:
    address = f"/api/v1/systems/shop/people/{membership.uuid}/end/"
    tag = {"If-Match": "*"}
    return Attempt(by, address, {"reason": reason}, api=True, headers=tag)


def invited(house: House, offer: RoleOffer) -> Invitation:
    return invite(house.system, house.mallory.email, offer, by=house.oscar, now=BEGINS)


def accepting(house: House, invitation: Invitation) -> Attempt:
    address = reverse("invitation", args=[link_key(invitation)])
    return Attempt(house.mallory, address, {})


def test_two_officers_decide_on_one_change(house) -> None:
    change = waiting_change(house)
    taken = at_once(
        deciding(change, house.olivia), deciding(change, house.otto, "refuse")
    )
    assert sorted(status for status, _ in taken) == [200, 409]
    told = next(text for status, text in taken if status == 409)
    assert "has already decided this." in told
    change.refresh_from_db()
    row = RequirementControl.objects.get(uuid=change.body["requirement"])
    held = terms_on(row.ask, TODAY).cadence
    assert (change.state, held) in {("approved", "quarterly"), ("refused", "monthly")}


def test_a_change_is_approved_while_what_it_is_of_changes(house) -> None:
    change = waiting_change(house)
    taken = at_once(deciding(change, house.olivia), reworded(house, house.oscar))
    statuses = [status for status, _ in taken]
    assert statuses in ([200, 412], [409, 200])
    change.refresh_from_db()
    assert change.state == ("approved" if statuses[0] == 200 else "requested")


def test_two_officers_join_the_same_rows(house) -> None:
    row = house.requirement()
    taken = at_once(joining(house, house.oscar), joining(house, house.otto))
    assert sorted(status for status, _ in taken) == [201, 409], taken
    assert AuditEvent.objects.filter(verb="requirement.joined").count() == 2
    row.refresh_from_db()
    assert row.joined_id


def test_rows_are_joined_while_one_of_them_changes(house) -> None:
    taken = at_once(joining(house, house.oscar), reworded(house, house.otto))
    assert sorted(status for status, _ in taken) in ([200, 409], [201, 412])


def test_evidence_is_submitted_while_its_row_is_joined(house) -> None:
    row = house.requirement()
    address = reverse("evidence:upload", args=["shop", row.uuid])
    body = {
        "title": "List",
        "performed_on": str(TODAY),
        "period_start": str(TODAY.replace(day=1)),
        "period_end": str(TODAY),
        "collected_on": str(TODAY),
        "sensitivity": "internal",
        "files": file(),
    }
    upload = Attempt(house.alice, address, body)
    taken = at_once(joining(house, house.oscar), upload)
    assert taken[0][0] == 201
    assert taken[1][0] in {302, 409, 422}, taken[1]
    links = EvidenceLink.objects.filter(requirement__system=house.system)
    assert links.exists() == (taken[1][0] == 302)


def test_an_invitation_is_accepted_while_it_is_withdrawn(house) -> None:
    invitation = invited(house, RoleOffer(Role.REVIEWER, TODAY))
    address = f"/api/v1/systems/shop/invitations/{invitation.uuid}/withdraw/"
    withdrawing = Attempt(
        house.olivia, address, {}, api=True, headers={"If-Match": "*"}
    )
    taken = at_once(accepting(house, invitation), withdrawing)
    statuses = [status for status, _ in taken]
    assert statuses in ([302, 409], [410, 200])
    held = Membership.objects.filter(user=house.mallory)
    invitation.refresh_from_db()
    assert held.exists() == (invitation.state == "accepted") == (statuses[0] == 302)


def test_an_invitation_is_accepted_twice(house) -> None:
    invitation = invited(house, RoleOffer(Role.REVIEWER, TODAY))
    again = accepting(house, invitation)
    taken = at_once(again, again)
    assert sorted(status for status, _ in taken) == [302, 410]
    assert Membership.objects.filter(user=house.mallory).count() == 1


def test_an_invitation_is_accepted_while_the_inviters_role_ends(house) -> None:
    invitation = invited(house, RoleOffer(Role.REVIEWER, TODAY))
    role = house.oscar.memberships.get()
    taken = at_once(accepting(house, invitation), ending(role, house.olivia))
    assert taken[1][0] == 200
    held = Membership.objects.filter(user=house.mallory).exists()
    assert taken[0][0] == (302 if held else 410)


def test_an_invitation_is_accepted_while_its_audit_ends_in_two_systems(house) -> None:
    """Both hold what the other needs: whoever is broken off is taken once more."""
    engagement = Engagement.objects.get()
    other = System.objects.get(pk=house.system.pk)
    other.pk, other.slug, other.name, other._state.adding = None, "two", "Two", True
    other.uuid = type(engagement.uuid)(int=engagement.uuid.int ^ 1)
    other.save()
    role = {"system": other, "role": Role.OFFICER, "starts_at": BEGINS - DAY}
    for person in (house.olivia, house.oscar):
        Membership.objects.create(user=person, **role)
    added = add_system(
        engagement, other, let_in=False, by=house.olivia, now=BEGINS
    ).engagement
    offer = RoleOffer(Role.AUDITOR, TODAY, TODAY + 9 * DAY, engagement=added)
    invitation = invite(other, house.mallory.email, offer, by=house.oscar, now=BEGINS)
    address = f"/api/v1/engagements/{engagement.uuid}/end/"
    over = Attempt(
        house.olivia, address, {"everywhere": True}, api=True,
        headers={"If-Match": "*"},
    )  # fmt: skip
    taken = at_once(accepting(house, invitation), over)
    assert taken[1][0] == 200, taken
    assert taken[0][0] in {302, 409, 410}, taken
    reads = Membership.objects.active().filter(user=house.mallory, role=Role.AUDITOR)
    running = Engagement.objects.filter(ended_at=None)
    assert not reads.exclude(engagement__in=running).exists()


def test_two_officers_end_each_others_role(house) -> None:
    """Somebody stays, unless it was said why nobody does."""
    others = Membership.objects.filter(role=Role.OFFICER).exclude(
        user__in=[house.oscar, house.otto]
    )
    others.update(starts_at=BEGINS - 2 * DAY, ends_at=BEGINS - DAY)
    oscars = house.oscar.memberships.get()
    ottos = house.otto.memberships.get()
    taken = at_once(ending(oscars, house.otto), ending(ottos, house.oscar))
    assert sorted(status for status, _ in taken)[0] == 200
    officers = Membership.objects.active().filter(
        system=house.system, role=Role.OFFICER
    )
    assert officers.count() == 1


def test_two_officers_confirm_the_same_change_of_services(house) -> None:
    attempts = [
        confirmation(house, person, previewed(house, person))
        for person in (house.oscar, house.otto)
    ]
    taken = at_once(*attempts)
    assert sorted(status for status, _ in taken) == [302, 409]
    used = SystemComponent.objects.filter(variant__service__slug="fargate")
    assert used.count() == 1


def test_two_officers_lift_one_hold(house) -> None:
    hold = place_hold(house.system, evidence=None, reason="Why.", by=house.olivia)
    address = f"/api/v1/systems/shop/legal-holds/{hold.uuid}/lift/"
    both = [
        Attempt(person, address, {"reason": "Over."}, api=True)
        for person in (house.oscar, house.otto)
    ]
    taken = at_once(*both)
    assert sorted(status for status, _ in taken) == [200, 409]
    assert AuditEvent.objects.filter(verb="legal-hold.lifted").count() == 1
