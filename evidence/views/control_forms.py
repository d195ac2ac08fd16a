"""What a person may do on the page of one control: forms and rights."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any
from uuid import UUID

from controls.access import is_officer, may_describe
from controls.models import Actor, ControlImplementation
from controls.responsibility.exclusions import layers_absent
from evidence.forms.overrides import (
    AlternativeForm,
    DescribeForm,
    EarlierStatusForm,
    NotApplicableForm,
    OverrideForm,
)
from evidence.models import EvidenceLink, LinkState, Population, RequirementControl
from evidence.requirements.alternatives import own_requirements
from evidence.requirements.terms import terms_history
from evidence.reviews.reconfirm import ReconfirmationMark
from evidence.status.clocks import Clocks


def control_forms(
    user: Actor,
    implementation: ControlImplementation,
    clocks: Clocks,
    marked: Sequence[ReconfirmationMark],
    holding: Set[str],
) -> dict[str, Any]:
    """The forms of people who may change something; nobody changes the past.

    `marked` are the links to confirm anew that the page shows, `holding` are
    `lists_holding`.
    """
    if not clocks.now:
        return {}
    officer = is_officer(user, implementation.system)
    requirements = RequirementControl.objects.filter(implementation=implementation)
    forms_and_rights: dict[str, Any] = {
        "officer": officer,
        "terms_histories": list(terms_history(requirements.order_by("pk")).values()),
        "submittable": _submittable(implementation, user),
        "may_confirm": _may_confirm(user, marked),
        "may_review": bool(holding & {"submitted links", "populations"})
        and _waits_for(user, implementation),
    }
    if may_describe(implementation, user):
        # the same people bring what nothing asks for
        forms_and_rights["may_describe"] = forms_and_rights["may_upload"] = True
        forms_and_rights["describe_form"] = DescribeForm.about(
            implementation, today=clocks.today, names_owner=officer
        )
    if officer:
        forms_and_rights["override_form"] = OverrideForm(
            today=clocks.today, system=clocks.system
        )
        forms_and_rights["na_form"] = NotApplicableForm(
            today=clocks.today, layers=layers_absent(implementation, clocks.today)
        )
        forms_and_rights["earlier_form"] = EarlierStatusForm()
        current_requirements = own_requirements(implementation, clocks.today)
        forms_and_rights["alternative_form"] = AlternativeForm(
            today=clocks.today, requirements=current_requirements
        )
    return forms_and_rights


def _may_confirm(user: Actor, marked: Sequence[ReconfirmationMark]) -> set[UUID]:
    """Of the links to confirm anew, those that the person may confirm."""
    if not marked:
        return set()
    reviewable = EvidenceLink.objects.reviewable_by(user)
    accepted = reviewable.filter(
        pk__in=[mark.link_id for mark in marked], state=LinkState.ACCEPTED
    )
    return set(accepted.values_list("uuid", flat=True))


def _submittable(implementation: ControlImplementation, user: Actor) -> set[str]:
    """Requirements of the control, by uuid, that the person may prove."""
    requirements = RequirementControl.objects.filter(implementation=implementation)
    uuids = requirements.submittable_by(user).values_list("uuid", flat=True)
    return {str(uuid) for uuid in uuids}


def _waits_for(user: Actor, implementation: ControlImplementation) -> bool:
    """Whether something of the control waits for the person's review."""
    links = EvidenceLink.objects.awaiting_review().filter(implementation=implementation)
    populations = Population.objects.awaiting_review().filter(
        requirement__implementation=implementation
    )
    # for most controls nothing waits: who may decide is not asked then
    return any(
        rows.exists() and rows.reviewable_by(user).exists()
        for rows in (links, populations)
    )
