"""The components of a system over the API: taken into use, ended, never deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
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
from controls.models import RetrospectiveChange, System, SystemComponent
from controls.reasons import MAX_REASON
from controls.service_names import named_each
from evidence.api.clocks import BodyDayField
from evidence.api.retrospect import RetrospectiveChangeSerializer
from evidence.status.control_status import today_of
from evidence.systems.component_days import ask_component, ask_end, ask_other_days
from evidence.systems.describe import Use
from evidence.systems.regions import say_regions
from srm_project.requests import actor_of


class UseSerializer(serializers.Serializer[Any]):
    """A component to take into use."""

    service = serializers.CharField(help_text="Slug or alias, or `slug:variant`.")
    used_from = BodyDayField()
    regions = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Regions of AWS; of a third party its sites.",
    )
    name = serializers.CharField(required=False, max_length=120)
    provided_by = serializers.CharField(
        required=False,
        max_length=60,
        help_text="Name of the third party that provides it.",
    )
    reason = serializers.CharField(
        required=False,
        max_length=MAX_REASON,
        help_text="Why an earlier day, where the component was in use before.",
    )


def uses_of(bodies: Sequence[Mapping[str, Any]]) -> list[Use]:
    """What valid UseSerializers say, by a constant number of statements.

    Raises Refused naming every unknown service.
    """
    variants = named_each([body["service"] for body in bodies], field="components")
    return [
        Use(
            variant,
            body["used_from"],
            regions=body.get("regions", ()),
            name=body.get("name", ""),
            provided_by=body.get("provided_by", ""),
        )
        for variant, body in zip(variants, bodies, strict=True)
    ]


class LastDaySerializer(serializers.Serializer[Any]):
    """The last day of use, inclusive; why, where it alters days before today."""

    last_day = BodyDayField()
    reason = serializers.CharField(required=False, max_length=MAX_REASON, default="")


class OtherDaysSerializer(serializers.Serializer[Any]):
    """On which days a component was in use, both inclusive, and why that is said now.

    Without `used_from` it was never in use; without `last_day` it still is.
    """

    used_from = BodyDayField(required=False)
    last_day = BodyDayField(required=False)
    reason = serializers.CharField(max_length=MAX_REASON)


class RegionsOfComponentSerializer(serializers.Serializer[Any]):
    """Where one component runs."""

    component = serializers.UUIDField()
    regions = serializers.ListField(child=serializers.CharField(max_length=30))


class RegionsSerializer(serializers.Serializer[Any]):
    """The regions of components of which none was said, from one day on."""

    first_day = BodyDayField()
    components = RegionsOfComponentSerializer(many=True)


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

    @extend_schema(
        request=UseSerializer,
        responses={201: ComponentSerializer, 202: RetrospectiveChangeSerializer},
    )
    @idempotent()
    def create(self, request: Request, slug: str) -> Response:
        """Take one into use: classes and requirements follow it. An earlier day of one
        that was in use before is a change in retrospect (202)."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        require_officer(system, actor_of(request))
        body = valid(UseSerializer, request)
        made = ask_component(
            system,
            uses_of([body])[0],
            reason=body.get("reason", ""),
            by=actor_of(request),
            today=today_of(system),
        )
        if isinstance(made, RetrospectiveChange):
            return _waits(made)
        return self._shown(made, status=201)

    @extend_schema(
        request=RegionsSerializer, responses={200: ComponentSerializer(many=True)}
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def regions(self, request: Request, slug: str) -> Response:
        """Say where components run of which nobody has said it; 409 where somebody
        has. What was before `first_day` stays unsaid."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        require_officer(system, actor_of(request))
        body = valid(RegionsSerializer, request)
        components = say_regions(
            system,
            {str(row["component"]): row["regions"] for row in body["components"]},
            first_day=body["first_day"],
            by=actor_of(request),
        )
        return Response(ComponentSerializer(components, many=True).data)

    @extend_schema(
        request=LastDaySerializer,
        responses={200: ComponentSerializer, 202: RetrospectiveChangeSerializer},
    )
    @action(detail=True, methods=["post"])
    def end(self, request: Request, slug: str, uuid: str) -> Response:
        """End its use after a day; needs If-Match. Where that alters days before today
        it is a change in retrospect (202)."""
        component = self.get_object()
        require_officer(component.system, actor_of(request))
        change = ask_end(
            component,
            **valid(LastDaySerializer, request),
            by=actor_of(request),
            today=today_of(component.system),
            version=expected_version(request, component),
        )
        return self._shown(self.get_object()) if change is None else _waits(change)

    @extend_schema(
        request=OtherDaysSerializer,
        responses={
            200: ComponentSerializer,
            202: RetrospectiveChangeSerializer,
            204: None,
        },
    )
    @action(detail=True, methods=["post"])
    def days(self, request: Request, slug: str, uuid: str) -> Response:
        """Ask that it was in use on other days; another officer decides (202). Where
        all of these are ahead it is so at once: 200, or 204 where it is not used at
        all. Needs If-Match."""
        component = self.get_object()
        require_officer(component.system, actor_of(request))
        version = expected_version(request, component)
        body = valid(OtherDaysSerializer, request)
        last = body.get("last_day")
        change = ask_other_days(
            component,
            used_from=body.get("used_from"),
            used_until=last + dt.timedelta(days=1) if last else None,
            reason=body["reason"],
            by=actor_of(request),
            today=today_of(component.system),
            version=version,
        )
        if change is not None:
            return _waits(change)
        if body.get("used_from") is None:
            return Response(status=204)
        return self._shown(self.get_object())

    def _shown(self, row: SystemComponent, status: int = 200) -> Response:
        body = ComponentSerializer(row).data
        return Response(body, status=status, headers={"ETag": etag(row)})


def _waits(change: RetrospectiveChange) -> Response:
    """What another officer decides."""
    body = RetrospectiveChangeSerializer(change).data
    return Response(body, status=202, headers={"ETag": etag(change)})
