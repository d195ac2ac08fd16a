"""Where one system stands: who carries what, what is proven, what comes due."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from controls import clock
from controls.access import is_officer
from controls.models import Actor, Control, System
from controls.reference.updates import unreviewed_reference
from evidence.charts import CLASSES, Segment, bar, proof_segments
from evidence.forms.clocks import clocks_of
from evidence.models import EvidenceRequest
from evidence.models.requests import UNANSWERED
from evidence.planning.attention import of_controls
from evidence.requests.who_may import may_request
from evidence.requirements.burden import burden_now
from evidence.status.clocks import Clocks
from evidence.status.control_status import (
    ControlStatus,
    Counts,
    control_statuses,
    summary,
)
from evidence.status.facts import ArtifactVersionFacts
from evidence.status.half import GOOD
from evidence.status.kept_counts import kept_counts
from evidence.status.reports import current_to
from evidence.submissions.who_may import submits_in
from evidence.systems.regions import without_region
from evidence.views.access import system_or_404
from evidence.views.attention import attention_of
from srm_project.requests import SignedInRequest

AHEAD = dt.timedelta(days=60)
SHOWN = 15


@dataclass(frozen=True)
class Gap:
    """Halves that stop counting after the same day, each a control's row."""

    day: dt.date
    days_left: int
    what: str
    controls: tuple[Mapping[str, Any], ...]

    @property
    def shown(self) -> tuple[Mapping[str, Any], ...]:
        """The first of its controls."""
        return self.controls[:SHOWN]

    @property
    def more(self) -> int:
        """How many are left out."""
        return len(self.controls) - len(self.shown)


@dataclass(frozen=True)
class CitedArtifact:
    """The newest report of a series and whether it may be relied on."""

    newest: ArtifactVersionFacts
    controls: int
    current_to: dt.date
    current: bool


def answers_or_none(
    clocks: Clocks, pks: Sequence[int] | None = None
) -> list[ControlStatus] | None:
    """Answers of the moment; None when the system was not recorded by then."""
    try:
        return control_statuses(clocks.system, clocks.moment, pks=pks)
    except LookupError:
        return None


@require_GET
def dashboard(request: SignedInRequest, slug: str) -> HttpResponse:
    """How much does AWS carry, how much is proven, what comes due?"""
    system = system_or_404(request, slug)
    clocks = clocks_of(request, system)
    officer = is_officer(request.user, system)
    mine = System.objects.filter(pk=system.pk)
    page = {
        "system": system,
        "clocks": clocks,
        "here": request.path,
        "officer": officer,
        "without_region": officer and without_region(mine).count(),
        "newer_readings": officer and unreviewed_reference(system),
        "requests": _requests(request.user, system),
        "may_ask": may_request(system, request.user),
        "may_bring": submits_in(system, by=request.user),
    }
    if clocks.now:
        page |= _kept(clocks)
    else:
        page |= _counted(clocks)
    if officer and clocks.now:
        lines: Any = page.get("of_controls", ())
        page["attention"] = attention_of(request.user, system, lines, page, clock.now())
    return render(request, "evidence/systems/dashboard.html", page)


def _kept(clocks: Clocks) -> dict[str, Any]:
    """What is counted today, as long as nothing of the system has changed since."""
    ((_, counted),) = kept_counts(
        "dashboard",
        {clocks.system: clocks.today},
        lambda systems: {system.pk: _counted(clocks) for system in systems},
    ).items()
    return counted


def _counted(clocks: Clocks) -> dict[str, Any]:
    """What the page counts of all controls and asks; of a system that was not recorded
    by then only the work of today."""
    system = clocks.system
    counted = {"work": burden_now(system, clocks.today)}
    answers = answers_or_none(clocks)
    return counted if answers is None else counted | _shown(clocks, answers)


def _requests(user: Actor, system: System) -> dict[str, int]:
    """How many requests for evidence are open to the person, and how many overdue."""
    mine = EvidenceRequest.objects.visible_to(user).filter(system=system)
    late = Q(state__in=UNANSWERED, due_on__lt=system.day_of(clock.now()))
    return mine.matching(state="unsettled").aggregate(
        unsettled=Count("pk"), overdue=Count("pk", filter=late)
    )


def _shown(clocks: Clocks, answers: list[ControlStatus]) -> dict[str, object]:
    counts = summary(answers)
    titles = _titles(clocks.system)
    day = clocks.moment.on
    return {
        "counts": counts,
        "total": len(answers),
        "burden": bar(_burden(counts)),
        "verdicts": proof_segments(counts.verdicts, counts.proven),
        "proof": bar(proof_segments(counts.verdicts, counts.proven)),
        "families": [
            (
                family,
                bar(proof_segments(family.verdicts, family.proven)),
                titles.get(family.family, ""),
            )
            for family in counts.families
        ],
        "gaps": gaps_ahead(answers, day),
        "of_controls": of_controls(answers),
        "artifacts": list(_artifacts(answers, day)),
    }


def _burden(counts: Counts) -> list[Segment]:
    return [Segment(c, title, counts.classes[c], note) for c, title, note in CLASSES]


def _titles(system: System) -> dict[str, str]:
    """Names of the families of the baseline."""
    controls = Control.objects.filter(implementations__system=system).order_by("family")
    return dict(controls.values_list("family", "family_title").distinct())


def gaps_ahead(answers: list[ControlStatus], day: dt.date) -> list[Gap]:
    """Proof that ends within the next 60 days, by day and half."""
    groups: defaultdict[tuple[dt.date, str], list[Mapping[str, Any]]]
    groups = defaultdict(list)
    for answer in answers:
        judged = answer.status
        ends = (
            (judged.customer_until, judged.customer_half, "our half stops counting"),
            (judged.aws_until, judged.aws_half, "the providers' half stops counting"),
        )
        for until, state, what in ends:
            if until and state in GOOD and day <= until <= day + AHEAD:
                groups[until, what].append(_named(answer.implementation))
    return [
        Gap(until, (until - day).days, what, tuple(rows))
        for (until, what), rows in sorted(groups.items(), key=lambda group: group[0])
    ]


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """What names a control: no more of it is shown, or kept."""
    return {name: row[name] for name in ("ref_id", "label")}


def _artifacts(answers: list[ControlStatus], day: dt.date) -> Iterator[CitedArtifact]:
    """Each series cited by some control, its newest report first known to facts."""
    newest: dict[str, tuple[ArtifactVersionFacts, dt.date]] = {}
    controls: dict[str, int] = {}
    for answer in answers:
        aws = answer.facts.aws
        for version in aws.versions if aws else ():
            held = newest.get(version.series)
            if aws and (held is None or held[0].starts < version.starts):
                newest[version.series] = (version, current_to(version, aws))
        for series in {v.series for v in (aws.versions if aws else ())}:
            controls[series] = controls.get(series, 0) + 1
    for series in sorted(newest):
        version, until = newest[series]
        yield CitedArtifact(version, controls[series], until, day <= until)
