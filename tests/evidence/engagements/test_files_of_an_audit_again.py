"""R31, R35: files of an audit of several systems and of chosen controls have the same
bytes when they are asked for again by their own clocks, whatever changed since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from controls.audit_systems import make_audit
from controls.engagement_scope import choose_controls
from controls.engagements import EngagementDraft, correct_engagement
from controls.models import Engagement, Role, System, User
from evidence.engagements.marks import MarkDraft, mark_control
from evidence.engagements.scope import choose_scope
from evidence.engagements.systems import add_to_audit
from evidence.exports.formats import FORMATS
from evidence.exports.jobs import make_export, open_file, request_export
from evidence.findings.recording import record_observation
from evidence.models import Export
from tests import factories
from tests.evidence.exports import everything
from tests.evidence.house import TODAY, House, give, person
from tests.one_day import BEGINS

pytestmark = pytest.mark.django_db(transaction=True)
DAY = everything.DAY


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    built = everything.build(settings, tmp_path)
    for slug in ("bank", "depot"):
        factories.make_system(
            built.olivia, slug=slug, baseline=built.system.baseline, services=("s3",)
        )
    built.people["ann"] = person("ann")
    return built


@pytest.fixture
def audit(house: House) -> Engagement:
    """Of shop and bank; in the shop of three controls, one of which was taken out."""
    systems = [house.system, System.objects.get(slug="bank")]
    draft = EngagementDraft(
        "SOC 2", "type2", "Audit & Sons", TODAY - 200 * DAY, TODAY - DAY
    )
    made, _ = make_audit(systems, draft, by=house.olivia, now=BEGINS)
    choose_controls(made, ["ac-1", "cm-8", "pe-3", "si-2"], by=house.olivia)
    give(house, "ann", Role.AUDITOR, engagement=made, ends_at=BEGINS + 20 * DAY)
    some = ["ac-1", "cm-8", "pe-3"]
    choose_scope(made, some, reason="Agreed with the firm.", by=house.olivia)
    mark_control(
        made, _control(house, "cm-8"), MarkDraft("satisfied"), by=house.ann, now=BEGINS
    )
    made.refresh_from_db()
    return made


def _control(house: House, ref_id: str) -> Any:
    return factories.implementation(house.system, ref_id)


def made(
    house: House, audit: Engagement, name: str, of: Export | None = None
) -> Export:
    """The file of an audit that its auditor asked for; by the clocks `of` another."""
    export = request_export(
        house.system,
        by=house.ann,
        on=of.on if of else TODAY,
        known_at=of and of.known_at,
        window=of and (of.window_start, of.window_end),
        format_name=name,
        filters=of.filters if of else {"engagement": str(audit.uuid)},
    )
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.failure) == ("done", ""), name
    return export


def bytes_of(export: Export) -> bytes:
    with open_file(export) as file:
        return file.read()


def change_the_audit(house: House, audit: Engagement) -> None:
    """Its names, its scope, its systems, its marks, and what auditors wrote."""
    audit.refresh_from_db()
    draft = EngagementDraft(
        "Renamed audit",
        audit.kind,
        "Renamed firm",
        audit.window_start,
        audit.window_end,
    )
    correct_engagement(audit, draft, by=house.olivia, today=TODAY)
    choose_scope(
        audit, ["ac-1", "cm-8", "si-2"], reason="Another reason.", by=house.olivia
    )
    depot = System.objects.get(slug="depot")
    add_to_audit(audit, depot, let_in=True, by=house.olivia, now=BEGINS)
    mark_control(
        audit,
        _control(house, "ac-1"),
        MarkDraft("in_progress", note="Looked again."),
        by=house.ann,
        now=BEGINS,
    )
    record_observation(
        _control(house, "cm-8"),
        source="A walk",
        text="Three hosts were not listed.",
        observed_on=TODAY - DAY,
        by=house.ann,
    )
    everything.change_everything(house)
    User.objects.update(name="Renamed again")


def test_every_format_is_the_same_by_its_own_clocks(house, audit) -> None:
    first = {name: made(house, audit, name) for name in FORMATS}
    for name, export in first.items():
        assert b"Renamed" not in bytes_of(export), name
    change_the_audit(house, audit)
    for name, export in first.items():
        again = made(house, audit, name, export)
        assert bytes_of(again) == bytes_of(export), name
        assert again.sha256 == export.sha256
    now = bytes_of(made(house, audit, "csv")).decode("utf-8-sig")
    assert "“Renamed audit”, which covers Renamed, Renamed, Renamed; here" in now
    assert "PE-3 taken out" in now and "Another reason." in now
    before = bytes_of(first["csv"]).decode("utf-8-sig")
    assert "“SOC 2”, which covers Shop, Bank; here 3 chosen controls" in before
    assert "SI-2 taken out" in before and "Agreed with the firm." in before
