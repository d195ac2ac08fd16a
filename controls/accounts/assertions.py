"""Responses of a SAML provider (AZ-05): read, believed or not, and each used once.

A confined process reads them (`saml_reading.py`); what it believes is spent here, in a
table, so that a replay is refused after a restart too.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import io
import json
import secrets
import threading
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from django.db import IntegrityError, transaction

from controls.confined import Heavy, Reader
from controls.errors import SrmError
from controls.models import SpentAssertion

MAX_RESPONSE_LENGTH = 200_000  # characters of base64
MAX_AT_A_TIME = 2  # responses that one process has read: strangers send them
PATIENCE = 5  # seconds to wait for a place
KEPT_BEYOND = dt.timedelta(days=1)  # the end of an assertion, for clocks that jump


class ResponseRefused(Exception):
    """The response is not believed; says why, for the log."""


class SignInDeclined(Exception):
    """The provider answers that it signs nobody in."""


class SpentBefore(Exception):
    """The assertion was used before."""


class TooManyAtATime(SrmError):
    """Every place is taken."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__("Many people sign in at this moment. Try again in a moment.")


@dataclass(frozen=True)
class Trust:
    """Whom a response has to come from, and what it has to be made for.

    `address` is where it is sent to, `audience` what we are called; `certificates` are
    PEM. Without `subject_attribute` the NameID says who somebody is.
    """

    issuer: str
    sso_url: str
    certificates: tuple[str, ...]
    address: str
    audience: str
    name_id_format: str
    subject_attribute: str
    signed_responses: bool


@dataclass(frozen=True)
class Assertion:
    """What the provider signed. `contexts` say how the person showed who they are."""

    assertion: str
    in_response_to: str
    ends_at: float  # seconds since 1970
    subject: str
    attributes: dict[str, list[str]]
    contexts: list[str]


PLACES = threading.BoundedSemaphore(MAX_AT_A_TIME)


@cache
def _reader() -> Reader:
    """Made where it is needed: installations without SAML lack its libraries."""
    return Reader(
        module="controls.accounts.saml_reading",
        name="answer_response",
        memory=300_000_000,
        processor=5,
        seconds=10,
        libraries=("lxml.etree", "xmlsec", "onelogin.saml2.response"),
        server="sign-ins",
    )


def read_response(text: str, trust: Trust, *, now: dt.datetime) -> Assertion:
    """The assertion in a response, base64 as a browser brought it.

    Raises ResponseRefused, SignInDeclined, TooManyAtATime, and ReadersAway where
    nothing can be read.
    """
    if len(text) > MAX_RESPONSE_LENGTH:
        raise ResponseRefused("The response is too long.")
    try:
        body = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ResponseRefused("The response is not base64.") from None
    if not PLACES.acquire(timeout=PATIENCE):
        raise TooManyAtATime
    try:
        arguments = asdict(trust) | {"now": now.timestamp()}
        with _reader().read(io.BytesIO(body), arguments) as answer:
            facts: dict[str, Any] = json.load(answer)
    except Heavy as fault:
        raise ResponseRefused(f"It cannot be read: {fault}") from fault
    finally:
        PLACES.release()
    if "refused" in facts:
        raise ResponseRefused(facts["refused"])
    if "declined" in facts:
        raise SignInDeclined(facts["declined"])
    return Assertion(**facts)


def spend(
    issuer: str, assertion: Assertion, claims: dict[str, Any], *, now: dt.datetime
) -> str:
    """Use an assertion, and keep what it claims for the browser that gets the ticket.

    Rows of assertions that ended meanwhile go. Raises SpentBefore.
    """
    SpentAssertion.objects.filter(ends_at__lt=now - KEPT_BEYOND).delete()
    ticket = secrets.token_urlsafe(32)
    name = json.dumps([issuer, assertion.assertion])
    try:
        with transaction.atomic():
            SpentAssertion.objects.create(
                digest=_digest(name),
                ends_at=dt.datetime.fromtimestamp(assertion.ends_at, dt.UTC),
                ticket=_digest(ticket),
                claims=claims,
            )
    except IntegrityError:
        raise SpentBefore from None
    return ticket


@transaction.atomic
def take_claims(ticket: str) -> dict[str, Any] | None:
    """What waits for whoever holds the ticket, once; None where nothing does."""
    rows = SpentAssertion.objects.select_for_update()
    row = rows.filter(ticket=_digest(ticket)).first() if ticket else None
    if row is None:
        return None
    claims: dict[str, Any] = row.claims
    row.ticket, row.claims = "", {}
    row.save(update_fields=["ticket", "claims"])
    return claims


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
