"""Lists of events that were read from spilled bytes are taken back with them."""

from __future__ import annotations

from controls.models import Actor
from controls.models.audit import Event, about
from evidence.models import Population, PopulationReview, RequirementControl
from evidence.models.populations import PopulationState
from evidence.models.removals import SpillRemoval


def withdraw_populations(removal: SpillRemoval, *, by: Actor) -> list[Event]:
    """Withdraw the populations of the removal's system that were read from its bytes.

    Returns the events. Their rows stay on record; they no longer count, nor do their
    samples. Call it in a transaction, before links are locked.
    """
    rows = Population.objects.filter(system=removal.system_id, blob=removal.blob)
    needs = RequirementControl.objects.filter(populations__in=rows).order_by("pk")
    list(needs.select_for_update(of=("self",)))
    standing = list(rows.standing().order_by("pk"))
    reason = f"Spill removed: {removal.reason}"
    reviews = [
        PopulationReview(
            population=population,
            reviewer=by,
            drawer_id=population.drawn_by_id,
            decision=PopulationState.WITHDRAWN,
            reason=reason,
            reviewer_name=str(by),
        )
        for population in standing
    ]
    PopulationReview.objects.bulk_create(reviews)
    return [
        about(
            review.population,
            "population.withdrawn",
            by=by,
            reason=reason,
            sha256=review.population.sha256,
            review=review.uuid,
        )
        for review in reviews
    ]
