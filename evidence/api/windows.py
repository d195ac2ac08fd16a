"""How many controls of a system are complete over a window, over the API."""

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
from evidence.status.window_counts import window_counts
from srm_project.requests import actor_of


class WindowCountsSerializer(serializers.Serializer[Any]):
    """Controls by their result over a window: complete, exceptions, running, nothing.

    `complete` splits the complete ones by the halves required: both, ours, providers;
    `on_word` of them have days on the provider's word alone.
    """

    starts = serializers.DateField()
    ends = serializers.DateField()
    on = serializers.DateField(source="day")
    ended = serializers.BooleanField()
    results = serializers.DictField(child=serializers.IntegerField())
    complete = serializers.DictField(child=serializers.IntegerField())
    on_word = serializers.IntegerField()


class WindowView(APIView):
    """Results over the audit window, or over another one."""

    @extend_schema(parameters=CLOCKS, responses=WindowCountsSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Counts of all controls of the system."""
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        moment, window = clocks_of(request, system)
        try:
            counts = window_counts(system, moment, window)
        except LookupError as unknown:
            raise Refused({"known_at": NOT_RECORDED}) from unknown
        return Response(WindowCountsSerializer(counts).data)
