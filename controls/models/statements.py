"""What the provider itself says of its part, imported from its own document."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from controls.models.decisions import Responsibility
from controls.models.people import Actor

STATED_CLASSES = ("inherited", "shared", "customer")


class DocumentState(models.TextChoices):
    """Whether a document speaks."""

    WAITING = "waiting", "Waits for a second officer"
    CURRENT = "current", "Current"
    ENDED = "ended", "Ended"
    REFUSED = "refused", "Not adopted"


SPEAKING = (DocumentState.CURRENT, DocumentState.ENDED)  # on the days that it rules


class ProviderDocumentQuerySet(models.QuerySet["ProviderDocument"]):
    """Documents of providers, per system."""

    def visible_to(self, user: Actor) -> Self:
        """Documents of the systems the user may read."""
        from controls.models.systems import System

        return self.filter(system__in=System.objects.visible_to(user))

    def current(self) -> Self:
        """Those that two officers adopted and nobody has ended."""
        return self.filter(state=DocumentState.CURRENT)

    def waiting(self) -> Self:
        """Those that a second officer has not decided on."""
        return self.filter(state=DocumentState.WAITING)

    def titled(self, title: str) -> Self:
        """Of this title, in any mix of capitals."""
        return self.filter(title__iexact=title.strip())

    def for_listing(self) -> Self:
        """With what a row shows: counts of statements and of differences."""
        differs = ~Q(statements__responsibility=F("statements__template_class"))
        return (
            self.select_related(
                "system",
                "imported_by",
                "change__decided_by",
                "ending__decided_by",
            )
            .annotate(
                said=models.Count("statements"),
                differing=models.Count("statements", filter=differs),
            )
            .order_by("-starts_on", "-pk")
        )

    def with_statements(self) -> Self:
        """With everything they say, in catalog order."""
        statements = ProviderStatement.objects.for_listing()
        return self.prefetch_related(models.Prefetch("statements", statements))


class ProviderDocument(models.Model):
    """A provider's responsibility document as imported for one system.

    It rules from `starts_on` to before `ended_on`, once a second officer has approved.
    Life cycle: waiting -> current -> ended; waiting -> refused, where the second
    officer refuses or nobody decides in time. `srm_provider_document_adopted_by_two`
    and `srm_provider_document_ended_by_two` hold the second person.
    """

    keeps_history = True

    system = models.ForeignKey(
        "controls.System", models.PROTECT, related_name="provider_documents"
    )
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+"
    )
    # null: adopted by one officer, before two were needed
    change = models.ForeignKey(
        "controls.RetrospectiveChange",
        models.PROTECT,
        null=True,
        related_name="adopted_documents",
        editable=False,
    )
    # null: it still speaks, or one officer ended it before two were needed
    ending = models.ForeignKey(
        "controls.RetrospectiveChange",
        models.PROTECT,
        null=True,
        related_name="ended_documents",
        editable=False,
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=200)
    reference = models.CharField(
        "version or reference",
        max_length=120,
        help_text="As the document names itself: version, number, date of issue.",
    )
    starts_on = models.DateField("document date")
    file_name = models.CharField(max_length=200, editable=False)
    sha256 = models.CharField("sha256 of the file", max_length=64, editable=False)
    state = models.CharField(
        max_length=8,
        choices=DocumentState,
        default=DocumentState.WAITING,
        editable=False,
    )
    # null: it still speaks; set: from this day it counts no more
    ended_on = models.DateField(null=True, blank=True, editable=False)
    # sentences: lines, controls, sheets and columns that were not adopted
    left_out = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        blank=True,
        editable=False,
    )
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ProviderDocumentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "system",
                Lower("title"),
                condition=Q(state="current"),
                name="provider_document_current_once",
                violation_error_message=(
                    "A document of this title is current in this system: end it first."
                ),
            ),
            models.CheckConstraint(
                name="provider_document_ended_on_a_day",
                condition=(~Q(state="ended") & Q(ended_on=None))
                | Q(state="ended", ended_on__isnull=False),
                violation_error_message="A document ends on a day.",
            ),
            models.CheckConstraint(
                name="provider_document_ends_after_it_starts",
                condition=Q(ended_on=None) | Q(ended_on__gte=F("starts_on")),
                violation_error_message="A document cannot end before it starts.",
            ),
            models.CheckConstraint(
                name="provider_document_digest_is_sha256",
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.reference}"

    def speaks_on(self, day: dt.date) -> bool:
        """Whether the document rules on a day."""
        going_on = self.ended_on is None or day < self.ended_on
        return self.state in SPEAKING and self.starts_on <= day and going_on


class ProviderStatementQuerySet(models.QuerySet["ProviderStatement"]):
    """What documents say of controls."""

    def visible_to(self, user: Actor) -> Self:
        """Statements of the systems the user may read."""
        seen = ProviderDocument.objects.visible_to(user)
        return self.filter(document__in=seen)

    def adopted(self) -> Self:
        """Those of documents that two officers adopted, on whatever days they rule."""
        return self.filter(document__state__in=SPEAKING)

    def in_force(self, day: dt.date) -> Self:
        """Those of documents that speak on a day."""
        going_on = Q(document__ended_on=None) | Q(document__ended_on__gt=day)
        return self.adopted().filter(going_on, document__starts_on__lte=day)

    def differing(self) -> Self:
        """Where the template said another class at the import."""
        return self.exclude(responsibility=F("template_class"))

    def for_listing(self) -> Self:
        """In catalog order, with control and document."""
        return self.select_related("document", "implementation__control").order_by(
            "implementation__control__sort_order", "pk"
        )


class ProviderStatement(models.Model):
    """The provider's class and wording for one control, append-only.

    `template_class` is what the services in use said on the day of the import: the
    differences stay readable whatever the template says later.
    """

    append_only = True

    document = models.ForeignKey(
        ProviderDocument, models.PROTECT, related_name="statements"
    )
    implementation = models.ForeignKey(
        "controls.ControlImplementation",
        models.PROTECT,
        related_name="provider_statements",
    )
    responsibility = models.CharField(max_length=12, choices=Responsibility)
    template_class = models.CharField(max_length=12, choices=Responsibility)
    text = models.TextField(blank=True, default="")

    objects = ProviderStatementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document", "implementation"],
                name="provider_document_says_once",
                violation_error_message="The document speaks of a control once.",
            ),
            models.CheckConstraint(
                name="provider_statement_class_known",
                condition=Q(responsibility__in=STATED_CLASSES),
                violation_error_message="Choose inherited, shared or customer.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.implementation_id}: {self.responsibility}"

    @property
    def differs(self) -> bool:
        """Whether the template said another class when this was imported."""
        return self.responsibility != self.template_class
