"""Where on the control page, or elsewhere, a reason's next step is taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django import template
from django.urls import reverse

from evidence.status.reasons import Reason

register = template.Library()
# What is no fact of a half: the section of the page that settles it.
SECTIONS = {
    "implementation_partial": "#said",
    "not_stated": "#said",
    "override_expired": "#why",
    "unclassified": "#why",
    "na_requested": "#applies",
    "na_basis_changed": "#applies",
    "na_review_due": "#applies",
    "proposed_not_applicable": "#applies",
    "aws_only": "#our-half",
    "nothing_asked": "#our-half",
    "open_finding": "#findings",
    "poam_overdue": "#findings",
    "contradicted": "#findings",
}
PERFORMED = {"never_performed", "not_yet_due", "overdue", "expiring", "newer_rejected"}
WAITING = {"submitted_unreviewed", "sample_waiting", "population_unreviewed"}
AWS = {
    "customer_only",
    "no_artifact",
    "supporting_only",
    "reliance_pending",
    "not_relied_on",
    "newer_version_unreviewed",
    "service_out_of_scope",
    "region_out_of_scope",
    "impact_below_baseline",
    "other_partition",
    "report_lapsed",
    "revoked",
    "exception_unanswered",
    "subservice_undecided",
    "letter_beyond_issue",
    "letter_pending",
    "citation_pending",
    "report_withdrawn",
    "site_out_of_scope",
    "site_unknown",
}


@register.simple_tag
def leads_to(
    reason: Reason,
    system: Any,
    requirements: Iterable[Any],
    submittable: Collection[str] = (),
    may_review: bool = False,
) -> str:
    """The address of a reason's next step: upload, queue, reports or a section.

    Who may not take the step (`submittable` are uuids of requirements that one may
    prove, `may_review` says that something waits for one's review) is led to what is
    asked. Empty where nothing is to be done. A requirement is found by the title that
    the reason's subject begins with, the longest first.
    """
    if reason.next_step == "Nothing to do.":
        return ""
    if reason.code in WAITING and may_review:
        return reverse("evidence:queue")
    if reason.code == "region_unknown":
        return reverse("evidence:components", args=[system.slug])
    if reason.code in AWS:
        return reverse("evidence:artifacts")
    requirement = _requirement_of(reason, requirements)
    if requirement is None:
        return SECTIONS.get(reason.code, "#our-half")
    if reason.code in PERFORMED and requirement.uuid in (submittable or ()):
        return reverse("evidence:upload", args=[system.slug, requirement.uuid])
    return f"#asked-{requirement.uuid}"


@register.simple_tag
def first_step(
    reasons: Sequence[Reason],
    system: Any,
    requirements: Sequence[Any],
    submittable: Collection[str] = (),
    may_review: bool = False,
) -> tuple[Reason, str] | None:
    """The reason whose step is taken first, and its address; None for no such.

    One that leads to a page where something is done goes before one that leads to a
    section of this page.
    """
    ways = [
        (reason, leads_to(reason, system, requirements, submittable, may_review))
        for reason in reasons
    ]
    ways = [(reason, way) for reason, way in ways if way]
    return min(ways, key=lambda step: step[1].startswith("#"), default=None)


def _requirement_of(reason: Reason, requirements: Iterable[Any]) -> Any:
    named = [
        requirement.facts
        for requirement in requirements or ()
        if reason.subject.startswith(requirement.facts.title)
    ]
    return max(named, key=lambda facts: len(facts.title), default=None)
