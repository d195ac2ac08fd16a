"""Assertions of SAML count once: which were used, until they end by themselves."""

from __future__ import annotations

from django.db import models


class SpentAssertion(models.Model):
    """One assertion that somebody came with (AZ-05), from its first use to its end.

    What it says waits here for the browser that began the sign-in: the provider's form
    comes from another site, so without the cookie of the session. `ticket` names it
    to that browser; both are emptied as they are taken.
    """

    # sha256 of issuer and id; no other use of the two has a row
    digest = models.CharField(max_length=64, unique=True)
    ends_at = models.DateTimeField(db_index=True)
    # sha256 of what the browser holds; empty once it came back
    ticket = models.CharField(max_length=64, blank=True, db_index=True)
    claims = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = "assertion that was used"
        verbose_name_plural = "assertions that were used"

    def __str__(self) -> str:
        return f"{self.digest[:12]} until {self.ends_at:%Y-%m-%d %H:%M}"
