"""Reliance reviews: one system's reading of one report, by a second person."""

from __future__ import annotations

import re

from django.db import transaction

from controls.errors import NotPermitted, Refused
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent, Role, System
from controls.models.audit import about
from evidence.models import ArtifactVersion, RelianceReview
from evidence.models.reliance import RelianceConclusion

# An auditor's opinion that denies, or refuses to say, that the report is fair.
AGAINST = re.compile(r"\b(adverse|disclaim\w*)\b", re.IGNORECASE)


def require_reliance_reviewer(
    system: System, version: ArtifactVersion, *, by: Actor
) -> None:
    """Raise NotPermitted unless `by` reviews for the system and did not register it."""
    if version.registered_by_id == by.pk:
        raise NotPermitted(
            "You registered this report; somebody else must review whether to rely"
            " on it."
        )
    held = System.objects.held_as(by, [Role.REVIEWER, Role.OFFICER])
    if not held.filter(pk=system.pk).exists():
        raise NotPermitted("You are not a reviewer of this system.")


@transaction.atomic
def record_reliance(
    version: ArtifactVersion,
    system: System,
    *,
    conclusion: str,
    scope_note: str,
    period_note: str,
    exceptions_note: str = "",
    cuec_note: str = "",
    by: Actor,
) -> RelianceReview:
    """Record whether a system relies on a report, and what was read to say so (R24).

    Refuses the person who registered it, and a review without a word about scope and
    period. A later review replaces an earlier one; both stay on record.
    """
    stored = ArtifactVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    require_reliance_reviewer(system, stored, by=by)
    _refuse_unread(scope_note, period_note)
    _refuse_against_opinion(stored.opinion, conclusion)
    review = RelianceReview(
        artifact_version=stored,
        system=system,
        reviewer=by,
        registered_by_id=stored.registered_by_id,
        conclusion=conclusion,
        scope_note=scope_note.strip(),
        period_note=period_note.strip(),
        exceptions_note=exceptions_note.strip(),
        cuec_note=cuec_note.strip(),
        reviewed_on=system.day_of(knowledge_now()),
        reviewer_name=str(by),
    )
    review.full_clean()
    review.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            review,
            "reliance.recorded",
            by=by,
            conclusion=conclusion,
            report=str(stored.uuid),
        )
    )
    return review


def _refuse_against_opinion(opinion: str, conclusion: str) -> None:
    """An auditor who denies or withholds an opinion is not relied on as it stands."""
    if conclusion == RelianceConclusion.RELY and AGAINST.search(opinion):
        sentence = (
            f"The auditor's opinion is “{opinion}”: it cannot be relied on as it is."
        )
        raise Refused({"conclusion": sentence})


def _refuse_unread(scope_note: str, period_note: str) -> None:
    missing = {}
    if not scope_note.strip():
        missing["scope_note"] = (
            "Say which of your services and regions are in its scope."
        )
    if not period_note.strip():
        missing["period_note"] = "Say how its period lies against your audit window."
    if missing:
        raise Refused(missing)
