"""How far a check of the store has come, so that one that broke off goes on."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from evidence.models.blobs import Blob


class StoreCheckQuerySet(models.QuerySet["StoreCheck"]):
    """The check under way."""

    def begun(self, *, resume: bool) -> StoreCheck:
        """The check that broke off where `resume` asks for it, else a new one."""
        if resume and (broken_off := self.first()):
            return broken_off
        return self.update_or_create(
            pk=1, defaults={"last_sha256": "", "checked": 0, "findings": []}
        )[0]


class StoreCheck(models.Model):
    """One row while a check runs, or after one broke off.

    `last_sha256` is the last digest whose bytes were read; digests are taken in order.
    """

    last_sha256 = models.CharField(max_length=64, blank=True, default="")
    checked = models.PositiveBigIntegerField(default=0)
    findings = models.JSONField(default=list, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = StoreCheckQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="store_check_is_one_row", condition=Q(pk=1))
        ]

    def __str__(self) -> str:
        return f"{self.checked} checked, up to {self.last_sha256[:12]}"

    def passed(self, blob: Blob, finding: dict[str, Any] | None) -> None:
        """Count one blob, in memory; `keep` writes it down."""
        self.last_sha256 = blob.sha256
        self.checked += 1
        if finding:
            self.findings.append(finding)

    def keep(self) -> None:
        """Write down how far the check is."""
        self.save(update_fields=["last_sha256", "checked", "findings", "changed_at"])
