"""What is mailed about one's own address, to the new one and to the one in force."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from controls.models import Actor, AddressChange

log = logging.getLogger("srm.mail")


def mail_confirmation_link(change: AddressChange, key: str) -> None:
    """Warn the address in force, then send the link to the new one.

    Raises OSError when a mail cannot be sent; without the warning there is no link.
    """
    context = {
        "change": change,
        "site": settings.SITE_URL,
        "link": settings.SITE_URL + reverse("account_confirm_email", args=[key]),
        "page": settings.SITE_URL + reverse("account_email"),
    }
    subject = "SRM: another e-mail address was asked for"
    _mail("asked", change.replaces, subject, context).send()
    subject = "SRM: confirm your new e-mail address"
    _mail("confirm", change.address, subject, context).send()


def mail_change(before: str, after: str, *, by: Actor) -> None:
    """Tell the address that counts no more. What cannot be sent is logged."""
    if not before:
        return
    context = {"before": before, "after": after, "by": by}
    subject = "SRM: your e-mail address was changed"
    try:
        _mail("changed", before, subject, context).send()
    except OSError as failure:  # of the network, and all that smtplib raises
        log.warning("The replaced address was not told: %s", failure)


def _mail(
    name: str, recipient: str, subject: str, context: dict[str, Any]
) -> EmailMessage:
    return EmailMessage(
        subject=subject,
        body=render_to_string(f"account/mail/address_{name}.txt", context),
        to=[recipient],
        headers={"Auto-Submitted": "auto-generated"},
    )
