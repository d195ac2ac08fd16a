"""Catalogs of controls, baselines, and which layers each control governs."""

from __future__ import annotations

import hashlib
import uuid
from typing import Self

from django.db import models
from django.db.models import Q


class Origin(models.TextChoices):
    """Where a reading comes from; a local row shadows the shipped one."""

    SHIPPED = "shipped", "Shipped template"
    LOCAL = "local", "Local"


class ReferenceVersionQuerySet(models.QuerySet["ReferenceVersion"]):
    """Versions of the reference data."""

    def newest(self) -> ReferenceVersion | None:
        """The one loaded, or edited here, last."""
        return self.order_by("-loaded_at", "-pk").first()

    def for_local(self, shipped: str, text: str) -> ReferenceVersion:
        """A new version after an edit of local rows: `2026.11+local.3`."""
        made = self.filter(version__startswith=f"{shipped}+local.").count() + 1
        digest = hashlib.sha256(f"{made} {text}".encode()).hexdigest()
        return self.create(version=f"{shipped}+local.{made}", digest=digest)


class ReferenceVersion(models.Model):
    """One loaded version of the reference data (readings and services)."""

    version = models.CharField(max_length=60, unique=True)
    digest = models.CharField(max_length=64)
    loaded_at = models.DateTimeField(db_default=models.functions.Now())

    objects = ReferenceVersionQuerySet.as_manager()

    def __str__(self) -> str:
        return self.version


class Catalog(models.Model):
    """A published set of controls, such as NIST SP 800-53 rev 5."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    version = models.CharField(max_length=40)
    source = models.CharField(max_length=300, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.title} {self.version}"


class ControlQuerySet(models.QuerySet["Control"]):
    """Controls of a catalog."""

    def live(self) -> Self:
        """Controls that are not withdrawn."""
        return self.filter(withdrawn=False)


class Control(models.Model):
    """A control or control enhancement, identified as OSCAL does (`ac-2.1`)."""

    keeps_history = True

    catalog = models.ForeignKey(Catalog, models.PROTECT, related_name="controls")
    # null: a base control; set: an enhancement
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="enhancements"
    )
    ref_id = models.CharField(max_length=40)
    label = models.CharField(max_length=40)
    title = models.CharField(max_length=300)
    # one plain sentence of our own; empty where no shipped baseline selects it
    summary = models.TextField(blank=True, default="", db_default="")
    family = models.CharField(max_length=10, db_index=True)
    family_title = models.CharField(max_length=120)
    withdrawn = models.BooleanField(default=False)
    sort_order = models.PositiveIntegerField()
    statements = models.JSONField(default=list, blank=True)
    params = models.JSONField(default=list, blank=True)
    parts = models.JSONField(default=list, blank=True)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ControlQuerySet.as_manager()

    class Meta:
        ordering = ["sort_order"]
        constraints = [
            models.UniqueConstraint(
                fields=["catalog", "ref_id"], name="control_id_unique_in_catalog"
            )
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.title}"


class Baseline(models.Model):
    """A published selection of controls, such as FedRAMP MODERATE."""

    catalog = models.ForeignKey(Catalog, models.PROTECT, related_name="baselines")
    controls = models.ManyToManyField(
        Control, through="BaselineControl", related_name="baselines"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    publisher = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.title


class BaselineControl(models.Model):
    """A control selected by a baseline, with the values it sets for parameters."""

    baseline = models.ForeignKey(Baseline, models.CASCADE, related_name="selections")
    control = models.ForeignKey(Control, models.PROTECT, related_name="selections")
    parameters = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["baseline", "control"], name="baseline_selects_control_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.baseline_id}: {self.control_id}"


class ControlMapping(models.Model):
    """A link between controls of two catalogs, in OSCAL's words."""

    source = models.ForeignKey(Control, models.CASCADE, related_name="maps_to")
    target = models.ForeignKey(Control, models.CASCADE, related_name="mapped_from")
    relationship = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "target"], name="control_mapped_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.relationship} {self.target_id}"


class ControlLayerQuerySet(models.QuerySet["ControlLayer"]):
    """Readings."""

    def readings_of(self, control: Control) -> list[ControlLayer]:
        """Which layers a control and its parts govern, and why; local readings instead
        of shipped ones."""
        ordered = self.filter(control=control).order_by("statement_id", "pk")
        rows: list[ControlLayer] = list(ordered.select_related("reference_version"))
        return [row for row in rows if row.origin == Origin.LOCAL] or rows


class ControlLayer(models.Model):
    """One layer that a control (or one part of it) governs, with the reason.

    A row without a layer and with `as_base` says that an enhancement reads as its
    base control does.
    """

    control = models.ForeignKey(Control, models.CASCADE, related_name="layers")
    reference_version = models.ForeignKey(ReferenceVersion, models.PROTECT)
    statement_id = models.CharField(max_length=60, blank=True, default="")
    layer = models.CharField(max_length=40, blank=True, default="")
    reason = models.TextField()
    as_base = models.BooleanField(default=False)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.SHIPPED)

    objects = ControlLayerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["control", "statement_id", "layer", "origin"],
                name="control_layer_said_once",
            ),
            models.CheckConstraint(
                name="control_layer_or_as_base",
                condition=Q(as_base=True, layer="") | (Q(as_base=False) & ~Q(layer="")),
                violation_error_message="Name a layer, or say: reads as its base.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.control_id} governs {self.layer or 'as base'}"
