"""What providers hand out: reports with our reliance on them, and AWS's statements."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from controls.crosswalks.adopt import adopt
from controls.crosswalks.rows import read_crosswalk
from controls.models import Control, System
from controls.provider_documents.adopt import request_adoption
from controls.provider_documents.rows import read_statements
from controls.provider_names import AWS
from controls.retrospect import approve
from evidence.artifacts import register
from evidence.artifacts.citations import cite, controls_of_provider
from evidence.artifacts.letters import decide_letter
from evidence.artifacts.reliance import record_reliance
from evidence.demo import company
from evidence.demo.clock import DAY, written_on
from evidence.demo.people import People
from evidence.models import Artifact, ArtifactVersion

NUMBERS = Path(__file__).parent / "soc2_numbers.csv"
STATEMENTS = Path(__file__).parent / "provider_statements.csv"
Systems = tuple[System, ...]


def register_reports(people: People, systems: Systems, today: dt.date) -> None:
    """Register documents on their days; cite them and review our reliance."""
    documents = company.aws_documents(today) + company.documents_of_others(today)
    for series in documents:
        artifact = None
        citing = tuple(s for s in systems if series.cited_by in {"", s.slug})
        for report in series.reports:
            with written_on(report.recorded, 9):
                if artifact is None:
                    artifact = _artifact(series, citing, people)
                scope = _scope(series, systems)
                version = _version(artifact, report, scope, people)
            with written_on(report.recorded + DAY, 14):
                for system in citing:
                    _rely(version, system, report.conclusion, people)
            for letter in report.letters:
                _letter(version, citing, letter, people)


def _artifact(series: company.Series, systems: Systems, people: People) -> Artifact:
    artifact = register.register_artifact(
        title=series.title,
        series=series.series,
        kind=series.kind,
        scheme=series.scheme,
        provider=series.provider,
        by=people["olivia"],
    )
    for system in systems:
        cite(
            artifact,
            system,
            _cited(artifact, system),
            citation="Description of controls, by service",
            by=people["olivia"],
        )
    return artifact


def _cited(artifact: Artifact, system: System) -> list[Control]:
    """AWS's documents speak to every control; another provider's to its half's."""
    if artifact.provider_slug != AWS:
        return controls_of_provider(artifact, system)
    return list(Control.objects.filter(implementations__system=system))


def _version(
    artifact: Artifact,
    report: company.DemoReport,
    scope: dict[str, list[str]],
    people: People,
) -> ArtifactVersion:
    return register.register_version(
        artifact,
        label=report.label,
        starts=report.starts,
        ends=report.ends,
        **scope,
        impact_level=report.impact_level,
        partition=report.partition,
        opinion=report.opinion,
        by=people["olivia"],
    )


def _rely(
    version: ArtifactVersion, system: System, conclusion: str, people: People
) -> None:
    record_reliance(
        version,
        system,
        conclusion=conclusion,
        scope_note="Services in use checked against the scope list.",
        period_note="Period compared with the audit window.",
        exceptions_note="No exception touches a control of ours.",
        cuec_note="Complementary controls compared with ours.",
        by=people["oscar"],
    )


def _letter(
    version: ArtifactVersion,
    systems: Systems,
    letter: company.DemoLetter,
    people: People,
) -> None:
    """Register a letter on its day, and accept it in each system on a later one."""
    with written_on(letter.recorded, 10):
        registered = register.add_letter(
            version,
            issued_on=letter.issued_on,
            ends=letter.issued_on,
            by=people["olivia"],
        )
    if letter.accepted_on is None:
        return
    with written_on(letter.accepted_on, 15):
        for system in systems:
            decide_letter(registered, system, decision="accept", by=people["oscar"])


def _scope(series: company.Series, systems: Systems) -> dict[str, list[str]]:
    """Services and regions of AWS, sites of another provider."""
    if series.provider != "AWS":
        return {"services": [], "regions": [], "sites": list(series.sites)}
    return {
        "services": _in_scope(systems, series.out_of_scope),
        "regions": ["us-east-1", "us-west-2", "eu-west-1"],
    }


def _in_scope(systems: Systems, left_out: tuple[str, ...]) -> list[str]:
    used = {
        component.variant.service.slug
        for system in systems
        for component in system.components.select_related("variant__service")
        if component.variant.service.provider == "aws"
    }
    return sorted(used - set(left_out))


def import_statements(people: People, system: System, day: dt.date) -> None:
    """Import a responsibility document that differs from our template in places."""
    with STATEMENTS.open("rb") as file:
        statements = read_statements(file, STATEMENTS.name)
    with written_on(day, 10):
        document = request_adoption(
            system,
            statements,
            title="AWS customer responsibility matrix",
            reference=f"issue of {day - 30 * DAY:%B %Y}",
            starts_on=day - 30 * DAY,
            reason="AWS dates it so; compared line by line with our template.",
            by=people["olivia"],
            today=day,
        )
    if document.change is None:
        raise RuntimeError("A provider's document waits for a second officer.")
    with written_on(day, 15):
        approve(document.change, by=people["oscar"], today=day)


def import_numbers(people: People, system: System, day: dt.date) -> None:
    """Import the numbers of SOC 2 that the company's own table has for its controls."""
    with NUMBERS.open("rb") as file:
        read = read_crosswalk(file, NUMBERS.name)
    with written_on(day, 11):
        adopt(
            system,
            read,
            title="SOC 2 criteria",
            starts_on=day,
            by=people["olivia"],
            today=day,
        )
