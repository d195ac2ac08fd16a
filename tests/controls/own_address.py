"""Steps of a person who changes the address of the account."""

from __future__ import annotations

import re

from django.test import Client

from controls.models import AuditEvent, User
from tests.factories import PASSWORD

OLD, NEW = "alice@example.com", "alice@new.example"
PAGE = "/accounts/email/"
UNKNOWN = "This link does not count"
UNUSABLE = "This address cannot be used here."


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def ask(browser: Client, address: str = NEW, password: str = PASSWORD):
    """Ask for an address and type the password when asked for it."""
    sent_on = browser.post(PAGE, {"email": address, "action_add": "yes"})
    if not sent_on.headers.get("Location", "").startswith("/accounts/reauth"):
        return sent_on
    return browser.post(sent_on.url, {"password": password, "next": PAGE})


def link_in(mailoutbox, address: str = NEW) -> str:
    """The path of the link in the last mail to an address."""
    (*_, mail) = (each for each in mailoutbox if each.to == [address])
    return re.search(r"http\S+?(/accounts/confirm-email/\S+/)", mail.body)[1]


def address_of(user: User) -> str:
    user.refresh_from_db()
    return user.email


def recorded() -> list[str]:
    found = AuditEvent.objects.filter(verb__startswith="address.").order_by("seq")
    return list(found.values_list("verb", flat=True))
