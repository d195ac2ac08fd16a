"""How proof of a system went, over the API."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.models import System
from evidence.status.control_status import today_of
from evidence.status.trend import trend
from srm_project.requests import actor_of


class PointSerializer(serializers.Serializer[Any]):
    """Controls by verdict on a day, as known at its end.

    `proven` splits the proven ones by the halves required: both, ours, providers.
    """

    on = serializers.DateField(source="day")
    verdicts = serializers.DictField(child=serializers.IntegerField())
    proven = serializers.DictField(child=serializers.IntegerField())


class TrendView(APIView):
    """Verdicts at the last twelve month ends; the last point is today."""

    @extend_schema(responses=PointSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """Oldest first; days before the system was recorded are left out."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        points = trend(system, today_of(system))
        return Response(PointSerializer(points, many=True).data)
