"""The demo loads, and every screen of it has something to look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from controls.models import (
    ApplicabilityDecision,
    AuditEvent,
    RetrospectiveChange,
    System,
    User,
)
from evidence.demo import company
from evidence.demo.build import build
from evidence.models import (
    EvidenceFile,
    EvidenceRevision,
    RemarkDecision,
    RequirementControl,
    RequirementTerms,
    Review,
)
from evidence.status.control_status import window_of
from evidence.status.gather import Moment
from evidence.status.window_counts import results_of
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = {
    "olivia": [
        "/systems/",
        "/systems/payments/",
        "/systems/payments/controls/",
        "/systems/payments/matrix/",
        "/systems/payments/requirements/",
        "/systems/payments/provider/",
        "/systems/ledger-analytics/numbers/",
        "/systems/ledger-analytics/numbers/of/CC6.1/",
        "/requests/",
        "/artifacts/",
        "/work/",
    ],
    "paul": ["/work/", "/requests/"],
    "rita": ["/review/", "/review/several/", "/work/"],
    "audrey": ["/requests/", "/systems/payments/"],
}
FAULTS = {"csv": "No decision", "png": "sandbox", "zip": "archive", "pdf": "signed"}
EMPTY = ["None yet", "No request matches", "Nothing waits", "No requirement matches"]


def test_every_screen_has_content(as_owner, settings, tmp_path: Path, client):
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    progress: list[tuple[int, int]] = []
    with as_owner():
        build(
            today=TODAY,
            password="not-a-secret-here",
            progress=lambda done, total: progress.append((done, total)),
        )
    total = len(progress)
    assert progress == [(done, total) for done in range(1, total + 1)]
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
    stories = {
        "joined": RequirementTerms.objects.exclude(joined=None),
        "in retrospect": RetrospectiveChange.objects.filter(state="approved"),
        "left out for a while": ApplicabilityDecision.objects.exclude(ended_on=None),
        "answered": RemarkDecision.objects.filter(decision="accept"),
        "expected of us": RequirementControl.objects.exclude(user_control=None),
        "a region said late": AuditEvent.objects.filter(
            verb="component.regions-stated"
        ),
        "drawn monthly": RequirementControl.objects.filter(
            population_cadence="monthly"
        ),
    }
    assert [name for name, rows in stories.items() if not rows.exists()] == []
    days = window_of(system)
    rows = list(system.implementations.values_list("pk", flat=True))
    results = results_of(system, rows, Moment(TODAY), days)
    assert "exceptions" in set().union(*results.values())
    states = set(system.requests.values_list("state", flat=True))
    assert states == {"open", "answered", "accepted", "returned"}
    look_at_the_evidence(client)
    call_command("verify_audit_log")
    call_command("proof_check")  # exits with 1 where a row differs from its link


def look_at_the_evidence(client) -> None:
    """No stub among the files, three regimes, and a reviewer's reason that fits."""
    assert set(System.objects.values_list("regime", flat=True)) == {
        "fedramp",
        "soc2",
        "pci",
    }
    files = EvidenceFile.objects.select_related("blob", "revision")
    assert not files.filter(blob__size_bytes__lt=1_000).exists()
    client.force_login(User.objects.get(email=f"rita@{company.DOMAIN}"))
    for kind in ("application/pdf", "image/png", "text/csv"):
        file = files.filter(blob__media_type=kind).order_by("pk").first()
        assert file, kind
        page = client.get(f"/files/{file.uuid}/preview/")
        assert page.status_code == 200, kind
    rejected = Review.objects.filter(decision="reject").select_related("link__revision")
    assert rejected.exists()
    for review in rejected:
        (file,) = files.filter(revision=review.link.revision)
        ending = file.name.rpartition(".")[2]
        assert FAULTS[ending] in review.reason
    days = EvidenceRevision.objects.values_list("performed_on", flat=True)
    weekend = [day for day in days if day.weekday() > 4]
    assert len(weekend) < len(days) // 20  # events happen on any day


def test_a_demo_that_broke_off_leaves_nothing_and_may_be_loaded_again(
    as_owner, settings, tmp_path: Path, monkeypatch
):
    def break_off(*args: object) -> None:
        assert System.objects.count() == 2
        raise KeyboardInterrupt

    settings.EVIDENCE_STORE = str(tmp_path)
    monkeypatch.setattr("evidence.demo.build.register_reports", break_off)
    with as_owner(), pytest.raises(KeyboardInterrupt):
        build(today=TODAY, password="not-a-secret-here")
    assert not System.objects.exists()
    assert not User.objects.exists()
