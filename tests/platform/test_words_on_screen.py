"""Screens, mails and exports hold words: no slug as text, one form for one and many."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from controls import clock
from controls.display_names import (
    IMPACT_LEVELS,
    IMPLEMENTATION_STATUSES,
    LAYERS,
    PARTIES,
    REGIMES,
)
from controls.grammar import count_of
from controls.models import ImplementationStatus, User
from controls.models.services import PartyChoice
from controls.models.systems import ImpactLevel, Regime
from controls.responsibility import derive
from controls.service_names import component_name, display_names
from evidence.demo import company
from evidence.demo.build import build
from evidence.models import NoticeMail
from evidence.notices.mailing import make_mails, message
from evidence.status.reasons import MESSAGES, reason_for
from tests.access import world as worlds
from tests.access.walking import pages_of_table
from tests.platform import screens

ROLES = ("olivia", "paul", "rita", "audrey")  # officer, contributor, reviewer, auditor


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_no_slug_and_no_wrong_form_on_any_screen_in_any_mail_or_export(
    as_owner, settings, tmp_path: Path
):
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    with as_owner():
        build(today=clock.today(), password="not-a-secret-here")
    codes, found = screens.slugs(), {}
    for name in ROLES:
        client = Client()
        client.force_login(User.objects.get(email=f"{name}@{company.DOMAIN}"))
        pages = list(screens.pages_of(client))
        assert len(pages) > 25
        for url, page in pages:
            for fault in screens.faults(screens.lines_of(page), codes):
                found.setdefault(fault, f"{url} of {name}")
    for mail in _mails():
        for fault in screens.faults(mail, codes):
            found.setdefault(fault, "a mail")
    for fault in screens.faults(_export(), codes - MESSAGES.keys()):
        found.setdefault(fault, "an export")
    assert [f"{fault} at {place}" for fault, place in found.items()] == []


@pytest.mark.slow
def test_no_slug_and_no_wrong_form_at_any_address(transactional_db, settings, tmp_path):
    """Pages that no link of the demo leads to as well, and each address to come."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    world, codes, found = worlds.build(), screens.slugs(), {}
    views = set()
    for name in ("olivia", "alice", "rita", "audrey"):
        for view, _, page in pages_of_table(world, name):
            views.add(view)
            for fault in screens.faults(screens.lines_of(page), codes):
                found.setdefault(fault, f"{view} of {name}")
    assert len(views) > 90
    assert [f"{fault} at {place}" for fault, place in found.items()] == []


def _mails() -> Iterator[list[str]]:
    """The lines of every mail of notices that would be sent now."""
    make_mails(clock.now())
    mails = list(NoticeMail.objects.all())
    assert mails
    for mail in mails:
        sent = message(mail)
        (alternative, _) = sent.alternatives[0]
        yield [sent.subject, *sent.body.splitlines(), *screens.lines_of(alternative)]


def _export() -> list[str]:
    """The cells of the demo's export; codes of reasons stand in it on purpose."""
    out = io.StringIO()
    call_command("control_status", "payments", format="csv", stdout=out)
    return [cell for row in csv.reader(out.getvalue().splitlines()) for cell in row]


# --- what is looked for, so that the walk can fail ------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "of ec2, rds",
        "1 controls decided anew",
        "There is 1 requirements.",
        "1 were rejected",
        "2 control was changed",
        "13 day overdue",
        "Authentication settings was never performed.",
        "file(s)",
        "guest-os of Amazon EC2",
        "because never_performed",
        "soc2",
        "for CM-3 , Payments platform",
        "for CM-3 ( by hand)",
    ],
)
def test_a_fault_is_seen(text):
    assert screens.faults([text], {"ec2", "guest-os", "never_performed", "soc2"})


@pytest.mark.parametrize(
    "text",
    [
        "of Amazon EC2 (on Fargate), 1 control",
        "“Authentication settings” was never performed.",
        "1 of 2 controls is proven",
        "2 controls were decided on 2026-01-02",
        "one of the controls is open",
        "AC-2 control",
        "/files/ec2.txt",
        "a file of type .csv, .json",
    ],
)
def test_good_words_are_no_fault(text):
    assert screens.faults([text], {"ec2", "guest-os", "never_performed", "soc2"}) == []


def test_only_text_is_read_and_inline_elements_join():
    page = (
        '<p title="ec2">See <code>ec2</code> <b>1</b> <a href="/ec2">controls</a>.</p>'
        "<script>ec2</script><p>Next</p>"
    )
    assert screens.lines_of(page) == ["See … 1 controls.", "Next"]


# --- names and numbers ----------------------------------------------------------


def test_names_of_the_pure_rules_are_the_labels_of_the_models():
    assert set(LAYERS) == set(derive.LAYERS)
    assert {k: v for k, v in REGIMES.items() if k != "none"} == {
        code: label for code, label in Regime.choices if code != "none"
    }
    assert dict(ImpactLevel.choices) == IMPACT_LEVELS
    assert PARTIES.keys() == set(PartyChoice.values) - {"both", "all"}
    statuses = {code: label.lower() for code, label in ImplementationStatus.choices}
    assert statuses.keys() <= IMPLEMENTATION_STATUSES.keys()


@pytest.mark.parametrize(
    ("number", "noun", "verb", "text"),
    [
        (0, "control", "", "0 controls"),
        (1, "control", "has", "1 control has"),
        (2, "control", "has", "2 controls have"),
        (1200, "file", "waits", "1,200 files wait"),
        (2, "request for evidence", "is", "2 requests for evidence are"),
        (2, "sampled item,sampled items", "", "2 sampled items"),
        (3, "duty", "was", "3 duties were"),
        (2, "day of grace", "", "2 days of grace"),
        (2, "address", "differs", "2 addresses differ"),
    ],
)
def test_a_number_takes_the_right_form(number, noun, verb, text):
    assert count_of(number, noun, verb) == text


def test_services_and_their_variants_have_names(db):
    names = display_names()
    assert names["ec2"] == "Amazon EC2"
    assert component_name(names, "ec2", "standard") == "Amazon EC2"
    assert component_name(names, "organisation", "") == "your organisation"
    assert "," not in component_name(names, "lambda", "runtime-auto")
    assert component_name(names, "gone") == "gone"


def test_a_reason_names_services_regimes_and_numbers():
    names = {"athena": "Amazon Athena"}
    scope = reason_for("service_not_listed", "athena", artifact="AWS SOC 2")
    assert scope.sentence_with(names).startswith("Amazon Athena is not listed in")
    supporting = reason_for("supporting_only", "SOC 3", regime="soc2")
    assert "under SOC 2." in supporting.sentence
    assert "under SOC 2." in supporting.next_step
    late = reason_for("late", "Patch report", days=1)
    assert late.sentence == "Patch report: 1 day late."
    left = reason_for("implementation_partial", status="partial")
    assert left.sentence == "The implementation is partially implemented."
