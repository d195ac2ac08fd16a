"""People of a system over the API: roles, invitations, handing over.

One file: the bodies of a role and of the invitation to it are read together.
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

from controls import clock
from controls.access import is_officer, require_officer
from controls.accounts.invitations import invite, send_again, withdraw_invitation
from controls.api.conventions import ByKey, etag, expected_version, valid
from controls.api.idempotency import idempotent
from controls.errors import Refused
from controls.memberships import RoleOffer, change_days, end_membership
from controls.models import Invitation, Membership, Role, System, Team, User
from controls.reasons import MAX_REASON
from evidence.api.clocks import BodyDayField
from evidence.people.leaving import (
    HandOver,
    OpenWork,
    hand_over,
    open_work,
    plan_hand_over,
)
from evidence.people.missing import INSTANT
from srm_project.recent_proof import require_recent_proof_of_program
from srm_project.requests import actor_of

UNKNOWN_TEAM = "There is no team of that name."
NO_MEMBER = "Nobody of that address holds a role in this system."


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    """A role of one person. Days are the system's, both inclusive.

    `email` is shown to officers of the system; to others it is null.
    """

    person = serializers.CharField(source="user.get_full_name")
    email = serializers.SerializerMethodField()
    team: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    engagement = serializers.CharField(source="engagement.title", default=None)
    starts_on = serializers.SerializerMethodField()
    last_day = serializers.SerializerMethodField()

    class Meta:
        model = Membership
        fields = [
            "uuid",
            "person",
            "email",
            "role",
            "team",
            "engagement",
            "starts_on",
            "last_day",
            "version",
        ]

    def get_email(self, row: Membership) -> str | None:
        """Their address, for officers."""
        return row.user.email if self.context.get("officer") else None

    def get_starts_on(self, row: Membership) -> dt.date:
        """The first day."""
        return row.system.day_of(row.starts_at)

    def get_last_day(self, row: Membership) -> dt.date | None:
        """The last day; null until further notice."""
        return row.system.day_of(row.ends_at - INSTANT) if row.ends_at else None


class OtherRoleDaysSerializer(serializers.Serializer[Any]):
    """Other days of a role. `reason` is needed where no officer would be left."""

    starts_on = BodyDayField(required=False)
    last_day = BodyDayField(allow_null=True)
    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )


class EndRoleSerializer(serializers.Serializer[Any]):
    """Why a role ends; needed where no officer would be left."""

    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MAX_REASON
    )


class TeamLeftAloneSerializer(serializers.Serializer[Any]):
    """A team for which nobody else uploads."""

    team = serializers.CharField(source="team.slug")
    asks = serializers.IntegerField()
    controls = serializers.IntegerField()


class OpenWorkSerializer(serializers.Serializer[Any]):
    """What waits for one person: drafts and submitted links, requests, teams."""

    drafts = serializers.SerializerMethodField()
    waiting = serializers.SerializerMethodField()
    requests = serializers.SerializerMethodField()
    teams = TeamLeftAloneSerializer(many=True)

    def get_drafts(self, work: OpenWork) -> list[str]:
        """Links that were not submitted, by uuid."""
        return [str(link.uuid) for link in work.drafts]

    def get_waiting(self, work: OpenWork) -> list[str]:
        """Links that wait for review, by uuid."""
        return [str(link.uuid) for link in work.waiting]

    def get_requests(self, work: OpenWork) -> list[str]:
        """Requests addressed to the person, by uuid."""
        return [str(request.uuid) for request in work.requests]


class SuccessorSerializer(serializers.Serializer[Any]):
    """Who takes it over: the address of somebody who holds a role in the system."""

    to = serializers.EmailField()


class ConfirmedSuccessorSerializer(SuccessorSerializer):
    """With `shown` of the preview nothing is done that the preview did not show."""

    shown = serializers.CharField(
        required=False, allow_null=True, default=None, max_length=64
    )


class HandOverSerializer(serializers.Serializer[Any]):
    """What handing over would do: teams that `to` becomes a contributor of from
    `starts_on` on, and requests, by uuid, that are addressed to `to`."""

    to = serializers.EmailField(source="to.email")
    teams = TeamLeftAloneSerializer(many=True)
    requests = serializers.SerializerMethodField()
    starts_on = serializers.DateField()
    shown = serializers.CharField(source="digest")

    def get_requests(self, plan: HandOver) -> list[str]:
        """The requests."""
        return [str(request.uuid) for request in plan.requests]


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    """A role offered to an address; nothing tells whether it has an account.

    `mailed_at` is null once the newest mail was given up.
    """

    team: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    engagement = serializers.CharField(source="engagement.title", default=None)
    invited_by = serializers.CharField(source="invited_by.email")

    class Meta:
        model = Invitation
        fields = [
            "uuid",
            "address",
            "role",
            "team",
            "engagement",
            "starts_on",
            "last_day",
            "state",
            "invited_by",
            "invited_at",
            "mailed_at",
            "link_ends_at",
            "version",
        ]
        extra_kwargs = {"link_ends_at": {"read_only": True}}


class NewInvitationSerializer(serializers.Serializer[Any]):
    """An invitation to send. Days are both inclusive; auditors need an engagement and
    a last day."""

    address = serializers.EmailField()
    role = serializers.ChoiceField(Role.choices)
    team = serializers.SlugField(required=False, allow_null=True, default=None)
    engagement = serializers.UUIDField(required=False, allow_null=True, default=None)
    starts_on = BodyDayField(required=False)
    last_day = BodyDayField(required=False, allow_null=True, default=None)


class PeopleViewSet(viewsets.ReadOnlyModelViewSet[Membership]):
    """Who holds and held which role in a system; changed by its officers."""

    serializer_class = MembershipSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Membership.objects.none()

    def _system(self) -> System:
        mine = System.objects.visible_to(actor_of(self.request))
        return get_object_or_404(mine, slug=self.kwargs["slug"])

    def get_queryset(self) -> QuerySet[Membership]:
        """Those of one system, as far as `visible_to` allows."""
        rows = Membership.objects.filter(system=self._system())
        return rows.select_related("system", "user", "team", "engagement")

    def get_serializer_context(self) -> dict[str, Any]:
        """With whether the reader is an officer, who sees addresses."""
        context = dict(super().get_serializer_context())
        if getattr(self, "swagger_fake_view", False):
            return context
        reader = actor_of(self.request)
        return context | {"officer": is_officer(reader, self._system())}

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One role with its ETag."""
        return self._shown(self.get_object())

    @extend_schema(request=OtherRoleDaysSerializer, responses=MembershipSerializer)
    def partial_update(self, request: Request, slug: str, uuid: str) -> Response:
        """Let it end, or begin where it has not, on another day; needs If-Match.

        Asks for the password or second factor again where the last proof is too old.
        """
        membership = self._officers_row(request)
        version = expected_version(request, membership)
        body = valid(OtherRoleDaysSerializer, request)
        change_days(
            membership, by=actor_of(request), now=clock.now(), version=version, **body
        )
        return self._shown(self.get_object())

    @extend_schema(request=EndRoleSerializer, responses=MembershipSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, slug: str, uuid: str) -> Response:
        """End it now; needs If-Match."""
        membership = self._officers_row(request)
        version = expected_version(request, membership)
        reason = valid(EndRoleSerializer, request)["reason"]
        ended = end_membership(
            membership,
            by=actor_of(request),
            now=clock.now(),
            reason=reason,
            version=version,
        )
        return self._shown(ended)  # who ended their own may read no other way

    @extend_schema(responses=OpenWorkSerializer)
    @action(detail=True, methods=["get"], url_path="open-work")
    def open_work(self, request: Request, slug: str, uuid: str) -> Response:
        """What waits for the person of this role; for officers."""
        membership = self.get_object()
        require_officer(membership.system, actor_of(request))
        return Response(OpenWorkSerializer(open_work(membership)).data)

    @extend_schema(request=SuccessorSerializer, responses=HandOverSerializer)
    @action(detail=True, methods=["post"], url_path="hand-over/preview")
    def hand_over_preview(self, request: Request, slug: str, uuid: str) -> Response:
        """What handing over to somebody would do; writes nothing. For officers."""
        membership = self.get_object()
        require_officer(membership.system, actor_of(request))
        to = _member(membership.system, valid(SuccessorSerializer, request)["to"])
        plan = plan_hand_over(membership, to, by=actor_of(request), now=clock.now())
        return Response(
            HandOverSerializer(plan).data, headers={"ETag": etag(membership)}
        )

    @extend_schema(request=ConfirmedSuccessorSerializer, responses=OpenWorkSerializer)
    @action(detail=True, methods=["post"], url_path="hand-over")
    def hand_over(self, request: Request, slug: str, uuid: str) -> Response:
        """Hand over what waits for this person alone; answers what is left. Needs
        If-Match; with `shown` of the preview, only what that showed is done."""
        membership = self._officers_row(request)
        version = expected_version(request, membership)
        body = valid(ConfirmedSuccessorSerializer, request)
        hand_over(
            membership,
            _member(membership.system, body["to"]),
            by=actor_of(request),
            now=clock.now(),
            version=version,
            shown=body["shown"],
        )
        return Response(OpenWorkSerializer(open_work(membership)).data)

    def _officers_row(self, request: Request) -> Membership:
        """The role, for an officer who proved who they are recently."""
        membership: Membership = self.get_object()
        require_officer(membership.system, actor_of(request))
        _require_proof(request)
        return membership

    def _shown(self, row: Membership) -> Response:
        officer = is_officer(actor_of(self.request), row.system)
        body = MembershipSerializer(row, context={"officer": officer}).data
        return Response(body, headers={"ETag": etag(row)})


class InvitationViewSet(viewsets.ReadOnlyModelViewSet[Invitation]):
    """Roles offered by mail; for officers of the system."""

    serializer_class = InvitationSerializer
    pagination_class = ByKey
    lookup_field = "uuid"
    queryset = Invitation.objects.none()

    def _system(self) -> System:
        mine = System.objects.visible_to(actor_of(self.request))
        system = get_object_or_404(mine, slug=self.kwargs["slug"])
        require_officer(system, actor_of(self.request))
        return system

    def get_queryset(self) -> QuerySet[Invitation]:
        """Those of one system."""
        rows = Invitation.objects.filter(system=self._system())
        return rows.select_related("system", "team", "engagement", "invited_by")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One invitation with its ETag."""
        return self._shown(self.get_object())

    @extend_schema(
        request=NewInvitationSerializer, responses={201: InvitationSerializer}
    )
    @idempotent()
    def create(self, request: Request, slug: str) -> Response:
        """Invite an address; the mail with the link goes out at once.

        Asks for the password or second factor again where the last proof is too old.
        """
        system = self._system()
        _require_proof(request)
        body = valid(NewInvitationSerializer, request)
        now = clock.now()
        offer = RoleOffer(
            role=body["role"],
            starts_on=body.get("starts_on") or system.day_of(now),
            last_day=body["last_day"],
            team=_team(body["team"]),
            engagement=_engagement(system, body["engagement"]),
        )
        made = invite(system, body["address"], offer, by=actor_of(request), now=now)
        return self._shown(made, status=201)

    @extend_schema(request=None, responses=InvitationSerializer)
    @action(detail=True, methods=["post"], url_path="send-again")
    def send_again(self, request: Request, slug: str, uuid: str) -> Response:
        """Mail a new link; the one before counts no more. Needs If-Match."""
        invitation = self.get_object()
        _require_proof(request)
        version = expected_version(request, invitation)
        by = actor_of(request)
        send_again(invitation, by=by, now=clock.now(), version=version)
        return self._shown(self.get_object())

    @extend_schema(request=None, responses=InvitationSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, slug: str, uuid: str) -> Response:
        """Take it back: its link counts no more. Needs If-Match."""
        invitation = self.get_object()
        version = expected_version(request, invitation)
        by = actor_of(request)
        withdraw_invitation(invitation, by=by, now=clock.now(), version=version)
        return self._shown(self.get_object())

    def _shown(self, row: Invitation, status: int = 200) -> Response:
        body = InvitationSerializer(row).data
        return Response(body, status=status, headers={"ETag": etag(row)})


def _require_proof(request: Request) -> None:
    """Ask a session for a recent proof; a token was made with one, and ends."""
    if request.auth is None:
        require_recent_proof_of_program(request)


def _team(slug: str | None) -> Team | None:
    if not slug:
        return None
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise Refused({"team": UNKNOWN_TEAM})
    return team


def _engagement(system: System, uuid: Any) -> Any:
    if uuid is None:
        return None
    engagement = system.engagements.filter(uuid=uuid).first()
    if engagement is None:
        raise Refused({"engagement": "This system has no such engagement."})
    return engagement


def _member(system: System, address: str) -> User:
    """Who holds a role in the system now. Raises Refused for anybody else."""
    here = Membership.objects.active().filter(system=system)
    person = User.objects.filter(
        email__iexact=address, pk__in=here.values("user")
    ).first()
    if person is None:
        raise Refused({"to": NO_MEMBER})
    return person
