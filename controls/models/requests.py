"""Where requests stand that a second officer decides, and who may read them."""

from __future__ import annotations

from typing import Any, Self

from django.db import models

from controls.models.people import Actor


class ApprovalState(models.TextChoices):
    """Where a request that needs a second person stands."""

    REQUESTED = "requested", "Requested"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    LAPSED = "lapsed", "Lapsed: nobody decided in time"
    WITHDRAWN = "withdrawn", "Taken back by who asked for it"


class ExclusionState(models.TextChoices):
    """Where a request to leave a control out stands."""

    REQUESTED = "requested", "Requested"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    LAPSED = "lapsed", "Lapsed: nobody decided in time"
    WITHDRAWN = "withdrawn", "Taken back by who asked for it"
    ENDED = "ended", "Ended: it applies again"


class RequestQuerySet(models.QuerySet[Any]):
    """Requests about a control that need a second officer."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the systems the user may read."""
        from controls.models.systems import System

        return self.filter(implementation__system__in=System.objects.visible_to(user))

    def to_decide(self, user: Actor) -> Self:
        """What waits for the user as the second officer, oldest first.

        `controls.approvals.refuse_decided` lets the same people decide.
        """
        from controls.models.systems import System

        officered = System.objects.officered_by(user)
        waiting = self.filter(
            state=ApprovalState.REQUESTED, implementation__system__in=officered
        )
        return waiting.exclude(requested_by=user).for_listing().order_by("pk")

    def for_listing(self) -> Self:
        """With all that a row shows."""
        return self.select_related(
            "implementation__system",
            "implementation__control",
            "requested_by",
            "decided_by",
        )

    def matching(self, *, system: str = "", state: str = "") -> Self:
        """Of one system, in one state; empty means any."""
        filters = {"implementation__system__slug": system, "state": state}
        return self.filter(**{name: text for name, text in filters.items() if text})
