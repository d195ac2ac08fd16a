"""Evidence that may answer a request: of the controls asked about first."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from evidence.models import Evidence, EvidenceLink, EvidenceRequest, EvidenceRevision

MAX_OFFERED = 20  # at a time; the search finds the others


def answerable(
    request: EvidenceRequest, mine: QuerySet[Evidence]
) -> QuerySet[Evidence]:
    """Evidence of the controls asked about and of the team asked."""
    about = _links().filter(implementation__in=request.controls.all())
    return mine.filter(Q(Exists(about)) | Q(team=request.team_id))


def offered(
    request: EvidenceRequest,
    mine: QuerySet[Evidence],
    *,
    query: str = "",
    state: str = "",
    day: dt.date | None = None,
) -> QuerySet[Evidence]:
    """What may answer, of the controls asked about first, then the newest.

    Narrowed by a word of its title or control, the state of a link, and a day of the
    period it is about; empty means any. Each comes with `about` (whether it is of a
    control asked about), `labels` and `states` of its links, and its newest days.
    """
    links, revisions = (
        _links(),
        EvidenceRevision.objects.filter(evidence=OuterRef("pk")),
    )
    newest = revisions.order_by("-number")
    rows = answerable(request, mine).annotate(
        about=Exists(links.filter(implementation__in=request.controls.all())),
        labels=_joined("implementation__control__label"),
        states=_joined("state"),
        performed_on=Subquery(newest.values("performed_on")[:1]),
        period_from=Subquery(newest.values("period_from")[:1]),
        period_until=Subquery(newest.values("period_until")[:1]),
    )
    if query:
        labelled = links.filter(implementation__control__label__icontains=query)
        rows = rows.filter(Q(title__icontains=query) | Q(Exists(labelled)))
    if state:
        rows = rows.filter(Exists(links.filter(state=state)))
    if day:
        of_day = revisions.filter(period_from__lte=day, period_until__gt=day)
        rows = rows.filter(Exists(of_day))
    return rows.select_related("team").order_by("-about", "-pk")


def _links() -> QuerySet[EvidenceLink]:
    return EvidenceLink.objects.filter(revision__evidence=OuterRef("pk"))


def _joined(column: str) -> Subquery:
    """The different values of a column of the links, with commas."""
    values = _links().order_by().values("revision__evidence")
    return Subquery(
        values.annotate(joined=StringAgg(column, ", ", distinct=True)).values("joined")
    )
