"""Reference data: catalogs, controls, readings, services. Loaded by command."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from controls.admin.scoped import AuditedAdmin, ReadOnlyAdmin
from controls.models import (
    AuditEvent,
    Baseline,
    BaselineControl,
    Catalog,
    Control,
    ControlLayer,
    ControlMapping,
    ControlText,
    ControlTextEdition,
    PublishedService,
    ReferenceVersion,
    Service,
    ServiceImport,
    ServiceLayer,
    ServiceVariant,
)
from controls.models.audit import Event
from controls.models.catalog import Origin
from controls.reference.shipped_files import shipped_version
from srm_project.requests import actor_of


@admin.register(ReferenceVersion)
class ReferenceVersionAdmin(ReadOnlyAdmin):
    """Which reference data was loaded when."""

    plumbing = True
    list_display = ("version", "digest", "loaded_at")
    search_fields = ("version", "digest")
    date_hierarchy = "loaded_at"


@admin.register(Catalog)
class CatalogAdmin(ReadOnlyAdmin):
    """Published sets of controls."""

    plumbing = True
    list_display = ("slug", "title", "version", "source")
    search_fields = ("slug", "title")


@admin.register(Control)
class ControlAdmin(ReadOnlyAdmin):
    """Controls and enhancements."""

    list_display = ("label", "title", "family", "catalog", "withdrawn")
    list_filter = ("catalog", "family", "withdrawn")
    list_select_related = ("catalog",)
    search_fields = ("label", "ref_id", "title")


@admin.register(Baseline)
class BaselineAdmin(ReadOnlyAdmin):
    """Selections of controls."""

    list_display = ("title", "slug", "publisher", "catalog")
    list_filter = ("publisher",)
    list_select_related = ("catalog",)
    search_fields = ("title", "slug")


@admin.register(BaselineControl)
class BaselineControlAdmin(ReadOnlyAdmin):
    """Which baseline selects which control, with which values."""

    plumbing = True
    list_display = ("baseline", "control")
    list_filter = ("baseline",)
    list_select_related = ("baseline", "control")
    search_fields = ("control__label", "control__ref_id")


@admin.register(ControlMapping)
class ControlMappingAdmin(ReadOnlyAdmin):
    """Links between catalogs."""

    plumbing = True
    list_display = ("source", "relationship", "target")
    list_filter = ("relationship",)
    list_select_related = ("source", "target")
    search_fields = ("source__label", "target__label")


@admin.register(ControlTextEdition)
class ControlTextEditionAdmin(ReadOnlyAdmin):
    """Editions of the official text, imported on a page of their own."""

    list_display = (
        "title",
        "version",
        "is_published",
        "source",
        "imported_by",
        "known_from",
    )
    list_filter = ("is_published",)
    list_select_related = ("imported_by",)
    search_fields = ("title", "version", "sha256", "source")
    date_hierarchy = "known_from"


@admin.register(ControlText)
class ControlTextAdmin(ReadOnlyAdmin):
    """What an edition says of a control."""

    plumbing = True
    list_display = ("control", "edition")
    list_filter = ("edition",)
    list_select_related = ("control", "edition")
    search_fields = ("control__label", "control__ref_id")


class LocalRowsAdmin(AuditedAdmin):
    """Rows of one's own beside the shipped ones, which they shadow (R8).

    Superusers add, change and delete them; each time the reference data gets a new
    version, and officers see what it would change before it changes any class.
    """

    exclude = ("reference_version", "origin")
    verb_noun = "reading"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers: a reading speaks for every system."""
        return bool(actor_of(request).is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Shipped rows stay as they were shipped."""
        local = obj is None or obj.origin == Origin.LOCAL
        return bool(actor_of(request).is_superuser) and local

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A local row may be taken back."""
        return obj is not None and self.has_change_permission(request, obj)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Save under a new version of the reference data, and record it."""
        obj.origin = Origin.LOCAL
        obj.reference_version = self._version(str(obj))
        obj.full_clean()
        obj.save()
        self._record(request, obj, "changed" if change else "added")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete under a new version of the reference data, and record it."""
        removed = str(obj)
        obj.delete()
        self._version(f"without {removed}")
        self._record(request, obj, "removed")

    def _version(self, text: str) -> ReferenceVersion:
        return ReferenceVersion.objects.for_local(shipped_version(), text)

    def _record(self, request: HttpRequest, obj: Any, did: str) -> None:
        event_body = {"model": obj._meta.label_lower, "row": str(obj)}
        event = Event(f"reading.{did}", actor=actor_of(request), body=event_body)
        AuditEvent.objects.append(event)


@admin.register(ControlLayer)
class ControlLayerAdmin(LocalRowsAdmin):
    """Which layers each control governs, and why."""

    autocomplete_fields = ("control",)

    list_display = ("control", "layer", "as_base", "origin", "reference_version")
    list_filter = ("layer", "origin", "as_base")
    list_select_related = ("control", "reference_version")
    search_fields = ("control__label", "control__ref_id", "reason")


@admin.register(Service)
class ServiceAdmin(ReadOnlyAdmin):
    """Services and other components."""

    list_display = ("name", "slug", "provider", "category", "is_global")
    list_filter = ("provider", "category", "is_global")
    search_fields = ("name", "slug")


@admin.register(PublishedService)
class PublishedServiceAdmin(ReadOnlyAdmin):
    """What AWS's own files say of its services, imported on their own page."""

    list_display = ("title", "aws_id", "service", "stage", "file")
    list_filter = ("stage",)
    list_select_related = ("service",)
    search_fields = ("title", "aws_id", "service__slug")


@admin.register(ServiceImport)
class ServiceImportAdmin(ReadOnlyAdmin):
    """Which files about AWS's services were imported, by whom."""

    list_display = ("source", "services", "added", "changed", "known_from")
    list_select_related = ("imported_by",)
    search_fields = ("source",)


@admin.register(ServiceVariant)
class ServiceVariantAdmin(ReadOnlyAdmin):
    """Ways to use a service."""

    plumbing = True
    list_display = ("name", "service", "slug", "is_default")
    list_filter = ("is_default",)
    list_select_related = ("service",)
    search_fields = ("name", "slug", "service__name")


@admin.register(ServiceLayer)
class ServiceLayerAdmin(LocalRowsAdmin):
    """Who runs which layer of a service."""

    autocomplete_fields = ("variant",)

    list_display = ("variant", "layer", "party", "kind", "origin")
    list_filter = ("layer", "party", "kind", "origin")
    list_select_related = ("variant__service", "reference_version")
    search_fields = ("variant__name", "variant__service__slug", "duty")
