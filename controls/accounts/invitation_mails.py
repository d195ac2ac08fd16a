"""The mail of an invitation: the same whether the address has an account or not."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from controls.models import Invitation


def mail_invitation(invitation: Invitation, key: str) -> None:
    """Send the link. Raises OSError when the mail cannot be sent."""
    context = {
        "invitation": invitation,
        "site": settings.SITE_URL,
        "link": settings.SITE_URL + reverse("invitation", args=[key]),
    }
    EmailMessage(
        subject=f"SRM: you are invited to {invitation.system}",
        body=render_to_string("account/mail/invitation.txt", context),
        to=[invitation.address],
        headers={"Auto-Submitted": "auto-generated"},
    ).send()
