"""The components of a system over the API: taken into use, ended, never deleted."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.access import require_officer
from controls.api.catalog import ComponentSerializer
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.idempotency import idempotent
from controls.models import System, SystemComponent
from controls.service_names import named
from evidence.api.clocks import BodyDayField
from evidence.systems.describe import Use, add_component, end_component
from srm_project.requests import actor_of


class UseSerializer(serializers.Serializer[Any]):
    """A component to take into use."""

    service = serializers.CharField(help_text="slug or alias, or slug:variant")
    used_from = BodyDayField()
    regions = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="regions of AWS; of a third party its sites",
    )
    name = serializers.CharField(required=False, max_length=120)
    provided_by = serializers.CharField(
        required=False,
        max_length=60,
        help_text="name of the third party that provides it",
    )


def use_of(body: dict[str, Any]) -> Use:
    """What a valid UseSerializer says. Raises Refused for an unknown service."""
    return Use(
        named([body["service"]], field="components")[0],
        body["used_from"],
        regions=body.get("regions", ()),
        name=body.get("name", ""),
        provided_by=body.get("provided_by", ""),
    )


class LastDaySerializer(serializers.Serializer[Any]):
    """The last day of use, inclusive."""

    last_day = BodyDayField()


class ComponentViewSet(viewsets.ReadOnlyModelViewSet[SystemComponent]):
    """What a system uses and used."""

    serializer_class = ComponentSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = SystemComponent.objects.none()

    def get_queryset(self) -> QuerySet[SystemComponent]:
        """Those of one system, as far as `visible_to` allows."""
        mine = System.objects.visible_to(actor_of(self.request))
        system = get_object_or_404(mine, slug=self.kwargs["slug"])
        components = SystemComponent.objects.filter(system=system)
        return components.select_related("system", "variant__service")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One component with its ETag."""
        return self._shown(self.get_object())

    @extend_schema(request=UseSerializer, responses={201: ComponentSerializer})
    @idempotent()
    def create(self, request: Request, slug: str) -> Response:
        """Take one into use: classes and requirements follow it."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        require_officer(system, actor_of(request))
        use = use_of(valid(UseSerializer, request))
        return self._shown(add_component(system, use, by=actor_of(request)), status=201)

    @extend_schema(request=LastDaySerializer, responses=ComponentSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, slug: str, uuid: str) -> Response:
        """End its use after a day; needs If-Match."""
        component = self.get_object()
        require_officer(component.system, actor_of(request))
        version = expected_version(request, component)
        last_day = valid(LastDaySerializer, request)["last_day"]
        end_component(
            component, last_day=last_day, by=actor_of(request), version=version
        )
        return self._shown(self.get_object())

    def _shown(self, row: SystemComponent, status: int = 200) -> Response:
        body = ComponentSerializer(row).data
        return Response(body, status=status, headers={"ETag": etag(row)})
