"""The official text of controls, as an officer imported it, edition by edition."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models

from controls.models.catalog import Catalog, Control


class ControlTextEditionQuerySet(models.QuerySet["ControlTextEdition"]):
    """Imported editions."""

    def as_known(self, instant: dt.datetime | None) -> Self:
        """Those imported before an instant, the last one first; None: all."""
        editions = self.order_by("-known_from", "-pk")
        return editions.filter(known_from__lt=instant) if instant else editions

    def for_listing(self) -> Self:
        """The last one first, with who imported it and how many texts it holds."""
        counted = self.select_related("imported_by").annotate(
            text_count=models.Count("texts")
        )
        return counted.order_by("-known_from", "-pk")


class ControlTextEdition(models.Model):
    """One file with the text of a whole catalog, append-only.

    A later one does not change what pages show of the days before it was known.
    """

    append_only = True

    catalog = models.ForeignKey(Catalog, models.PROTECT, related_name="text_editions")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    version = models.CharField(max_length=40)
    title = models.CharField(max_length=300)
    last_modified = models.CharField(max_length=40, blank=True, default="")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(help_text="Bytes of the file.")
    # the name of the file, or the address it was read from
    source = models.CharField(max_length=300)
    # whether it is, byte for byte, the published file of the shipped catalog
    is_published = models.BooleanField()
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True
    )
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ControlTextEditionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.title} {self.version}"


class ControlText(models.Model):
    """What one edition says of one control, append-only.

    `statements` are dicts of id, label, depth and prose in the order of the text;
    `params` maps the id of a parameter to its label, choices, how_many and the
    parameters that it stands for.
    """

    append_only = True

    edition = models.ForeignKey(
        ControlTextEdition, models.PROTECT, related_name="texts"
    )
    control = models.ForeignKey(Control, models.PROTECT, related_name="texts")
    statements = models.JSONField(default=list)
    params = models.JSONField(default=dict)
    guidance = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "control"], name="edition_says_a_control_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.control_id} in {self.edition_id}"
