"""How long a system keeps evidence, and its legal holds, over the API: read only."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from controls.models import System
from evidence.files.retention import retention_years
from evidence.models import LegalHold, RetentionClass
from srm_project.requests import actor_of


class RetentionClassSerializer(serializers.ModelSerializer[RetentionClass]):
    """A number of years, since when it is known, and who said so."""

    since = serializers.DateTimeField(source="known_from")
    reason = serializers.CharField(source="change.reason")
    requested_by = serializers.CharField(source="change.requested_by.email")
    approved_by = serializers.CharField(source="change.decided_by.email")

    class Meta:
        model = RetentionClass
        fields = ["years", "since", "reason", "requested_by", "approved_by"]


class LegalHoldSerializer(serializers.ModelSerializer[LegalHold]):
    """What is held and why; `evidence` is null for all evidence of the system."""

    evidence = serializers.UUIDField(
        source="evidence.uuid", allow_null=True, default=None
    )
    placed_by = serializers.CharField(source="placed_by.email")
    lifted_by = serializers.CharField(
        source="lifted_by.email", allow_null=True, default=None
    )

    class Meta:
        model = LegalHold
        fields = [
            "uuid",
            "evidence",
            "reason",
            "placed_by",
            "placed_at",
            "lifted_by",
            "lifted_at",
            "lift_reason",
        ]


class RetentionSerializer(serializers.Serializer[Any]):
    """Years now, the classes, newest first, and holds where the caller may see them."""

    years = serializers.IntegerField()
    classes = RetentionClassSerializer(many=True)
    legal_holds = LegalHoldSerializer(many=True)


class RetentionViewSet(viewsets.ViewSet):
    """For how many years a system keeps evidence; for its officers, what is held."""

    @extend_schema(responses=RetentionSerializer)
    def retrieve(self, request: Request, slug: str) -> Response:
        """Changed and held on the system's page: both need a second officer."""
        caller = actor_of(request)
        system = get_object_or_404(System.objects.visible_to(caller), slug=slug)
        holds = LegalHold.objects.visible_to(caller).filter(system=system)
        shown = {
            "years": retention_years(system),
            "classes": system.retention_classes.newest_first(),
            "legal_holds": holds.for_listing(),
        }
        return Response(RetentionSerializer(shown).data)
