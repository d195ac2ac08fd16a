"""Letters that continue reports: which wait for a second person, and the decision.

A review that relies on a report decides on the letters that were there when it was
made; one that does not rely accepts none. Whatever is registered later, or by the
reviewer, waits in each system that relies on the report.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import QuerySet

from controls.models import Actor, AuditEvent, System
from controls.models.audit import about
from evidence.artifacts.register import refuse_withdrawn
from evidence.artifacts.second_person import (
    REVIEWING,
    UNDECIDED,
    StandingState,
    deciding_review,
    record_decisions,
    require_reviewer,
    require_waiting,
)
from evidence.models import (
    ArtifactVersion,
    ContinuityLetter,
    LetterAcceptance,
    RelianceConclusion,
    RelianceReview,
    ScopeSetting,
)
from evidence.models.artifacts import ArtifactVersionState


@dataclass(frozen=True)
class LetterStanding:
    """Where one letter stands in one system, and what put it there.

    `decision` is a second person's own decision on the letter; `review` the first
    review of the report that decided on it. At most one of them is set. `registrars`
    are keys of those who had a hand in it: none of them decides on it (R32).
    """

    letter: ContinuityLetter
    system: System
    state: StandingState
    decision: LetterAcceptance | None = None
    review: RelianceReview | None = None
    registrars: frozenset[int] = frozenset()


def letter_standings(
    letters: QuerySet[ContinuityLetter], systems: Iterable[System]
) -> list[LetterStanding]:
    """Each letter in each system, oldest letter first. Six statements."""
    known_letters = list(letters.for_listing())  # type: ignore[attr-defined]
    if not known_letters:
        return []
    systems = list(systems)
    decisions = {
        (row.letter_id, row.system_id): row
        for row in LetterAcceptance.objects.filter(
            letter__in=known_letters, system__in=systems
        )
    }
    reviews: defaultdict[tuple[int, int], list[RelianceReview]] = defaultdict(list)
    for review in RelianceReview.objects.filter(
        artifact_version__in={letter.artifact_version_id for letter in known_letters},
        system__in=systems,
    ).order_by("known_from", "pk"):
        reviews[(review.artifact_version_id, review.system_id)].append(review)
    registrars = _registrars(known_letters)
    earlier = _registrars_before(known_letters)
    return [
        replace(
            _standing(
                letter,
                system,
                decisions.get((letter.pk, system.pk)),
                reviews[(letter.artifact_version_id, system.pk)],
                letter.registrars | earlier[letter.pk],
            ),
            registrars=registrars[letter.pk],
        )
        for letter in known_letters
        for system in systems
    ]


def _registrars(letters: Sequence[ContinuityLetter]) -> dict[int, frozenset[int]]:
    """By letter, who registered it, the same letter before, its report or its series,
    or set the report's scope. Two statements."""
    reports = {letter.artifact_version_id for letter in letters}
    hands: defaultdict[int, set[int]] = defaultdict(set)
    scoped = ScopeSetting.objects.filter(artifact_version__in=reports)
    for report, person in scoped.values_list("artifact_version", "set_by"):
        hands[report].add(person)
    of_day: defaultdict[tuple[int, dt.date], set[int]] = defaultdict(set)
    rows = ContinuityLetter.objects.filter(
        artifact_version__in=reports, registered_by__isnull=False
    ).order_by()
    for report, day, person in rows.values_list(
        "artifact_version", "issued_on", "registered_by"
    ):
        of_day[report, day].add(person)
    return {
        letter.pk: letter.registrars
        | {letter.artifact_version.artifact.registered_by_id}
        | hands[letter.artifact_version_id]
        | of_day[letter.artifact_version_id, letter.issued_on]
        for letter in letters
    }


def _registrars_before(
    letters: Sequence[ContinuityLetter],
) -> defaultdict[int, set[int]]:
    """By letter, who registered the same letter of the report before it. One
    statement."""
    rows = list(
        ContinuityLetter.objects.filter(
            artifact_version__in={letter.artifact_version_id for letter in letters},
            registered_by__isnull=False,
        )
        .order_by()
        .values_list("pk", "artifact_version", "issued_on", "registered_by")
    )
    hands: defaultdict[int, set[int]] = defaultdict(set)
    for letter in letters:
        same = (letter.artifact_version_id, letter.issued_on)
        hands[letter.pk] = {
            person
            for pk, report, day, person in rows
            if pk < letter.pk and (report, day) == same
        }
    return hands


def _standing(
    letter: ContinuityLetter,
    system: System,
    decision: LetterAcceptance | None,
    reviews: list[RelianceReview],
    registrars: Collection[int],
) -> LetterStanding:
    """The same rule as `gather_sql.ARTIFACT_VERSIONS`; a test compares the two."""
    if decision is not None:
        return LetterStanding(letter, system, decision.past_tense, decision=decision)
    review = deciding_review(reviews, letter.known_from, registrars)
    if review:
        return LetterStanding(letter, system, "accepted", review=review)
    relied_on = reviews and reviews[-1].conclusion != RelianceConclusion.DO_NOT_RELY
    return LetterStanding(letter, system, "waiting" if relied_on else "with-report")


def undecided_letters(system: System, report: ArtifactVersion) -> list[LetterStanding]:
    """The report's letters that a review of it decides on as well, oldest first."""
    letters = ContinuityLetter.objects.filter(artifact_version=report)
    return [
        row for row in letter_standings(letters, [system]) if row.state in UNDECIDED
    ]


def accepted_last_days(
    letters: QuerySet[ContinuityLetter], systems: Iterable[System]
) -> defaultdict[tuple[int, int], list[dt.date]]:
    """Last days of the accepted letters, by the keys of report and system (R24)."""
    days: defaultdict[tuple[int, int], list[dt.date]] = defaultdict(list)
    for standing in letter_standings(letters, systems):
        if standing.state == "accepted":
            letter = standing.letter
            key = (letter.artifact_version_id, standing.system.pk)
            days[key].append(letter.last_day)
    return days


def waiting_letters(systems: Iterable[System]) -> list[LetterStanding]:
    """Letters that wait for a second person, once for each of the systems; none of a
    report that its auditor withdrew."""
    systems = list(systems)
    reviewed = RelianceReview.objects.filter(system__in=systems)
    letters = ContinuityLetter.objects.filter(
        artifact_version__in=reviewed.values("artifact_version")
    ).exclude(artifact_version__state=ArtifactVersionState.WITHDRAWN)
    return [
        standing
        for standing in letter_standings(letters, systems)
        if standing.state == "waiting"
    ]


def letters_to_decide(user: Actor) -> list[LetterStanding]:
    """Letters that wait for this person: reviewer or officer, with no hand in the
    letter nor in its report."""
    systems = System.objects.held_as(user, REVIEWING)
    return [
        standing
        for standing in waiting_letters(systems)
        if user.pk not in standing.registrars
    ]


def require_letter_reviewer(
    letter: ContinuityLetter, system: System, *, by: Actor
) -> None:
    """Raise NotPermitted unless `by` may decide on the letter for the system."""
    require_reviewer(
        system,
        _registrars([letter])[letter.pk],
        by=by,
        sentence=(
            "You registered this letter, its report or its series, or set the report's"
            " scope; somebody else must decide on it."
        ),
    )


@transaction.atomic
def decide_letter(
    letter: ContinuityLetter,
    system: System,
    *,
    decision: str,
    reason: str = "",
    by: Actor,
) -> LetterAcceptance:
    """Accept or reject a letter for one system, as known from now on (R24, R32).

    Raises NotPermitted for those who registered it or its report and for others than
    reviewers, TransitionNotAllowed when it does not wait or its report was withdrawn,
    Refused for a rejection without a reason.
    """
    # The report's row is the lock of its reviews, too.
    reports = ArtifactVersion.objects.select_for_update(of=("self",))
    locked = reports.get(pk=letter.artifact_version_id)
    require_letter_reviewer(letter, system, by=by)
    refuse_withdrawn(locked, "its letters continue nothing, whatever is decided")
    stored = ContinuityLetter.objects.filter(pk=letter.pk)
    (standing,) = letter_standings(stored, [system])
    require_waiting(standing.state, "letter")
    report = standing.letter.artifact_version
    registrar = standing.letter.registered_by_id or report.registered_by_id
    (acceptance,) = record_decisions(
        [
            {
                "letter": standing.letter,
                "registered_by_id": registrar,
                "report_registered_by_id": report.registered_by_id,
            }
        ],
        system,
        decision=decision,
        reason=reason,
        by=by,
    )
    AuditEvent.objects.append(
        about(
            acceptance,
            f"letter.{acceptance.past_tense}",
            by=by,
            letter=str(letter.uuid),
            report=str(report.uuid),
            reason=acceptance.reason,
        )
    )
    return acceptance
