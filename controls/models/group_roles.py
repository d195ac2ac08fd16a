"""Which roles a group at the identity provider gave, so that it may end them."""

from __future__ import annotations

from django.db import models

from controls.models.people import Membership


class GroupRole(models.Model):
    """A role that was given because of a group; written once, with the role.

    A role without such a row was given by a person and ends by a person.
    """

    append_only = True

    membership = models.OneToOneField(
        Membership, models.PROTECT, related_name="group_role"
    )
    group = models.CharField(max_length=300)
    given_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        verbose_name = "role by a group"
        verbose_name_plural = "roles by groups"

    def __str__(self) -> str:
        return f"{self.membership}, by the group {self.group}"
