"""Audits over the API: listed, made, corrected, renewed, ended; their scope and their
controls over the window.

One file: an audit, its access and its scope are one address.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from controls import clock
from controls.access import require_officer
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.filters import Filter, of_system
from controls.api.idempotency import idempotent
from controls.audit_systems import (
    MAX_SYSTEMS,
    end_in_audit,
    make_audit,
    renew_in_audit,
)
from controls.engagement_scope import MAX_CONTROLS, scope_of_engagement
from controls.engagements import (
    EngagementDraft,
    correct_engagement,
    end_engagement,
    renew_engagement,
)
from controls.errors import Refused
from controls.models import ControlImplementation, Engagement, System, User
from controls.models.engagements import EngagementKind
from controls.reasons import MAX_REASON
from evidence.api.clocks import CLOCKS, BodyDayField, clocks_of
from evidence.api.marks import ControlMarkSerializer
from evidence.engagements.auditors import auditors_of
from evidence.engagements.control_table import TableRow, marks_of, table_rows
from evidence.engagements.scope import choose_scope
from evidence.engagements.scope_changes import changes_of
from evidence.engagements.scope_list import (
    controls_by_number,
    numbers_in_scope,
    read_scope,
)
from evidence.engagements.systems import add_to_audit, take_out_of_audit
from evidence.status.clocks import Clocks
from evidence.status.control_status import (
    listed,
    refuse_unrecorded,
    today_of,
)
from srm_project.recent_proof import require_recent_proof_of_program
from srm_project.requests import actor_of


class EngagementSerializer(serializers.ModelSerializer[Engagement]):
    """An audit in one system; those of several share `audit`. The window's days are
    both inclusive; `controls` are the chosen ones, null for the whole baseline."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    auditors = serializers.SerializerMethodField()
    controls = serializers.SerializerMethodField()

    class Meta:
        model = Engagement
        fields = [
            "uuid",
            "audit",
            "system",
            "title",
            "kind",
            "firm",
            "window_start",
            "window_end",
            "ended_at",
            "auditors",
            "controls",
            "version",
        ]

    def get_auditors(self, engagement: Engagement) -> list[dict[str, str]]:
        """Who is let in, and their last day, that day included."""
        people = auditors_of([engagement], clock.now())[engagement.pk]
        return [
            {"name": str(one.user), "last_day": one.last_day.isoformat()}
            for one in people
        ]

    def get_controls(self, engagement: Engagement) -> list[str] | None:
        """Ids of the controls in scope; null for all."""
        scope = scope_of_engagement(engagement)
        return None if scope.controls is None else sorted(scope.controls)


class ListedEngagementSerializer(serializers.ModelSerializer[Engagement]):
    """The same without its auditors and its controls."""

    system: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)

    class Meta:
        model = Engagement
        fields = [
            "uuid",
            "audit",
            "system",
            "title",
            "kind",
            "firm",
            "window_start",
            "window_end",
            "ended_at",
            "version",
        ]


class EngagementEditSerializer(serializers.Serializer[Any]):
    """What is corrected; kind and window only before an auditor is let in."""

    title = serializers.CharField(max_length=200, required=False)
    kind = serializers.ChoiceField(choices=EngagementKind.choices, required=False)
    firm = serializers.CharField(max_length=200, required=False)
    window_start = BodyDayField(required=False)
    window_end = BodyDayField(required=False)


class NewEngagementSerializer(serializers.Serializer[Any]):
    """An audit of one or several systems, in each of which the caller is an officer."""

    systems = serializers.ListField(
        child=serializers.SlugField(), min_length=1, max_length=MAX_SYSTEMS
    )
    title = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField(choices=EngagementKind.choices)
    firm = serializers.CharField(max_length=200)
    window_start = BodyDayField()
    window_end = BodyDayField()


class RenewalSerializer(serializers.Serializer[Any]):
    """Whose access goes on, by address, and until which day, that day included."""

    people = serializers.ListField(child=serializers.EmailField(), min_length=1)
    last_day = BodyDayField()
    everywhere = serializers.BooleanField(required=False, default=False)


class EndOfEngagementSerializer(serializers.Serializer[Any]):
    """Whether it ends in the other systems of the audit as well."""

    everywhere = serializers.BooleanField(required=False, default=False)


class NumberInScopeSerializer(serializers.Serializer[Any]):
    """A regime's own number with its controls."""

    number = serializers.CharField()
    controls = serializers.ListField(child=serializers.CharField())
    out_of_scope = serializers.ListField(child=serializers.CharField())


class ScopeChangeSerializer(serializers.Serializer[Any]):
    """A change of the scope; of one from or to the whole baseline no control is named,
    `about` says what it is about from then on."""

    at = serializers.DateTimeField()
    by = serializers.CharField()
    about = serializers.CharField()
    added = serializers.ListField(child=serializers.CharField())
    taken_out = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()


class ScopeSerializer(serializers.Serializer[Any]):
    """Ids or labels of the controls in scope, or numbers of the regime that controls
    answer to (CC6.1, A.5.15, PCI 8.3); null for the whole baseline.

    Read again, `numbers` say which controls in scope answer to which number today, and
    which of that number are out of it.
    """

    controls = serializers.ListField(
        child=serializers.CharField(max_length=40),
        allow_null=True,
        max_length=MAX_CONTROLS,
    )
    reason = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        write_only=True,
        max_length=MAX_REASON,
        help_text="Why controls are taken out; needed once an auditor was let in.",
    )
    numbers = NumberInScopeSerializer(many=True, read_only=True)
    changes = ScopeChangeSerializer(many=True, read_only=True)


class SystemToAddSerializer(serializers.Serializer[Any]):
    """A system that joins an audit, in which the caller is an officer as well; with
    `let_in` its auditors read there too, each to the same last day."""

    system = serializers.SlugField()
    let_in = serializers.BooleanField(required=False, default=True)


class TakeOutSerializer(serializers.Serializer[Any]):
    """Why a system is taken out of an audit."""

    reason = serializers.CharField(max_length=MAX_REASON)


class AuditedControlSerializer(serializers.Serializer[Any]):
    """A control in the scope of an audit: the window's result and the auditors' mark,
    null for none. `providers_days` are audited / by letter / awaited / open."""

    control_id = serializers.CharField(source="row.ref_id")
    label: Any = serializers.CharField(source="row.label")
    title = serializers.CharField(source="row.title")
    responsibility = serializers.CharField(source="answer.facts.responsibility")
    verdict = serializers.CharField(source="answer.status.verdict")
    result = serializers.CharField()
    providers_days = serializers.CharField(source="providers.numbers", default="")
    company = serializers.CharField(source="ours")
    after_closing = serializers.SerializerMethodField()
    mark = ControlMarkSerializer(allow_null=True)

    def get_after_closing(self, row: TableRow) -> list[str]:
        """What became otherwise since the window was closed."""
        return [change.sentence for change in row.later]


LISTED = "#/components/schemas/ListedEngagement"


class EngagementViewSet(viewsets.ReadOnlyModelViewSet[Engagement]):
    """Audits that the caller works on now, and those of systems that they are an
    officer of."""

    serializer_class = EngagementSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Engagement.objects.none()
    filters = {
        "system": of_system(),
        "running": Filter(
            "`yes` for those that have not ended, `no` for the others.",
            lambda rows, text: rows.filter(ended_at__isnull=text == "yes"),
            words=("yes", "no"),
        ),
    }

    def get_queryset(self) -> QuerySet[Engagement]:
        """Only what `open_to` allows: an auditor's while they are let in."""
        mine = Engagement.objects.open_to(actor_of(self.request))
        return mine.select_related("system__baseline").order_by("pk")

    @extend_schema(responses=ListedEngagementSerializer(many=True))
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Without auditors and controls: these stand at each of them."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        shown = ListedEngagementSerializer(page, many=True)
        return self.get_paginated_response(shown.data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One engagement with its ETag."""
        return self._shown(self.get_object())

    @extend_schema(
        request=NewEngagementSerializer,
        # as such: a list of rows would be described as a page of them
        responses={201: {"type": "array", "items": {"$ref": LISTED}}},
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Record an audit; answers an engagement for each of its systems.

        A session is asked for the password or second factor where the last proof is too
        old.
        """
        body = valid(NewEngagementSerializer, request)
        mine = System.objects.visible_to(actor_of(request))
        names = dict.fromkeys(body.pop("systems"))
        systems = [get_object_or_404(mine, slug=name) for name in names]
        for system in systems:
            require_officer(system, actor_of(request))
        _require_proof(request)
        made = make_audit(
            systems, EngagementDraft(**body), by=actor_of(request), now=clock.now()
        )
        return Response(ListedEngagementSerializer(made, many=True).data, status=201)

    @extend_schema(request=EngagementEditSerializer, responses=EngagementSerializer)
    def partial_update(self, request: Request, uuid: str) -> Response:
        """Correct what was written of it, as an officer; needs If-Match."""
        engagement = self._officers_row(request)
        version = expected_version(request, engagement)
        body = valid(EngagementEditSerializer, request)
        names = ("title", "kind", "firm", "window_start", "window_end")
        draft = {name: body.get(name, getattr(engagement, name)) for name in names}
        correct_engagement(
            engagement,
            EngagementDraft(**draft),
            by=actor_of(request),
            today=today_of(engagement.system),
            version=version,
        )
        return self._shown(self.get_object())

    @extend_schema(request=RenewalSerializer, responses=EngagementSerializer)
    @action(detail=True, methods=["post"])
    def renew(self, request: Request, uuid: str) -> Response:
        """Let its auditors read to a later day, as an officer; needs If-Match."""
        engagement = self._officers_row(request)
        version = expected_version(request, engagement)
        body = valid(RenewalSerializer, request)
        renew = renew_in_audit if body["everywhere"] else renew_engagement
        renew(
            engagement,
            _auditors(engagement, body["people"]),
            last_day=body["last_day"],
            by=actor_of(request),
            now=clock.now(),
            version=version,
        )
        return self._shown(self.get_object())

    @extend_schema(request=EndOfEngagementSerializer, responses=EngagementSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, uuid: str) -> Response:
        """End it now: its auditors read nothing any more; needs If-Match."""
        engagement = self._officers_row(request)
        version = expected_version(request, engagement)
        everywhere = valid(EndOfEngagementSerializer, request)["everywhere"]
        end = end_in_audit if everywhere else end_engagement
        end(engagement, by=actor_of(request), now=clock.now(), version=version)
        return self._shown(self.get_object())

    @extend_schema(request=SystemToAddSerializer, responses={201: EngagementSerializer})
    @action(detail=True, methods=["post"], url_path="systems")
    @idempotent()
    def add_system(self, request: Request, uuid: str) -> Response:
        """Add a system to its audit, as an officer of both; answers the engagement
        there. Needs If-Match."""
        engagement = self._officers_row(request)
        version = expected_version(request, engagement)
        body = valid(SystemToAddSerializer, request)
        mine = System.objects.visible_to(actor_of(request))
        added = add_to_audit(
            engagement,
            get_object_or_404(mine, slug=body["system"]),
            let_in=body["let_in"],
            by=actor_of(request),
            now=clock.now(),
            version=version,
        )
        shown = EngagementSerializer(added.engagement).data
        return Response(shown, status=201, headers={"ETag": etag(added.engagement)})

    @extend_schema(request=TakeOutSerializer, responses=EngagementSerializer)
    @action(detail=True, methods=["post"], url_path="take-out")
    def take_out(self, request: Request, uuid: str) -> Response:
        """Take its system out of the audit, as an officer, where its auditors have
        begun with nothing: the engagement ends, the audit goes on. Needs If-Match."""
        engagement = self._officers_row(request)
        version = expected_version(request, engagement)
        take_out_of_audit(
            engagement,
            reason=valid(TakeOutSerializer, request)["reason"],
            by=actor_of(request),
            now=clock.now(),
            version=version,
        )
        return self._shown(self.get_object())

    @extend_schema(responses=ScopeSerializer)
    @action(detail=True, methods=["get"], pagination_class=None)
    def scope(self, request: Request, uuid: str) -> Response:
        """Its controls, with the ETag of the engagement."""
        engagement = self.get_object()
        chosen = scope_of_engagement(engagement).controls
        today = engagement.system.day_of(clock.now())
        by_number = controls_by_number(engagement.system, today)
        body: dict[str, Any] = {
            "controls": None if chosen is None else sorted(chosen),
            "numbers": numbers_in_scope(by_number, chosen),
            "changes": changes_of(engagement, None),
        }
        return Response(ScopeSerializer(body).data, headers={"ETag": etag(engagement)})

    @extend_schema(request=ScopeSerializer, responses=EngagementSerializer)
    @scope.mapping.put
    def choose_scope(self, request: Request, uuid: str) -> Response:
        """Choose its controls, as an officer. Once an auditor was let in, fewer only
        with a reason, and none that somebody has begun with. Needs If-Match."""
        engagement: Engagement = self.get_object()
        require_officer(engagement.system, actor_of(request))
        version = expected_version(request, engagement)
        body = valid(ScopeSerializer, request)
        typed = body["controls"]
        chosen = None if typed is None else _controls(engagement, typed)
        choose_scope(
            engagement,
            chosen,
            by=actor_of(request),
            reason=body["reason"],
            version=version,
        )
        return self._shown(self.get_object())

    @extend_schema(parameters=CLOCKS, responses=AuditedControlSerializer(many=True))
    @action(detail=True, methods=["get"])
    def controls(self, request: Request, uuid: str) -> Response:
        """Its controls over the window, in the order of their keys; others of the
        system are out of scope and not listed."""
        engagement = self.get_object()
        moment, window = clocks_of(request, engagement.system)
        if "window_from" not in request.query_params:
            window = (engagement.window_start, engagement.window_end)
        refuse_unrecorded(engagement.system, moment.known_at)
        scope = scope_of_engagement(engagement, moment.known_at)
        rows = ControlImplementation.objects.filter(system=engagement.system)
        if scope.controls is not None:
            rows = rows.filter(control__ref_id__in=scope.controls)
        ordered: Any = rows.order_by("pk")
        page: Any = self.paginate_queryset(ordered)
        keys = {row.pk: place for place, row in enumerate(page)}
        known = [row for row in listed(engagement.system, moment) if row["id"] in keys]
        known.sort(key=lambda row: keys[row["id"]])
        clocks = Clocks(
            engagement.system, moment, today_of(engagement.system), window, ""
        )
        marks = marks_of(engagement, moment.known_at)
        table = table_rows(engagement, clocks, known, marks)
        return self.get_paginated_response(
            AuditedControlSerializer(table, many=True).data
        )

    def _officers_row(self, request: Request) -> Engagement:
        """The engagement, for an officer who proved who they are recently."""
        engagement: Engagement = self.get_object()
        require_officer(engagement.system, actor_of(request))
        _require_proof(request)
        return engagement

    def _shown(self, row: Engagement) -> Response:
        body = EngagementSerializer(row).data
        return Response(body, headers={"ETag": etag(row)})


def _require_proof(request: Request) -> None:
    if request.auth is None:
        require_recent_proof_of_program(request)


def _auditors(engagement: Engagement, addresses: list[str]) -> list[User]:
    """Its auditors by their addresses. Raises Refused that names another one."""
    people = auditors_of([engagement], clock.now())[engagement.pk]
    by_address = {one.user.email.lower(): one.user for one in people}
    unknown = [text for text in addresses if text.lower() not in by_address]
    if unknown:
        named = ", ".join(unknown)
        raise Refused({"people": f"This engagement has no such auditor: {named}."})
    return [by_address[text.lower()] for text in dict.fromkeys(addresses)]


def _controls(engagement: Engagement, typed: list[str]) -> frozenset[str]:
    """Ids of the controls that people name, or that answer to a number they name."""
    system = engagement.system
    today = system.day_of(clock.now())
    text = "\n".join(typed)
    return read_scope(system, text, on=today, field="controls").controls
