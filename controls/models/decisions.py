"""Who answers for a control from which day on, as recorded and never rewritten."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Q

from controls.models.catalog import ReferenceVersion
from controls.models.people import Actor
from controls.models.requests import ApprovalState, RequestQuerySet

USER = settings.AUTH_USER_MODEL


class Responsibility(models.TextChoices):
    """The class of a control."""

    INHERITED = "inherited", "Inherited"
    SHARED = "shared", "Shared"
    CUSTOMER = "customer", "Customer"
    NONE = "none", "No such layer"
    UNCLASSIFIED = "unclassified", "Unclassified"


class DecisionSource(models.TextChoices):
    """What a decision rests on, weakest first."""

    DERIVED = "derived", "Derived from the template"
    PROVIDER_DOCUMENT = "provider-document", "Provider's document"
    OVERRIDE = "override", "Override"
    OVERRIDE_EXPIRED = "override-expired", "Override expired"


class BasisQuerySet(models.QuerySet["Basis"]):
    """Reasons, each stored once."""

    def keep(self, bodies: Iterable[Any]) -> dict[str, str]:
        """Store what is new; returns the text of each body -> its digest."""
        texts = {Basis.text_of(body) for body in bodies}
        digests = {text: Basis.digest_of(text) for text in texts}
        of_bodies = Basis.objects.filter(digest__in=digests.values())
        there = set(of_bodies.values_list("digest", flat=True))
        Basis.objects.bulk_create(
            [
                Basis(digest=digest, body=json.loads(text))
                for text, digest in sorted(digests.items())
                if digest not in there
            ],
            ignore_conflicts=True,
        )
        return digests


class Basis(models.Model):
    """Why a class holds: rows of layer, component, party. Kept once by digest."""

    append_only = True

    digest = models.CharField(max_length=64, primary_key=True)
    body = models.JSONField()

    objects = BasisQuerySet.as_manager()

    def __str__(self) -> str:
        return self.digest[:12]

    @staticmethod
    def text_of(body: Any) -> str:
        """The canonical text of a basis."""
        return json.dumps(body, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def digest_of(text: str) -> str:
        """sha256 of the canonical text, in hex."""
        return hashlib.sha256(text.encode()).hexdigest()


class ResponsibilityDecisionQuerySet(models.QuerySet["ResponsibilityDecision"]):
    """The record of classes."""

    def visible_to(self, user: Actor) -> Self:
        """Decisions of the systems the user may read."""
        from controls.models.systems import System

        return self.filter(implementation__system__in=System.objects.visible_to(user))

    def newest_first(self) -> Self:
        """As the history on the control page shows them."""
        return self.select_related(
            "basis", "reference_version", "decided_by", "approved_by"
        ).order_by("-known_from", "-pk")


class ResponsibilityDecision(models.Model):
    """The class of a control on the days of `effective`, append-only.

    On a day D as known at K the decision is the one recorded last before K among
    those whose `effective` range (`[)`, unbounded allowed) contains D.
    """

    append_only = True

    implementation = models.ForeignKey(
        "controls.ControlImplementation", models.PROTECT, related_name="decisions"
    )
    basis = models.ForeignKey(Basis, models.PROTECT, related_name="+")
    reference_version = models.ForeignKey(
        ReferenceVersion, models.PROTECT, related_name="+"
    )
    # null: recorded by the program, such as an import of reference data
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    # null: only overrides need an approver
    approved_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    # null: not from an override
    override = models.ForeignKey(
        "controls.ResponsibilityOverride",
        models.PROTECT,
        null=True,
        related_name="decisions",
    )
    # null: no provider's document has a part in it
    statement = models.ForeignKey(
        "controls.ProviderStatement",
        models.PROTECT,
        null=True,
        related_name="decisions",
    )
    # null: written for days from that of the act on
    change = models.ForeignKey(
        "controls.RetrospectiveChange",
        models.PROTECT,
        null=True,
        related_name="decisions",
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    responsibility = models.CharField(max_length=12, choices=Responsibility)
    source = models.CharField(
        max_length=20, choices=DecisionSource, default=DecisionSource.DERIVED
    )
    effective = DateRangeField()
    reason = models.TextField(blank=True, default="")
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ResponsibilityDecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="decision_class_known",
                condition=Q(responsibility__in=Responsibility.values),
            ),
            models.CheckConstraint(
                name="decision_override_approved_by_another",
                condition=~Q(source="override")
                | (Q(approved_by__isnull=False) & ~Q(approved_by=F("decided_by"))),
                violation_error_message=(
                    "An override is approved by somebody other than the requester."
                ),
            ),
            models.CheckConstraint(
                name="decision_of_a_document_names_the_statement",
                condition=~Q(source="provider-document") | Q(statement__isnull=False),
                violation_error_message="Name the provider's statement it rests on.",
            ),
        ]
        indexes = [
            models.Index(  # the one recorded last, without putting them in order
                fields=["implementation", "-known_from", "-id"],
                name="decision_recorded_last",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.implementation_id}: {self.responsibility}"


class ResponsibilityOverride(models.Model):
    """A class that an officer asks to hold instead of the derived one, until a day.

    Life cycle: requested -> approved | refused, by somebody else; requested -> lapsed
    where nobody decides in time, or withdrawn by who asked.
    """

    keeps_history = True

    implementation = models.ForeignKey(
        "controls.ControlImplementation", models.PROTECT, related_name="overrides"
    )
    requested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: until somebody decides
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    # null: asked for days from that of the request on
    change = models.ForeignKey(
        "controls.RetrospectiveChange",
        models.PROTECT,
        null=True,
        related_name="overrides",
        editable=False,
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    responsibility = models.CharField(max_length=12, choices=Responsibility)
    reason = models.TextField()
    citation = models.CharField(max_length=300, blank=True, default="")
    # `service:` and a slug, or `report:` and a series: what AWS's half is needed from
    needed_from = models.CharField(
        max_length=120, blank=True, default="", db_default=""
    )
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="Last day on which the override holds.")
    # null: nobody has settled what follows; set: from this day it counts no more
    settled_on = models.DateField(null=True, blank=True, editable=False)
    # null: asked for before requests lapsed; set: decided within so many days, or never
    requested_on = models.DateField(null=True, editable=False)
    state = models.CharField(
        max_length=10,
        choices=ApprovalState,
        default=ApprovalState.REQUESTED,
        editable=False,
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = RequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="override_ends_after_it_starts",
                condition=Q(ends_on__gte=F("starts_on")),
                violation_error_message="An override must end after it starts.",
            ),
            models.CheckConstraint(
                name="override_decided_by_another",
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                violation_error_message=(
                    "An override is decided by somebody other than the requester."
                ),
            ),
            models.CheckConstraint(
                name="override_taken_back_undecided",
                condition=~Q(state="withdrawn") | Q(decided_by=None),
            ),
            models.CheckConstraint(
                name="override_reason_given",
                condition=~Q(reason=""),
                violation_error_message="An override needs a reason.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_responsibility_display()} until {self.ends_on}"

    @property
    def needed_from_name(self) -> str:
        """The service or series that AWS's half is needed from; empty for none."""
        return self.needed_from.partition(":")[2]

    @property
    def system(self) -> Any:
        """The system, for the audit chain."""
        return self.implementation.system
