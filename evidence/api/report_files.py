"""Files of providers' reports over the API: held, opened behind their term, removed.

One file: the doors of one row and of what is decided about it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
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
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor
from controls.reasons import MAX_REASON
from evidence.api.removal_decisions import RemovalDecisions
from evidence.api.removals import WhySerializer
from evidence.api.uploads import Streaming
from evidence.files.download import NotInStore
from evidence.held_reports.clearing import clear_report
from evidence.held_reports.hold import (
    MAX_AGREEMENT,
    USUAL_TERM,
    bring_report,
    hold_report,
)
from evidence.held_reports.opening import confirm_term, opened_report
from evidence.held_reports.releases import CHOOSE_AUDIT, release_report, take_back
from evidence.held_reports.removal import (
    decide_report_removal,
    request_report_removal,
    withdraw_report_removal,
)
from evidence.held_reports.who_may import engagements_to_release_to, require_keeper
from evidence.models import (
    ArtifactVersion,
    ReportFile,
    ReportFileRemoval,
    ReportRelease,
)
from evidence.submissions.waiting_files import WaitingFile
from srm_project.downloads import attachment
from srm_project.file_places import take_download_place
from srm_project.requests import actor_of


class ReportFileSerializer(serializers.ModelSerializer[ReportFile]):
    """A held file: its digest and the term behind which it opens, never its text."""

    report: Any = serializers.UUIDField(source="artifact_version.uuid")
    size_bytes = serializers.IntegerField(source="blob.size_bytes")
    media_type = serializers.CharField(source="blob.media_type")
    scan_state = serializers.CharField(source="blob.scan_state")
    held_by = serializers.CharField(source="held_by.email")
    obstacle = serializers.SerializerMethodField()

    class Meta:
        model = ReportFile
        fields = [
            "uuid",
            "report",
            "name",
            "sha256",
            "size_bytes",
            "media_type",
            "scan_state",
            "flags",
            "agreement",
            "term",
            "held_by",
            "obstacle",
        ]
        read_only_fields = fields

    def get_obstacle(self, file: ReportFile) -> str:
        """Why nobody may open it; empty where those who may, may."""
        return file.obstacle()


class NewReportFileSerializer(serializers.Serializer[Any]):
    """A file of a report to hold; `confirmed`: the agreement allows that."""

    report = serializers.UUIDField()
    agreement = serializers.CharField(max_length=MAX_AGREEMENT)
    term = serializers.CharField(
        max_length=MAX_REASON, required=False, default=USUAL_TERM
    )
    confirmed = serializers.BooleanField()
    file = serializers.FileField()


class ReleasedSerializer(serializers.Serializer[Any]):
    """The audit whose auditors may open the file, and why they need it."""

    engagement = serializers.UUIDField()
    reason = serializers.CharField(max_length=MAX_REASON)


class ReportReleaseSerializer(serializers.ModelSerializer[ReportRelease]):
    """A release; it stands while nobody has taken it back."""

    file: Any = serializers.UUIDField(source="file.uuid")
    engagement: Any = serializers.UUIDField(source="engagement.uuid")
    released_by = serializers.CharField(source="released_by.email")
    taken_back_by = serializers.CharField(source="taken_back_by.email", default=None)

    class Meta:
        model = ReportRelease
        fields = [
            "uuid",
            "file",
            "engagement",
            "reason",
            "released_by",
            "taken_back_by",
        ]
        read_only_fields = fields


class ReportRemovalSerializer(serializers.ModelSerializer[ReportFileRemoval]):
    """A removal: who asked, who decided, what became of the bytes."""

    file: Any = serializers.UUIDField(source="file.uuid")
    sha256 = serializers.CharField(source="file.sha256")
    requested_by = serializers.CharField(source="requested_by.email")
    decided_by = serializers.CharField(source="decided_by.email", default=None)

    class Meta:
        model = ReportFileRemoval
        fields = [
            "uuid",
            "file",
            "sha256",
            "reason",
            "state",
            "requested_by",
            "decided_by",
            "outcome",
            "ended_at",
        ]
        read_only_fields = fields


Held = tuple[ArtifactVersion, dict[str, Any]]


def _bring(view: ReportFileViewSet, request: Request) -> None:
    """Send the file to the store, while nobody waits for the key."""
    version, right = view.brought(request)
    bring_report(version, **right, by=actor_of(request))


class ReportFileViewSet(
    WithoutETag,
    Streaming,
    viewsets.ReadOnlyModelViewSet[ReportFile],
):
    """Held files of the reports that the caller reads of. Rows are never changed, so
    there is no ETag."""

    serializer_class = ReportFileSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = ReportFile.objects.none()
    parser_classes = [KeptJSONParser, LinesMultiPartParser, LinesFormParser]
    _brought: Held | None = None

    def get_queryset(self) -> QuerySet[ReportFile]:
        """Only what `visible_to` allows."""
        rows: QuerySet[ReportFile] = ReportFile.objects.visible_to(
            actor_of(self.request)
        ).for_opening()
        return rows

    @extend_schema(
        request={"multipart/form-data": NewReportFileSerializer},
        responses={201: ReportFileSerializer},
    )
    @idempotent(before=_bring)
    def create(self, request: Request) -> Response:
        """Hold a file of a report, as its keeper; it proves nothing by itself."""
        version, right = self.brought(request)
        held = hold_report(version, **right, by=actor_of(request))
        shown = self.get_queryset().get(pk=held.pk)
        return Response(ReportFileSerializer(shown).data, status=201)

    def brought(self, request: Request) -> Held:
        """The report, its file and by what right it is held; read once."""
        if self._brought is None:
            self.refuse_unread(request)
            body = valid(NewReportFileSerializer, request)
            mine = ArtifactVersion.objects.visible_to(actor_of(request)).for_listing()
            version: ArtifactVersion = get_object_or_404(mine, uuid=body.pop("report"))
            require_keeper(version, actor_of(request))
            file = body.pop("file")
            if not isinstance(file, WaitingFile):
                raise Refused({"file": "Send the file in a form."})
            self._brought = version, body | {"upload": file.as_upload()}
        return self._brought

    @extend_schema(request=None, responses=ReportFileSerializer)
    @action(detail=True, methods=["post"])
    def term(self, request: Request, uuid: str) -> Response:
        """Confirm the file's term, once for each person, before the first opening."""
        file = self.get_object()
        confirm_term(file, by=actor_of(request))
        return Response(ReportFileSerializer(file).data)

    @extend_schema(responses={(200, "*/*"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def content(self, request: Request, uuid: str) -> FileResponse:
        """The bytes as an attachment, once the term is confirmed; recorded first."""
        file = self.get_object()
        take_download_place(request._request)
        try:
            return attachment(opened_report(file, by=actor_of(request)))
        except NotInStore as missing:
            raise TransitionNotAllowed(missing.messages) from missing

    @extend_schema(request=WhySerializer, responses=ReportFileSerializer)
    @action(detail=True, methods=["post"])
    def clear(self, request: Request, uuid: str) -> Response:
        """Let a flagged file pass, as somebody who did not bring it."""
        why = valid(WhySerializer, request)["reason"]
        clear_report(self.get_object(), reason=why, by=actor_of(request))
        return Response(ReportFileSerializer(self.get_object()).data)

    @extend_schema(request=ReleasedSerializer, responses={201: ReportReleaseSerializer})
    @action(detail=True, methods=["post"])
    def release(self, request: Request, uuid: str) -> Response:
        """Let the auditors of a running audit open it."""
        file = self.get_object()
        require_keeper(file.artifact_version, actor_of(request))
        body = valid(ReleasedSerializer, request)
        mine = engagements_to_release_to(file, actor_of(request))
        named = [audit for audit in mine if audit.uuid == body["engagement"]]
        if not named:
            raise Refused({"engagement": CHOOSE_AUDIT})
        (audit,) = named
        made = release_report(file, audit, reason=body["reason"], by=actor_of(request))
        return Response(ReportReleaseSerializer(made).data, status=201)

    @extend_schema(request=WhySerializer, responses={201: ReportRemovalSerializer})
    @action(detail=True, methods=["post"])
    @idempotent()
    def remove(self, request: Request, uuid: str) -> Response:
        """Ask that it be taken away; another keeper decides."""
        file = self.get_object()
        require_keeper(file.artifact_version, actor_of(request))
        why = valid(WhySerializer, request)["reason"]
        made = request_report_removal(file, reason=why, by=actor_of(request))
        return Response(ReportRemovalSerializer(made).data, status=201)


class ReportReleaseViewSet(
    WithoutETag,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[ReportRelease],
):
    """Which held files were released to which audit."""

    serializer_class = ReportReleaseSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = ReportRelease.objects.none()

    def get_queryset(self) -> QuerySet[ReportRelease]:
        """Only what `visible_to` allows."""
        mine = ReportRelease.objects.visible_to(actor_of(self.request)).for_listing()
        rows: QuerySet[ReportRelease] = mine.select_related(
            "file", "engagement__system", "released_by", "taken_back_by"
        )
        return rows

    @extend_schema(request=None, responses=ReportReleaseSerializer)
    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, uuid: str) -> Response:
        """End it: the auditors open the file no more."""
        take_back(self.get_object(), by=actor_of(request))
        return Response(ReportReleaseSerializer(self.get_object()).data)


class ReportRemovalViewSet(RemovalDecisions):
    """Removals of held files."""

    serializer_class = ReportRemovalSerializer
    queryset = ReportFileRemoval.objects.none()

    def get_queryset(self) -> QuerySet[ReportFileRemoval]:
        """Only what `visible_to` allows."""
        mine = ReportFileRemoval.objects.visible_to(
            actor_of(self.request)
        ).for_listing()
        rows: QuerySet[ReportFileRemoval] = mine.select_related(
            "requested_by", "decided_by"
        )
        return rows

    def decide(self, removal: ReportFileRemoval, *, approve: bool, by: Actor) -> None:
        """Nobody opens the file any more once it is approved."""
        decide_report_removal(removal, approve=approve, by=by)

    def take_back(self, removal: ReportFileRemoval, *, by: Actor) -> None:
        """The file stays as it is."""
        withdraw_report_removal(removal, by=by)
