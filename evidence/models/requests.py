"""What an officer or auditor asks to see, how it was answered, what came of it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import (
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Greatest
from django.utils import timezone

from controls.models import Actor, ControlImplementation, Engagement, Role, System, Team
from evidence.models.revisions import EvidenceRevision

USER = settings.AUTH_USER_MODEL
MAX_CONTROLS_IN_A_ROW = 5  # named in a table; the request's page has all
MAX_NUMBER = 60  # characters of an auditor's own number


class EvidenceRequestState(models.TextChoices):
    """Where a request for evidence stands. Overdue is computed, never stored."""

    OPEN = "open", "Open"
    ANSWERED = "answered", "Answered"
    RETURNED = "returned", "Returned"
    ACCEPTED = "accepted", "Accepted"
    CANCELLED = "cancelled", "Cancelled"


MARKS = {
    EvidenceRequestState.OPEN: "pending",
    EvidenceRequestState.ANSWERED: "submitted",
    EvidenceRequestState.RETURNED: "rejected",
    EvidenceRequestState.ACCEPTED: "accepted",
    EvidenceRequestState.CANCELLED: "withdrawn",
}
UNANSWERED = (EvidenceRequestState.OPEN, EvidenceRequestState.RETURNED)
UNSETTLED = (*UNANSWERED, EvidenceRequestState.ANSWERED)


class EvidenceRequestQuerySet(models.QuerySet["EvidenceRequest"]):
    """Requests for evidence."""

    def visible_to(self, user: Actor) -> Self:
        """Auditors: of their engagement; contributors: of their teams; else all.

        "All" is all of the systems in which the user holds another role.
        """
        if user.is_superuser:
            return self
        roles = user.memberships.active()
        audits = roles.filter(role=Role.AUDITOR).values("engagement")
        inside = [Role.OFFICER, Role.REVIEWER, Role.READER]
        return self.filter(
            Q(system__in=System.objects.held_as(user, inside))
            | Q(engagement__in=audits)
            | self._of_contributor(user)
        )

    def _of_contributor(self, user: Actor) -> Q:
        roles = user.memberships.active().filter(role=Role.CONTRIBUTOR)
        same = roles.filter(system=OuterRef("system"), team=OuterRef("team"))
        anywhere = roles.filter(system=OuterRef("system"))
        return Q(Exists(same)) | Q(Exists(anywhere), person=user)

    def to_answer(self, user: Actor) -> Self:
        """What waits for an answer of the user or of one of the user's teams."""
        waiting = self.filter(state__in=UNANSWERED)
        return waiting.filter(self._of_contributor(user)).for_table()

    def to_decide(self, user: Actor) -> Self:
        """Answers that wait for the user, who speaks for whoever asked.

        `evidence.requests.who_may.may_decide_answer` lets the same people decide.
        """
        audits = user.memberships.active().filter(role=Role.AUDITOR)
        officered = System.objects.officered_by(user)
        speaks_for_asker = Q(engagement__in=audits.values("engagement")) | Q(
            engagement=None, system__in=officered
        )
        answered = RequestAnswer.objects.filter(request=OuterRef("pk"))
        return self.filter(
            speaks_for_asker,
            ~Exists(answered.filter(answered_by=user.pk)),
            state=EvidenceRequestState.ANSWERED,
        ).for_table()

    def matching(
        self, *, system: str = "", state: str = "", now: dt.datetime | None = None
    ) -> Self:
        """Narrowed by the filters of the list; `overdue` needs `now`.

        Overdue: the day that it is in the system then is after the due day.
        """
        requests = self.filter(system__slug=system) if system else self
        if state == "overdue":
            there = Func(F("system__time_zone"), Value(now), function="timezone")
            unanswered = requests.filter(state__in=UNANSWERED)
            return unanswered.filter(due_on__lt=Cast(there, models.DateField()))
        if state == "unsettled":
            return requests.filter(state__in=UNSETTLED)
        return requests.filter(state=state) if state else requests

    def for_listing(self) -> Self:
        """With all of its controls, the most urgent first."""
        return self._with_people().prefetch_related("controls__control")

    def for_table(self) -> Self:
        """With what a row shows, the first few of its controls (`first_controls`) and
        how many more there are (`more_controls`); the most urgent first."""
        first = ControlImplementation.objects.select_related("control")
        through: Any = EvidenceRequest.controls.through.objects
        number = (
            through.filter(evidencerequest=OuterRef("pk"))
            .order_by()
            .values("evidencerequest")
            .annotate(number=Count("pk"))
            .values("number")
        )
        more = Greatest(Coalesce(Subquery(number), 0) - MAX_CONTROLS_IN_A_ROW, 0)
        few = first.in_catalog_order()[:MAX_CONTROLS_IN_A_ROW]
        return (
            self._with_people()
            .annotate(more_controls=more)
            .prefetch_related(Prefetch("controls", few, to_attr="first_controls"))
        )

    def _with_people(self) -> Self:
        related = ("system", "team", "person", "asked_by", "engagement")
        return self.select_related(*related).order_by("due_on", "pk")


class EvidenceRequest(models.Model):
    """One thing somebody asks a team to show by a day (inclusive).

    Life cycle: open -> answered -> accepted | returned; returned -> answered;
    anything unsettled -> cancelled.
    """

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="requests")
    controls = models.ManyToManyField(ControlImplementation, related_name="requests")
    asked_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: an officer asks, outside any audit
    engagement = models.ForeignKey(
        Engagement, models.PROTECT, null=True, blank=True, related_name="requests"
    )
    team = models.ForeignKey(Team, models.PROTECT, related_name="requests")
    # null: anybody in the team
    person = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # the auditor's own, as it stands in their list; empty: none
    number = models.CharField(
        max_length=MAX_NUMBER, blank=True, default="", db_default=""
    )
    title = models.CharField(max_length=200)
    what = models.TextField(blank=True, default="")
    due_on = models.DateField()
    state = models.CharField(
        max_length=10,
        choices=EvidenceRequestState,
        default=EvidenceRequestState.OPEN,
        editable=False,
    )
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = EvidenceRequestQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["system", "state", "due_on"])]
        constraints = [
            models.CheckConstraint(
                name="request_state_known",
                condition=Q(state__in=EvidenceRequestState.values),
            ),
            models.CheckConstraint(
                name="request_says_what",
                condition=~Q(title=""),
                violation_error_message="Say what you want to see.",
            ),
            models.UniqueConstraint(
                fields=["engagement", "number"],
                condition=~Q(number="") & ~Q(state="cancelled"),
                name="request_number_once_in_engagement",
                violation_error_message="Something is asked under this number already.",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def mark(self) -> str:
        """The state whose shape and colour its badge borrows."""
        return MARKS[EvidenceRequestState(self.state)]

    def overdue_on(self, day: dt.date) -> bool:
        """Whether it should have been answered before `day`."""
        return self.state in UNANSWERED and self.due_on < day

    @property
    def overdue(self) -> bool:
        """Whether it is overdue today, in the system's time zone."""
        return self.overdue_on(self.system.day_of(timezone.now()))


class RequestAnswer(models.Model):
    """Evidence offered as an answer, with a word about it."""

    append_only = True

    request = models.ForeignKey(EvidenceRequest, models.PROTECT, related_name="answers")
    revision = models.ForeignKey(
        EvidenceRevision, models.PROTECT, related_name="answers"
    )
    answered_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    note = models.TextField(blank=True, default="")
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "revision"],
                name="request_answered_once_by_revision",
                violation_error_message="This evidence is an answer to it already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.request}: {self.revision}"


class RequestJudgement(models.Model):
    """Who accepted, returned or cancelled a request, and why."""

    append_only = True

    request = models.ForeignKey(
        EvidenceRequest, models.PROTECT, related_name="judgements"
    )
    judged_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    became = models.CharField(max_length=10, choices=EvidenceRequestState)
    reason = models.TextField(blank=True, default="")
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="request_returned_with_reason",
                condition=Q(became="accepted") | ~Q(reason=""),
                violation_error_message="Say what is still missing.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.request}: {self.became}"
