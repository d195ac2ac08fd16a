"""Newer reference data over the API: preview, then record."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.access import require_officer
from controls.api.conventions import valid
from controls.models import ReferenceVersion, System
from controls.reference.updates import adopt, digest_of, preview
from srm_project.requests import actor_of


class ChangeSerializer(serializers.Serializer[Any]):
    """One control whose class or basis would change; `end` is exclusive."""

    control_id = serializers.CharField(source="implementation.control.ref_id")
    start = serializers.DateField(allow_null=True)
    end = serializers.DateField(allow_null=True)
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField()
    basis_only = serializers.BooleanField()


class RereadingSerializer(serializers.Serializer[Any]):
    """All changes, and the digest to confirm them with."""

    reference_version = serializers.CharField()
    seen = serializers.CharField()
    changes = ChangeSerializer(many=True)


class SeenSerializer(serializers.Serializer[Any]):
    """The digest of the preview that is confirmed."""

    seen = serializers.RegexField(r"^[0-9a-f]{64}$")


class RereadingView(APIView):
    """What the newest readings would change in a system. Officers only."""

    @extend_schema(responses=RereadingSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """The preview; writes nothing."""
        system = self._system(request, slug)
        changes = preview(system)
        summary = {
            "reference_version": str(ReferenceVersion.objects.newest()),
            "seen": digest_of(changes),
            "changes": changes,
        }
        return Response(RereadingSerializer(summary).data)

    @extend_schema(request=SeenSerializer, responses=dict[str, int])
    def post(self, request: Request, slug: str) -> Response:
        """Record the changes that were seen; 409 when they are others by now."""
        system = self._system(request, slug)
        seen = valid(SeenSerializer, request)["seen"]
        return Response({"controls": adopt(system, by=actor_of(request), seen=seen)})

    def _system(self, request: Request, slug: str) -> System:
        mine = System.objects.visible_to(actor_of(request))
        system = get_object_or_404(mine, slug=slug)
        require_officer(system, actor_of(request))
        return system
