"""What one report speaks to: a control or one of its parts, and where it does."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from controls.models import Actor, Control
from evidence.models.artifacts import Artifact, ArtifactVersion

USER = settings.AUTH_USER_MODEL
MAX_SECTION = 80  # characters; a reference in own words, never the report's text
MAX_PAGE = 20
MAX_NUMBER = 60


class CoverageOrigin(models.TextChoices):
    """How a line came to be; the last two are nobody's word until confirmed."""

    TYPED = "typed", "Typed"
    LIST = "list", "From a list"
    COPIED = "copied", "Copied from the report before"
    PROPOSED = "proposed", "Proposed for the kind of report"


class CoverageLineQuerySet(models.QuerySet["CoverageLine"]):
    """Lines of reports: whoever may read the series may read them."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the series the user may read."""
        artifacts = Artifact.objects.visible_to(user)
        return self.filter(artifact_version__artifact__in=artifacts)

    def for_listing(self) -> Self:
        """With control and persons; those to confirm first, in the catalog's order."""
        lines = self.select_related("control", "recorded_by", "confirmed_by")
        open_first = models.Case(
            models.When(confirmed_by=None, then=0),
            default=1,
            output_field=models.SmallIntegerField(),
        )
        return lines.order_by(open_first, "control__sort_order", "part", "pk")

    def confirmed(self) -> Self:
        """Those that a person stands for."""
        return self.filter(confirmed_by__isnull=False)

    def to_confirm(self) -> Self:
        """Those that nobody stands for yet."""
        return self.filter(confirmed_by=None)


class CoverageLine(models.Model):
    """A report speaks to a control, or to one of its parts, in this section.

    Alone it proves nothing: what a system uses a report for is a `Citation`, proposed
    from confirmed lines. `provider_control` is the provider's own number of its
    control; `part` is a `statement_id`, "" all of the control.
    """

    keeps_history = True

    artifact_version = models.ForeignKey(
        ArtifactVersion, models.PROTECT, related_name="coverage_lines"
    )
    control = models.ForeignKey(Control, models.PROTECT, related_name="coverage_lines")
    recorded_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: copied or proposed, and confirmed by nobody yet
    confirmed_by = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    part = models.CharField(max_length=60, blank=True, default="")
    section = models.CharField(max_length=MAX_SECTION, blank=True, default="")
    page = models.CharField(max_length=MAX_PAGE, blank=True, default="")
    provider_control = models.CharField(max_length=MAX_NUMBER, blank=True, default="")
    origin = models.CharField(max_length=10, choices=CoverageOrigin)
    confirm_reason = models.TextField(blank=True, default="")
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = CoverageLineQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["artifact_version", "control", "part"],
                name="report_speaks_to_it_once",
                violation_error_message="The report has a line for this already.",
            ),
            models.CheckConstraint(
                name="coverage_origin_known",
                condition=Q(origin__in=CoverageOrigin.values),
            ),
            models.CheckConstraint(
                name="coverage_is_some_persons_word",
                condition=Q(origin__in=["copied", "proposed"])
                | Q(confirmed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="coverage_confirmed_with_reason",
                condition=~Q(origin__in=["copied", "proposed"])
                | Q(confirmed_by=None, confirm_reason="")
                | Q(confirmed_by__isnull=False) & ~Q(confirm_reason=""),
                violation_error_message="Say why it is confirmed.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.control_id} in {self.artifact_version_id}"

    @property
    def where(self) -> str:
        """Where the report speaks to it: section, page, the provider's own number."""
        places = (("section", self.section), ("page", self.page))
        named = [f"{word} {text}" for word, text in places if text]
        return ", ".join([*named, *filter(None, [self.provider_control])])
