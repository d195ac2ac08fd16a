"""The rows of a submission: evidence, revision with files, links with their days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from controls.history.clock import knowledge_now
from controls.models import Actor, ControlImplementation, System, Team
from evidence.models import (
    Evidence,
    EvidenceFile,
    EvidenceLink,
    EvidenceRevision,
    LinkState,
    RequirementControl,
    RequirementTerms,
    SampleItem,
)
from evidence.status.cadence import cadence_by_day, period_holding, proof_end_under
from evidence.submissions.submission import (
    Submission,
    addresses_of,
    refuse_source_unnamed,
)
from evidence.submissions.uploads import Upload, blobs_of, refuse_twice

ONE_DAY = dt.timedelta(days=1)


def make_evidence(
    submission: Submission, system: System, team: Team, by: Actor
) -> Evidence:
    """Save evidence without a revision yet. Raises Refused by field."""
    refuse_source_unnamed(submission)
    return Evidence.objects.create(
        system=system,
        team=team,
        created_by=by,
        title=submission.title,
        source_system=submission.source_system,
        procedure=submission.procedure,
        completeness=submission.completeness.strip(),
        sensitivity=submission.sensitivity,
    )


def make_revision(
    submission: Submission,
    evidence: Evidence,
    uploads: Sequence[Upload],
    by: Actor,
    **about_revision: Any,
) -> EvidenceRevision:
    """Save files and dates of bytes that are in the store.

    `about_revision` are number, kind and reason of a further one. Whoever calls it has
    the files counted to the team's day in the same transaction.
    """
    instant = knowledge_now()
    refuse_twice(uploads)
    digests = [upload.stored.sha256 for upload in uploads]
    days = (
        submission.performed_on,
        submission.period_start,
        submission.period_end + ONE_DAY,
    )
    revision = EvidenceRevision(
        evidence=evidence,
        uploaded_by=by,
        uploaded_at=instant,
        performed_on=days[0],
        period_from=days[1],
        period_until=days[2],
        collected_on=submission.collected_on,
        collected_by=submission.collected_by,
        addresses=list(addresses_of(submission.addresses)),
        digest=EvidenceRevision.digest_of(digests, *days),
        **about_revision,
    )
    revision.save(force_insert=True)
    blobs = blobs_of(uploads, evidence.system)
    EvidenceFile.objects.bulk_create(
        EvidenceFile(
            revision=revision,
            blob=blobs[upload.stored.sha256],
            name=upload.name,
            position=n,
            flags=list(upload.checked.flags),
        )
        for n, upload in enumerate(uploads, start=1)
    )
    return revision


def period_performed(
    revision: EvidenceRevision, requirement: RequirementControl | None
) -> tuple[dt.date | None, dt.date | None]:
    """First and last day of the calendar period that a revision performs, by the terms
    in force then; None where those have no calendar periods."""
    if requirement is None:
        return None, None
    terms = RequirementTerms.objects.filter(ask=requirement.ask_id)
    held = terms.values_list("days", "cadence")
    cadence_on = cadence_by_day((days.lower, cadence) for days, cadence in held)
    # Nothing performs a period before it begins, however long it claims to be.
    day = min(revision.period_last, revision.performed_on)
    return period_holding(day, cadence_on) or (None, None)


def make_link(
    revision: EvidenceRevision,
    target: ControlImplementation,
    requirement: RequirementControl | None,
    by: Actor,
    *,
    item: SampleItem | None = None,
    draft: bool = False,
) -> EvidenceLink:
    """Save an unreviewed link of a revision, with the days it will prove."""
    occurrence, occurrence_ends = period_performed(revision, requirement)
    ends: dt.date | None = revision.performed_on
    if requirement:
        # As of today; the proof table has an end for each of the terms.
        ends = proof_end_under(
            requirement.cadence,
            requirement.grace_days,
            None,
            occurrence_ends or revision.performed_on,
            revision.performed_on,
        )
    link = EvidenceLink(
        system=target.system,
        revision=revision,
        implementation=target,
        requirement=requirement,
        sample_item=item,
        submitted_by=by,
        submitted_at=None if draft else revision.uploaded_at,
        state=LinkState.DRAFT if draft else LinkState.SUBMITTED,
        occurrence=occurrence,
        occurrence_ends=occurrence_ends,
        proves_from=revision.performed_on,
        proves_to=ends,
    )
    link.save(force_insert=True)
    return link
