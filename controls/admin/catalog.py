"""Reference data: catalogs, controls, readings, services. Loaded by command."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin
from controls.models import (
    Baseline,
    BaselineControl,
    Catalog,
    Control,
    ControlLayer,
    ControlMapping,
    ReferenceVersion,
    Service,
    ServiceLayer,
    ServiceVariant,
)


@admin.register(ReferenceVersion)
class ReferenceVersionAdmin(ReadOnlyAdmin):
    """Which reference data was loaded when."""

    list_display = ("version", "digest", "loaded_at")
    search_fields = ("version", "digest")
    date_hierarchy = "loaded_at"


@admin.register(Catalog)
class CatalogAdmin(ReadOnlyAdmin):
    """Published sets of controls."""

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

    list_display = ("baseline", "control")
    list_filter = ("baseline",)
    list_select_related = ("baseline", "control")
    search_fields = ("control__label", "control__ref_id")


@admin.register(ControlMapping)
class ControlMappingAdmin(ReadOnlyAdmin):
    """Links between catalogs."""

    list_display = ("source", "relationship", "target")
    list_filter = ("relationship",)
    list_select_related = ("source", "target")
    search_fields = ("source__label", "target__label")


@admin.register(ControlLayer)
class ControlLayerAdmin(ReadOnlyAdmin):
    """Which layers each control governs, and why."""

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


@admin.register(ServiceVariant)
class ServiceVariantAdmin(ReadOnlyAdmin):
    """Ways to use a service."""

    list_display = ("name", "service", "slug", "is_default")
    list_filter = ("is_default",)
    list_select_related = ("service",)
    search_fields = ("name", "slug", "service__name")


@admin.register(ServiceLayer)
class ServiceLayerAdmin(ReadOnlyAdmin):
    """Who runs which layer of a service."""

    list_display = ("variant", "layer", "party", "kind", "origin")
    list_filter = ("layer", "party", "kind", "origin")
    list_select_related = ("variant__service", "reference_version")
    search_fields = ("variant__name", "variant__service__slug", "duty")
