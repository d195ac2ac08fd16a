"""Controls with their status, evidence, artifacts and exports over the API."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.catalog import (
    SystemEditSerializer,
    SystemSerializer,
    SystemViewSet,
)
from controls.api.conventions import ByKey, etag, page_of, valid
from controls.api.filters import Filter, in_state, narrowed, of_ask, of_control
from controls.api.idempotency import idempotent
from controls.errors import Refused
from controls.models import System, Team
from evidence.api.clocks import CLOCKS, BodyDayField, clocks_of
from evidence.api.components import UseSerializer, uses_of
from evidence.api.controls import DescribeSerializer, described
from evidence.api.links import LinkSerializer
from evidence.engagements.after_closing import later_of_controls
from evidence.exports.rows.status_rows import MAX_EVIDENCE, documents
from evidence.models import EvidenceLink, LinkState
from evidence.status.clock_parameters import Window
from evidence.status.control_filter import keys_matching
from evidence.status.control_status import NOT_RECORDED, listed
from evidence.status.gather import Moment
from evidence.systems.describe import create_system, require_creator
from srm_project.requests import actor_of

NEWEST_IN_LIST = 10  # pieces of evidence of each control in a list of controls
VERDICTS = ("proven", "partly", "unproven", "not_applicable")
EVIDENCE_WORDS = ("newest", "none")
EVIDENCE = OpenApiParameter(
    "evidence",
    str,
    enum=EVIDENCE_WORDS,
    description="The newest evidence of the window with each control, or none.",
)


class NewestFirst(ByKey):
    """The same pages, the newest row first."""

    ordering = "-pk"


class NewSystemSerializer(SystemSerializer):
    """A new system with the components it uses and who owns which family."""

    window_start = BodyDayField()
    window_end = BodyDayField()
    components = UseSerializer(many=True, write_only=True)
    owners = serializers.DictField(
        child=serializers.SlugField(),
        required=False,
        write_only=True,
        help_text='Slugs of teams by family; "" is for all others.',
    )
    asked_from = BodyDayField(
        required=False,
        write_only=True,
        help_text="First day from which proof is asked for; today unless named. Days of"
        " the window before it are unasked.",
    )
    joined = serializers.BooleanField(
        required=False,
        default=False,
        write_only=True,
        help_text="Begin with one ask for what the shipped list joins.",
    )

    class Meta(SystemSerializer.Meta):
        fields = [
            *SystemSerializer.Meta.fields,
            "components",
            "owners",
            "asked_from",
            "joined",
        ]


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
    regime_numbers = serializers.ListField(
        child=serializers.CharField(),
        help_text="The regime's own numbers beside the control on the day: CC6.1.",
    )
    applicability = serializers.CharField()
    applicability_reason = serializers.CharField()
    override = serializers.DictField(allow_null=True)
    aws_half = serializers.CharField()
    customer_half = serializers.CharField()
    verdict = serializers.CharField()
    reasons = ReasonSerializer(many=True)
    period = serializers.DictField()
    evidence = serializers.ListField(child=serializers.DictField())
    more_evidence = serializers.BooleanField(
        help_text="Whether the window has more than is listed."
    )
    after_closing = serializers.ListField(
        child=serializers.CharField(),
        help_text="What was recorded of it since a window of these days was closed.",
    )
    evidence_url = serializers.URLField(help_text="All of it, newest first.")
    artifacts = serializers.ListField(child=serializers.DictField())
    on = serializers.DateField()
    known_at = serializers.DateTimeField(allow_null=True)
    reference_version = serializers.CharField()
    rules = serializers.IntegerField(help_text="Number of the rules that judged.")
    rules_then = serializers.IntegerField(
        allow_null=True, help_text="Number in force at `known_at`, where it is another."
    )


class BoundedSystemEditSerializer(SystemEditSerializer):
    """What may be changed later, with a window within the bounds of all clocks."""

    window_start = BodyDayField()
    window_end = BodyDayField()


class DescribedSystemViewSet(mixins.CreateModelMixin, SystemViewSet):
    """Systems, and the control status of each."""

    edit_serializer_class = BoundedSystemEditSerializer
    filters_of_actions = {
        "controls": {
            "control": of_control("control"),
            "ask": of_ask("requirements__ask", "requirements__joined", unique=False),
            # narrowed by the action: a verdict is of the day asked about
            "state": Filter(
                "Only with this verdict.", lambda rows, text: rows, words=VERDICTS
            ),
        },
        "control_evidence": {
            "ask": of_ask("requirement__ask", "requirement__joined"),
            "state": in_state(LinkState.values),
        },
    }

    def get_serializer_class(self) -> Any:
        """Creation takes components and owners too."""
        return NewSystemSerializer if self.action == "create" else SystemSerializer

    @idempotent()
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Describe a system: classified controls and requirements in one action."""
        require_creator(actor_of(request))
        body = valid(NewSystemSerializer, request)
        uses = uses_of(body.pop("components"))
        owners = {f: _team(slug) for f, slug in body.pop("owners", {}).items()}
        asked_from = body.pop("asked_from", None)
        joined = body.pop("joined")
        system = create_system(
            System(**body),
            uses,
            owners,
            by=actor_of(request),
            asked_from=asked_from,
            joined=joined,
        )
        return Response(SystemSerializer(system).data, status=201)

    @extend_schema(
        parameters=[*CLOCKS, EVIDENCE], responses=ControlStatusSerializer(many=True)
    )
    @action(detail=True, methods=["get"])
    def controls(self, request: Request, slug: str) -> Response:
        """Class, both halves, verdict, reasons and period of controls, page by page.

        Each with the newest of its evidence of the window.
        """
        system = self.get_object()
        moment, window = clocks_of(request, system)
        newest = _evidence_asked(request, NEWEST_IN_LIST)
        controls: Any = system.implementations.only("system_id")
        controls = narrowed(request, controls, self)
        if verdict := request.query_params.get("state"):
            controls = controls.filter(pk__in=_with_verdict(system, moment, verdict))
        pks = [row.pk for row in self.paginate_queryset(controls) or ()]
        rows = _documents(request, system, moment, window, pks=pks, newest=newest)
        return self.get_paginated_response(rows)

    @extend_schema(parameters=[*CLOCKS, EVIDENCE], responses=ControlStatusSerializer)
    @action(detail=True, methods=["get"], url_path="controls/(?P<ref_id>[^/]+)")
    def control(self, request: Request, slug: str, ref_id: str) -> Response:
        """The same for one control, with the ETag of its implementation."""
        system = self.get_object()
        row = get_object_or_404(system.implementations, control__ref_id=ref_id)
        moment, window = clocks_of(request, system)
        newest = _evidence_asked(request, MAX_EVIDENCE)
        rows = _documents(request, system, moment, window, pks=[row.pk], newest=newest)
        if not rows:
            raise Http404("This control was not recorded at that time.")
        return Response(rows[0], headers={"ETag": etag(row)})

    @extend_schema(responses=LinkSerializer(many=True))
    @action(
        detail=True,
        methods=["get"],
        url_path="controls/(?P<ref_id>[^/]+)/evidence",
        pagination_class=NewestFirst,
    )
    def control_evidence(self, request: Request, slug: str, ref_id: str) -> Response:
        """All evidence ever brought for one control, newest first, page by page."""
        system = self.get_object()
        row = get_object_or_404(system.implementations, control__ref_id=ref_id)
        visible = EvidenceLink.objects.visible_to(actor_of(request)).for_listing()
        links = narrowed(request, visible.filter(implementation=row), self)
        return page_of(self, links, LinkSerializer)

    @extend_schema(request=DescribeSerializer, responses=DescribeSerializer)
    @control.mapping.patch
    def describe(self, request: Request, slug: str, ref_id: str) -> Response:
        """Say how far our half or single parts of it are; needs If-Match."""
        return described(request, self.get_object(), ref_id)


def _with_verdict(system: System, moment: Moment, verdict: str) -> list[int]:
    """Keys of the controls that have a verdict: all are judged."""
    rows = listed(system, moment)
    return keys_matching(system, moment, rows, {"verdict": verdict})


def _evidence_asked(request: Request, newest: int) -> int:
    """How many pieces of evidence of a control to show. Raises Refused for a word
    that is neither of `EVIDENCE`."""
    word = request.query_params.get("evidence", "newest")
    if word not in EVIDENCE_WORDS:
        raise Refused({"evidence": "Choose newest or none."})
    return newest if word == "newest" else 0


def _documents(
    request: Request,
    system: System,
    moment: Moment,
    window: Window,
    *,
    pks: list[int],
    newest: int,
) -> list[dict[str, Any]]:
    """Controls as rows. Raises Refused when the system was not recorded by then."""
    try:
        rows = list(documents(system, moment, window, pks=pks, newest=newest))
    except LookupError:
        raise Refused({"known_at": NOT_RECORDED}) from None
    later = later_of_controls(system, moment, window, reader=actor_of(request))
    ids = dict(
        system.implementations.filter(pk__in=pks).values_list("control__ref_id", "pk")
        if later
        else ()
    )
    for row in rows:
        row["after_closing"] = [
            change.sentence for change in later.get(ids.get(row["control_id"]), ())
        ]
        named = [system.slug, row["control_id"]]
        path = reverse("system-control-evidence", args=named)
        row["evidence_url"] = request.build_absolute_uri(path)
    return rows


def _team(slug: str) -> Team:
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise Refused({"owners": f"There is no team “{slug}”."})
    return team
