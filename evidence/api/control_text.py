"""What a control asks, over the API: our sentence, and the official text by part."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from controls.control_words import ControlWords, control_words
from controls.models import ControlImplementation, System
from evidence.api.clocks import CLOCKS, clocks_of
from srm_project.requests import actor_of

KINDS = [("", "As written"), ("set", "Set by the baseline"), ("open", "Left open")]


class TextRunSerializer(serializers.Serializer[Any]):
    """Words that stand together. `kind`: `set` by the baseline, `open` where nobody
    has set the parameter, else empty."""

    text = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)


class PartWordsSerializer(serializers.Serializer[Any]):
    """One part; `depth` 0 is the statement itself."""

    statement_id = serializers.CharField()
    label: Any = serializers.CharField()
    depth = serializers.IntegerField()
    text = serializers.CharField()
    runs = TextRunSerializer(many=True)


class TextEditionSerializer(serializers.Serializer[Any]):
    """Where the official text comes from."""

    version = serializers.CharField()
    sha256 = serializers.CharField()
    source: Any = serializers.CharField()
    is_published = serializers.BooleanField()
    imported_at = serializers.DateTimeField(source="known_from")


class OfficialTextSerializer(serializers.Serializer[ControlWords]):
    """The official text with the parameters of the system's baseline filled in."""

    edition = TextEditionSerializer()
    parts = PartWordsSerializer(many=True)
    guidance = serializers.ListField(child=serializers.CharField())


class ControlTextSerializer(serializers.Serializer[Any]):
    """`official` is null where no text was imported by then."""

    control_id = serializers.CharField(source="control.ref_id")
    label: Any = serializers.CharField(source="control.label")
    title = serializers.CharField(source="control.title")
    summary = serializers.CharField(source="control.summary")
    official = OfficialTextSerializer(allow_null=True)


class ControlTextView(APIView):
    """What a control of a system asks."""

    @extend_schema(parameters=CLOCKS, responses=ControlTextSerializer)
    def get(self, request: Request, slug: str, ref_id: str) -> Response:
        """One sentence, and the official text as it was imported by `known_at`."""
        mine = System.objects.visible_to(actor_of(request)).select_related("baseline")
        system = get_object_or_404(mine, slug=slug)
        rows = ControlImplementation.objects.select_related("control__catalog")
        row = get_object_or_404(rows, system=system, control__ref_id=ref_id)
        moment, _ = clocks_of(request, system)
        words = control_words(row.control, system.baseline, moment.known_at)
        body = {"control": row.control, "official": words}
        return Response(ControlTextSerializer(body).data)
