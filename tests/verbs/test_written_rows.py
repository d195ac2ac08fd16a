"""What tables of verbs call written: all that a refusal left, by trigger or by hand."""

from __future__ import annotations

import pytest
from django.db import transaction

from controls.models import AuditEvent, Team
from controls.models.audit import Event
from tests import factories
from tests.verbs.matrix import Undo, contents, written

pytestmark = pytest.mark.django_db


def test_a_row_that_is_made_changed_or_deleted_counts() -> None:
    before = written()
    team = factories.make_team("Night")
    made = written()
    Team.objects.filter(pk=team.pk).update(name="Day")
    changed = written()
    team.delete()
    assert len({str(seen) for seen in (before, made, changed, written())}) == 4
    assert contents()["controls_team"].startswith("0 ")


def test_what_triggers_write_counts() -> None:
    control = factories.implementation(
        factories.make_system(factories.make_user("olga")), "ac-2"
    )
    before = written()
    control.__class__.objects.filter(pk=control.pk).update(version=7)
    kept = {table for table, rows in written().items() if rows != before.get(table)}
    assert "controls_controlimplementation_history" in kept


def test_reading_counts_for_nothing_and_what_was_taken_back_is_looked_at_anew() -> None:
    before, rows = written(), contents()
    list(Team.objects.all())
    assert written() == before
    with pytest.raises(Undo), transaction.atomic():
        factories.make_team("Night")
        raise Undo
    assert written() != before
    assert contents() == rows


@pytest.mark.parametrize("verb, counts", [("access.refused", False), ("x", True)])
def test_that_somebody_was_refused_counts_for_nothing(verb: str, counts: bool) -> None:
    before = written(), contents()
    AuditEvent.objects.append(Event(verb))
    assert (written() != before[0], contents() != before[1]) == (counts, counts)
