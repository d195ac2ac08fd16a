"""The demo loads, and every screen of it has something to look at."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.core.management import call_command

from controls.models import System, User
from evidence.demo import company
from evidence.demo.build import build

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = {
    "olivia": [
        "/systems/",
        "/systems/payments/",
        "/systems/payments/controls/",
        "/systems/payments/requirements/",
        "/systems/payments/provider/",
        "/requests/",
        "/artifacts/",
        "/work/",
    ],
    "paul": ["/work/", "/requests/"],
    "rita": ["/review/", "/review/several/", "/work/"],
    "audrey": ["/requests/", "/systems/payments/"],
}
EMPTY = ["None yet", "None matches", "Nothing waits", "No requirement matches"]


def test_every_screen_has_content(as_owner, settings, tmp_path: Path, client):
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    with as_owner():
        build(today=dt.datetime.now(dt.UTC).date(), password="not-a-secret-here")
    system = System.objects.get(slug="payments")
    assert system.demo
    assert system.implementations.count() == 323
    for name, pages in PAGES.items():
        client.force_login(User.objects.get(email=f"{name}@{company.DOMAIN}"))
        for url in pages:
            page = client.get(url)
            assert page.status_code == 200, url
            shown = page.content.decode()
            assert not [each for each in EMPTY if each in shown], url
    states = set(system.requests.values_list("state", flat=True))
    assert states == {"open", "answered", "accepted", "returned"}
    call_command("verify_audit_log")
