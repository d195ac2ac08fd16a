"""Providers' documents over the API: compare, import, read, ask for an end.

What rules waits for a second officer among the changes in retrospect.
"""

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

from controls.access import require_officer
from controls.api.bodies import (
    KeptJSONParser,
    LinesFormParser,
    LinesMultiPartParser,
)
from controls.api.conventions import ByKey, WithoutETag, valid
from controls.api.filters import in_state
from controls.api.idempotency import idempotent
from controls.errors import Refused
from controls.models import ProviderDocument, ProviderStatement, System
from controls.models.statements import DocumentState
from controls.oscal.plans import MAX_PLAN_BYTES, PlanFile
from controls.provider_documents.adopt import request_adoption, request_end
from controls.provider_documents.compare import preview
from controls.provider_documents.rows import Statements, read_statements
from evidence.api.clocks import BodyDayField
from evidence.status.control_status import today_of
from srm_project.file_places import take_upload_place
from srm_project.request_limits import SmallFormsOnly
from srm_project.requests import actor_of

BRINGING_FILES = ("create", "preview")


class StatementSerializer(serializers.ModelSerializer[ProviderStatement]):
    """The document's class and wording beside the template's class at the import."""

    control_id = serializers.CharField(source="implementation.control.ref_id")

    class Meta:
        model = ProviderStatement
        fields = ["control_id", "responsibility", "template_class", "text", "differs"]


class ProviderDocumentSerializer(serializers.ModelSerializer[ProviderDocument]):
    """A document; adopted by two officers it rules from `starts_on` to before
    `ended_on`. `change` is what waits for the second one, or was decided."""

    statements = serializers.IntegerField(source="said")
    differing = serializers.IntegerField()
    imported_by = serializers.CharField()
    change: Any = serializers.SlugRelatedField(slug_field="uuid", read_only=True)

    class Meta:
        model = ProviderDocument
        fields = [
            "uuid",
            "title",
            "reference",
            "starts_on",
            "ended_on",
            "state",
            "file_name",
            "sha256",
            "imported_by",
            "change",
            "statements",
            "differing",
            "left_out",
        ]


class WholeDocumentSerializer(ProviderDocumentSerializer):
    """A document with everything it says."""

    statements = StatementSerializer(many=True)  # type: ignore[assignment]


class FileSerializer(serializers.Serializer[Any]):
    """A file of statements."""

    file = serializers.FileField(
        help_text="CSV or XLSX, at most 5 MB and 5,000 rows; or a security plan in"
        " OSCAL (JSON), at most 20 MB."
    )
    own_plan = serializers.FileField(
        required=False,
        help_text="Your own security plan in OSCAL (JSON), to be held against the"
        " provider's: what it satisfies nowhere and what leads to nothing is in"
        " `left_out`. Both together at most 20 MB.",
    )


class ImportSerializer(FileSerializer):
    """A document's facts with its file."""

    title = serializers.CharField(max_length=200)
    reference = serializers.CharField(max_length=120)
    starts_on = BodyDayField()
    reason = serializers.CharField(
        max_length=2000,
        default="",
        allow_blank=True,
        help_text="For the officer who approves.",
    )
    leave_out = serializers.BooleanField(
        default=False,
        help_text="Adopt the rest where some lines cannot be placed; else none of it.",
    )


class ComparisonSerializer(serializers.Serializer[Any]):
    """What an import would say; nothing is saved."""

    sha256 = serializers.CharField()
    statements = serializers.IntegerField()
    differences = StatementSerializer(many=True)
    outside = serializers.ListField(child=serializers.CharField())
    left_out = serializers.ListField(
        child=serializers.CharField(),
        help_text="Sheets, columns and parts that were not read, and why; of a plan"
        " what is not right in it, with its place.",
    )
    withheld = serializers.ListField(
        child=serializers.CharField(),
        help_text="Controls of which nothing is stated, since a line cannot be placed.",
    )
    errors: Any = serializers.ListField(child=serializers.CharField())


class EndSerializer(serializers.Serializer[Any]):
    """The first day on which the document counts no more, and why."""

    ended_on = BodyDayField()
    reason = serializers.CharField(max_length=2000)


class PlansOnly(SmallFormsOnly):
    """Two files of together at most the largest plan, and the fields around them."""

    max_form_bytes = MAX_PLAN_BYTES + 100_000


class ProviderDocumentViewSet(
    WithoutETag, viewsets.ReadOnlyModelViewSet[ProviderDocument]
):
    """Responsibility documents of the provider, as imported for one system."""

    serializer_class = ProviderDocumentSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = ProviderDocument.objects.none()
    filters = {"state": in_state(DocumentState.values)}
    parser_classes = [KeptJSONParser, LinesMultiPartParser, LinesFormParser]

    def initialize_request(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> Request:
        """A plan may be longer than forms are: it waits on the disk of the server."""
        if self.action_map.get("post") in BRINGING_FILES:
            request.upload_handlers = [
                PlansOnly(request),
                TemporaryFileUploadHandler(request),
            ]
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whoever brings a file takes a place among uploads before it is read."""
        super().initial(request, *args, **kwargs)
        if self.action in BRINGING_FILES:
            take_upload_place(request._request)

    def get_queryset(self) -> QuerySet[ProviderDocument]:
        """Only what `visible_to` allows, of the system in the address."""
        mine = ProviderDocument.objects.visible_to(actor_of(self.request)).for_listing()
        return mine.filter(system__slug=self.kwargs["slug"])

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """404 for a system that the caller may not see."""
        self._system()
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=WholeDocumentSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One document with its statements."""
        return self._whole(self.get_object())

    @extend_schema(
        request={"multipart/form-data": ImportSerializer},
        responses={201: WholeDocumentSerializer},
    )
    @idempotent()
    def create(self, request: Request, slug: str) -> Response:
        """Ask that a document rules: all of it, or without lines that may be left out.

        It waits: another officer approves `change` among the changes in retrospect.
        """
        system = self._system(officer=True)
        body = valid(ImportSerializer, request)
        read = _read(body.pop("file"), body.pop("own_plan", None))
        document = request_adoption(
            system, read, **body, by=actor_of(request), today=today_of(system)
        )
        return self._whole(document, status=201)

    @extend_schema(
        request={"multipart/form-data": FileSerializer}, responses=ComparisonSerializer
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request, slug: str) -> Response:
        """Compare a file with the template; nothing is saved."""
        system = self._system(officer=True)
        files = valid(FileSerializer, request)
        read = _read(files["file"], files.get("own_plan"))
        compared = preview(system, read, today=today_of(system))
        comparison = {
            "sha256": read.sha256,
            "statements": len(compared.stated),
            "differences": compared.differences,
            "outside": compared.outside,
            "left_out": compared.left_out,
            "withheld": compared.withheld,
            "errors": [str(error) for error in compared.errors],
        }
        return Response(ComparisonSerializer(comparison).data)

    @extend_schema(request=EndSerializer, responses=WholeDocumentSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, slug: str, uuid: str) -> Response:
        """Ask that from a day on the template holds again; 409 when it has ended.

        It waits: another officer approves it among the changes in retrospect.
        """
        document = self.get_object()
        body = valid(EndSerializer, request)
        request_end(
            document,
            **body,
            by=actor_of(request),
            today=today_of(document.system),
        )
        return self._whole(document)

    def _system(self, *, officer: bool = False) -> System:
        mine = System.objects.visible_to(actor_of(self.request))
        system = get_object_or_404(mine, slug=self.kwargs["slug"])
        if officer:
            require_officer(system, actor_of(self.request))
        return system

    def _whole(self, document: ProviderDocument, status: int = 200) -> Response:
        whole = ProviderDocument.objects.for_listing().with_statements()
        shown = whole.get(pk=document.pk)
        return Response(WholeDocumentSerializer(shown).data, status=status)


def _read(file: Any, own: Any) -> Statements:
    own_plan = PlanFile(own.name, own.read(MAX_PLAN_BYTES + 1)) if own else None
    try:
        return read_statements(file, file.name, own_plan)
    except Refused as refusal:
        raise Refused({"file": refusal.messages}) from refusal
