"""IN-06, AU-12: names and titles are one line that reads as it is written, whichever
door they come by: no line of theirs ends up in somebody's mail or list."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from controls.accounts.invitation_mails import invitation_mail
from controls.models import Invitation, Role, System
from evidence.models import Evidence, EvidenceRequest
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
ODD = (
    "Patch report\r\nBcc: somebody@example.org",
    "Patch\u2028report",
    "Patch report \u202edetpecca",
    "Patch report \u2066",
    "Patch\x0breport",
)
SENTENCE = "This is one line of text"


@pytest.mark.parametrize("title", ODD)
def test_other_lines_are_refused_by_page_and_api(title, system, oscar, as_user):
    browser = as_user(oscar)
    answers = [
        browser.patch(
            reverse("system-detail", args=[system.slug]),
            {"name": title},
            content_type="application/json",
            headers={"If-Match": "*"},
        ),
        browser.post(
            "/api/v1/requests/",
            {"system": system.slug, "title": title, "control_ids": ["ac-2"]},
            content_type="application/json",
        ),
        browser.post(
            "/api/v1/evidence/",
            {"title": title, "files": SimpleUploadedFile("a.txt", b"Patched.")},
        ),
    ]
    for answer in answers:
        assert answer.status_code == 400, answer.content
        assert SENTENCE in answer.content.decode()
    page = browser.post(
        reverse("evidence:request_new", args=[system.slug]),
        {"title": title, "control_ids": "ac-2", "due_on": "2026-12-10"},
    )
    assert SENTENCE in page.content.decode()
    assert not Evidence.objects.exists() and not EvidenceRequest.objects.exists()


def test_words_of_every_language_are_one_line(system, oscar, as_user):
    """Marks that join or order letters within a word stay."""
    name = "پرداخت\u200cها – Größe 👩\u200d💻"
    answer = as_user(oscar).patch(
        reverse("system-detail", args=[system.slug]),
        {"name": name},
        content_type="application/json",
        headers={"If-Match": "*"},
    )
    assert answer.json()["name"] == name


def test_an_older_name_of_two_lines_keeps_no_invitation_from_its_way(system, oscar):
    """What was stored before is one line in the head of a mail."""
    System.objects.filter(pk=system.pk).update(name="Payments\r\nBcc: x@example.org")
    invitation = Invitation(
        system=System.objects.get(pk=system.pk),
        invited_by=oscar,
        address="dan@example.com",
        role=Role.READER,
        starts_on=TODAY,
    )
    mail = invitation_mail(invitation, "key")
    assert mail.message()["Subject"].endswith("Payments Bcc: x@example.org")
