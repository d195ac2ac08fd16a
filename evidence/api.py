"""Controls with their status, evidence, artifacts and exports over the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import mixins, parsers, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api import SystemSerializer, SystemViewSet
from controls.errors import Refused
from controls.models import ControlImplementation, ServiceVariant, System, Team
from evidence import registering, reviewing
from evidence.answers import as_known_then, moment_of, today_of, window_of
from evidence.api_describe import DescribeSerializer, described
from evidence.api_uploads import FilesSerializer, Streaming, checked_files
from evidence.exports import jobs
from evidence.exports.status_rows import documents
from evidence.facts import Moment
from evidence.models import (
    Artifact,
    ArtifactVersion,
    EvidenceLink,
    EvidenceRequirement,
    Export,
)
from evidence.onboarding import Use, create_system
from evidence.submitting import Submission, submit
from srm_project.api import ByKey, etag, expected_version

CLOCKS = [
    OpenApiParameter("on", dt.date, description="Day the answer is about."),
    OpenApiParameter(
        "known_at", dt.datetime, description="Only what was recorded before this."
    ),
    OpenApiParameter(
        "as_known_then", bool, description="Knowledge of the end of `on` as well."
    ),
]


def moment_asked(request: Request, system: System) -> Moment:
    """The two clocks of a request. Raises Refused naming the parameter."""
    day = _day(request.query_params.get("on"))
    instant = _instant(request.query_params.get("known_at"))
    if day and request.query_params.get("as_known_then") in {"1", "true"}:
        return as_known_then(system, day)
    return moment_of(system, day, instant)


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused({"on": f"“{text}” is not a day such as 2026-06-30."}) from None


def _instant(text: str | None) -> dt.datetime | None:
    if not text:
        return None
    try:
        instant = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Refused({"known_at": f"“{text}” is not an instant with an offset."})
    return instant


class UseSerializer(serializers.Serializer[Any]):
    """A component to take into use."""

    service = serializers.CharField(help_text="slug, or slug:variant")
    used_from = serializers.DateField()
    regions = serializers.ListField(child=serializers.CharField(), required=False)


class NewSystemSerializer(SystemSerializer):
    """A new system with the components it uses and who owns which family."""

    components = UseSerializer(many=True, write_only=True)
    owners = serializers.DictField(
        child=serializers.SlugField(),
        required=False,
        write_only=True,
        help_text='team slugs by family; "" for all others',
    )

    class Meta(SystemSerializer.Meta):
        fields = [*SystemSerializer.Meta.fields, "components", "owners"]


def variant_named(text: str) -> ServiceVariant:
    """The variant that `slug` or `slug:variant` names. Raises Refused."""
    slug, _, variant = text.partition(":")
    found = ServiceVariant.objects.filter(service__slug=slug)
    found = found.filter(slug=variant) if variant else found.filter(is_default=True)
    chosen = found.select_related("service").first()
    if chosen is None:
        raise Refused({"components": f"There is no service “{text}”."})
    return chosen


class ReasonSerializer(serializers.Serializer[Any]):
    """Why a state holds, and what to do next."""

    code = serializers.CharField()
    subject = serializers.CharField()
    next_step = serializers.CharField()


class ControlStatusSerializer(serializers.Serializer[Any]):
    """One control with class, both halves, verdict and window result."""

    control_id = serializers.CharField()
    label: Any = serializers.CharField()
    title = serializers.CharField()
    responsibility = serializers.CharField()
    basis = serializers.ListField(child=serializers.DictField())
    owner = serializers.CharField()
    implementation_status = serializers.CharField()
    applicability = serializers.CharField()
    applicability_reason = serializers.CharField()
    override = serializers.DictField(allow_null=True)
    aws_half = serializers.CharField()
    customer_half = serializers.CharField()
    verdict = serializers.CharField()
    reasons = ReasonSerializer(many=True)
    period = serializers.DictField()
    evidence = serializers.ListField(child=serializers.DictField())
    artifacts = serializers.ListField(child=serializers.DictField())
    on = serializers.DateField()
    known_at = serializers.DateTimeField(allow_null=True)
    reference_version = serializers.CharField()


class DescribedSystemViewSet(mixins.CreateModelMixin, SystemViewSet):
    """Systems, and the control status of each."""

    def get_serializer_class(self) -> Any:
        """Creation takes components and owners too."""
        return NewSystemSerializer if self.action == "create" else SystemSerializer

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Describe a system: classified controls and requirements in one action."""
        given = NewSystemSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        uses = [
            Use(
                variant_named(u["service"]),
                u["used_from"],
                regions=u.get("regions", ()),
            )
            for u in said.pop("components")
        ]
        owners = {f: _team(slug) for f, slug in said.pop("owners", {}).items()}
        system = create_system(System(**said), uses, owners, by=request.user)
        return Response(SystemSerializer(system).data, status=201)

    @extend_schema(parameters=CLOCKS, responses=ControlStatusSerializer(many=True))
    @action(detail=True, methods=["get"])
    def controls(self, request: Request, slug: str) -> Response:
        """Class, both halves, verdict, reasons and period of every control."""
        system = self.get_object()
        moment = moment_asked(request, system)
        return Response(list(documents(system, moment, window_of(system))))

    @extend_schema(parameters=CLOCKS, responses=ControlStatusSerializer)
    @action(detail=True, methods=["get"], url_path="controls/(?P<ref_id>[^/]+)")
    def control(self, request: Request, slug: str, ref_id: str) -> Response:
        """The same for one control, with the ETag of its implementation."""
        system = self.get_object()
        row = get_object_or_404(system.implementations, control__ref_id=ref_id)
        moment = moment_asked(request, system)
        found = documents(system, moment, window_of(system), pks=[row.pk])
        return Response(next(iter(found)), headers={"ETag": etag(row)})

    @extend_schema(request=DescribeSerializer, responses=DescribeSerializer)
    @control.mapping.patch
    def describe(self, request: Request, slug: str, ref_id: str) -> Response:
        """Say how far our half or single parts of it are; needs If-Match."""
        return described(request, self.get_object(), ref_id)


def _team(slug: str) -> Team:
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise Refused({"owners": f"There is no team “{slug}”."})
    return team


class LinkSerializer(serializers.ModelSerializer[EvidenceLink]):
    """One evidence for one half of one control, and where it stands."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    control_id = serializers.CharField(
        source="implementation.control.ref_id", read_only=True
    )
    evidence = serializers.UUIDField(source="revision.evidence.uuid", read_only=True)
    title = serializers.CharField(source="revision.evidence.title", read_only=True)
    performed_on = serializers.DateField(source="revision.performed_on", read_only=True)
    digest = serializers.CharField(source="revision.digest", read_only=True)

    class Meta:
        model = EvidenceLink
        fields = [
            "uuid",
            "system",
            "control_id",
            "half",
            "evidence",
            "title",
            "performed_on",
            "digest",
            "state",
            "occurrence",
            "proves_from",
            "proves_to",
            "version",
        ]
        read_only_fields = fields


class UploadSerializer(FilesSerializer):
    """Files and what is said about them. Days are inclusive."""

    requirement = serializers.UUIDField()
    title = serializers.CharField(max_length=200)
    performed_on = serializers.DateField()
    period_start = serializers.DateField()
    period_end = serializers.DateField()
    collected_on = serializers.DateField(required=False)
    source_system = serializers.CharField(required=False, max_length=120)
    procedure = serializers.CharField(required=False)
    also = serializers.ListField(child=serializers.UUIDField(), required=False)


class ReviewSerializer(serializers.Serializer[Any]):
    """A judgement with its reason."""

    reason = serializers.CharField(required=False, allow_blank=True, default="")


class DecisionSerializer(serializers.Serializer[Any]):
    """One decision of many; `version` is what was looked at."""

    link = serializers.UUIDField()
    accept = serializers.BooleanField()
    reason = serializers.CharField(required=False, allow_blank=True, default="")
    version = serializers.IntegerField(required=False, allow_null=True, default=None)


class LinkViewSet(Streaming, viewsets.ReadOnlyModelViewSet[EvidenceLink]):
    """Evidence as linked to controls; uploads and reviews."""

    serializer_class = LinkSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = EvidenceLink.objects.none()
    parser_classes = [parsers.JSONParser, parsers.MultiPartParser, parsers.FormParser]

    def get_queryset(self) -> QuerySet[EvidenceLink]:
        """Only what `visible_to` allows."""
        return EvidenceLink.objects.visible_to(self.request.user).for_listing()

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One link with its ETag."""
        link = self.get_object()
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(request=UploadSerializer, responses=LinkSerializer)
    def create(self, request: Request) -> Response:
        """Upload files for a requirement and submit them for review."""
        self.refuse_unread(request)
        given = UploadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        mine = EvidenceRequirement.objects.visible_to(request.user).for_listing()
        requirement = get_object_or_404(mine, uuid=said["requirement"])
        also = [get_object_or_404(mine, uuid=each) for each in said.get("also", ())]
        link = submit(
            _submission(said),
            checked_files(said),
            requirement=requirement,
            also=also,
            by=request.user,
            today=today_of(requirement.system),
        )
        return Response(
            LinkSerializer(link).data, status=201, headers={"ETag": etag(link)}
        )

    @extend_schema(request=ReviewSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, uuid: str) -> Response:
        """Accept; needs If-Match."""
        link = self.get_object()
        link.accept(
            by=request.user,
            reason=_reason(request),
            version=expected_version(request, link),
        )
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(request=ReviewSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, uuid: str) -> Response:
        """Reject with a reason; needs If-Match."""
        link = self.get_object()
        link.reject(
            by=request.user,
            reason=_reason(request),
            version=expected_version(request, link),
        )
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(
        request=DecisionSerializer(many=True), responses=LinkSerializer(many=True)
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def decide(self, request: Request) -> Response:
        """Many decisions, each with its reason: all are recorded, or none."""
        given = DecisionSerializer(data=request.data, many=True)
        given.is_valid(raise_exception=True)
        said = [reviewing.Decision(**each) for each in given.validated_data]
        decided = reviewing.decide_all(said, by=request.user)
        rows = self.get_queryset().filter(pk__in=[link.pk for link in decided])
        return Response(LinkSerializer(rows, many=True).data)


def _reason(request: Request) -> str:
    given = ReviewSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    reason: str = given.validated_data["reason"]
    return reason


def _submission(said: dict[str, Any]) -> Submission:
    return Submission(
        title=said["title"],
        performed_on=said["performed_on"],
        period_start=said["period_start"],
        period_end=said["period_end"],
        collected_on=said.get("collected_on") or said["performed_on"],
        source_system=said.get("source_system", ""),
        procedure=said.get("procedure", ""),
    )


class ArtifactVersionSerializer(serializers.ModelSerializer[ArtifactVersion]):
    """One report; `until` is exclusive."""

    class Meta:
        model = ArtifactVersion
        fields = [
            "uuid",
            "label",
            "reference",
            "starts",
            "until",
            "opinion",
            "impact_level",
            "partition",
            "regions",
            "service_slugs",
            "state",
            "ended_on",
        ]


class ArtifactSerializer(serializers.ModelSerializer[Artifact]):
    """A series of AWS's reports."""

    versions = ArtifactVersionSerializer(many=True, read_only=True)

    class Meta:
        model = Artifact
        fields = ["uuid", "title", "provider", "series", "kind", "scheme", "versions"]


class CitationSerializer(serializers.Serializer[Any]):
    """Controls of one system for whose AWS half a series is cited."""

    system = serializers.SlugField()
    control_ids = serializers.ListField(child=serializers.CharField(), min_length=1)
    citation = serializers.CharField(required=False, default="", max_length=300)


class ArtifactViewSet(viewsets.ReadOnlyModelViewSet[Artifact]):
    """AWS's documents and what they are cited for."""

    serializer_class = ArtifactSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Artifact.objects.none()

    def get_queryset(self) -> QuerySet[Artifact]:
        """Only what `visible_to` allows."""
        return Artifact.objects.visible_to(self.request.user).prefetch_related(
            "versions"
        )

    @extend_schema(request=ArtifactSerializer, responses=ArtifactSerializer)
    def create(self, request: Request) -> Response:
        """Register a series."""
        given = ArtifactSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        artifact = registering.register_artifact(
            **given.validated_data, by=request.user
        )
        return Response(ArtifactSerializer(artifact).data, status=201)

    @extend_schema(
        request=CitationSerializer,
        responses=inline_serializer("Cited", {"cited": serializers.IntegerField()}),
    )
    @action(detail=True, methods=["post"])
    def citations(self, request: Request, uuid: str) -> Response:
        """Cite the series for controls; unknown ids are named and nothing is cited."""
        artifact = self.get_object()
        given = CitationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        controls = _controls(request, **given.validated_data)
        cited = registering.cite(
            artifact,
            controls,
            citation=given.validated_data["citation"],
            by=request.user,
        )
        return Response({"cited": cited}, status=201)


def _controls(
    request: Request, system: str, control_ids: list[str], **_: Any
) -> list[Any]:
    found = get_object_or_404(System.objects.visible_to(request.user), slug=system)
    rows = ControlImplementation.objects.filter(
        system=found, control__ref_id__in=control_ids
    ).select_related("control")
    controls = [row.control for row in rows]
    unknown = sorted(set(control_ids) - {control.ref_id for control in controls})
    if unknown:
        raise ValidationError({"control_ids": f"Unknown here: {', '.join(unknown)}."})
    return controls


class ExportSerializer(serializers.ModelSerializer[Export]):
    """An export and how far it is."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)

    class Meta:
        model = Export
        fields = [
            "uuid",
            "system",
            "kind",
            "on",
            "known_at",
            "state",
            "done_rows",
            "total_rows",
            "sha256",
            "size_bytes",
            "failure",
        ]


class NewExportSerializer(serializers.Serializer[Any]):
    """What to export. Without `known_at` all that is recorded now."""

    system = serializers.SlugField()
    on = serializers.DateField(required=False)
    known_at = serializers.DateTimeField(required=False)


class ExportViewSet(viewsets.ReadOnlyModelViewSet[Export]):
    """Exports of the caller, and of a system for its officers."""

    serializer_class = ExportSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Export.objects.none()

    def get_queryset(self) -> QuerySet[Export]:
        """Only what `visible_to` allows."""
        return Export.objects.visible_to(self.request.user).for_listing().order_by("pk")

    @extend_schema(request=NewExportSerializer, responses=ExportSerializer)
    def create(self, request: Request) -> Response:
        """Queue an export; the header Idempotency-Key makes repeats harmless."""
        given = NewExportSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        system = get_object_or_404(
            System.objects.visible_to(request.user), slug=said["system"]
        )
        export = jobs.request_export(
            system,
            by=request.user,
            on=said.get("on") or today_of(system),
            known_at=said.get("known_at"),
            key=request.headers.get("Idempotency-Key", "")[:60],
        )
        return Response(ExportSerializer(export).data, status=202)

    @extend_schema(responses={(200, "text/csv"): bytes})
    @action(detail=True, methods=["get"])
    def file(self, request: Request, uuid: str) -> FileResponse:
        """The finished file as an attachment; 409 before that."""
        export = self.get_object()
        return jobs.download(export, by=request.user)
