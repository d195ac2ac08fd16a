"""Revisions over the API: evidence corrected, added to, offered once more."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.conventions import expected_version, valid
from controls.api.idempotency import idempotent
from controls.approvals import refuse_stale
from controls.reasons import MAX_REASON
from evidence.api.clocks import BodyDayField
from evidence.api.links import LinkSerializer
from evidence.api.uploads import (
    FilesSerializer,
    Streaming,
    checked_files,
    submission_of,
)
from evidence.models import Evidence, EvidenceLink, RequirementControl
from evidence.status.control_status import today_of
from evidence.submissions.revise import (
    attach,
    bring_revision,
    locked_newest,
    revise,
)
from evidence.submissions.submission import Submission
from evidence.submissions.uploads import Upload
from evidence.submissions.who_may import require_reviser
from srm_project.requests import actor_of

# What evidence says for all its revisions.
SAID_ONCE = ("title", "source_system", "procedure", "completeness")
KINDS = [
    ("correction", "Correction: what it replaces counts no more"),
    ("addition", "Addition: what was there goes on counting"),
]


class RevisionSerializer(FilesSerializer):
    """A correction or an addition: new files and days, and why.

    Without `collected_by` the earlier collector stays. Title, source system and
    procedure were said once, with the first upload: naming them is refused.
    """

    kind = serializers.ChoiceField(choices=KINDS)
    reason = serializers.CharField(max_length=MAX_REASON)
    performed_on = BodyDayField()
    period_start = BodyDayField()
    period_end = BodyDayField()
    collected_on = BodyDayField(required=False)
    collected_by = serializers.EmailField(required=False)
    addresses = serializers.ListField(
        child=serializers.URLField(max_length=500), required=False, max_length=10
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What a revision says. Raises ValidationError for what it cannot change."""
        fixed = "It was said with the first upload; a revision cannot change it."
        named = [name for name in SAID_ONCE if name in self.initial_data]
        if named:
            raise serializers.ValidationError(dict.fromkeys(named, fixed))
        return attrs


class AttachSerializer(serializers.Serializer[Any]):
    """A further requirement the same evidence is offered for."""

    requirement = serializers.UUIDField()


def _bring(view: LinkRevisions, request: Request, uuid: str) -> None:
    """Send the bytes to the store, while nobody waits for the key."""
    evidence, submission, uploads = view.brought_revision(request)
    today = today_of(evidence.system)
    bring_revision(evidence, submission, uploads, by=actor_of(request), today=today)


class LinkRevisions(Streaming, viewsets.GenericViewSet[EvidenceLink]):
    """What collectors do with the evidence behind a link."""

    @extend_schema(request=RevisionSerializer, responses=LinkSerializer(many=True))
    @action(detail=True, methods=["post"], pagination_class=None)
    @idempotent(before=_bring)
    def revise(self, request: Request, uuid: str) -> Response:
        """Correct or add to the evidence behind it; answers with the new links."""
        evidence, submission, uploads = self.brought_revision(request)
        body = valid(RevisionSerializer, request)
        revision = revise(
            evidence,
            submission,
            uploads,
            kind=body["kind"],
            reason=body["reason"],
            by=actor_of(request),
            today=today_of(evidence.system),
        )
        rows = self.get_queryset().filter(revision=revision).order_by("pk")
        return Response(LinkSerializer(rows, many=True).data, status=201)

    def brought_revision(
        self, request: Request
    ) -> tuple[Evidence, Submission, list[Upload]]:
        """Which evidence is revised, and what the body says."""
        evidence = self._revisable(request)
        self.refuse_unread(request)
        body = valid(RevisionSerializer, request)
        submission = submission_of({"title": evidence.title} | body)
        return evidence, submission, checked_files(body)

    @extend_schema(request=AttachSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    @idempotent()
    def attach(self, request: Request, uuid: str) -> Response:
        """Offer the newest revision for one more requirement; unreviewed."""
        self._revisable(request)
        mine = RequirementControl.objects.visible_to(actor_of(request)).for_listing()
        requirement = get_object_or_404(
            mine, uuid=valid(AttachSerializer, request)["requirement"]
        )
        with transaction.atomic():
            revision = locked_newest(self.get_object().revision.evidence)
            self._revisable(request)  # once more: If-Match as of what is locked
            link = attach(revision, requirement=requirement, by=actor_of(request))
        return Response(LinkSerializer(link).data, status=201)

    def _revisable(self, request: Request) -> Evidence:
        """The evidence behind the link; If-Match, where sent, must match the link."""
        link = self.get_object()
        require_reviser(link.revision.evidence, by=actor_of(request))
        refuse_stale(link, expected_version(request, link, required=False))
        evidence: Evidence = link.revision.evidence
        return evidence
