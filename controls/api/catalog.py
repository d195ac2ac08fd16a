"""Systems and engagements over the API: the second door to the same QuerySets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from controls.access import require_officer
from controls.api.conventions import ByKey, etag, expected_version
from controls.api.known_fields import checked
from controls.approvals import known_today, refuse_stale
from controls.audit_window import change_audit_window
from controls.models import (
    Actor,
    AuditEvent,
    Baseline,
    PublishedService,
    RetrospectiveChange,
    Service,
    System,
    SystemComponent,
)
from controls.models.audit import about
from controls.reasons import MAX_REASON
from srm_project.requests import actor_of


class ComponentSerializer(serializers.ModelSerializer[SystemComponent]):
    """A component in use; `used_until` is exclusive, null while in use."""

    service = serializers.CharField(source="variant.service.slug")
    variant = serializers.CharField(source="variant.slug")

    class Meta:
        model = SystemComponent
        fields = [
            "uuid",
            "service",
            "variant",
            "name",
            "regions",
            "provided_by",
            "used_from",
            "used_until",
            "version",
        ]


class SystemSerializer(serializers.ModelSerializer[System]):
    """A system as its boundary describes it."""

    baseline = serializers.SlugRelatedField(
        slug_field="slug", queryset=Baseline.objects.all()
    )

    class Meta:
        model = System
        fields = [
            "uuid",
            "slug",
            "name",
            "description",
            "regime",
            "impact_level",
            "partition",
            "baseline",
            "time_zone",
            "window_start",
            "window_end",
            "own_code",
            "currency_days",
            "letter_months",
            "demo",
            "version",
        ]
        read_only_fields = ["uuid", "letter_months", "demo", "version"]


class SystemEditSerializer(serializers.ModelSerializer[System]):
    """What may be changed later without describing the system anew.

    Other days for the window wait for a second officer, and need a `reason`, where
    days fall out of the present one and it has begun.
    """

    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=MAX_REASON, default=""
    )

    class Meta:
        model = System
        fields = ["name", "description", "window_start", "window_end", "reason"]


class WindowWaitsSerializer(serializers.Serializer[Any]):
    """The window is not changed yet: a second officer decides on this change."""

    detail = serializers.SerializerMethodField()
    change = serializers.UUIDField(source="uuid")
    kind = serializers.CharField()
    first_day = serializers.DateField()

    def get_detail(self, change: RetrospectiveChange) -> str:
        """What happened, in words."""
        return "Days fall out of a window that has begun: a second officer decides."


class SystemViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[System],
):
    """Systems the caller may read; officers edit them."""

    serializer_class = SystemSerializer
    edit_serializer_class: type[SystemEditSerializer] = SystemEditSerializer
    pagination_class = ByKey
    lookup_field = "slug"
    queryset = System.objects.none()

    def get_queryset(self) -> QuerySet[System]:
        """Only what `visible_to` allows."""
        return System.objects.visible_to(actor_of(self.request)).select_related(
            "baseline"
        )

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One system with its ETag."""
        system = self.get_object()
        return Response(SystemSerializer(system).data, headers={"ETag": etag(system)})

    @extend_schema(responses={200: SystemSerializer, 202: WindowWaitsSerializer})
    @transaction.atomic
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change name, description or audit window; needs If-Match.

        202: the window waits for a second officer.
        """
        shown, by = self.get_object(), actor_of(request)
        system = System.objects.select_for_update(of=("self",)).get(pk=shown.pk)
        require_officer(system, by)
        refuse_stale(system, expected_version(request, system))
        serializer = self.edit_serializer_class(system, data=request.data, partial=True)
        body = dict(checked(serializer))
        waits = change_audit_window(
            system,
            body.pop("window_start", system.window_start),
            body.pop("window_end", system.window_end),
            reason=body.pop("reason", ""),
            by=by,
            today=known_today(system),
        )
        if body:
            _save(system, body, by)
        if waits:
            return Response(dict(WindowWaitsSerializer(waits).data), status=202)
        system.refresh_from_db()
        return Response(SystemSerializer(system).data, headers={"ETag": etag(system)})


def _save(system: System, columns: Mapping[str, Any], by: Actor) -> None:
    """Write columns of a locked system, with their event."""
    for name, value in columns.items():
        setattr(system, name, value)
    system.version = F("version") + 1
    system.save(update_fields=[*columns, "version"])
    fields = sorted(columns)
    AuditEvent.objects.append(about(system, "system.changed", by=by, fields=fields))


class PublishedServiceSerializer(serializers.ModelSerializer[PublishedService]):
    """What AWS's own files say of a service."""

    class Meta:
        model = PublishedService
        fields = [
            "aws_id",
            "title",
            "names",
            "iam_prefixes",
            "prefixes",
            "availability",
            "stage",
            "regions",
            "config_rules",
            "hub_controls",
        ]


class ServiceSerializer(serializers.ModelSerializer[Service]):
    """A service or component one can tick, with its variants."""

    variants: Any = serializers.SlugRelatedField(
        slug_field="slug", many=True, read_only=True
    )

    published = PublishedServiceSerializer(
        many=True, read_only=True, help_text="What AWS publishes of it."
    )

    class Meta:
        model = Service
        fields = [
            "slug",
            "name",
            "provider",
            "category",
            "is_global",
            "variants",
            "source",
            "published",
        ]


class ServiceViewSet(viewsets.ReadOnlyModelViewSet[Service]):
    """Reference data: what can be in use."""

    serializer_class = ServiceSerializer
    pagination_class = ByKey
    lookup_field = "slug"
    queryset = Service.objects.prefetch_related("variants", "published")


class BaselineSerializer(serializers.ModelSerializer[Baseline]):
    """A baseline one can pick."""

    class Meta:
        model = Baseline
        fields = ["slug", "title", "publisher"]


class BaselineViewSet(viewsets.ReadOnlyModelViewSet[Baseline]):
    """Reference data: published selections of controls."""

    serializer_class = BaselineSerializer
    pagination_class = ByKey
    lookup_field = "slug"
    queryset = Baseline.objects.all()
