"""What waits for a second officer, as sources of notices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse

from controls.models import (
    AlternativeImplementation,
    ApplicabilityDecision,
    EndRequest,
    ResponsibilityOverride,
    RetrospectiveChange,
)
from controls.models.requests import ApprovalState
from evidence.models import ClosingState, WindowClosing
from evidence.models.notices import NoticeKind
from evidence.notices.candidates import NoticeCandidate
from evidence.notices.people import People


def to_approve(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Other classes, exclusions, alternatives and their ends: the other officers."""
    related = ("implementation__control", "implementation__system", "requested_by")
    overrides = ResponsibilityOverride.objects.filter(state=ApprovalState.REQUESTED)
    excluded = ApplicabilityDecision.objects.filter(state=ApprovalState.REQUESTED)
    otherwise = AlternativeImplementation.objects.filter(state=ApprovalState.REQUESTED)
    ends = EndRequest.objects.filter(state=ApprovalState.REQUESTED)
    sources = (
        (overrides, "the class of {} is another"),
        (excluded, "{} is not applicable"),
        (otherwise, "{} is met in another way"),
        (ends.filter(override__isnull=False), "the override of {} ends"),
        (ends.filter(exclusion__isnull=False), "{} applies again"),
        (ends.filter(alternative__isnull=False), "{} is met as it says again"),
    )
    for rows, words in sources:
        for row in rows.select_related(*related):
            about = row.implementation
            path = [about.system.slug, about.control.ref_id]
            yield NoticeCandidate(
                NoticeKind.TO_APPROVE,
                f"to-approve:{row.uuid}",
                frozenset(people.officers(about.system_id, but=[row.requested_by_id])),
                about.system_id,
                reverse("evidence:control", args=path),
                {
                    "what": words.format(about.control.label),
                    "who": str(row.requested_by),
                },
            )


def changes_back(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Changes in retrospect: the other officers."""
    for row in RetrospectiveChange.objects.waiting().for_listing():
        yield NoticeCandidate(
            NoticeKind.TO_APPROVE,
            f"to-approve:{row.uuid}",
            frozenset(people.officers(row.system_id, but=[row.requested_by_id])),
            row.system_id,
            reverse("evidence:retrospective", args=[row.uuid]),
            {
                "what": f"a change of what held from {row.first_day} on",
                "who": str(row.requested_by),
            },
        )


def closings(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Windows that officers ask to close: the auditors of the engagement."""
    rows = WindowClosing.objects.filter(state=ClosingState.REQUESTED)
    for row in rows.for_listing():
        yield NoticeCandidate(
            NoticeKind.TO_APPROVE,
            f"to-approve:{row.uuid}",
            frozenset(people.auditors(row.engagement_id)),
            row.system_id,
            reverse("evidence:closing", args=[row.engagement.uuid]),
            {
                "what": f"that the window of {row.engagement} is closed",
                "who": str(row.requested_by),
            },
        )
