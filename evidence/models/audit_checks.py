"""What the last checks of the audit log came to: an alarm stays until it ends."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class AuditLogCheckQuerySet(models.QuerySet["AuditLogCheck"]):
    """Checks of chains."""

    def alarming(self) -> AuditLogCheckQuerySet:
        """Chains of which something is not as it should be."""
        return self.exclude(Q(checkpoint_fault="") & Q(chain_fault=""))


class AuditLogCheck(models.Model):
    """One row for each chain of the audit log; sentences are empty while all is well.

    `checkpoint_fault`: what its signed checkpoints say against it, or that it has had
    none for too long. `chain_fault`: the first event that does not verify.
    """

    chain = models.CharField(max_length=36, unique=True)
    checkpoint_fault = models.TextField(blank=True, default="")
    chain_fault = models.TextField(blank=True, default="")
    # when the checkpoints were held against it
    checked_at = models.DateTimeField()
    # null: never verified from its first event to its last
    verified_at = models.DateTimeField(null=True, blank=True)

    objects = AuditLogCheckQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Audit log {self.chain}"
