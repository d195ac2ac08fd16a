"""One search over the API: controls, evidence, providers' reports, requests."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.errors import Refused
from evidence.systems.search import MAX_SHOWN, MAX_TEXT, search
from srm_project.requests import actor_of

TEXT = OpenApiParameter(
    "q",
    str,
    required=True,
    description="An id such as AC-2(1), the first characters of a file's sha256, or"
    f" words of a title; at most {MAX_TEXT} characters.",
)


class MatchedControlSerializer(serializers.Serializer[Any]):
    """A control of one system."""

    system = serializers.CharField(source="system.slug")
    control_id = serializers.CharField(source="control.ref_id")
    label: Any = serializers.CharField(source="control.label")
    title = serializers.CharField(source="control.title")


class MatchedInSystemSerializer(serializers.Serializer[Any]):
    """Evidence, or a request, of one system."""

    uuid = serializers.UUIDField()
    title = serializers.CharField()
    system = serializers.CharField(source="system.slug")


class MatchedArtifactSerializer(serializers.Serializer[Any]):
    """A series of a provider's reports."""

    uuid = serializers.UUIDField()
    title = serializers.CharField()


class MatchesSerializer(serializers.Serializer[Any]):
    """What matches, the closest first; of each kind as many as the page shows.

    `cut` says that some kind has more.
    """

    controls = MatchedControlSerializer(many=True)
    evidence = MatchedInSystemSerializer(many=True)
    artifacts = MatchedArtifactSerializer(many=True)
    requests = MatchedInSystemSerializer(many=True)
    cut = serializers.BooleanField()


class SearchView(APIView):
    """What the caller may see, by id or words; a control whose id was named first."""

    @extend_schema(parameters=[TEXT], responses=MatchesSerializer)
    def get(self, request: Request) -> Response:
        """What an id or words mean."""
        text = request.query_params.get("q", "").strip()
        if not text:
            raise Refused({"q": "Say what to look for: an id, or words of a title."})
        if len(text) > MAX_TEXT:
            raise Refused({"q": f"Look for at most {MAX_TEXT} characters."})
        matches = search(actor_of(request), text)
        kinds = ("controls", "evidence", "artifacts", "requests")
        body = {kind: getattr(matches, kind)[:MAX_SHOWN] for kind in kinds}
        return Response(MatchesSerializer(body | {"cut": matches.cut}).data)
