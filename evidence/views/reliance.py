"""A report read for one system, part by part, and the conclusion (R24)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from controls.access import is_officer
from controls.errors import NotPermitted, StaleVersion
from controls.grammar import count_of
from controls.models import System, Team
from evidence.artifacts.citation_decisions import citation_standings
from evidence.artifacts.letters import undecided_letters
from evidence.artifacts.reliance import record_reliance, require_reliance_reviewer
from evidence.artifacts.reliance_reading import PARTS, ReportReading, reading_of
from evidence.artifacts.second_person import REVIEWING
from evidence.charts import months, place, stretches
from evidence.forms.artifacts import OWN_WORDS, RelianceForm
from evidence.models import (
    ArtifactVersion,
    Citation,
    RelianceReview,
    ReportRemark,
    RequirementControl,
)
from evidence.models.artifacts import ArtifactVersionState
from evidence.models.reliance import RelianceConclusion
from evidence.status.control_page import Timeline
from evidence.status.control_status import control_statuses, today_of
from evidence.status.our_half import requirement_state
from evidence.status.rows import Moment
from evidence.views.answers import refused
from evidence.views.once import once
from evidence.views.register_page import register_page
from evidence.views.report_files import version_or_404
from srm_project.requests import SignedInRequest

STALE = (
    "What stands on this page changed since you opened it: the report's scope, what it"
    " leaves to us, an answer, somebody else's review, or what the system uses. Read it"
    " again."
)


@require_http_methods(["GET", "POST"])
@once
def reliance(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Read one report for one system and say whether to rely on it.

    Whoever may not say so reads what stands there all the same.
    """
    system = get_object_or_404(System.objects.visible_to(request.user), slug=slug)
    version = version_or_404(request, uuid)
    why_not = ""
    try:
        require_reliance_reviewer(system, version, by=request.user)
    except NotPermitted as refusal:
        if request.method == "POST":
            return refused(request, refusal)
        why_not = " ".join(refusal.messages)
        if not System.objects.held_as(request.user, REVIEWING).filter(pk=system.pk):
            why_not = f"Reviewers of {system} decide. You see what they read."
    reading, today = reading_of(system, version), today_of(system)
    sent = request.POST if request.method == "POST" else None
    form = RelianceForm(sent, initial=_initial(reading, version))

    def save() -> str:
        body = dict(form.cleaned_data)
        if body.pop("seen") not in {"", reading.digest}:
            raise StaleVersion(STALE)
        shown = request.POST.getlist("letters")
        record_reliance(version, system, by=request.user, letters_shown=shown, **body)
        return str(version.artifact.uuid)

    context = {
        "version": version,
        "system": system,
        "reading": reading,
        "letters": undecided_letters(system, version),
        "pictures": _pictures(reading, system, today),
        "duties": _duties(system, reading.expected, today),
        "changes": {} if why_not else reading.changes,
        "may_decide": not why_not,
        "may_ask": is_officer(request.user, system),
        "why_not": why_not,
        "review": _of_this_report(reading, version),
    }
    return register_page(
        request,
        form,
        save,
        f"{version} for {system}" if why_not else f"Rely on {version}?",
        OWN_WORDS,
        context,
        page="evidence/artifacts/reliance.html",
        done=lambda: _concluded(version, system, form.cleaned_data["conclusion"]),
    )


def _of_this_report(
    reading: ReportReading, version: ArtifactVersion
) -> RelianceReview | None:
    """The newest review of this very report here, none of the one before it."""
    last = reading.last
    return last if last and last.artifact_version_id == version.pk else None


def _initial(reading: ReportReading, version: ArtifactVersion) -> dict[str, str]:
    """Words of the last review, for each part in which nothing changed since.

    Of what changed nothing is filled in, nor is the conclusion: it is read anew.
    """
    initial = {"seen": reading.digest}
    if reading.last is not None:
        for part in PARTS:
            if not reading.changes[part]:
                initial[f"{part}_note"] = getattr(reading.last, f"{part}_note")
    return initial


def _pictures(
    reading: ReportReading, system: System, today: dt.date
) -> list[tuple[Any, Timeline]]:
    """Each report's days over the audit window; this one and those relied on."""
    window = system.window_start, system.window_end
    is_inside = window[0] <= today <= window[1]
    now = place(window, today) if is_inside else None
    return [
        (
            days,
            Timeline(
                f"Days of {days.version.label} in the audit window",
                stretches(window, days.ranges),
                months(window),
                now,
            ),
        )
        for days in reading.days
    ]


@dataclass(frozen=True)
class ExpectedOfUs:
    """A complementary control mapped to one of ours: who is asked, where it stands.

    `state` is that of the ask; empty where nobody is asked.
    """

    remark: ReportRemark
    ref_id: str
    ask: RequirementControl | None
    owner: Team | None
    state: str


def _duties(
    system: System, expected: list[ReportRemark], today: dt.date
) -> list[ExpectedOfUs]:
    """Open ones first. A constant number of statements."""
    if not expected:
        return []
    ref_ids = {ref for remark in expected for ref in remark.control_ids}
    ours = {
        row.control.ref_id: row
        for row in system.implementations.filter(control__ref_id__in=ref_ids)
        .select_related("control", "owner_team")
        .defer("control__statements")
    }
    asks = {
        (row.user_control_id, row.implementation_id): row
        for row in RequirementControl.objects.in_operation(system, today).filter(
            user_control__in=expected
        )
    }
    answers = control_statuses(
        system, Moment(on=today, known_at=None), pks=[row.pk for row in ours.values()]
    )
    states = {
        str(facts.uuid): requirement_state(facts, today).state
        for answer in answers
        for facts in answer.facts.requirements
    }
    duties = []
    for remark in expected:
        for ref_id in remark.control_ids:
            row = ours.get(ref_id)
            if row is None:
                continue  # the system has no such control
            ask = asks.get((remark.pk, row.pk))
            owner = (ask.owner_team if ask else None) or row.owner_team
            state = states.get(str(ask.uuid), "missing") if ask else ""
            duties.append(ExpectedOfUs(remark, ref_id, ask, owner, state))
    return sorted(duties, key=lambda duty: (duty.state == "proven", bool(duty.ask)))


def _concluded(version: ArtifactVersion, system: System, conclusion: str) -> str:
    """What the review makes of the report, and what is next."""
    review = f"Your review of {version} for {system} is recorded:"
    if conclusion == RelianceConclusion.DO_NOT_RELY:
        let_go = ""
        if version.state == ArtifactVersionState.WITHDRAWN:
            let_go = " What it expected of us is let go, but for what another report of"
            let_go += " its series expects."
        return f"{review} it is not relied on, and proves nothing there.{let_go}"
    cited = Citation.objects.filter(artifact=version.artifact_id, system=system)
    standings = citation_standings(cited)
    if not standings:
        return f"{review} it is relied on. Next, cite it for the controls it speaks to."
    number = sum(row.state == "accepted" for row in standings)
    if not number:
        return (
            f"{review} it is relied on, and counts for no control yet: what cites it"
            " waits for somebody else, or was rejected."
        )
    proves = f"it counts for {count_of(number, 'control')} that cite it"
    if number == 1:
        proves = "it counts for 1 control that cites it"
    return f"{review} {proves}. What it expects of us stands on this page."
