"""Populations brought, judged and withdrawn (R16).

Every step locks the requirement first: populations and samples are only added, so the
row they belong to keeps two people from taking the same step at once.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from django.db import connection, transaction

from controls.errors import Refused, TransitionNotAllowed
from controls.grammar import count_of
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent
from controls.models.audit import about
from evidence.models import (
    Population,
    PopulationReview,
    PopulationState,
    RequirementControl,
)
from evidence.models.confirmed_days import NOT_CONFIRMED, DayConfirmation
from evidence.models.populations import STANDING
from evidence.populations.event_list import EventRow, Events, digest_of
from evidence.populations.who_may import (
    require_population_reviewer,
    require_population_submitter,
    require_population_withdrawer,
)
from evidence.submissions.quotas import count, refuse_beyond
from evidence.submissions.uploads import Upload, blobs_of, keep_all, were_brought

COPY = """
COPY evidence_populationitem (population_id, position, key, happened_on, columns)
FROM STDIN
"""
MAX_POPULATION_DAYS = 1830  # days that a population speaks of: five years


ENDS_BEFORE_IT_STARTS = "The last day comes before the first day."


@dataclass(frozen=True)
class PopulationStatement:
    """What a person says about a population. Days are inclusive."""

    source: str
    query: str
    starts: dt.date
    ends: dt.date
    completeness: str
    # somebody looked: there was no event
    none_happened: bool = False


def refuse_impossible(
    statement: PopulationStatement, events: Events, today: dt.date
) -> None:
    """Raise Refused for days that cannot be, wrong rows, or none without a word."""
    if statement.ends < statement.starts:
        raise Refused({"ends": ENDS_BEFORE_IT_STARTS})
    if (statement.ends - statement.starts).days >= MAX_POPULATION_DAYS:
        raise Refused(
            {"starts": f"A population spans at most {MAX_POPULATION_DAYS} days."}
        )
    if statement.ends > today:
        raise Refused({"ends": "Those days are not over: events may still come."})
    if events.wrong:
        what = count_of(events.wrong, "line", "is")
        raise Refused(f"{what} wrong, so nothing was imported.")
    if not events.rows and not statement.none_happened:
        sentence = "The list has no rows: say so if no event happened in these days."
        raise Refused({"none_happened": sentence})
    if events.rows and statement.none_happened:
        sentence = "The list has rows: take back that no event happened in these days."
        raise Refused({"none_happened": sentence})


def submit_population(
    requirement: RequirementControl,
    statement: PopulationStatement,
    events: Events,
    *,
    upload: Upload | None = None,
    by: Actor,
    today: dt.date,
) -> Population:
    """Record a population with all its events, or nothing; a reviewer judges it.

    `upload` is the file it was read from, which is kept. Raises Refused, NotPermitted.
    """
    bring_list(requirement, statement, events, upload, by=by, today=today)
    return record_population(requirement, statement, events, upload, by=by, today=today)


def bring_list(
    requirement: RequirementControl,
    statement: PopulationStatement,
    events: Events,
    upload: Upload | None,
    *,
    by: Actor,
    today: dt.date,
) -> None:
    """Send the list to the store, unless there is reason to refuse the population.

    Call it before a transaction begins; `submit_population` calls it for what was not
    sent yet. Raises what that raises.
    """
    if upload is None or were_brought([upload]):
        return
    team = require_population_submitter(requirement, by=by)
    refuse_impossible(statement, events, today)
    keep_all([upload], team)


@transaction.atomic
def record_population(
    requirement: RequirementControl,
    statement: PopulationStatement,
    events: Events,
    upload: Upload | None,
    *,
    by: Actor,
    today: dt.date,
) -> Population:
    """As `submit_population`, once the list lies in the store; speaks to no store."""
    stored = _lock(requirement)
    team = require_population_submitter(stored, by=by)
    refuse_impossible(statement, events, today)
    instant = knowledge_now()
    population = Population(
        system=stored.system,
        requirement=stored,
        team=team,
        drawn_by=by,
        source=statement.source.strip(),
        query=statement.query.strip(),
        starts=statement.starts,
        ends=statement.ends,
        completeness=statement.completeness.strip(),
        row_count=len(events.rows),
        columns=list(events.columns),
        sha256=upload.stored.sha256 if upload else digest_of(events.rows),
        drawn_at=instant,
    )
    if upload is not None:
        refuse_beyond(team, [upload], instant)
        blobs = blobs_of([upload], stored.system)
        population.blob = blobs[upload.stored.sha256]
    population.full_clean(
        exclude=["system", "requirement", "team", "blob", "drawn_by", "known_from"]
    )
    population.save(force_insert=True)
    _keep(population, events.rows)
    count([(team, [upload] if upload else [])], instant)
    facts = {"rows": population.row_count, "sha256": population.sha256}
    days = {"starts": str(statement.starts), "ends": str(statement.ends)}
    AuditEvent.objects.append(
        about(population, "population.drawn", by=by, **facts, **days)
    )
    return population


def _keep(population: Population, rows: list[EventRow]) -> None:
    """Write the events as one stream: 100,000 take a second or two."""
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(COPY) as stream,
    ):
        for n, row in enumerate(rows, start=1):
            columns = json.dumps(row.columns)
            stream.write_row((population.pk, n, row.key, row.happened_on, columns))


def _lock(requirement: RequirementControl) -> RequirementControl:
    return (
        RequirementControl.objects.select_for_update(of=("self",))
        .for_listing()
        .get(pk=requirement.pk)
    )


def locked(population: Population) -> Population:
    """The population as it stands once its requirement is locked."""
    _lock(population.requirement)
    return Population.objects.for_listing().get(pk=population.pk)


@transaction.atomic
def decide_population(
    population: Population,
    *,
    accept: bool,
    reason: str = "",
    by: Actor,
    day: DayConfirmation = NOT_CONFIRMED,
) -> None:
    """Record whether it is complete and accurate, by somebody who did not draw it.

    `day` is what the reviewer says of one drawn after its due day (R14, R16).
    Raises NotPermitted, Refused for a rejection without a reason,
    TransitionNotAllowed when somebody was first.
    """
    stored = locked(population)
    require_population_reviewer(stored, by=by)
    if stored.state != PopulationState.SUBMITTED:
        raise TransitionNotAllowed(already_decided(stored))
    if not accept and not reason.strip():
        raise Refused({"reason": "Say why, and what to change."})
    to = PopulationState.ACCEPTED if accept else PopulationState.REJECTED
    _record_review(stored, to, reason, by, day if accept else NOT_CONFIRMED)


@transaction.atomic
def withdraw_population(population: Population, *, reason: str, by: Actor) -> None:
    """Take a population back; it counts no longer from now on, nor do its samples."""
    stored = locked(population)
    require_population_withdrawer(stored, by=by)
    if stored.state not in STANDING:
        raise TransitionNotAllowed(already_decided(stored))
    if not reason.strip():
        raise Refused({"reason": "Say why it is withdrawn."})
    _record_review(stored, PopulationState.WITHDRAWN, reason, by)


def _record_review(
    stored: Population,
    decision: str,
    reason: str,
    by: Actor,
    day: DayConfirmation = NOT_CONFIRMED,
) -> None:
    review = PopulationReview(
        population=stored,
        reviewer=by,
        drawer_id=stored.drawn_by_id,
        decision=decision,
        reason=reason.strip(),
        reviewer_name=str(by),
        **day.columns(),
    )
    review.validate_constraints()
    review.save(force_insert=True)
    verb = f"population.{decision}"
    event_body = {
        "reason": review.reason,
        "sha256": stored.sha256,
        "review": review.uuid,
    }
    if review.day_confirmed:
        event_body["day_shown_by"] = review.day_shown_by
    AuditEvent.objects.append(about(stored, verb, by=by, **event_body))


def already_decided(stored: Population) -> str:
    last = stored.reviews.order_by("pk").last()
    if last is None:
        return "Nobody has reviewed this yet."
    return f"{last.reviewer_name} has already {last.decision} this."
