"""What was recorded stays readable as it was known at any instant."""

from __future__ import annotations

import datetime as dt

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from controls.history.clock import knowledge_now
from controls.history.install import append_only, keeping_history
from controls.models import System, Team, User
from evidence.models import EvidenceLink
from evidence.status.control_status import control_statuses
from evidence.status.gather import Moment
from evidence.status.gather_sql import TABLES
from tests import factories

DAY = dt.date(2026, 6, 30)
QUARTER = {"cadence": "quarterly", "grace_days": 15}


def test_every_table_that_status_reads_keeps_its_history() -> None:
    kept = {model._meta.db_table for model in keeping_history()}
    assert set(TABLES.values()) <= kept


@pytest.mark.django_db
def test_bulk_changes_are_kept_too(platform: Team) -> None:
    before = knowledge_now()
    Team.objects.filter(pk=platform.pk).update(name="Renamed")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM controls_team_versions WHERE id = %s"
            " AND known_from < %s AND (known_until IS NULL OR known_until >= %s)",
            [platform.pk, before, before],
        )
        assert cursor.fetchall() == [("Platform",)]


@pytest.mark.django_db
@pytest.mark.parametrize("model", append_only(), ids=lambda m: m.__name__)
def test_append_only_tables_refuse_every_change(model) -> None:  # type: ignore[no-untyped-def]
    for statement in ("DELETE FROM {}", "TRUNCATE {} CASCADE"):
        with pytest.raises(DatabaseError), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(statement.format(model._meta.db_table))


@pytest.mark.django_db(transaction=True)
def test_only_the_owner_may_set_the_clock(owner_dsn: str, app_dsn: str) -> None:
    past = "2020-01-01 00:00:00+00"
    for dsn, obeyed in ((owner_dsn, True), (app_dsn, False)):
        with psycopg.connect(dsn) as session:
            session.execute("SELECT set_config('srm.clock', %s, false)", [past])
            said = session.execute("SELECT srm_now()").fetchone()
            assert said is not None
            assert (said[0].year == 2020) is obeyed


@pytest.mark.django_db
def test_scenario_6_each_instant_keeps_its_own_answer(
    system: System, alice: User, rita: User
) -> None:
    """Q1 accepted; Q2 performed 25 June, then uploaded, then accepted."""
    asked = factories.requirement(system, "ac-4")
    factories.set_terms(type(asked).objects.filter(pk=asked.pk), **QUARTER)
    asked.refresh_from_db()
    first = factories.make_evidence(asked, by=alice, performed_on=dt.date(2026, 3, 28))
    first.accept(by=rita, day=factories.DAY_SHOWN)
    at_the_end_of_june = knowledge_now()
    second = factories.make_evidence(
        asked, by=alice, performed_on=dt.date(2026, 6, 25), title="Second"
    )
    when_uploaded = knowledge_now()
    second.accept(by=rita, day=factories.DAY_SHOWN)
    when_accepted = knowledge_now()

    def ours(known_at: dt.datetime) -> tuple[str, dt.date | None, set[str]]:
        pks = [asked.implementation_id]
        (answer,) = control_statuses(system, Moment(DAY, known_at), pks=pks)
        codes = {reason.code for reason in answer.status.reasons}
        return answer.status.customer_half, answer.status.customer_until, codes

    state, until, codes = ours(at_the_end_of_june)
    assert (state, until) == ("expiring", dt.date(2026, 7, 15))
    assert "submitted_unreviewed" not in codes
    state, _, codes = ours(when_uploaded)
    assert state == "expiring"
    assert "submitted_unreviewed" in codes
    state, until, _ = ours(when_accepted)
    assert (state, until) == ("proven", dt.date(2026, 10, 15))


@pytest.mark.django_db
def test_withdrawing_changes_now_and_not_what_was_known(
    system: System, alice: User, rita: User
) -> None:
    asked = factories.requirement(system, "ac-4")
    link: EvidenceLink = factories.make_evidence(
        asked, by=alice, performed_on=dt.date(2026, 6, 1)
    )
    link.accept(by=rita)
    before = knowledge_now()
    link.withdraw(by=alice, reason="Wrong file")
    pks = [asked.implementation_id]
    (then,) = control_statuses(system, Moment(DAY, before), pks=pks)
    (now,) = control_statuses(system, Moment(DAY), pks=pks)
    assert then.status.customer_half in {"proven", "expiring"}
    assert now.status.customer_half == "missing"
