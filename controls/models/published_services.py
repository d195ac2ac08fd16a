"""What AWS publishes about its services, and each import of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from controls.models.services import Service


def _words() -> ArrayField:
    return ArrayField(models.CharField(max_length=200), default=list, blank=True)


class PublishedService(models.Model):
    """One service as AWS's own component definitions describe it, joined to ours.

    Facts only: names, ids and prefixes, where it is offered, which Config rules and
    Security Hub controls look at it. Who runs what of it is told by our layers alone.
    """

    service = models.ForeignKey(Service, models.PROTECT, related_name="published")
    component = models.UUIDField(unique=True, editable=False)
    aws_id = models.CharField(max_length=200, unique=True)
    title = models.CharField(max_length=200)
    names = _words()
    iam_prefixes = _words()
    prefixes = _words()
    availability = _words()
    stage = models.CharField(max_length=200, blank=True, default="")
    regions = _words()
    config_rules = _words()
    hub_controls = _words()
    file = models.CharField(max_length=100)

    class Meta:
        ordering = ["title", "aws_id"]

    def __str__(self) -> str:
        return self.title


class ServiceImport(models.Model):
    """One import of AWS's component definitions, append-only."""

    append_only = True

    # null: from the command line
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(max_length=300)
    files = models.PositiveIntegerField()
    services = models.PositiveIntegerField()
    added = models.PositiveIntegerField()
    changed = models.PositiveIntegerField()
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.services} services of {self.source}"
