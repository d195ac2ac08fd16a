"""Deciding on many citations at once, by a person who made none of them (R24, R32)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from controls.errors import SrmError
from controls.models import Actor, System
from evidence.artifacts.citation_decisions import (
    CitationStanding,
    citation_standings,
    decide_citations,
    require_citation_reviewer,
    require_decider,
)
from evidence.artifacts.second_person import require_waiting
from evidence.bulk_acts.act import MAX_ROWS, ActRow, Outcome, Values
from evidence.models import Citation

WORDS = {
    "accepted": "Accepted",
    "rejected": "Rejected",
    "waiting": "Waits for a second person",
    "with-report": "Decided with the report",
}
DECIDED = {"accept": "Accepted", "reject": "Rejected"}


class Citations:
    """Keys are of citations. Values: `decision` and `reason`."""

    name = "citations"
    max_rows = MAX_ROWS
    at_once = MAX_ROWS

    def require_right(self, system: System, *, by: Actor) -> None:
        """Reviewers and officers of the system."""
        require_decider(system, by=by)

    def rows(
        self,
        system: System,
        keys: Collection[int],
        values: Values,
        *,
        by: Actor,
        today: dt.date,
        lock: bool = False,
    ) -> list[ActRow]:
        """Each citation with where it stands."""
        self.require_right(system, by=by)
        chosen = Citation.objects.filter(system=system, pk__in=keys)
        if lock:
            list(chosen.order_by("pk").select_for_update(of=("self",)))
        rows = []
        for standing in citation_standings(chosen):
            refusal = _refusal(standing, by)
            outcome: Outcome = "refused" if refusal else "change"
            before = WORDS[standing.state]
            after = before if refusal else DECIDED[values["decision"]]
            rows.append(
                ActRow(
                    key=standing.citation.pk,
                    control=standing.citation.control,
                    outcome=outcome,
                    before=before,
                    after=after,
                    follows=refusal or _what_follows(values),
                    title=str(standing.citation.artifact),
                )
            )
        return rows

    def carry_out(
        self,
        system: System,
        keys: Sequence[int],
        values: Values,
        *,
        by: Actor,
        today: dt.date,
    ) -> None:
        """Decide on all of them in one act, with an event for each."""
        decide_citations(
            list(Citation.objects.filter(system=system, pk__in=keys)),
            system,
            decision=values["decision"],
            reason=values["reason"],
            by=by,
        )


def _refusal(standing: CitationStanding, by: Actor) -> str:
    try:
        require_citation_reviewer(standing, by=by)
        require_waiting(standing.state, "citation")
    except SrmError as refusal:
        return " ".join(refusal.messages)
    return ""


def _what_follows(values: Values) -> str:
    if values["decision"] == "accept":
        return "The report counts for this control from now on."
    return "The report does not count for this control."
