"""RE-11: database and evidence as one set, restored into an empty machine.

The drill runs the commands as an operator does, each in a process of its own.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from controls.engagement_scope import choose_controls
from controls.engagements import end_engagement
from controls.models import AuditEvent, Role
from evidence.engagements.marks import MarkDraft, mark_control
from evidence.models import Blob, WindowClosing
from evidence.storage import S3Store, open_store
from tests import factories
from tests.evidence.backup.machines import (
    Machine,
    empty_machine,
    guards_of,
    rows_of,
)
from tests.evidence.exports import everything
from tests.evidence.house import TODAY, House, person, submitted
from tests.one_day import BEGINS

DAY = dt.timedelta(days=1)
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return everything.build(settings, tmp_path / "store")


@pytest.fixture
def origin(house: House, tmp_path: Path) -> Machine:
    """Where the set is made."""
    return Machine(str(connection.settings_dict["NAME"]), tmp_path / "store")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Machine]:
    """Where it is restored."""
    with empty_machine(tmp_path / "new store") as machine:
        yield machine


def export(machine: Machine, folder: Path, format_name: str, known_at: str) -> bytes:
    """The file that the command writes, as known at an instant."""
    target = folder / f"{machine.database}.{format_name}"
    as_of = ("--as-of", str(TODAY), "--known-at", known_at)
    machine.done("export", "shop", format_name, "--output", str(target), *as_of)
    return target.read_bytes()


def with_an_ended_audit(house: House) -> None:
    """Its marks, its scope and the request to close it: no trigger takes any now."""
    audit = factories.make_engagement(house.system)
    choose_controls(audit, ["ac-1", "cm-8"], by=house.olivia)
    ann = house.people["ann"] = person("ann")
    factories.give_role(
        ann, house.system, Role.AUDITOR, engagement=audit, ends_at=BEGINS + 9 * DAY
    )
    control = factories.implementation(house.system, "cm-8")
    mark_control(audit, control, MarkDraft("satisfied"), by=ann, now=BEGINS)
    WindowClosing.objects.create(
        system=house.system,
        engagement=audit,
        requested_by=house.olivia,
        requested_at=BEGINS,
    )
    end_engagement(audit, by=house.olivia, now=BEGINS)


@pytest.mark.parametrize("name", ["set", "set.tar"])
def test_the_drill(house, origin, elsewhere, tmp_path: Path, name: str) -> None:
    """Rows, guards, chains, bytes and answers are those of the backup's moment."""
    source = tmp_path / name
    with_an_ended_audit(house)
    rows, before, blobs = rows_of(origin), guards_of(origin), Blob.objects.count()
    sha256 = origin.done("backup", str(source)).split()[0]
    known_at = json.loads(AuditEvent.objects.get(verb="backup.made").body)["known_at"]
    everything.change_everything(house)

    assert elsewhere.done("restore", str(source)).split() == [sha256, str(source)]
    assert rows_of(elsewhere) == rows
    assert guards_of(elsewhere) ^ before == set()
    elsewhere.use_the_clock_of_tests()
    assert elsewhere.done("verify_audit_log").startswith("Every chain verifies.")
    fsck = elsewhere.done("evidence_fsck", "--all-ages")
    assert fsck == f"{blobs} blobs checked, 0 findings.\n"
    for format_name in ("csv", "pdf") if name == "set" else ("csv",):
        here, there = (
            export(machine, tmp_path, format_name, known_at)
            for machine in (origin, elsewhere)
        )
        assert here == there, format_name
    # it is a machine like any other: it writes, and its guards guard
    with elsewhere.app() as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("DELETE FROM controls_auditevent")
    with elsewhere.app() as app, pytest.raises(psycopg.errors.CheckViolation):
        app.execute("UPDATE evidence_controlmark SET note = 'Later'")
    assert "evidence.checked" in verbs(elsewhere)
    assert "backup.restored" in verbs(elsewhere)


def verbs(machine: Machine) -> set[str]:
    with machine.owner() as owner:
        rows = owner.execute("SELECT DISTINCT verb FROM controls_auditevent")
        return {verb for (verb,) in rows}


def test_from_a_bucket_into_a_folder(
    house, bucket, origin, elsewhere, tmp_path, as_owner
) -> None:
    """Where the evidence lay does not matter to a set."""
    store = open_store()
    assert isinstance(store, S3Store)
    for path in (tmp_path / "store").glob("??/*"):
        store.put([path.read_bytes()], limit=10**6)
    link = submitted(house, "in the bucket only")
    with as_owner():
        call_command("backup", str(tmp_path / "set"))
    elsewhere.done("restore", str(tmp_path / "set"))
    kept = link.revision.files.get().blob.sha256
    path = elsewhere.store / kept[:2] / kept
    assert path.read_text() == "in the bucket only"
