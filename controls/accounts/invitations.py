"""Inviting people to a system by mail: sent, sent again, withdrawn, accepted.

Whoever invites never learns whether the address has an account elsewhere: the same
happens for every address, and only who reads the mail goes on from there (AZ-03). The
link works once, ends after INVITATION_LIFE, and only that of the newest mail counts.

One file: every state of one link, from the mail to its use.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F

from controls.access import is_officer, require_officer
from controls.accounts.invitation_mails import mail_wanted
from controls.accounts.mailboxes import mailbox_of
from controls.approvals import refuse_stale
from controls.audit_systems import officered_in_audit
from controls.errors import (
    LinkOver,
    NotPermitted,
    Refused,
    SrmError,
    TransitionNotAllowed,
)
from controls.grammar import day_in_words
from controls.memberships import (
    TO_ONESELF,
    RoleOffer,
    held_already,
    refuse_impossible_offer,
    take_role,
)
from controls.models import (
    Actor,
    AuditEvent,
    Invitation,
    Membership,
    Role,
    System,
    User,
)
from controls.models.audit import Event, about
from controls.models.invitations import InvitationState

SALT = "controls.invitations"
MAX_A_DAY = 50  # mails of one system in 24 hours
MAX_MAILS = 10  # of one invitation
DAY = dt.timedelta(days=1)
OTHER_PERSON = (
    "This invitation is for another address than that of the account you are signed in"
    " with. Sign out, then open the link again."
)
INVITE_AGAIN = "Ask an officer of the system to invite you again."
CLOSED = "The account of this address is closed. Ask an administrator to open it again."


class UnknownInvitation(SrmError):
    """A link that no invitation of ours ends with."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(
            "This is no invitation. Open the whole link of the mail, to its last"
            " character, or ask for another invitation."
        )


def link_key(invitation: Invitation) -> str:
    """What the link of the newest mail ends with; only who gets it learns it."""
    named = f"{invitation.uuid}.{invitation.mails}"
    return Signer(salt=SALT).sign(named)


@transaction.atomic
def invite(
    system: System, address: str, offer: RoleOffer, *, by: Actor, now: dt.datetime
) -> Invitation:
    """Offer a role to an address and have the link mailed after commit.

    Where no mail server takes it the invitation is kept, with `mailed_at` empty, and
    may be sent again. Raises NotPermitted (no officer; oneself), Refused by field (an
    impossible offer; invited or a member already; too many mails a day).
    """
    require_officer(system, by)
    # Holding the system: two who invite the same at once are told so.
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    address = address.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        sentence = "“E-mail address” must be an address such as ada@example.org."
        raise Refused({"address": sentence}) from None
    if mailbox_of(address) == mailbox_of(by.email):
        raise NotPermitted(TO_ONESELF)
    refuse_impossible_offer(locked, offer, today=locked.day_of(now))
    _refuse_member(locked, address, offer, now)
    _refuse_twice(locked, address, offer)
    _refuse_flood(locked, now)
    invitation = Invitation(
        system=locked,
        invited_by=by,
        address=address,
        role=offer.role,
        team=offer.team,
        engagement=offer.engagement,
        starts_on=offer.starts_on,
        last_day=offer.last_day,
        invited_at=now,
    )
    invitation.full_clean(exclude=["known_from", "invited_by"])
    invitation.save(force_insert=True)
    _mail(invitation, now)
    AuditEvent.objects.append(_event(invitation, "invitation.made", by))
    return invitation


def _refuse_member(
    system: System, address: str, offer: RoleOffer, now: dt.datetime
) -> None:
    """Members of this system are known to its officers; of others nothing is said."""
    here = system.memberships.filter(user__email__iexact=address)
    member = here.select_related("user").first()
    until = held_already(system, member.user, offer, now) if member else ""
    if member and until:
        sentence = f"{member.user} holds this role already, {until}. Change its days."
        raise Refused({"address": sentence})
    people = User.objects.filter(memberships__system=system, is_active=True)
    others = people.exclude(email__iexact=address).order_by("email")
    mailbox = mailbox_of(address)
    same = [one.email for one in others if mailbox_of(one.email) == mailbox]
    if same:
        sentence = (
            f"{address} leads to the mailbox of {same[0]}, who has an account"
            " here: what needs two persons would be decided by one. Give that account"
            " the role."
        )
        raise Refused({"address": sentence})


def _refuse_twice(system: System, address: str, offer: RoleOffer) -> None:
    waiting = system.invitations.filter(
        address__iexact=address, role=offer.role, state=InvitationState.OPEN
    ).first()
    if waiting is not None:
        day = day_in_words(system.day_of(waiting.invited_at))
        raise Refused(
            {
                "address": f"{waiting.address} was invited to this role on {day}. Send"
                " that invitation again, or withdraw it first."
            }
        )


def _refuse_flood(system: System, now: dt.datetime) -> None:
    recent = system.invitations.filter(invited_at__gt=now - DAY).count()
    if recent >= MAX_A_DAY:
        raise Refused(
            f"{MAX_A_DAY} people were invited within a day, which is the most. Invite"
            " more tomorrow."
        )


def _mail(invitation: Invitation, now: dt.datetime) -> None:
    """Have the link sent after commit; where that fails, `mailed_at` is emptied."""
    invitation.mails += 1
    invitation.mailed_at = now
    invitation.save(update_fields=["mails", "mailed_at"])
    mail_wanted.send(sender=Invitation, invitation=invitation, now=now)


@transaction.atomic
def send_again(
    invitation: Invitation, *, by: Actor, now: dt.datetime, version: int | None = None
) -> Invitation:
    """Mail a new link; that of the mail before counts no more.

    Raises NotPermitted, TransitionNotAllowed (accepted or withdrawn), StaleVersion,
    Refused (too many mails; a link that nobody could accept).
    """
    stored = _locked_open(invitation, by, version)
    if stored.mails >= MAX_MAILS:
        raise Refused(
            f"This invitation was mailed {MAX_MAILS} times. Withdraw it and invite"
            " the person under another address."
        )
    reason = _useless(stored, now)
    if reason:
        raise Refused(f"{reason} Withdraw this invitation and make another.")
    _mail(stored, now)
    return _kept(stored, "invitation.sent-again", by)


@transaction.atomic
def withdraw_invitation(
    invitation: Invitation, *, by: Actor, now: dt.datetime, version: int | None = None
) -> Invitation:
    """Take an invitation back: its link counts no more. Raises as `send_again`."""
    stored = _locked_open(invitation, by, version)
    stored.state, stored.ended_at = InvitationState.WITHDRAWN, now
    stored.save(update_fields=["state", "ended_at"])
    return _kept(stored, "invitation.withdrawn", by)


def _locked_open(invitation: Invitation, by: Actor, version: int | None) -> Invitation:
    rows = Invitation.objects.select_for_update(of=("self",))
    stored = rows.select_related("system", "team", "invited_by").get(pk=invitation.pk)
    require_officer(stored.system, by)
    refuse_stale(stored, version)
    if stored.state != InvitationState.OPEN:
        word = stored.get_state_display().lower()
        raise TransitionNotAllowed(f"This invitation is {word} already.")
    return stored


def _kept(stored: Invitation, verb: str, by: Actor) -> Invitation:
    """The row one version on, with its event, which is written last."""
    stored.version = F("version") + 1
    stored.save(update_fields=["version"])
    stored.refresh_from_db(fields=["version"])
    AuditEvent.objects.append(_event(stored, verb, by))
    return stored


def find_invitation(key: str, *, now: dt.datetime, lock: bool = False) -> Invitation:
    """The invitation that a link names, if it may still be accepted.

    Raises UnknownInvitation, and LinkOver which says why it counts no more. Who has
    the link got it by mail, so it may be told.
    """
    try:
        name, _, mails = Signer(salt=SALT).unsign(key).partition(".")
    except BadSignature:
        raise UnknownInvitation from None
    rows = Invitation.objects.select_related("system", "team", "invited_by")
    if lock:
        rows = rows.select_for_update(of=("self",))
    invitation: Invitation | None = rows.filter(uuid=uuid.UUID(name)).first()
    if invitation is None:
        raise UnknownInvitation
    _refuse_over(invitation, int(mails), now)
    return invitation


def _refuse_over(invitation: Invitation, mails: int, now: dt.datetime) -> None:
    inviter = invitation.invited_by
    day = day_in_words(invitation.system.day_of(invitation.ended_at or now))
    if invitation.state == InvitationState.ACCEPTED:
        raise LinkOver(f"This invitation was used on {day}. Sign in.")
    if invitation.state == InvitationState.WITHDRAWN:
        raise LinkOver(f"This invitation was withdrawn on {day}. Ask {inviter}.")
    if mails != invitation.mails:
        raise LinkOver("A newer mail was sent to you: use the link in that one.")
    ends = invitation.link_ends_at
    if ends is None or ends <= now:
        raise LinkOver(
            "This invitation is too old: its link worked for seven days. Ask"
            f" {inviter} to send it again."
        )
    reason = _useless(invitation, now)
    if reason:
        raise LinkOver(f"{reason} {INVITE_AGAIN}")


def _useless(invitation: Invitation, now: dt.datetime) -> str:
    """Why no link of this invitation could be accepted, in a sentence; else ""."""
    system, inviter = invitation.system, invitation.invited_by
    if invitation.last_day and invitation.last_day < system.day_of(now):
        return f"The role was offered until {day_in_words(invitation.last_day)}."
    if not is_officer(inviter, system):
        return f"{inviter} may no longer give roles in {system}."
    return ""


def account_of(invitation: Invitation) -> User | None:
    """The account of the invited address, closed or not; only for who has the link."""
    return User.objects.filter(email__iexact=invitation.address).first()


def require_invited(invitation: Invitation, by: Actor) -> None:
    """Raise NotPermitted unless `by` is whom the mail was sent to."""
    if by.email.lower() != invitation.address.lower():
        raise NotPermitted(OTHER_PERSON)


@transaction.atomic
def accept_invitation(key: str, *, by: Actor, now: dt.datetime) -> Membership:
    """Take the offered role with the account that one has.

    Raises as `find_invitation`, NotPermitted for another person, Refused where the
    role is held already.
    """
    invitation = find_invitation(key, now=now, lock=True)
    person = User.objects.select_for_update(of=("self",)).get(pk=by.pk)
    require_invited(invitation, person)
    membership, events = _accept(invitation, person, now)
    AuditEvent.objects.append_all(events)
    return membership


@transaction.atomic
def accept_with_password(
    key: str, *, name: str, password: str, now: dt.datetime
) -> Membership:
    """Make the account of the invited address, with this password, and its role.

    Raises as `find_invitation`, NotPermitted where the address has an account by now,
    Refused for a password that is too weak.
    """
    invitation = find_invitation(key, now=now, lock=True)
    account = account_of(invitation)
    if account is not None:
        sentence = "This address has an account: sign in with it, then accept."
        raise NotPermitted(sentence if account.is_active else CLOSED)
    person = User(email=invitation.address, name=name.strip())
    try:
        validate_password(password, person)
    except ValidationError as weak:
        raise Refused({"password": weak.messages}) from weak
    person.set_password(password)
    person.full_clean(exclude=["known_from"])
    person.save(force_insert=True)
    membership, events = _accept(invitation, person, now)
    made = about(person, "user.created", by=person, invited_to=invitation.system.slug)
    AuditEvent.objects.append_all([made, *events])
    return membership


def _accept(
    invitation: Invitation, person: User, now: dt.datetime
) -> tuple[Membership, list[Event]]:
    """The role, and the events to write last."""
    offer = RoleOffer(
        role=invitation.role,
        starts_on=invitation.starts_on,
        last_day=invitation.last_day,
        team=invitation.team,
        engagement=invitation.engagement,
    )
    system = invitation.system
    until = held_already(system, person, offer, now)
    if until:
        raise Refused(f"You hold this role in {system} already, {until}.")
    try:
        membership, event = take_role(
            system, person, offer, given_by=invitation.invited_by, now=now
        )
    except NotPermitted as ended:  # the inviter's role, at this very moment
        reason = _useless(invitation, now) or " ".join(ended.messages)
        raise LinkOver(f"{reason} {INVITE_AGAIN}") from ended
    invitation.state, invitation.ended_at = InvitationState.ACCEPTED, now
    invitation.membership = membership
    invitation.version = F("version") + 1
    invitation.save(update_fields=["state", "ended_at", "membership", "version"])
    further = _let_into_others(invitation, offer, person, now)
    accepted = _event(invitation, "invitation.accepted", person)
    return membership, [event, *further, accepted]


def _let_into_others(
    invitation: Invitation, offer: RoleOffer, person: User, now: dt.datetime
) -> list[Event]:
    """Let an auditor into the other systems of the audit in which who invited is an
    officer, and in which the person reads nothing on these days yet."""
    events: list[Event] = []
    if offer.engagement is None or offer.last_day is None:
        return events
    for other in officered_in_audit(offer.engagement, invitation.invited_by):
        until = other.system.end_of_day(offer.last_day)
        held = other.system.memberships.filter(user=person, role=Role.AUDITOR)
        if held.filter(ends_at__gt=now, starts_at__lt=until).exists() or until <= now:
            continue
        _, event = take_role(
            other.system,
            person,
            replace(offer, engagement=other),
            given_by=invitation.invited_by,
            now=now,
        )
        events.append(event)
    return events


def _event(invitation: Invitation, verb: str, by: Actor) -> Event:
    body = {"mailed": invitation.mailed_at is not None, "mails": invitation.mails}
    return about(invitation, verb, by=by, role=invitation.role, **body)
