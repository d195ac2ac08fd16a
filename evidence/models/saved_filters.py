"""Filters of the list of controls that people keep under a name."""

from __future__ import annotations

import uuid
from typing import Self
from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from controls.models import Actor, System

MAX_NAME = 80  # characters


class SavedFilterQuerySet(models.QuerySet["SavedFilter"]):
    """Filters with names."""

    def visible_to(self, user: Actor) -> Self:
        """One's own, of systems that one still sees; of nobody else."""
        return self.filter(user=user.pk, system__in=System.objects.visible_to(user))


class SavedFilter(models.Model):
    """A filter of the list of controls of one system, of one person.

    `filters` are the values by name, as the address of the list has them.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_filters"
    )
    system = models.ForeignKey(System, models.CASCADE, related_name="saved_filters")
    name = models.CharField(max_length=MAX_NAME)
    filters = models.JSONField()
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        ordering = [Lower("name"), "pk"]
        constraints = [
            models.UniqueConstraint(
                "user", "system", Lower("name"), name="saved_filter_once"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def query(self) -> str:
        """The GET parameters of the list."""
        return urlencode(sorted(self.filters.items()))
