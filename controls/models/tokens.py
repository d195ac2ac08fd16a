"""What an API token may do, beside the hash that knox keeps."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from knox.models import AuthToken

from controls.models.people import Actor

NOTED_EVERY = dt.timedelta(hours=1)


class Scope(models.TextChoices):
    """How far a token reaches; never further than its owner."""

    READ = "read", "Read"
    WRITE = "write", "Read and write"
    EXPORT = "export", "Read and export"
    CALENDAR = "calendar", "Calendar feed"


class TokenScopeQuerySet(models.QuerySet["TokenScope"]):
    """Tokens."""

    def visible_to(self, user: Actor) -> Self:
        """One's own; all for a superuser."""
        return self if user.is_superuser else self.filter(token__user=user.pk)


class TokenScope(models.Model):
    """Name and scope of one token. The token itself is kept as a hash, by knox."""

    token = models.OneToOneField(
        AuthToken, models.CASCADE, related_name="srm_scope", primary_key=True
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.READ)
    # null: never; else to the hour
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TokenScopeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="token_scope_known", condition=Q(scope__in=Scope.values)
            )
        ]

    def __str__(self) -> str:
        return self.name

    def note_use(self, instant: dt.datetime) -> None:
        """Remember that it was used, at most once in an hour."""
        if self.last_used_at and instant - self.last_used_at < NOTED_EVERY:
            return
        TokenScope.objects.filter(pk=self.pk).update(last_used_at=instant)
        self.last_used_at = instant
