"""Findings of AWS over the API: a file previewed, imported, and what was imported."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db.models import QuerySet
from django.http import HttpRequest
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
from controls.models import System
from evidence.findings.imports import confirm_import, preview_import
from evidence.findings.source_files import MAX_BYTES
from evidence.findings.who_may import require_recorder
from evidence.models import FindingImport
from srm_project.file_places import take_upload_place
from srm_project.request_limits import SmallFormsOnly
from srm_project.requests import actor_of

SHOWN = 500  # rows of a list of a preview


class FindingsOnly(SmallFormsOnly):
    """Bodies of up to the length of a file of findings."""

    max_form_bytes = MAX_BYTES + 100_000  # the file, and what is around it


class FindingImportSerializer(serializers.ModelSerializer[FindingImport]):
    """An imported file: observations `made`, reported `again`, called `passed` by their
    source; lines `refused`, the first of them named in `left_out`."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    accounts = serializers.ListField(child=serializers.CharField())
    left_out = serializers.ListField(child=serializers.CharField())
    imported_at = serializers.DateTimeField(source="known_from")

    class Meta:
        model = FindingImport
        fields = ["uuid", "system", "file_name", "sha256", "accounts", "made", "again"]
        fields += ["passed", "refused", "left_out", "importer_name", "imported_at"]


class FindingFileSerializer(serializers.Serializer[Any]):
    """A file of findings, the accounts it may be of, and the control of findings that
    name none."""

    file = serializers.FileField(
        help_text="JSON (ASFF or OCSF) or CSV, at most 40 MB and 20,000 findings."
    )
    accounts = serializers.CharField(
        max_length=1_000, help_text="Ids of 12 digits, with blanks between them."
    )
    control = serializers.CharField(required=False, default="", max_length=20)


class PlannedReportSerializer(serializers.Serializer[Any]):
    """What one finding says of one control. `observation` is null where it is new."""

    line = serializers.IntegerField(source="result.line")
    finding_id = serializers.CharField(source="result.finding_id")
    account = serializers.CharField(source="result.account")
    control_id = serializers.CharField(source="implementation.control.ref_id")
    title = serializers.CharField(source="result.title")
    words = serializers.CharField(source="result.words")
    observed_on = serializers.DateField()
    observation = serializers.UUIDField(
        source="observation.uuid", default=None, allow_null=True
    )


class FindingPreviewSerializer(serializers.Serializer[Any]):
    """What a file would change, with the first 500 rows of each list and the number of
    all. `token` imports it once within an hour; empty where it would change nothing."""

    sha256 = serializers.CharField()
    new = PlannedReportSerializer(many=True)
    new_count = serializers.IntegerField()
    again = PlannedReportSerializer(many=True)
    again_count = serializers.IntegerField()
    passed = PlannedReportSerializer(many=True)
    passed_count = serializers.IntegerField()
    refused = serializers.ListField(child=serializers.CharField())
    refused_count = serializers.IntegerField()
    passing = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    unclear = serializers.ListField(child=serializers.IntegerField())
    twice = serializers.ListField(child=serializers.IntegerField())
    token = serializers.CharField()


class FindingTokenSerializer(serializers.Serializer[Any]):
    """What the preview answered with."""

    token = serializers.UUIDField()
    leave_out = serializers.BooleanField(
        default=False,
        help_text="Import the rest where some lines are refused; else none of it.",
    )


class FindingImportViewSet(WithoutETag, viewsets.ReadOnlyModelViewSet[FindingImport]):
    """Files of findings that were imported into one system."""

    serializer_class = FindingImportSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = FindingImport.objects.none()
    parser_classes = [KeptJSONParser, LinesMultiPartParser, LinesFormParser]

    def initialize_request(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> Request:
        """A preview brings a file that is longer than forms are."""
        if self.action_map.get("post") == "preview":
            request.upload_handlers = [
                FindingsOnly(request),
                TemporaryFileUploadHandler(request),
            ]
        return super().initialize_request(request, *args, **kwargs)

    def _system(self, *, recorder: bool = False) -> System:
        mine = System.objects.visible_to(actor_of(self.request))
        system = get_object_or_404(mine, slug=self.kwargs["slug"])
        if recorder:
            require_recorder(system, actor_of(self.request))
        return system

    def get_queryset(self) -> QuerySet[FindingImport]:
        """Those of the system in the address."""
        return FindingImport.objects.filter(system=self._system()).for_listing()

    @extend_schema(
        request={"multipart/form-data": FindingFileSerializer},
        responses=FindingPreviewSerializer,
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request, slug: str) -> Response:
        """What a file would change; nothing is written. For officers and auditors."""
        system = self._system(recorder=True)
        take_upload_place(request._request)
        body = valid(FindingFileSerializer, request)
        file = body["file"]
        seen = preview_import(
            system,
            file.file,
            file.name,
            file.size,
            accounts=body["accounts"],
            control=body["control"],
            by=actor_of(request),
        )
        plan = seen.plan
        shown: dict[str, Any] = {"sha256": seen.read.sha256, "token": seen.token}
        for name in ("new", "again", "passed"):
            rows = getattr(plan, name)
            shown |= {name: rows[:SHOWN], f"{name}_count": len(rows)}
        shown |= {
            "refused": [str(refusal) for refusal in plan.refusals[:SHOWN]],
            "refused_count": len(plan.refusals),
        }
        for name in ("passing", "unchanged", "unclear", "twice"):
            shown[name] = getattr(plan, name)
        return Response(FindingPreviewSerializer(shown).data)

    @extend_schema(
        request=FindingTokenSerializer, responses={201: FindingImportSerializer}
    )
    @idempotent()
    def create(self, request: Request, slug: str) -> Response:
        """Record what a preview showed: all or nothing, unless refused lines may be
        left out. For officers and auditors."""
        system = self._system(recorder=True)
        body = valid(FindingTokenSerializer, request)
        made = confirm_import(
            system,
            str(body["token"]),
            leave_out=body["leave_out"],
            by=actor_of(request),
        )
        shown = FindingImport.objects.for_listing().get(pk=made.pk)
        return Response(FindingImportSerializer(shown).data, status=201)
