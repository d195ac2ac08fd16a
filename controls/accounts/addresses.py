"""One's own e-mail address: another is asked for, confirmed from a mail, then counts.

`User.email` is the only address that counts. allauth's own list of addresses stays
empty: it would sign people in, and send links to new passwords, by unconfirmed ones.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction
from django.utils import timezone

from controls.accounts import address_mails
from controls.errors import Refused, TransitionNotAllowed, UnknownLink
from controls.models import Actor, AddressChange, AuditEvent, User
from controls.models.addresses import AddressChangeState
from controls.models.audit import Event, about

SALT = "controls.addresses"
UNUSABLE = "This address cannot be used here. Choose another or ask an administrator."
log = logging.getLogger("srm.mail")


def link_key(change: AddressChange) -> str:
    """What the link in the mail ends with; only who gets that mail learns it."""
    return Signer(salt=SALT).sign(str(change.uuid))


def ask_for_address(
    user: Actor, address: str, *, now: dt.datetime | None = None
) -> AddressChange:
    """Let a person change to `address` once they followed the link that is sent there.

    The address in force is told first. Raises Refused for an address that cannot be
    theirs, and when the mails cannot be sent: then nothing waits for confirmation.
    """
    change = _record_change(user, address.strip().lower(), now or timezone.now())
    try:
        address_mails.mail_confirmation_link(change, link_key(change))
    except OSError as failure:  # of the network, and all that smtplib raises
        log.warning("Mails about an address were not sent: %s", failure)
        withdraw_address(user, now=now)
        raise Refused(
            "The mails could not be sent, so nothing is changed. Try again later."
        ) from failure
    return change


@transaction.atomic
def _record_change(user: Actor, address: str, now: dt.datetime) -> AddressChange:
    """The pending change, in place of an earlier one."""
    person = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if address == person.email.lower():
        raise Refused({"email": "This is your address already."})
    if _is_taken(address, person):
        raise Refused({"email": UNUSABLE})
    replaced = _end_pending(person, AddressChangeState.WITHDRAWN, now)
    change = AddressChange(
        user=person, address=address, replaces=person.email, requested_at=now
    )
    change.full_clean()
    change.save(force_insert=True)
    AuditEvent.objects.append_all(
        [
            *(_event(change, "address.withdrawn") for change in replaced),
            _event(change, "address.requested"),
        ]
    )
    return change


def find_change(
    key: str, *, by: Actor, now: dt.datetime | None = None
) -> AddressChange:
    """The change that a link names, if `by` may still confirm it.

    Raises UnknownLink, with one sentence for a link that is wrong, used, withdrawn, too
    old or another person's.
    """
    try:
        uuid = Signer(salt=SALT).unsign(key)
    except BadSignature:
        raise UnknownLink from None
    open_changes = AddressChange.objects.open_for(by, now or timezone.now())
    change = open_changes.filter(uuid=uuid).first()
    if change is None:
        raise UnknownLink
    return change


def confirm_address(key: str, *, by: Actor, now: dt.datetime | None = None) -> None:
    """Put the confirmed address in force, and tell the one it replaces.

    Raises UnknownLink, and TransitionNotAllowed when another account has it by now.
    """
    change = _put_in_force(key, by, now or timezone.now())
    address_mails.mail_change(change.replaces, change.address, by=by)


@transaction.atomic
def _put_in_force(key: str, by: Actor, now: dt.datetime) -> AddressChange:
    person = User.objects.select_for_update(of=("self",)).get(pk=by.pk)
    change = find_change(key, by=person, now=now)
    if _is_taken(change.address, person):
        raise TransitionNotAllowed(UNUSABLE)
    person.email = change.address
    try:
        with transaction.atomic():
            person.save(update_fields=["email"])
    except IntegrityError:  # somebody confirmed it at this very moment
        raise TransitionNotAllowed(UNUSABLE) from None
    _end_pending(person, AddressChangeState.CONFIRMED, now)
    AuditEvent.objects.append(_event(change, "address.changed"))
    return change


@transaction.atomic
def withdraw_address(user: Actor, *, now: dt.datetime | None = None) -> None:
    """Give up the pending change. Raises TransitionNotAllowed where there is none."""
    person = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    ended = _end_pending(person, AddressChangeState.WITHDRAWN, now or timezone.now())
    if not ended:
        raise TransitionNotAllowed("No address waits for confirmation.")
    AuditEvent.objects.append_all(
        _event(change, "address.withdrawn") for change in ended
    )


def _end_pending(person: User, state: str, now: dt.datetime) -> list[AddressChange]:
    """End what is pending of a locked person, too old or not; one change at most."""
    pending = list(person.address_changes.filter(state=AddressChangeState.PENDING))
    for change in pending:
        change.state, change.ended_at = state, now
        change.save(update_fields=["state", "ended_at"])
    return pending


def _is_taken(address: str, person: User) -> bool:
    """Whether another account, closed or not, has the address, whatever its case."""
    others = User.objects.exclude(pk=person.pk)
    return bool(others.filter(email__iexact=address).exists())


def _event(change: AddressChange, verb: str) -> Event:
    """An event about the person whose address it is, written by themselves."""
    person = change.user
    return about(
        person, verb, by=person, address=change.address, replaces=change.replaces
    )
