"""AC-05, AZ-03: what each verb of an invitation and of a role answers, by state."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from controls.accounts.invitations import (
    accept_invitation,
    invite,
    link_key,
    send_again,
    withdraw_invitation,
)
from controls.memberships import RoleOffer, end_membership
from controls.models import (
    InstallationRole,
    Invitation,
    Membership,
    Role,
    User,
)
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, give
from tests.one_day import BEGINS, TODAY
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells
from tests.verbs.states import DAY

pytestmark = pytest.mark.django_db
SENTENCES = {
    "gone": "There is no such",
    "stale": "This changed since you opened it.",
    "invited": "mallory@example.test was invited to this role on",
    "member": "Mallory holds this role already, until further notice.",
    "other-person": "This invitation is for another address",
    "newer": "A newer mail was sent to you",
    "too-old": "This invitation is too old: its link worked for seven days.",
    "used": "This invitation was used on 23 November 2026.",
    "taken-back": "This invitation was withdrawn on 23 November 2026.",
    "is-accepted": "This invitation is accepted already.",
    "is-withdrawn": "This invitation is withdrawn already.",
    "gives-no-more": "Oscar may no longer give roles in Shop.",
    "offered-until": "The role was offered until 22 November 2026.",
    "closed": "The account of this address is closed.",
    "holds": "You hold this role in Shop already",
    "only-operators": "The administration is for operators of this installation.",
    "over": "This role has ended.",
    "keeps-one": "The installation keeps at least one officer",
    "last-officer": "Then nobody is an officer of this system",
    "oneself": "Nobody gives a role to themselves",
    "nothing-waits": "Nothing waits for this person alone.",
    "set-day": "An auditor is let in for one engagement and until a set day.",
    "backwards": "The last day is before the first.",
    "ends-after": "A role ends after it begins.",
    "is-closed": "The account of Rita is closed",
    "gone-by": "A role ends today or later, never before.",
    "begun": "The role has begun: its first day stays.",
}
# A cell says each invitation with its mails, and the roles that mallory holds.
INVITATIONS = """
verb            door  none     open                   resent        old           accepted         withdrawn             holds                   inviter-gone       closed            past
invite          page  =open 1  422 invited            422 invited   422 invited   422 member       =withdrawn 1, open 1  422 member              422 invited        422 invited       422 invited
invite          api   =open 1  400 invited            400 invited   400 invited   400 member       =withdrawn 1, open 1  400 member              400 invited        400 invited       400 invited
send            page  -        =open 2                =open 3       =open 2       302 is-accepted  302 is-withdrawn      =open 2, reviewer       302 gives-no-more  =open 2           302 offered-until
send            api   -        =open 2                =open 3       =open 2       409 is-accepted  409 is-withdrawn      =open 2, reviewer       400 gives-no-more  =open 2           400 offered-until
send stale      api   -        412 stale              412 stale     412 stale     412 stale        412 stale             412 stale               412 stale          412 stale         412 stale
withdraw        page  -        =withdrawn 1           =withdrawn 2  =withdrawn 1  302 is-accepted  302 is-withdrawn      =withdrawn 1, reviewer  =withdrawn 1       =withdrawn 1      =withdrawn 1
withdraw        api   -        =withdrawn 1           =withdrawn 2  =withdrawn 1  409 is-accepted  409 is-withdrawn      =withdrawn 1, reviewer  =withdrawn 1       =withdrawn 1      =withdrawn 1
withdraw ended  page  -        404 gone               404 gone      404 gone      404 gone         404 gone              404 gone                404 gone           404 gone          404 gone
accept          page  -        =accepted 1, reviewer  410 newer     410 too-old   410 used         410 taken-back        400 holds               410 gives-no-more  403 closed        410 offered-until
accept other    page  -        403 other-person       410 newer     410 too-old   410 used         410 taken-back        403 other-person        410 gives-no-more  403 other-person  410 offered-until
"""  # noqa: E501 - one line for each verb and door
# A cell says the days from today on, and the roles that the person holds besides.
ROLES = """
verb          door   held                later               ending                   ended                           own                 own-ending               last                closed             audits
end           page   =from 0 to 0 over   =from 0 to 0 over   =from 0 to 0 over        302 over                        =from 0 to 0 over   =from 0 to 0 over        422 last-officer    =from 0 to 0 over  =from 0 to 0 over
end           api    =from 0 to 0 over   =from 0 to 0 over   =from 0 to 0 over        409 over                        =from 0 to 0 over   =from 0 to 0 over        400 last-officer    =from 0 to 0 over  =from 0 to 0 over
end           admin  =from 0 to 0 over   302 ends-after      =from 0 to 0 over        =from 0 to 0 over               =from 0 to 0 over   =from 0 to 0 over        302 last-officer    =from 0 to 0 over  =from 0 to 0 over
end stale     page   302 stale           302 stale           302 stale                302 stale                       302 stale           302 stale                302 stale           302 stale          302 stale
end stale     api    412 stale           412 stale           412 stale                412 stale                       412 stale           412 stale                412 stale           412 stale          412 stale
end by-ended  page   404 gone            404 gone            404 gone                 404 gone                        404 gone            404 gone                 404 gone            404 gone           404 gone
longer        page   =from 0 to 9        =from 3 to 9        =from 0 to 9             409 over                        =from 0 to 9        403 oneself              422 last-officer    =from 0 to 9       =from 0 to 9
longer        api    =from 0 to 9        =from 3 to 9        =from 0 to 9             409 over                        =from 0 to 9        403 oneself              400 last-officer    =from 0 to 9       =from 0 to 9
longer        admin  =from 0 to 9        =from 3 to 9        =from 0 to 9             302 over                        =from 0 to 9        =from 0 to 9             302 last-officer    =from 0 to 9       =from 0 to 9
open          page   =from 0             =from 3             =from 0                  302 over                        =from 0             403 oneself              =from 0             =from 0            422 set-day
open          api    =from 0             =from 3             =from 0                  409 over                        =from 0             403 oneself              =from 0             =from 0            400 set-day
before        page   422 gone-by         422 gone-by         422 gone-by              409 over                        422 gone-by         422 gone-by              422 gone-by         422 gone-by        422 gone-by
short         page   =from 0 to 1        422 backwards       =from 0 to 1             409 over                        =from 0 to 1        =from 0 to 1             422 last-officer    =from 0 to 1       =from 0 to 1
before        api    400 gone-by         400 gone-by         400 gone-by              409 over                        400 gone-by         400 gone-by              400 gone-by         400 gone-by        400 gone-by
short         api    =from 0 to 1        400 backwards       =from 0 to 1             409 over                        =from 0 to 1        =from 0 to 1             400 last-officer    =from 0 to 1       =from 0 to 1
begin         page   422 begun           =from 1             422 begun                409 over                        422 begun           422 begun                422 begun           422 begun          422 begun
begin         api    400 begun           =from 1             400 begun                409 over                        400 begun           400 begun                400 begun           400 begun          400 begun
short         admin  =from 0 to 1        302 ends-after      =from 0 to 1             302 over                        =from 0 to 1        =from 0 to 1             302 last-officer    =from 0 to 1       =from 0 to 1
give short    admin  =from 0             =from 3             =from 0 to 3             =from 0 to 0 over               =from 0             =from 0 to 3             =from 0             =from 0            =from 0 to 30
give other    admin  =from 0 and reader  =from 3 and reader  =from 0 to 3 and reader  =from 0 to 0 over and reader    =from 0 and reader  =from 0 to 3 and reader  =from 0 and reader  302 is-closed      =from 0 to 30 and reader
give again    admin  =from 0             =from 3             =from 0 to 3             =from 0 to 0 over and reviewer  =from 0             =from 0 to 3             =from 0             =from 0            =from 0 to 30
hand          page   302 nothing-waits   302 nothing-waits   302 nothing-waits        302 nothing-waits               302 nothing-waits   302 nothing-waits        302 nothing-waits   302 nothing-waits  302 nothing-waits
hand          api    400 nothing-waits   400 nothing-waits   400 nothing-waits        400 nothing-waits               400 nothing-waits   400 nothing-waits        400 nothing-waits   400 nothing-waits  400 nothing-waits
"""  # noqa: E501 - one line for each verb and door
# A cell says the days from today on of each such role of ray's.
INSTALLATION = """
verb             door   none     held                later               ended                  own                 own-ending          last                closed
give role        admin  =from 0  =from -1            =from 3             =from -1 to 0, from 0  =from -1            =from -1 to 3       =from -1            =from -1
end role         admin  -        =from -1 to 0       =from 3 to 3        302 over               =from -1 to 0       =from -1 to 0       302 keeps-one       =from -1 to 0
longer role      admin  -        =from -1 to 9       =from 3 to 9        302 over               =from -1 to 9       302 oneself         302 keeps-one       =from -1 to 9
give role short  admin  =none    =from -1            =from 3             =from -1 to 0          =from -1            =from -1 to 3       =from -1            =from -1
end role plain   admin  -        403 only-operators  403 only-operators  403 only-operators     403 only-operators  403 only-operators  403 only-operators  403 only-operators
"""  # noqa: E501 - one line for each verb and door


@dataclass
class Invited:
    """An invitation of mallory's, with the link of its first mail."""

    house: House
    invitation: Invitation | None = None
    key: str = ""


@dataclass
class Held:
    """Somebody's role, and who changes it."""

    house: House
    row: Any
    by: User


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    cache.clear()
    built.people["ended"] = houses.person("ended")
    give(built, "ended", Role.OFFICER, ends_at=BEGINS - DAY / 48)
    return built


def invited(house: House, state: str) -> Invited:
    """An invitation to review, by oscar, that stands there."""
    if state == "none":
        return Invited(house)
    mallory = house.mallory
    last = TODAY if state == "past" else None
    offer = RoleOffer(Role.REVIEWER, TODAY, last)
    made = invite(house.system, mallory.email, offer, by=house.oscar, now=BEGINS)
    case = Invited(house, made, link_key(made))
    rows = Invitation.objects.filter(pk=made.pk)
    if state == "resent":
        send_again(made, by=house.oscar, now=BEGINS)
    if state == "old":
        rows.update(mailed_at=BEGINS - 8 * DAY, invited_at=BEGINS - 8 * DAY)
    if state == "accepted":
        accept_invitation(case.key, by=mallory, now=BEGINS)
    if state == "withdrawn":
        withdraw_invitation(made, by=house.oscar, now=BEGINS)
    if state == "holds":
        give(house, "mallory", Role.REVIEWER)
    if state == "inviter-gone":
        house.oscar.memberships.update(ends_at=BEGINS - DAY / 48)
    if state == "closed":
        User.objects.filter(pk=mallory.pk).update(is_active=False)
    if state == "past":
        rows.update(starts_on=TODAY - 2 * DAY, last_day=TODAY - DAY)
    made.refresh_from_db()
    return case


def state_of_invitation(case: Invited) -> str:
    states_ = Invitation.objects.order_by("pk").values_list("state", "mails")
    words = [f"{state} {mails}" for state, mails in states_] or ["none"]
    held = Membership.objects.filter(user=case.house.mallory)
    return ", ".join([*words, *held.values_list("role", flat=True)])


def attempt_on_invitation(row: Row, case: Invited) -> Attempt:
    verb, _, how = row.verb.partition(" ")
    house, made = case.house, case.invitation
    by = house.people["ended" if how == "ended" else "olivia"]
    if verb == "invite":
        body = {"address": house.mallory.email, "role": "reviewer"}
        body["starts_on"] = str(TODAY)
        if row.door == "api":
            return Attempt(by, "/api/v1/systems/shop/invitations/", body, api=True)
        return Attempt(by, reverse("evidence:people_invite", args=["shop"]), body)
    assert made is not None
    if verb == "accept":
        by = house.ray if how == "other" else house.mallory
        address = reverse("invitation", args=[case.key])
        return Attempt(by, address, {})
    if row.door == "api":
        tag = {"If-Match": f'"{made.uuid}:{made.version - (how == "stale")}"'}
        act = "send-again" if verb == "send" else verb
        address = f"/api/v1/systems/shop/invitations/{made.uuid}/{act}/"
        return Attempt(by, address, {}, api=True, headers=tag)
    address = reverse(f"evidence:invitation_{verb}", args=["shop", made.uuid])
    return Attempt(by, address, {})


def held(house: House, state: str) -> Held:
    """Rita's role as a reviewer, that stands there; `own` is oscar's as an officer,
    changed by himself, `last` is his as well, with no other officer."""
    person = {
        "own": "oscar",
        "own-ending": "oscar",
        "last": "oscar",
        "audits": "audrey",
    }
    row = house.people[person.get(state, "rita")].memberships.get()
    rows = Membership.objects.filter(pk=row.pk)
    by = house.olivia
    if state in {"own", "own-ending", "last"}:
        by = house.oscar
    if state == "later":
        rows.update(starts_at=BEGINS + 3 * DAY)
    if state in {"ending", "own-ending"}:
        rows.update(ends_at=house.system.end_of_day(TODAY + 3 * DAY))
    if state == "ended":
        end_membership(row, by=by, now=BEGINS)
    if state == "last":
        others = Membership.objects.filter(role=Role.OFFICER).exclude(pk=row.pk)
        others.update(starts_at=BEGINS - 2 * DAY, ends_at=BEGINS - DAY / 48)
    if state == "closed":
        User.objects.filter(pk=row.user_id).update(is_active=False)
    row.refresh_from_db()
    return Held(house, row, by)


def state_of_role(case: Held) -> str:
    row, system = case.row, case.house.system
    row.refresh_from_db()
    words = [f"from {(system.day_of(row.starts_at) - TODAY).days}"]
    if row.ends_at:
        last = system.day_of(row.ends_at - dt.timedelta(microseconds=1))
        words.append(f"to {(last - TODAY).days}")
        if row.ends_at <= BEGINS + DAY / 24:
            words.append("over")
    others = Membership.objects.filter(user=row.user).exclude(pk=row.pk)
    words += [f"and {role}" for role in others.values_list("role", flat=True)]
    return " ".join(words)


def attempt_on_role(row: Row, case: Held) -> Attempt:
    verb, _, how = row.verb.partition(" ")
    house, stored = case.house, case.row
    by = house.people["ended"] if how == "by-ended" else case.by
    version = stored.version - (how == "stale")
    days = {"longer": 9, "before": -2, "short": 1}
    last = TODAY + days[verb] * DAY if verb in days else None
    if row.door == "admin":
        return _role_in_admin(row, case, last)
    if verb == "hand":
        to = house.raul
        if row.door == "api":
            tag = {"If-Match": f'"{stored.uuid}:{version}"'}
            address = f"/api/v1/systems/shop/people/{stored.uuid}/hand-over/"
            return Attempt(by, address, {"to": to.email}, api=True, headers=tag)
        address = reverse("evidence:role_hand_over", args=["shop", stored.uuid])
        return Attempt(by, address, {"to": str(to.uuid)})
    body: dict[str, Any] = {} if verb == "end" else {"last_day": str(last or "")}
    if verb == "begin":
        body["starts_on"] = str(TODAY + DAY)
    if row.door == "api":
        tag = {"If-Match": f'"{stored.uuid}:{version}"'}
        address = f"/api/v1/systems/shop/people/{stored.uuid}/"
        if verb == "end":
            return Attempt(by, f"{address}end/", body, api=True, headers=tag)
        body["last_day"] = str(last) if last else None
        return Attempt(by, address, body, api=True, headers=tag, method="patch")
    name = "role_end" if verb == "end" else "role_days"
    address = reverse(f"evidence:{name}", args=["shop", stored.uuid])
    return Attempt(by, address, body | {"version": version})


def _role_in_admin(row: Row, case: Held, last: dt.date | None) -> Attempt:
    stored, by = case.row, factories.administrator()
    if row.verb.startswith("give"):
        body = {
            "user": stored.user_id,
            "system": stored.system_id,
            "role": "reader" if row.verb == "give other" else stored.role,
            "engagement": stored.engagement_id or "",
            "starts_at_0": str(TODAY),
            "starts_at_1": "10:00:00",
        }
        if row.verb == "give short":
            body |= {"ends_at_0": str(TODAY), "ends_at_1": "09:30:00"}
        return Attempt(by, reverse("admin:controls_membership_add"), body)
    ends = case.house.system.end_of_day(last) if last else BEGINS
    address = reverse("admin:controls_membership_change", args=[stored.pk])
    body = {
        "ends_at_0": ends.strftime("%Y-%m-%d"),
        "ends_at_1": ends.strftime("%H:%M:%S"),
        "seen_version": stored.version,
    }
    return Attempt(by, address, body)


def installed(house: House, state: str) -> Held:
    """Ray's role as an officer of the installation, given by the administrator; `own`
    is changed by ray himself, and `last` is the only one."""
    root = factories.administrator()
    by = root
    rows = InstallationRole.objects.filter(user=house.ray)
    if state != "none":
        factories.give_installation_roles(house.ray, "officer")
    if state == "later":
        rows.update(starts_at=BEGINS + 3 * DAY)
    if state == "ended":
        rows.update(ends_at=BEGINS - DAY / 48)
    if state.startswith("own"):
        by = house.ray
        User.objects.filter(pk=by.pk).update(is_staff=True)
    if state == "own-ending":
        rows.update(ends_at=BEGINS + 3 * DAY)
    if state == "last":
        InstallationRole.objects.exclude(user=house.ray).delete()
    if state == "closed":
        User.objects.filter(pk=house.ray.pk).update(is_active=False)
    by.refresh_from_db()
    return Held(house, rows.first(), by)


def state_of_installation(case: Held) -> str:
    words = []
    for row in InstallationRole.objects.filter(user=case.house.ray).order_by("pk"):
        text = f"from {(row.starts_at.date() - TODAY).days}"
        if row.ends_at:
            text += f" to {(row.ends_at.date() - TODAY).days}"
        words.append(text)
    return ", ".join(words) or "none"


def attempt_on_installation(row: Row, case: Held) -> Attempt:
    by = case.house.alice if row.verb == "end role plain" else case.by
    if row.verb.startswith("give role"):
        body = {
            "user": case.house.ray.pk,
            "role": "officer",
            "starts_at_0": str(TODAY),
            "starts_at_1": "10:00:00",
        }
        if row.verb == "give role short":
            body |= {"ends_at_0": str(TODAY), "ends_at_1": "09:30:00"}
        return Attempt(by, reverse("admin:controls_installationrole_add"), body)
    ends = BEGINS + (9 * DAY if row.verb == "longer role" else DAY / 48)
    address = reverse("admin:controls_installationrole_change", args=[case.row.pk])
    body = {
        "ends_at_0": ends.strftime("%Y-%m-%d"),
        "ends_at_1": ends.strftime("%H:%M:%S"),
        "seen_version": case.row.version,
    }
    return Attempt(by, address, body)


@pytest.mark.parametrize("row", rows_of(INVITATIONS))
def test_what_each_verb_of_an_invitation_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(invited, house),
        attempt_on_invitation,
        state_of_invitation,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(ROLES))
def test_what_each_verb_of_a_role_answers(house, row: Row) -> None:
    make = partial(held, house)
    wrong = wrong_cells(row, make, attempt_on_role, state_of_role, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(INSTALLATION))
def test_what_each_verb_of_a_role_of_the_installation_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(installed, house),
        attempt_on_installation,
        state_of_installation,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
