"""A system with something of each kind, and a change of all of it afterwards."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from controls.models import System, Team, User
from controls.responsibility.overrides import decide_override, request_override
from evidence.exports.jobs import make_export, open_file, request_export
from evidence.findings.recording import record_finding
from evidence.models import (
    Artifact,
    Blob,
    Evidence,
    EvidenceFile,
    EvidenceLink,
    Population,
    PopulationItem,
    PopulationReview,
    Sample,
    SampleItem,
)
from tests import factories
from tests.evidence import house as houses
from tests.evidence import per_event
from tests.evidence.house import TODAY, House
from tests.evidence.reviews.hands import accepted

DAY = dt.timedelta(days=1)
EVIL = '=cmd|"/c calc"!A1'
ARABIC = "تقرير التصحيحات"


def build(settings: Any, tmp_path: Path) -> House:
    """Accepted, waiting and rejected evidence, a report relied on, a population with
    its sample; names that spreadsheets would run and that are written from the right.
    """
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    accepted(houses.submitted(house, "one"))
    Evidence.objects.update(title=EVIL)
    waits = house.requirement("ac-1")
    factories.make_evidence(waits, by=house.alice, performed_on=TODAY, title=ARABIC)
    refused = factories.make_evidence(
        house.requirement("si-2"), by=house.alice, performed_on=TODAY - 3 * DAY
    )
    refused.reject(by=house.rita, reason="Of another account.")
    artifact = factories.make_artifact(house.olivia, ["pe-3"])
    report = factories.make_report(artifact, TODAY - 300 * DAY, TODAY - 20 * DAY)
    factories.rely_on(report, house.system, by=house.rita)
    record_finding(
        factories.implementation(house.system, "ac-1"),
        title=EVIL,
        text="The policy is of 2019.",
        severity="moderate",
        source="Walk-through",
        found_on=TODAY - 10 * DAY,
        by=house.olivia,
    )
    return house


def change_everything(house: House) -> None:
    """All that a file of before must not know: judgements, facts, names, services."""
    link = EvidenceLink.objects.filter(state="accepted").latest("pk")
    link.withdraw(by=house.raul, reason="It was of another account.")
    accepted(EvidenceLink.objects.filter(state="submitted").latest("pk"))
    factories.make_evidence(
        house.requirement("si-2"), by=house.alice, performed_on=TODAY, title="New"
    )
    implementation = factories.implementation(house.system, "pe-3")
    boss = factories.make_user("boss")
    factories.give_role(boss, house.system, "officer")
    asked = request_override(
        implementation,
        responsibility="shared",
        reason="We hold the keys of the cage.",
        starts_on=TODAY,
        ends_on=TODAY + 30 * DAY,
        by=house.olivia,
    )
    decide_override(asked, approve=True, by=boss)
    artifact = Artifact.objects.get()
    newer = factories.make_report(artifact, TODAY - 19 * DAY, TODAY - 2 * DAY)
    factories.rely_on(newer, house.system, by=house.rita)
    factories.set_terms(
        type(house.requirement()).objects.filter(system=house.system),
        cadence="weekly",
        grace_days=1,
    )
    System.objects.update(name="Renamed")
    factories.move_windows(end=TODAY)
    Team.objects.filter(slug="platform").update(name="Renamed team")
    User.objects.update(name="Renamed person")
    Evidence.objects.update(title="Renamed evidence")
    Artifact.objects.update(title="Renamed report")


def exported(house: House, format_name: str, **asked: Any) -> bytes:
    """The bytes of a finished export that ray asked for, about today."""
    export = request_export(
        house.system, by=house.ray, on=TODAY, format_name=format_name, **asked
    )
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.failure) == ("done", "")
    with open_file(export) as file:
        return file.read()


def with_many_files(house: House, number: int) -> EvidenceLink:
    """One accepted piece of evidence with so many files; their names run on."""
    link = EvidenceLink.objects.filter(state="accepted").latest("pk")
    blobs = Blob.objects.bulk_create(
        Blob(sha256=f"{n:064x}", size_bytes=n, media_type="text/plain")
        for n in range(2, number + 1)
    )
    EvidenceFile.objects.bulk_create(
        EvidenceFile(revision=link.revision, blob=blob, name=f"{n}.txt", position=n)
        for n, blob in enumerate(blobs, start=2)
    )
    return link


def with_population(house: House) -> Population:
    """Two changes of the last quarter, one of them sampled and not as asked."""
    asked = per_event.made_per_event(house)
    population = Population.objects.create(
        system=house.system,
        requirement=asked,
        team=house.team,
        drawn_by=house.alice,
        source="Tickets",
        query="=type:change",
        starts=per_event.START,
        ends=per_event.END,
        completeness="Numbers without gaps.",
        row_count=2,
        sha256="0" * 64,
    )
    items = PopulationItem.objects.bulk_create(
        PopulationItem(
            population=population,
            position=number,
            key=f"CHG-{number}",
            happened_on=per_event.START,
        )
        for number in (1, 2)
    )
    PopulationReview.objects.create(
        population=population,
        reviewer=house.rita,
        drawer=house.alice,
        reviewer_name="Rita",
        decision="accepted",
    )
    sample = Sample.objects.create(
        system=house.system,
        population=population,
        drawn_by=house.audrey,
        method="random",
        size=1,
        seed="4711",
        reason="One of two.",
    )
    SampleItem.objects.create(sample=sample, item=items[1])
    return population
