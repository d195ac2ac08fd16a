"""Populations, samples and deviations, to look at only."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from evidence.models import (
    Deviation,
    Population,
    PopulationItem,
    PopulationReview,
    Sample,
    SampleItem,
)


@admin.register(Population)
class PopulationAdmin(ReadOnlyAdmin):
    """Events of some days, as somebody brought them."""

    list_display = ("requirement", "starts", "ends", "row_count", "drawn_by")
    list_filter = (("system", RelatedScopeFilter), "team")
    list_select_related = ("requirement", "drawn_by", "system")
    search_fields = ("requirement__title", "source", "sha256")
    date_hierarchy = "ends"


@admin.register(PopulationReview)
class PopulationReviewAdmin(ReadOnlyAdmin):
    """Who found which population complete and accurate."""

    scope_path = "population"
    list_display = ("population", "decision", "reviewer_name", "known_from")
    list_filter = ("decision",)
    list_select_related = ("population__requirement",)
    search_fields = ("reviewer_name", "reason")
    date_hierarchy = "known_from"


@admin.register(PopulationItem)
class PopulationItemAdmin(ReadOnlyAdmin):
    """Single events."""

    plumbing = True
    scope_path = "population"
    list_display = ("key", "happened_on", "position", "population")
    list_select_related = ("population__requirement",)
    search_fields = ("key__exact",)


@admin.register(Sample)
class SampleAdmin(ReadOnlyAdmin):
    """What was drawn, how and why."""

    list_display = ("population", "method", "size", "seed", "drawn_by", "drawn_at")
    list_filter = (("system", RelatedScopeFilter), "method")
    list_select_related = ("population__requirement", "drawn_by", "system")
    search_fields = ("reason", "seed")
    date_hierarchy = "drawn_at"


@admin.register(SampleItem)
class SampleItemAdmin(ReadOnlyAdmin):
    """Sampled events."""

    plumbing = True
    scope_path = "sample"
    list_display = ("item", "sample")
    list_select_related = ("item", "sample__population__requirement")
    search_fields = ("item__key__exact",)


@admin.register(Deviation)
class DeviationAdmin(ReadOnlyAdmin):
    """Sampled events that were not handled as asked."""

    scope_path = "sample_item"
    list_display = ("sample_item", "note", "recorded_by", "known_from")
    list_filter = (("system", RelatedScopeFilter),)
    list_select_related = ("sample_item__item", "recorded_by", "system")
    search_fields = ("note", "sample_item__item__key")
    date_hierarchy = "known_from"
