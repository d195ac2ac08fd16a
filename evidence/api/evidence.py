"""Evidence over the API: uploaded, submitted, withdrawn.

What else is done with it: `reviews.py` and `revisions.py`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
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
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.filters import in_state, of_ask, of_control, of_system
from controls.api.idempotency import idempotent
from evidence.api.clocks import BodyDayField
from evidence.api.links import LinkSerializer
from evidence.api.reviews import LinkReviews, ReviewSerializer, reason_of
from evidence.api.revisions import LinkRevisions
from evidence.api.uploads import (
    FilesSerializer,
    Streaming,
    checked_files,
    submission_of,
)
from evidence.models import (
    EvidenceLink,
    LinkState,
    RequirementControl,
    SampleItem,
    Sensitivity,
)
from evidence.status.control_status import today_of
from evidence.status.what_if import if_withdrawn
from evidence.submissions.submission import Submission
from evidence.submissions.submit import (
    Proving,
    bring,
    submit,
    submit_draft,
    withdraw,
)
from evidence.submissions.twins import refuse_twins, twins_of
from evidence.submissions.uploads import Upload
from evidence.submissions.who_may import require_withdrawer
from srm_project.requests import actor_of


class UploadSerializer(FilesSerializer):
    """Files and what is said about them. Days are inclusive."""

    requirement = serializers.UUIDField()
    title = serializers.CharField(max_length=200)
    performed_on = BodyDayField()
    period_start = BodyDayField()
    period_end = BodyDayField()
    collected_on = BodyDayField(required=False)
    source_system = serializers.CharField(required=False, max_length=120)
    procedure = serializers.CharField(required=False)
    completeness = serializers.CharField(
        required=False,
        max_length=2000,
        help_text="Of what was drawn from a system: what shows that nothing is left"
        " out. Source system and procedure are then needed, and the reviewer's tick.",
    )
    sensitivity = serializers.ChoiceField(
        choices=Sensitivity.choices,
        required=False,
        default=Sensitivity.INTERNAL,
        help_text="Who opens the files: restricted ones its team, reviewers, officers"
        " and auditors whose request it answers.",
    )
    also = serializers.ListField(child=serializers.UUIDField(), required=False)
    collected_by = serializers.EmailField(required=False)
    addresses = serializers.ListField(
        child=serializers.URLField(max_length=500), required=False, max_length=10
    )
    draft = serializers.BooleanField(required=False, default=False)
    again = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Submit it although the same bytes stand for the same ask and period."
        " Without it that is refused with 409.",
    )
    sample_item = serializers.UUIDField(
        required=False, help_text="The sampled event it shows, where asked per event."
    )


class TurnSerializer(serializers.Serializer[Any]):
    """One control whose answer would change."""

    control_id = serializers.CharField(source="ref_id")
    half_before = serializers.CharField(source="before.status.customer_half")
    half_after = serializers.CharField(source="after.status.customer_half")
    verdict_before = serializers.CharField(source="before.status.verdict")
    verdict_after = serializers.CharField(source="after.status.verdict")


def _bring(view: LinkViewSet, request: Request) -> None:
    """Send the bytes to the store, while nobody waits for the key."""
    submission, uploads, proving, today = view.brought_upload(request)
    bring(submission, uploads, proving, by=actor_of(request), today=today)


class LinkViewSet(
    LinkReviews, LinkRevisions, Streaming, viewsets.ReadOnlyModelViewSet[EvidenceLink]
):
    """Evidence as linked to controls; uploads and reviews."""

    serializer_class = LinkSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = EvidenceLink.objects.none()
    filters = {
        "system": of_system(),
        "control": of_control("implementation__control"),
        "ask": of_ask("requirement__ask", "requirement__joined"),
        "state": in_state(LinkState.values),
    }
    parser_classes = [KeptJSONParser, LinesMultiPartParser, LinesFormParser]

    def get_queryset(self) -> QuerySet[EvidenceLink]:
        """Only what `visible_to` allows."""
        return EvidenceLink.objects.visible_to(actor_of(self.request)).for_listing()

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One link with its ETag."""
        link = self.get_object()
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(request=UploadSerializer, responses=LinkSerializer)
    @idempotent(before=_bring)
    def create(self, request: Request) -> Response:
        """Upload files for a requirement and submit them for review.

        409 where the same bytes stand for the same ask and period, unless `again`.
        """
        submission, uploads, proving, today = self.brought_upload(request)
        if not valid(UploadSerializer, request)["again"]:
            rows = [proving.requirement, *proving.also]
            twins = twins_of(submission, uploads, filter(None, rows))
            refuse_twins(twins, by=actor_of(request), today=today)
        link = submit(
            submission,
            uploads,
            requirement=proving.requirement,
            also=proving.also,
            item=proving.item,
            by=actor_of(request),
            today=today,
        )
        return Response(
            LinkSerializer(link).data, status=201, headers={"ETag": etag(link)}
        )

    def brought_upload(
        self, request: Request
    ) -> tuple[Submission, list[Upload], Proving, dt.date]:
        """What the body says, and which day it is in that system."""
        self.refuse_unread(request)
        body = valid(UploadSerializer, request)
        mine = RequirementControl.objects.visible_to(actor_of(request)).for_listing()
        requirement = get_object_or_404(mine, uuid=body["requirement"])
        also = [get_object_or_404(mine, uuid=uuid) for uuid in body.get("also", ())]
        item = _sample_item(request, body.get("sample_item"))
        return (
            submission_of(body),
            checked_files(body),
            Proving(requirement, also=also, item=item),
            today_of(requirement.system),
        )

    @extend_schema(request=None, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, uuid: str) -> Response:
        """Submit a draft for review; needs If-Match."""
        link = self.get_object()
        version = expected_version(request, link)
        submit_draft(link, by=actor_of(request), version=version)
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})

    @extend_schema(responses=TurnSerializer(many=True))
    @action(
        detail=True, methods=["get"], url_path="if-withdrawn", pagination_class=None
    )
    def if_withdrawn(self, request: Request, uuid: str) -> Response:
        """The controls that would turn today; changes nothing."""
        link = self.get_object()
        require_withdrawer(link, by=actor_of(request))
        turns = if_withdrawn(link, by=actor_of(request), today=today_of(link.system))
        return Response(TurnSerializer(turns, many=True).data)

    @extend_schema(request=ReviewSerializer, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, uuid: str) -> Response:
        """Take it back, with a reason; needs If-Match."""
        link = self.get_object()
        version = expected_version(request, link)
        withdraw(link, by=actor_of(request), reason=reason_of(request), version=version)
        return Response(LinkSerializer(link).data, headers={"ETag": etag(link)})


def _sample_item(request: Request, uuid: Any) -> SampleItem | None:
    if uuid is None:
        return None
    mine = SampleItem.objects.visible_to(actor_of(request)).for_upload()
    return get_object_or_404(mine, uuid=uuid)
