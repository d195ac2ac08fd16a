"""What `manage.py check --deploy` says of settings that work, and promise less.

Settings that cannot work stop the start instead (`srm_project.settings`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, register


@register(Tags.security, deploy=True)
def settings_that_promise_less(**options: Any) -> list[CheckMessage]:
    """An Info for each; none stops anything. Reads settings only, asks no server."""
    return list(_notes())


def _notes() -> Iterator[CheckMessage]:
    owner = settings.DATABASE_OWNER
    if owner is None or owner["USER"] == settings.APP_DATABASE_USER:
        yield Info(
            "No second database role is named; with one, triggers alone guard the log.",
            hint="Set DATABASE_OWNER_URL to a role of its own (deploy/roles.sql).",
            id="srm.I001",
        )
    if not settings.CLAMAV_URL:
        yield Info(
            "Uploads are not scanned for viruses.",
            hint="Set CLAMAV_URL to where clamd listens.",
            id="srm.I002",
        )
    if not settings.BROKER_URL:
        yield Info(
            "Without a broker no worker is woken, and limits count per process.",
            hint="Set BROKER_URL.",
            id="srm.I003",
        )
    if not settings.SENDS_MAIL:
        yield Info(
            "Mails are written into the log and reach nobody.",
            hint="Set EMAIL_URL.",
            id="srm.I004",
        )
    if not settings.MFA_REQUIRED:
        yield Info(
            "A password alone signs in.", hint="Set MFA_REQUIRED=yes.", id="srm.I005"
        )
