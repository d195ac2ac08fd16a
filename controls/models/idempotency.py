"""Keys under which requests were made, each with what was answered."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone

from controls.models.people import Actor, InstallationRole, Membership, User

MAX_KEY = 200  # characters


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    """Keys of requests."""

    def visible_to(self, user: Actor) -> Self:
        """One's own; all for a superuser."""
        return self if user.is_superuser else self.filter(user=user.pk)


class IdempotencyKey(models.Model):
    """One request that made something, so that the same again makes nothing more.

    Written in the transaction of what the request made: there is no row without an
    effect, and no effect without its row. See `controls.idempotency`.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=MAX_KEY)
    # what was asked: method and path, or the verb that a preview confirms
    route = models.TextField()
    # sha256 of the parsed fields and the digests of the files
    digest = models.CharField(max_length=64)
    # 0 until it is answered, which nobody but its own transaction sees
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    headers = models.JSONField(default=dict, blank=True)
    # what the person was when it was answered, as `rights_of` says it
    rights = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "key"], name="idempotency_key_once_per_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.route}: {self.key[:12]}"

    @property
    def answered(self) -> bool:
        """Whether this request was made before."""
        return self.status != 0

    def answer_with(
        self, status: int, *, body: str = "", headers: dict[str, str] | None = None
    ) -> None:
        """Keep what is answered, for whoever sends the same again."""
        self.status, self.body, self.headers = status, body, headers or {}
        self.rights = rights_of(self.user)
        self.save(update_fields=["status", "body", "headers", "rights"])

    @property
    def may_be_read(self) -> bool:
        """Whether the person has all the rights that were theirs at the answer."""
        return set(self.rights) <= set(rights_of(self.user))


def rights_of(user: Actor) -> list[str]:
    """The roles that a person holds now, each as role:system:team:engagement; roles of
    the installation as installation:role."""
    held = Membership.objects.active().filter(user=user.pk)
    rows = held.values_list("role", "system", "team", "engagement")
    roles = {":".join(str(part or "") for part in row) for row in rows}
    of_installation = InstallationRole.objects.active().filter(user=user.pk)
    names = of_installation.values_list("role", flat=True)
    roles |= {f"installation:{name}" for name in names}
    return sorted(roles | ({"superuser"} if user.is_superuser else set()))
