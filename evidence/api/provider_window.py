"""What providers leave open over the audit window, over the API."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.errors import Refused
from controls.models import System
from evidence.api.clocks import CLOCKS, clocks_of
from evidence.status.control_status import NOT_RECORDED
from evidence.status.provider_window import ProviderGap, provider_windows
from srm_project.requests import actor_of


class CoveredDaysSerializer(serializers.Serializer[Any]):
    """Days of a service: together they are those on which it was needed."""

    audited = serializers.IntegerField()
    asserted = serializers.IntegerField()
    awaited = serializers.IntegerField()
    open = serializers.IntegerField(source="open_days")


class ServiceWindowSerializer(serializers.Serializer[Any]):
    """One service; `scope` says which part of it: by service, region, site or document.

    `to_end` counts to the window's last day as if nothing new came.
    """

    service = serializers.CharField(source="need.slug")
    scope = serializers.CharField(source="need.scope")
    where = serializers.ListField(child=serializers.CharField())
    so_far = CoveredDaysSerializer()
    to_end = CoveredDaysSerializer()
    sentence = serializers.CharField()
    controls = serializers.ListField(child=serializers.CharField())


class GapSerializer(serializers.Serializer[Any]):
    """Days that nothing covers; both inclusive."""

    first = serializers.DateField()
    last = serializers.DateField()
    days = serializers.IntegerField()
    ahead = serializers.BooleanField()
    services = serializers.SerializerMethodField()
    controls = serializers.ListField(child=serializers.CharField())

    def get_services(self, gap: ProviderGap) -> list[str]:
        """The services that share it, by slug."""
        slugs = (service.need.slug for service in gap.services)
        return list(dict.fromkeys(slugs))


class ProviderWindowSerializer(serializers.Serializer[Any]):
    """One provider, its services with most days open first, its gaps by day."""

    provider = serializers.CharField(source="slug")
    name = serializers.CharField()
    services = ServiceWindowSerializer(many=True)
    gaps = GapSerializer(many=True)


class ProviderWindowView(APIView):
    """Audited, asserted and open days of each provider over a window."""

    @extend_schema(parameters=CLOCKS, responses=ProviderWindowSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """By provider and service, to the day asked about and to the window's end."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        moment, window = clocks_of(request, system)
        try:
            providers = provider_windows(system, moment, window)
        except LookupError:
            raise Refused({"known_at": NOT_RECORDED}) from None
        return Response(ProviderWindowSerializer(providers, many=True).data)
