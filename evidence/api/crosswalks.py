"""The regime's own numbers over the API: compared, imported, read."""

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
from controls.api.bodies import (
    KeptJSONParser,
    LinesFormParser,
    LinesMultiPartParser,
)
from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.idempotency import idempotent
from controls.crosswalks.adopt import SHOWN_ERRORS, preview
from controls.crosswalks.confirmation import (
    confirm_crosswalk,
    sealed_crosswalk,
    version_followed,
)
from controls.crosswalks.rows import CrosswalkFile, read_crosswalk
from controls.errors import Refused
from controls.grammar import size_in_words
from controls.models import Crosswalk, System
from controls.spreadsheets import MAX_BYTES
from evidence.api.clocks import BodyDayField
from evidence.status.control_status import today_of
from srm_project.requests import actor_of


class NumberedControlSerializer(serializers.Serializer[Any]):
    """A control with the numbers beside it."""

    control_id = serializers.CharField(source="implementation.control.ref_id")
    numbers = serializers.ListField(child=serializers.CharField())


class CrosswalkSerializer(serializers.ModelSerializer[Crosswalk]):
    """A version of a table; it holds from `starts_on` to before `ended_on`."""

    imported_by = serializers.CharField()
    controls = serializers.IntegerField(help_text="How many controls it names.")
    criteria = serializers.IntegerField(help_text="How many different numbers.")

    class Meta:
        model = Crosswalk
        fields = [
            "uuid",
            "title",
            "starts_on",
            "ended_on",
            "file_name",
            "sha256",
            "imported_by",
            "controls",
            "criteria",
        ]


class CrosswalkFileSerializer(serializers.Serializer[Any]):
    """A table of controls and numbers, and whose numbers they are."""

    file = serializers.FileField(help_text="CSV or XLSX of one sheet, at most 5 MB.")
    title = serializers.CharField(max_length=120)
    starts_on = BodyDayField()


class CrosswalkTokenSerializer(serializers.Serializer[Any]):
    """What the preview answered with."""

    token = serializers.CharField()
    leave_out = serializers.BooleanField(
        default=False,
        help_text="Adopt the rest where some lines cannot be placed; else none of it.",
    )


class CrosswalkPreviewSerializer(serializers.Serializer[Any]):
    """What an import would say; nothing is saved. `left`: what stands no more.

    `token` confirms it once within an hour; it is empty where nothing would stand.
    """

    sha256 = serializers.CharField()
    controls = NumberedControlSerializer(many=True)
    left = NumberedControlSerializer(many=True)
    outside = serializers.ListField(
        child=serializers.CharField(),
        help_text="Controls that the baseline of the system leaves out.",
    )
    errors: Any = serializers.ListField(child=serializers.CharField())
    token = serializers.CharField()


class CrosswalkViewSet(WithoutETag, viewsets.ReadOnlyModelViewSet[Crosswalk]):
    """Tables of the regime's numbers of one system, every version."""

    serializer_class = CrosswalkSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Crosswalk.objects.none()
    parser_classes = [KeptJSONParser, LinesMultiPartParser, LinesFormParser]

    def _system(self, *, officer: bool = False) -> System:
        mine = System.objects.visible_to(actor_of(self.request))
        system = get_object_or_404(mine, slug=self.kwargs["slug"])
        if officer:
            require_officer(system, actor_of(self.request))
        return system

    def get_queryset(self) -> QuerySet[Crosswalk]:
        """Those of the system in the address."""
        return Crosswalk.objects.filter(system=self._system()).for_listing()

    @extend_schema(
        request={"multipart/form-data": CrosswalkFileSerializer},
        responses=CrosswalkPreviewSerializer,
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request, slug: str) -> Response:
        """What would stand beside the controls; nothing is saved. For officers."""
        system = self._system(officer=True)
        body = valid(CrosswalkFileSerializer, request)
        read, day = _read(body["file"]), body["starts_on"]
        compared, title = preview(system, read), body["title"].strip()
        by = actor_of(request)
        shown = {
            "sha256": read.sha256,
            "controls": compared.stated,
            "left": compared.left_by(version_followed(system, title, day)),
            "outside": compared.outside,
            "errors": [str(error) for error in compared.errors[:SHOWN_ERRORS]],
            "token": sealed_crosswalk(
                system, read, compared, title=title, starts_on=day, by=by
            ),
        }
        return Response(CrosswalkPreviewSerializer(shown).data)

    @extend_schema(
        request=CrosswalkTokenSerializer, responses={201: CrosswalkSerializer}
    )
    @idempotent()
    def create(self, request: Request, slug: str) -> Response:
        """Let the numbers of a preview stand beside the controls: all or nothing,
        unless lines may be left out. For officers."""
        system = self._system(officer=True)
        body = valid(CrosswalkTokenSerializer, request)
        made = confirm_crosswalk(
            system, **body, by=actor_of(request), today=today_of(system)
        )
        shown = Crosswalk.objects.for_listing().get(pk=made.pk)
        return Response(CrosswalkSerializer(shown).data, status=201)


def _read(file: Any) -> CrosswalkFile:
    if file.size > MAX_BYTES:
        raise Refused({"file": f"The file is larger than {size_in_words(MAX_BYTES)}."})
    try:
        return read_crosswalk(file, file.name)
    except Refused as refusal:
        raise Refused({"file": refusal.messages}) from refusal
