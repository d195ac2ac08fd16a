"""What proves our half of a control, and how often."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from controls.models import Actor, ControlImplementation, Role, System, Team
from evidence.models.asks import (
    Cadence,
    EvidenceRequirement,
    PopulationCadence,
    Purpose,
    RequirementTerms,
)


def expected_by_a_report() -> Q:
    """Condition: a provider's report expects it of us that still binds (R26)."""
    # by its name: that module imports this one
    remarks: Any = apps.get_model("evidence", "ReportRemark")
    system = OuterRef(OuterRef(OuterRef("system")))
    binding = remarks.objects.binding(system).filter(pk=OuterRef("user_control"))
    return Q(user_control__isnull=False) & Q(Exists(binding))


class RequirementOrigin(models.TextChoices):
    """Where a requirement comes from."""

    TEMPLATE = "template", "Template of the family"
    IMPLIED = "implied", "Implied yearly"
    LOCAL = "local", "Local"


class RequirementControlQuerySet(models.QuerySet["RequirementControl"]):
    """What is asked."""

    def visible_to(self, user: Actor) -> Self:
        """Requirements of the systems the user may read."""
        return self.filter(system__in=System.objects.keys_visible_to(user))

    def submittable_by(self, user: Actor) -> Self:
        """What the user may prove: of the user's teams, or as an officer.

        `evidence.submissions.who_may.may_submit_for` lets the same people.
        """
        team = Coalesce(OuterRef("owner_team"), OuterRef("implementation__owner_team"))
        roles = user.memberships.active().filter(role=Role.CONTRIBUTOR)
        own = roles.filter(system=OuterRef("system"), team=team)
        officered = System.objects.officered_by(user)
        return self.filter(Q(system__in=officered) | Q(Exists(own)))

    def asked_of_team(self, team: Team | None, today: dt.date) -> Self:
        """What a team is to prove on a day: in operation, ours, applicable."""
        theirs = Q(owner_team=team) | Q(
            owner_team=None, implementation__owner_team=team
        )
        running = Q(operates_until=None) | Q(operates_until__gt=today)
        return self.filter(
            theirs,
            running,
            operates_from__lte=today,
        ).of_our_half()

    def of_our_half(self) -> Self:
        """Asked of a half that is ours: by the class, or by a provider's report that
        still binds (R26); not where the control is left out."""
        ours = Q(implementation__responsibility__in=["shared", "customer"])
        return self.filter(ours | expected_by_a_report()).exclude(
            implementation__applicability="not-applicable"
        )

    def expected_of_us(self, systems: Iterable[System], today: dt.date) -> Self:
        """What providers' reports expect of us on a day, whatever the class (R26)."""
        running = Q(operates_until=None) | Q(operates_until__gt=today)
        return self.filter(
            running,
            expected_by_a_report(),
            system__in=list(systems),
            operates_from__lte=today,
        )

    def in_operation(self, system: System, today: dt.date) -> Self:
        """What is asked in a system on a day, with control and team."""
        running = Q(operates_until=None) | Q(operates_until__gt=today)
        return self.filter(
            running, system=system, operates_from__lte=today
        ).for_listing()

    def for_listing(self) -> Self:
        """With control and team."""
        return self.select_related(
            "implementation__control",
            "implementation__owner_team",
            "implementation__system",
            "owner_team",
            "joined",
            "system",
        ).defer("implementation__control__statements")

    def for_upload(self) -> Self:
        """With control, teams and system. Not its control's system, which is the same:
        each table more takes PostgreSQL longer to plan for than to answer."""
        return self.select_related(
            "implementation__control",
            "implementation__owner_team",
            "owner_team",
            "system",
        ).defer("implementation__control__statements")

    def matching(self, *, q: str = "", cadence: str = "", team: str = "") -> Self:
        """Narrowed by the filters of the list, in catalog order; empty means any."""
        rows = self.order_by("implementation__control__sort_order", "pk")
        if cadence:
            rows = rows.filter(cadence=cadence)
        if team:
            rows = rows.filter(
                Q(owner_team__name=team)
                | Q(owner_team=None, implementation__owner_team__name=team)
            )
        if q:
            rows = rows.filter(
                Q(title__icontains=q) | Q(implementation__control__label__icontains=q)
            )
        return rows

    def add_with_asks(self, rows: list[RequirementControl]) -> list[RequirementControl]:
        """Save new rows, each under an ask of its own whose terms are the row's.

        The terms hold from the beginning until further notice. The same number of
        statements however many rows there are, up to 1,000.
        """
        now = timezone.now()  # the database writes its own; a value is written faster
        asks = EvidenceRequirement.objects.bulk_create(
            [
                EvidenceRequirement(system_id=row.system_id, known_from=now)
                for row in rows
            ],
            batch_size=1000,
        )
        for row, ask in zip(rows, asks, strict=True):
            row.ask, row.known_from = ask, now
        RequirementControl.objects.bulk_create(rows, batch_size=1000)
        RequirementTerms.objects.begin_as(row.pk for row in rows)
        return rows

    def team_names(self) -> list[str]:
        """Names of the teams that something is asked of."""
        named = Coalesce("owner_team__name", "implementation__owner_team__name")
        return [
            name
            for name in self.order_by().values_list(named, flat=True).distinct()
            if name
        ]


class RequirementControl(models.Model):
    """One control that an ask names: what is asked of our half of it.

    The ask names it from a day until a day (exclusive); `grace_days` after an
    occurrence's last day it is due. Title, guidance, cadence (and of
    populations), purpose, grace, lead,
    team and the ask that it is joined under repeat the terms as of today; answers about
    a day read the terms.
    """

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="requirements")
    implementation = models.ForeignKey(
        ControlImplementation, models.PROTECT, related_name="requirements"
    )
    ask = models.ForeignKey(
        EvidenceRequirement, models.PROTECT, related_name="controls"
    )
    # null: it stands alone today
    joined = models.ForeignKey(
        EvidenceRequirement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="joined_controls",
    )
    # null: the team that owns the control
    owner_team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="requirements"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=200)
    guidance = models.TextField(blank=True, default="")
    good_proof = models.TextField(blank=True, default="")
    # one line: what in a performance proves this control
    what_it_shows = models.CharField(
        max_length=200, blank=True, default="", db_default=""
    )
    cadence = models.CharField(max_length=12, choices=Cadence)
    # read only where it is asked per event
    population_cadence = models.CharField(
        max_length=12,
        choices=PopulationCadence,
        default=PopulationCadence.QUARTERLY,
        db_default=PopulationCadence.QUARTERLY,
    )
    cadence_source = models.CharField(max_length=200, blank=True, default="")
    # why it is asked less often than the baseline says; empty where it is not
    rarer_because = models.TextField(blank=True, default="")
    purpose = models.CharField(
        max_length=10, choices=Purpose, default=Purpose.OPERATION
    )
    grace_days = models.PositiveSmallIntegerField()
    # null: what `status.cadence.lead_days` says
    lead_days = models.PositiveSmallIntegerField(null=True, blank=True)
    # null: asked by the class; else the control that a provider's report expects of us
    user_control = models.ForeignKey(
        "evidence.ReportRemark",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="requirements",
    )
    operates_from = models.DateField()
    # null: until further notice
    operates_until = models.DateField(null=True, blank=True)
    origin = models.CharField(
        max_length=10, choices=RequirementOrigin, default=RequirementOrigin.LOCAL
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = RequirementControlQuerySet.as_manager()

    class Meta:
        # The name it was created under: history, triggers and grants rest on it.
        db_table = "evidence_evidencerequirement"
        constraints = [
            models.CheckConstraint(
                name="requirement_cadence_known",
                condition=Q(cadence__in=Cadence.values),
            ),
            models.CheckConstraint(
                name="requirement_operation_ordered",
                condition=Q(operates_until=None)
                | Q(operates_until__gt=F("operates_from")),
                violation_error_message="Operation must end after it starts.",
            ),
        ]
        indexes = [models.Index(fields=["implementation"], name="requirement_of")]

    def __str__(self) -> str:
        return self.title

    def is_expected_of_us(self) -> bool:
        """Whether a provider's report makes the half ours, whatever its class (R26)."""
        if self.user_control_id is None:
            return False
        rows = RequirementControl.objects.filter(pk=self.pk)
        return rows.filter(expected_by_a_report()).exists()
