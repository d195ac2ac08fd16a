"""The mail of an invitation: the same whether the address has an account or not."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.dispatch import Signal
from django.template.loader import render_to_string
from django.urls import reverse

from controls.models import Invitation

# Sent within the transaction that writes the invitation, with `invitation` and `now`:
# who sends mail keeps that one is to be sent, and sends it after commit.
mail_wanted = Signal()


def invitation_mail(invitation: Invitation, key: str) -> EmailMessage:
    """The mail with the link; `key` is what the link ends with."""
    context = {
        "invitation": invitation,
        "site": settings.SITE_URL,
        "link": settings.SITE_URL + reverse("invitation", args=[key]),
    }
    return EmailMessage(
        subject=f"SRM: you are invited to {' '.join(str(invitation.system).split())}",
        body=render_to_string("account/mail/invitation.txt", context),
        to=[invitation.address],
        headers={"Auto-Submitted": "auto-generated"},
    )
