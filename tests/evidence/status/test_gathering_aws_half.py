"""AWS's facts gathered in SQL agree with reports and bases read by hand."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from controls.models import ControlImplementation, System, User
from evidence.artifacts.citation_decisions import citation_standings
from evidence.artifacts.letters import letter_standings
from evidence.models import (
    Artifact,
    ArtifactVersion,
    Citation,
    ContinuityLetter,
    LetterAcceptance,
    RelianceConclusion,
    RelianceReview,
)
from evidence.models.reviews import ReviewDecision
from evidence.status.gather import Moment, gather
from evidence.systems.describe import Use, add_component
from tests import factories

DAY = dt.date(2026, 9, 15)
DECIDED = {
    "accepted": "accepted",
    "rejected": "rejected",
    "waiting": "waiting",
    "with-report": "waiting",
}


def scatter_reports(system: System, by: User, seed: int) -> None:
    """Series, reports, letters, reviews and ends at random, cited at random.

    A citation is now and then made after the reviews, and decided on now and then. A
    colocation's landlord has a report as well.
    """
    chance = random.Random(seed)
    second = factories.make_user(f"reader-{seed}")
    third = factories.make_user(f"second-reader-{seed}")
    cited = [row.control.ref_id for row in system.implementations.all()]
    for number in range(3):
        series = factories.make_artifact(
            by,
            chance.sample(cited, chance.randint(1, len(cited))),
            series=f"series-{seed}-{number}",
            kind=chance.choice(["period", "certificate", "authorization"]),
        )
        for year in (2024, 2025):
            starts = dt.date(year, chance.randint(1, 12), 1)
            services = chance.sample(["ec2", "s3", "iam", "rds"], 2)
            ends = starts + dt.timedelta(days=chance.randint(90, 400))
            report = factories.make_report(series, starts, ends, services=services)
            for act in chance.choices(["letter", "review"], k=chance.randint(0, 5)):
                if act == "letter":
                    letter_of(report, system, (by, second, third), chance)
                else:
                    reviewed(report, system, second, chance)
        cited_late(series, (by, second, third), chance)
    of_landlord(system, by, cited, seed)


def cited_late(
    series: Artifact, people: tuple[User, User, User], chance: random.Random
) -> None:
    """Some citations taken back and made again after the reviews, some decided on."""
    for row in series.citations.order_by("pk"):
        if chance.random() < 0.5:
            continue
        again = {
            "system": row.system,
            "artifact": series,
            "control": row.control,
            "cited_by": people[0],
            "counts_at_once": chance.random() < 0.1,
        }
        row.delete()
        late = Citation.objects.create(**again)
        if chance.random() < 0.4:
            LetterAcceptance.objects.create(
                citation=late,
                system=late.system,
                reviewer=people[2],
                registered_by=people[0],
                report_registered_by=series.registered_by,
                decision=chance.choice(ReviewDecision.values),
                reason="As read",
                decided_on=DAY,
                reviewer_name=str(people[2]),
            )


def of_landlord(system: System, by: User, cited: list[str], seed: int) -> None:
    """A cage in a colocation, whose landlord's report names its site."""
    use = Use(
        factories.variant("colocation-site"),
        factories.START,
        regions=["FRA1"],
        provided_by=f"Landlord {seed}",
    )
    add_component(system, use, by=by)
    series = factories.make_artifact(
        by, cited, series=f"landlord-{seed}", provider=use.provided_by
    )
    factories.make_report(
        series, dt.date(2025, 1, 1), dt.date(2025, 12, 31), sites=["FRA1"]
    )


def letter_of(
    report: ArtifactVersion,
    system: System,
    people: tuple[User, User, User],
    chance: random.Random,
) -> None:
    """A letter registered by one of the first two, decided on by the third or not."""
    ends = report.until + dt.timedelta(days=chance.randint(1, 90))
    registrar = chance.choice(people[:2])
    letter = ContinuityLetter.objects.create(
        artifact_version=report,
        registered_by=registrar,
        issued_on=ends,
        starts=report.until,
        until=ends,
    )
    if chance.random() < 0.3:
        LetterAcceptance.objects.create(
            letter=letter,
            system=system,
            reviewer=people[2],
            registered_by=registrar,
            report_registered_by=report.registered_by,
            decision=chance.choice(ReviewDecision.values),
            reason="As read",
            decided_on=DAY,
            reviewer_name=str(people[2]),
        )


def reviewed(
    report: ArtifactVersion, system: System, by: User, chance: random.Random
) -> None:
    RelianceReview.objects.create(
        artifact_version=report,
        system=system,
        reviewer=by,
        registered_by=report.registered_by,
        conclusion=chance.choice(RelianceConclusion.values),
        reviewed_on=DAY,
        reviewer_name=str(by),
    )


Said = dict[str, tuple[object, ...]]


def reports_by_hand(row: ControlImplementation) -> Said:
    """The reports cited for a control, read row by row."""
    found: Said = {}
    cited = Citation.objects.filter(system=row.system, control=row.control)
    for standing in citation_standings(cited):
        if standing.state == "rejected":
            continue
        accepted = DECIDED[standing.state] == "accepted"
        for report in standing.citation.artifact.versions.all():
            reviews = report.reliance_reviews.filter(system=row.system)
            newest = max(reviews, key=lambda each: each.pk, default=None)
            standings = letter_standings(report.letters.all(), [row.system])
            letters = sorted((x.letter.issued_on, DECIDED[x.state]) for x in standings)
            found[str(report.uuid)] = (
                report.starts,
                report.last_day,
                frozenset(report.service_slugs),
                newest.conclusion if newest else None,
                tuple(letters),
                report.artifact.provider_slug,
                frozenset(report.sites),
                "accepted" if accepted else "waiting",
            )
    return found


def needs_by_hand(row: ControlImplementation) -> set[tuple[str, str, bool]]:
    """The components in use that make a provider a party, with the layers' names."""
    assert row.decision
    body = row.decision.basis.body
    used = {each.variant.service.slug for each in row.system.components.all()}
    return {
        (each["component"], each["layer"], each["party"] == "aws")
        for each in body
        if each["party"] in {"aws", "third-party"} and each["component"] in used
    }


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_aws_half_is_found_the_same_both_ways(
    system: System, oscar: User, seed: int
) -> None:
    scatter_reports(system, oscar, seed)
    rows = list(system.implementations.select_related("decision__basis", "control"))
    gathered = gather(system, [row.pk for row in rows], Moment(DAY))
    compared = 0
    for row in rows:
        facts = gathered.facts[row.pk].aws
        if facts is None:
            assert row.responsibility not in {"inherited", "shared"}
            continue
        said = {
            each.uuid: (
                each.starts,
                each.ends,
                each.services_in_scope,
                each.reliance,
                tuple(sorted((x.issued_on, x.state) for x in each.letters)),
                each.provider,
                each.sites_in_scope,
                each.citation,
            )
            for each in facts.versions
        }
        assert said == reports_by_hand(row)
        needed = {
            (n.slug, layer, n.provider == "aws")
            for n in facts.needed
            for layer in n.layers
        }
        assert needed == needs_by_hand(row)
        compared += len(said)
    assert compared
