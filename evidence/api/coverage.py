"""What a report speaks to, over the API: listed, recorded, confirmed line by line.

One file: lines and their list and what is done to them are one noun of the API.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.bodies import (
    KeptJSONParser,
    LinesFormParser,
    LinesMultiPartParser,
)
from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.idempotency import idempotent
from controls.errors import Refused
from controls.grammar import size_in_words
from controls.reasons import MAX_REASON
from controls.spreadsheets import MAX_BYTES
from evidence.artifacts import coverage
from evidence.artifacts.coverage_list import (
    CoveragePreview,
    import_coverage,
    preview_coverage,
    read_coverage,
    sealed_coverage,
)
from evidence.artifacts.coverage_proposals import propose_coverage
from evidence.artifacts.coverage_targets import CoverageEntry, label_of_line
from evidence.models import ArtifactVersion, CoverageLine
from evidence.models.coverage import MAX_NUMBER, MAX_PAGE, MAX_SECTION
from srm_project.requests import actor_of


class CoverageLineSerializer(serializers.ModelSerializer[CoverageLine]):
    """A control, or the part of it with this `statement_id`, and where the report has
    it. It is nobody's word until `confirmed`."""

    control_id = serializers.CharField(source="control.ref_id")
    label: Any = serializers.SerializerMethodField()
    statement_id = serializers.CharField(source="part")
    origin: Any = serializers.CharField()
    confirmed = serializers.SerializerMethodField()
    confirmed_by = serializers.SerializerMethodField()

    class Meta:
        model = CoverageLine
        fields = [
            "uuid",
            "control_id",
            "statement_id",
            "label",
            "section",
            "page",
            "provider_control",
            "origin",
            "confirmed",
            "confirmed_by",
            "confirm_reason",
            "version",
        ]

    def get_label(self, line: CoverageLine) -> str:
        """The control, with the part where the line is for one."""
        return label_of_line(line)

    def get_confirmed(self, line: CoverageLine) -> bool:
        """Whether a person stands for it."""
        return line.confirmed_by_id is not None

    def get_confirmed_by(self, line: CoverageLine) -> str:
        """Who; empty for nobody."""
        return str(line.confirmed_by) if line.confirmed_by else ""


class CoverageEntrySerializer(serializers.Serializer[Any]):
    """A line in own words; `control` is an id, also with a part: “AC-2 (a)”."""

    control = serializers.CharField(max_length=60)
    section = serializers.CharField(
        max_length=MAX_SECTION, required=False, default="", allow_blank=True
    )
    page = serializers.CharField(
        max_length=MAX_PAGE, required=False, default="", allow_blank=True
    )
    provider_control = serializers.CharField(
        max_length=MAX_NUMBER, required=False, default="", allow_blank=True
    )


class NewCoverageSerializer(serializers.Serializer[Any]):
    """Lines that the caller stands for; one that is there says what is said last."""

    lines = CoverageEntrySerializer(many=True, allow_empty=False)


class CoverageChangeSerializer(serializers.Serializer[Any]):
    """How many lines came, and how many say something else now."""

    added = serializers.IntegerField()
    changed = serializers.IntegerField()


class CoverageListSerializer(serializers.Serializer[Any]):
    """A CSV or XLSX list of one sheet, at most 5 MB."""

    file = serializers.FileField()


class CoveragePreviewRowSerializer(serializers.Serializer[Any]):
    """What one line would do: come, change, or stay as it is."""

    control = serializers.CharField(source="label")
    section = serializers.CharField(source="entry.section")
    page = serializers.CharField(source="entry.page")
    provider_control = serializers.CharField(source="entry.provider_control")
    effect = serializers.CharField()


class CoverageRowErrorSerializer(serializers.Serializer[Any]):
    """What is wrong with one cell; `sheet` is empty of CSV, lines count from 1."""

    sheet = serializers.CharField(source="place.sheet")
    line = serializers.IntegerField(source="place.line")
    column = serializers.CharField(source="place.column")
    message = serializers.CharField()


class CoveragePreviewSerializer(serializers.Serializer[Any]):
    """What a list would do; `token`, of one without errors, imports it once within an
    hour."""

    rows = CoveragePreviewRowSerializer(many=True)
    row_errors = CoverageRowErrorSerializer(many=True, source="errors")
    token = serializers.CharField(allow_blank=True)


class CoverageTokenSerializer(serializers.Serializer[Any]):
    """What the preview answered with."""

    token = serializers.CharField()


class CoverageFamiliesSerializer(serializers.Serializer[Any]):
    """Families whose shipped proposals become lines to be confirmed."""

    families = serializers.ListField(
        child=serializers.CharField(max_length=10), min_length=1
    )


class AddedLinesSerializer(serializers.Serializer[Any]):
    """How many lines came, to be confirmed."""

    added = serializers.IntegerField()


class ShownLineSerializer(serializers.Serializer[Any]):
    """A line with the version that was read; 409 when it changed since."""

    uuid = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1)


class ShownLinesSerializer(serializers.Serializer[Any]):
    """Lines to take out."""

    lines = ShownLineSerializer(many=True, allow_empty=False)


class ConfirmedLinesSerializer(ShownLinesSerializer):
    """Lines to stand for, and why."""

    reason = serializers.CharField(max_length=MAX_REASON)


class LineCountSerializer(serializers.Serializer[Any]):
    """How many lines."""

    lines = serializers.IntegerField()


class CoverageViewSet(WithoutETag, viewsets.GenericViewSet[CoverageLine]):
    """What one report speaks to; kept by registrars, read by whoever reads reports."""

    serializer_class = CoverageLineSerializer
    pagination_class = ByKey
    queryset = CoverageLine.objects.none()
    parser_classes = [KeptJSONParser, LinesMultiPartParser, LinesFormParser]

    def _version(self, *, to_change: bool = False) -> ArtifactVersion:
        by = actor_of(self.request)
        mine = ArtifactVersion.objects.visible_to(by).for_listing()
        version: ArtifactVersion = get_object_or_404(mine, uuid=self.kwargs["version"])
        if to_change:
            coverage.require_open_coverage(version, by=by)
        return version

    @extend_schema(responses=CoverageLineSerializer(many=True))
    def list(self, request: Request, version: str) -> Response:
        """The lines, page by page."""
        lines = self._version().coverage_lines.select_related("control", "confirmed_by")
        page = self.paginate_queryset(lines)
        return self.get_paginated_response(CoverageLineSerializer(page, many=True).data)

    @extend_schema(
        request=NewCoverageSerializer, responses={201: CoverageChangeSerializer}
    )
    @idempotent()
    def create(self, request: Request, version: str) -> Response:
        """Record lines that the caller stands for, as a registrar."""
        report = self._version(to_change=True)
        body = valid(NewCoverageSerializer, request)
        entries = [CoverageEntry(**line) for line in body["lines"]]
        change = coverage.record_coverage(report, entries, by=actor_of(request))
        return Response(CoverageChangeSerializer(change).data, status=201)

    @extend_schema(
        request={"multipart/form-data": CoverageListSerializer},
        responses=CoveragePreviewSerializer,
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request, version: str) -> Response:
        """What each line of a list would do; nothing is written."""
        report, by = self._version(to_change=True), actor_of(request)
        file = valid(CoverageListSerializer, request)["file"]
        if file.size > MAX_BYTES:
            sentence = f"The file is larger than {size_in_words(MAX_BYTES)}."
            raise Refused({"file": sentence})
        try:
            preview = preview_coverage(report, read_coverage(file, file.name), by=by)
            token = "" if preview.errors else sealed_coverage(report, preview, by=by)
        except Refused as refusal:
            raise Refused({"file": refusal.messages}) from refusal
        return Response(_preview_body(preview, token))

    @extend_schema(
        request=CoverageTokenSerializer, responses={201: CoverageChangeSerializer}
    )
    @action(detail=False, methods=["post"], url_path="import")
    @idempotent()
    def import_list(self, request: Request, version: str) -> Response:
        """Record what a preview showed; 409 where the lines changed since."""
        report = self._version(to_change=True)
        token = valid(CoverageTokenSerializer, request)["token"]
        change = import_coverage(report, token, by=actor_of(request))
        return Response(CoverageChangeSerializer(change).data, status=201)

    @extend_schema(request=None, responses={201: AddedLinesSerializer})
    @action(detail=False, methods=["post"], url_path="copy-forward")
    @idempotent()
    def copy_forward(self, request: Request, version: str) -> Response:
        """Copy the confirmed lines of the report before, to be confirmed."""
        report = self._version(to_change=True)
        added = coverage.copy_coverage(report, by=actor_of(request))
        return Response({"added": added}, status=201)

    @extend_schema(
        request=CoverageFamiliesSerializer, responses={201: AddedLinesSerializer}
    )
    @action(detail=False, methods=["post"])
    @idempotent()
    def propose(self, request: Request, version: str) -> Response:
        """Add what such a report usually speaks to, to be confirmed."""
        report = self._version(to_change=True)
        families = valid(CoverageFamiliesSerializer, request)["families"]
        added = propose_coverage(report, families, by=actor_of(request))
        return Response({"added": added}, status=201)

    @extend_schema(request=ConfirmedLinesSerializer, responses=LineCountSerializer)
    @action(detail=False, methods=["post"])
    def confirm(self, request: Request, version: str) -> Response:
        """Stand for lines; 409 for one that is confirmed or changed since."""
        report = self._version(to_change=True)
        body = valid(ConfirmedLinesSerializer, request)
        number = coverage.confirm_coverage(
            report,
            _shown(body["lines"]),
            reason=body["reason"],
            by=actor_of(request),
        )
        return Response({"lines": number})

    @extend_schema(request=ShownLinesSerializer, responses=LineCountSerializer)
    @action(detail=False, methods=["post"])
    def remove(self, request: Request, version: str) -> Response:
        """Take lines out; what systems cite stays."""
        report = self._version(to_change=True)
        body = valid(ShownLinesSerializer, request)
        shown = _shown(body["lines"])
        number = coverage.remove_coverage(report, shown, by=actor_of(request))
        return Response({"lines": number})


def _preview_body(preview: CoveragePreview, token: str) -> Any:
    shown = {"rows": preview.rows, "errors": preview.errors, "token": token}
    return CoveragePreviewSerializer(shown).data


def _shown(lines: Iterable[dict[str, Any]]) -> dict[str, int]:
    return {str(line["uuid"]): line["version"] for line in lines}
