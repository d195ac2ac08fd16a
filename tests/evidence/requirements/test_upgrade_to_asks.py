"""The upgrade gives rows asks and terms; what was known stays as it was (R35)."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction

from controls.history.clock import clock_at
from evidence.models import EvidenceLink, RequirementControl, RequirementTerms
from evidence.status.gather import Moment, gather
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
upgrade = importlib.import_module("evidence.migrations.0017_one_ask_for_each_row")
# As the version before left it: rows without asks, links without the period's end.
VERSION_BEFORE = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE evidence_evidencerequirement DISABLE TRIGGER USER;
ALTER TABLE evidence_evidencelink DISABLE TRIGGER USER;
ALTER TABLE evidence_requirementterms DISABLE TRIGGER USER;
ALTER TABLE evidence_requirement DISABLE TRIGGER USER;
ALTER TABLE evidence_evidencerequirement ALTER COLUMN ask_id DROP NOT NULL;
UPDATE evidence_evidencerequirement SET ask_id = NULL;
UPDATE evidence_evidencerequirement_history SET ask_id = NULL;
UPDATE evidence_evidencelink SET occurrence_ends = NULL;
UPDATE evidence_evidencelink_history SET occurrence_ends = NULL;
UPDATE evidence_proof SET occurrence_ends = NULL;
DELETE FROM evidence_requirementterms; DELETE FROM evidence_requirementterms_history;
DELETE FROM evidence_requirement; DELETE FROM evidence_requirement_history;
"""
STATED = """
SELECT title, cadence, grace_days FROM evidence_evidencerequirement_versions
 WHERE id = %(id)s AND known_from < %(at)s
   AND (known_until IS NULL OR known_until >= %(at)s)
"""
TITLES = ("Monthly report", "Quarterly report", "Report of the quarter")


def noon(month: int, day: int = 1) -> dt.datetime:
    return dt.datetime(2026, month, day, 12, tzinfo=dt.UTC)


@pytest.fixture
def upgraded(as_owner: Callable[[], Any]) -> Iterator[list[RequirementControl]]:
    """A row changed twice by the version before, and one that was never changed."""
    with as_owner():
        with clock_at(noon(1)):
            oscar = factories.make_user("oscar")
            system = factories.make_system(oscar)
            changed = factories.ask_for(
                factories.implementation(system, "ac-2"),
                TITLES[0],
                operates_from=factories.START,
            )
            steady = factories.ask_for(
                factories.implementation(system, "cm-2"),
                "Steady",
                operates_from=factories.START,
            )
        for row in (changed, steady):
            with clock_at(noon(2)):
                factories.make_evidence(
                    row, by=oscar, performed_on=dt.date(2026, 1, 30), title=row.title
                )
        rows = RequirementControl.objects.filter(pk=changed.pk)
        with clock_at(noon(4)):
            rows.update(title=TITLES[1], cadence="quarterly", grace_days=14)
        with clock_at(noon(6)):
            rows.update(title=TITLES[2])
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(VERSION_BEFORE)
            upgrade.make_asks(None, SimpleNamespace(connection=connection))
            yield [changed, steady]
            transaction.set_rollback(True)


def stated(row: RequirementControl, at: dt.datetime) -> tuple[Any, ...]:
    """What the row itself said, as known before an instant."""
    with connection.cursor() as cursor:
        cursor.execute(STATED, {"id": row.pk, "at": at})
        (found,) = cursor.fetchall()
        return tuple(found)


def gathered(row: RequirementControl, at: dt.datetime | None) -> tuple[Any, ...]:
    """What status reads of it about a day, as known before an instant."""
    facts = gather(
        row.system, [row.implementation_id], Moment(dt.date(2026, 3, 1), at)
    ).facts[row.implementation_id]
    (found,) = [each for each in facts.requirements if each.uuid == str(row.uuid)]
    return found.title, found.cadence, found.grace_days


def test_r35_terms_as_known_then_are_what_the_row_said_then(upgraded):
    """R35: at each instant, of the row that was changed and the one that was not."""
    for row in upgraded:
        for at in (noon(3), noon(5), noon(7), noon(11)):
            assert gathered(row, at) == stated(row, at)
    changed, steady = upgraded
    assert [gathered(changed, noon(m))[0] for m in (3, 5, 7)] == list(TITLES)
    assert gathered(changed, None) == (TITLES[2], "quarterly", 14)
    assert gathered(steady, None) == ("Steady", "monthly", 5)


def test_r11_one_ask_for_each_row_with_terms_of_all_days(upgraded):
    """R11: and the next ask gets a key of its own."""
    rows = RequirementControl.objects.all()
    assert rows.filter(ask=None).count() == 0
    assert len(set(rows.values_list("ask", flat=True))) == rows.count()
    for terms in RequirementTerms.objects.all():
        assert (terms.first_day, terms.until) == (None, None)
    changed, _ = upgraded
    added = factories.ask_for(
        changed.implementation, "Another", operates_from=factories.START
    )
    assert rows.filter(ask=added.ask).count() == 1


def test_r14_links_of_one_cadence_keep_the_last_day_of_their_period(upgraded):
    """R14: of a changed cadence nobody recorded by which they were submitted."""
    changed, steady = upgraded
    link = EvidenceLink.objects.get(requirement=steady)
    assert link.occurrence_ends == dt.date(2026, 1, 31)
    assert link.proofs.get().occurrence_ends == dt.date(2026, 1, 31)
    assert EvidenceLink.objects.get(requirement=changed).occurrence_ends is None
