"""Confirming anew, of many acceptances at once, that they prove the duties of now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from controls.errors import NotPermitted
from controls.models import Actor, Role, System
from controls.service_names import display_names
from evidence.bulk_acts.act import (
    MAX_AT_ONCE,
    MAX_ONE_BY_ONE,
    ActRow,
    Outcome,
    Values,
)
from evidence.models import EvidenceLink
from evidence.reviews.reconfirm import ReconfirmationMark, marks, reconfirm
from evidence.status.gather import Moment

OTHER_DUTIES, CONFIRMED = "Accepted under other duties", "Confirmed for those of now"
NOT_CHANGED = "Its duties have not changed since its review."
NOT_INDEPENDENT = (
    "You submitted or collected it, a revision of it, or the same file: somebody else"
    " confirms it."
)


class Reconfirmations:
    """Keys are of accepted links. Values: `reason`, the same for all of them."""

    name = "re-confirm"
    max_rows = MAX_ONE_BY_ONE
    at_once = MAX_AT_ONCE

    def require_right(self, system: System, *, by: Actor) -> None:
        """Reviewers and officers of the system."""
        held = System.objects.held_as(by, [Role.REVIEWER, Role.OFFICER])
        if not held.filter(pk=system.pk).exists():
            raise NotPermitted("You are not a reviewer of this system.")

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
        """Each link with what changed since its review, in catalog order."""
        self.require_right(system, by=by)
        chosen = EvidenceLink.objects.filter(system=system, pk__in=keys)
        if lock:
            list(chosen.order_by("pk").select_for_update(of=("self",)))
        links = list(
            chosen.for_listing().order_by("implementation__control__sort_order", "pk")
        )
        controls = {link.implementation_id for link in links}
        standing = {
            mark.link_id: mark for mark in marks(sorted(controls), Moment(today))
        }
        independent = set(chosen.reviewable_by(by).values_list("pk", flat=True))
        names = display_names()
        return [
            _row(link, standing.get(link.pk), link.pk in independent, names)
            for link in links
        ]

    def carry_out(
        self,
        system: System,
        keys: Sequence[int],
        values: Values,
        *,
        by: Actor,
        today: dt.date,
    ) -> None:
        """A review and an event for each, in the order of their keys."""
        chosen = EvidenceLink.objects.filter(system=system, pk__in=keys)
        for link in chosen.order_by("pk"):
            reconfirm(link, by=by, reason=values["reason"])


def _row(
    link: EvidenceLink,
    mark: ReconfirmationMark | None,
    independent: bool,
    names: Mapping[str, str],
) -> ActRow:
    """What would become of one link, given the mark it bears, if any."""
    outcome: Outcome
    if mark is None:
        outcome, before, after, follows = "refused", CONFIRMED, CONFIRMED, NOT_CHANGED
    elif not independent:
        outcome, before, after = "refused", OTHER_DUTIES, OTHER_DUTIES
        follows = NOT_INDEPENDENT
    else:
        outcome, before, after = "change", OTHER_DUTIES, CONFIRMED
        changes = mark.words_with(names)
        follows = f"Your review says that it proves these duties too: {changes}."
    return ActRow(
        key=link.pk,
        control=link.implementation.control,
        outcome=outcome,
        before=before,
        after=after,
        follows=follows,
        title=link.revision.evidence.title,
    )
