"""Who may bring a population, review it, draw samples and record deviations.

`may_...` answers, `require_...` raises NotPermitted; pages, the API, lists and notices
ask the same functions. The list is `Population.objects.reviewable_by`.
"""

from __future__ import annotations

from django.db.models import Q

from controls.errors import NotPermitted, Refused
from controls.models import Actor, Role, System, Team
from evidence.models import Population, RequirementControl, Sample
from evidence.models.asks import Cadence
from evidence.submissions.who_may import may_submit, require_submitter

MAX_NAMED = 5  # people named whom one may ask
NAME_A_SECOND = (
    "have an officer name a second person of the team, another officer or an auditor."
)


def team_of(requirement: RequirementControl) -> Team | None:
    """Who answers for a requirement."""
    return requirement.owner_team or requirement.implementation.owner_team


def may_submit_population(requirement: RequirementControl, *, by: Actor) -> bool:
    """Whether `by` may bring and withdraw one: the owner team, or an officer."""
    return may_submit(requirement.implementation, team_of(requirement), by=by)


def require_population_submitter(requirement: RequirementControl, *, by: Actor) -> Team:
    """The team for which `by` brings populations. Raises NotPermitted, Refused."""
    team = team_of(requirement)
    require_submitter(requirement.implementation, team, by=by)
    if team is None:
        raise Refused("This control has no owner team yet: ask an officer to name one.")
    if requirement.cadence != Cadence.PER_EVENT:
        raise Refused("Only what is asked per event has populations.")
    return team


def may_withdraw_population(population: Population, *, by: Actor) -> bool:
    """Whether `by` may take it back: the owner team or an officer. Once a sample was
    drawn, whose open and deviating events would go with it, only a reviewer who had no
    hand in it (R16, R32)."""
    if population.samples.exists():
        return may_review_population(population, by=by)
    return may_submit_population(population.requirement, by=by)


def require_population_withdrawer(population: Population, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` may take the population back."""
    if population.samples.exists():
        if not may_review_population(population, by=by):
            raise NotPermitted(
                "A sample was drawn from it, and what that shows would count no more"
                " with it: a reviewer who had no hand in this list decides on that."
            )
        return
    if not may_submit_population(population.requirement, by=by):
        raise NotPermitted(
            f"Only {population.team} or a compliance officer may withdraw this."
        )


def may_review_population(population: Population, *, by: Actor) -> bool:
    """Whether `by` reviews the system and had no hand in the population (R17, R32)."""
    rows = Population.objects.filter(pk=population.pk)
    return bool(rows.reviewable_by(by).exists())


def require_population_reviewer(population: Population, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` may review it: see `reviewable_by`."""
    if may_review_population(population, by=by):
        return
    rows = Population.objects.filter(pk=population.pk)
    if not rows.independent_of(by).exists():
        raise NotPermitted(
            "Somebody else must review this: you drew it, another"
            " one of these days, or brought the same file."
        )
    raise NotPermitted("You are not a reviewer of this system.")


def _draws_samples(population: Population, by: Actor) -> bool:
    """Whether `by` may bring a population, or is an auditor of the system."""
    if may_submit_population(population.requirement, by=by):
        return True
    audited = System.objects.held_as(by, [Role.AUDITOR])
    return bool(audited.filter(pk=population.system_id).exists())


def may_draw(population: Population, *, by: Actor) -> bool:
    """Whether `by` may draw a sample: who may bring one, and the system's auditors.

    Never who brought it, another one of these days or the same file (R16).
    """
    rows = Population.objects.filter(pk=population.pk)
    return _draws_samples(population, by) and rows.independent_of(by).exists()


def require_drawer(population: Population, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` may draw a sample."""
    if may_draw(population, by=by):
        return
    refusal = brought_by(population, by=by)
    raise NotPermitted(
        refusal or f"Only {population.team}, an officer or an auditor draws samples."
    )


def brought_by(population: Population, *, by: Actor) -> str:
    """Why somebody who draws samples does not draw one here, and whom to ask.

    Empty for people who may, and for those who draw none at all.
    """
    if not _draws_samples(population, by) or may_draw(population, by=by):
        return ""
    others = drawers_of(population)
    ask = ", ".join(others[:MAX_NAMED])
    whom = f"Ask {ask}." if others else f"Nobody else may yet: {NAME_A_SECOND}"
    return f"Somebody who had no hand in this list draws the sample. {whom}"


def drawers_of(population: Population) -> list[str]:
    """Names of the people who may draw a sample of it, in order. Three statements."""
    roles = population.system.memberships.active()
    of_team = Q(role=Role.CONTRIBUTOR, team=team_of(population.requirement))
    may = roles.filter(of_team | Q(role__in=[Role.OFFICER, Role.AUDITOR]))
    rows = Population.objects.filter(pk=population.pk)
    authors = rows.authors_of().get(population.pk, set())
    people = may.exclude(user__in=authors).select_related("user")
    return sorted({str(membership.user) for membership in people})


def may_record_deviation(sample: Sample, *, by: Actor) -> bool:
    """Whether `by` may record a deviation: the owner team, officers and reviewers."""
    if may_submit_population(sample.population.requirement, by=by):
        return True
    reviewed = System.objects.held_as(by, [Role.REVIEWER])
    return bool(reviewed.filter(pk=sample.system_id).exists())


def require_deviation_recorder(sample: Sample, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` may record a deviation."""
    if not may_record_deviation(sample, by=by):
        raise NotPermitted("Only the owner team, officers and reviewers record this.")
