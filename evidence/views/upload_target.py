"""What an upload is for: found by its address, as far as the person may see it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property

from controls import clock
from controls.models import ControlImplementation, System, Team
from controls.models.held_roles import RolesRead
from evidence.models import (
    EvidenceRequest,
    RequirementControl,
    SampleItem,
)
from evidence.planning.asks import Ask, ask, with_newest_links
from evidence.planning.open_periods import open_periods_of
from srm_project.requests import SignedInRequest


@dataclass
class Target:
    """What an upload is for: a requirement, or (supplementary) a control alone.

    `item` is the sampled event that it shows, where the requirement is per event.
    `roles` are those that the person held at the door, as `roles_read_once` has them.
    """

    implementation: ControlImplementation
    requirement: RequirementControl | None = None
    answers: EvidenceRequest | None = None
    item: SampleItem | None = None
    roles: RolesRead = field(default_factory=dict)

    @cached_property
    def standing(self) -> RequirementControl | None:
        """The requirement with its newest links, asked for when a page shows them."""
        if self.requirement is None:
            return None
        requirements = RequirementControl.objects.for_listing()
        today = self.system.day_of(clock.now())
        mine = requirements.filter(pk=self.requirement.pk)
        (row,) = with_newest_links(mine, today)
        return row

    @cached_property
    def _asks(self) -> dict[dt.date, Ask]:
        return {}

    def asked_on(self, today: dt.date) -> Ask | None:
        """Where the requirement stands on a day, with its open periods."""
        if self.standing is None:
            return None
        if today not in self._asks:
            opened = open_periods_of([self.standing], today)
            self._asks[today] = ask(self.standing, today, opened[self.standing.pk])
        return self._asks[today]

    @property
    def called(self) -> str:
        """What its evidence is called, before the name of a period."""
        if self.item is not None and self.requirement is not None:
            return f"{self.requirement.title}: {self.item.item.key}"
        if self.requirement is not None:
            return self.requirement.title
        if self.answers is not None:
            return self.answers.title
        return f"Supplementary evidence for {self.implementation.control.label}"

    @property
    def cadence(self) -> str:
        """How often it is asked; empty where nothing asks for it."""
        return self.requirement.cadence if self.requirement is not None else ""

    @property
    def system(self) -> System:
        """The system it belongs to."""
        return self.implementation.system

    @property
    def is_expected_of_us(self) -> bool:
        """Whether a provider's report makes the half ours, whatever its class (R26)."""
        return bool(self.requirement and self.requirement.is_expected_of_us())

    @property
    def team(self) -> Team | None:
        """Who proves it."""
        if self.requirement is not None and self.requirement.owner_team is not None:
            return self.requirement.owner_team
        return self.implementation.owner_team


def request_answered(request: SignedInRequest, slug: str) -> EvidenceRequest | None:
    """The request for evidence that `?request=` names, which the upload answers."""
    named = request.GET.get("request", "")
    if not named:
        return None
    visible = EvidenceRequest.objects.visible_to(request.user).for_listing()
    return get_object_or_404(visible, uuid=uuid_or_404(named), system__slug=slug)


def item_shown(
    request: SignedInRequest, requirement: RequirementControl
) -> SampleItem | None:
    """The sampled event named by `?item=`; 404 for one of another requirement."""
    named = request.GET.get("item", "")
    if not named:
        return None
    visible = SampleItem.objects.visible_to(request.user).for_upload()
    visible = visible.filter(sample__population__requirement=requirement)
    return get_object_or_404(visible, uuid=uuid_or_404(named))


def uuid_or_404(text: str) -> UUID:
    """The text as a uuid; what is none names nothing."""
    try:
        return UUID(text)
    except ValueError:
        raise Http404("The address names nothing that exists.") from None
