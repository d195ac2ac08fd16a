"""Each team acknowledges the duties it has in a system, and is asked again when they
change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from controls.access import may_acknowledge
from controls.control_ids import label_of
from controls.display_names import layer_name
from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    AuditEvent,
    Basis,
    ControlImplementation,
    DutyAcknowledgement,
    System,
    Team,
)
from controls.models.audit import about
from controls.service_names import component_name
from evidence.status import gather_sql
from evidence.status.control_status import listed, moment_of, today_of
from evidence.status.gather import Moment
from evidence.status.rows import as_bigints, read_rows
from evidence.systems.matrix import of_rows
from evidence.systems.matrix_rows import WHOLE, MatrixControl, Names

# By the id of a control its duties, each `component:variant/layer/kind`, in order.
Duties = dict[str, list[str]]
CHANGED_MEANWHILE = "The duties have changed since they were shown: read them again."
SAME_AGAIN = "Your team has acknowledged these duties already."
NONE_TO_ACKNOWLEDGE = "Your team has no duty here to acknowledge."


@dataclass(frozen=True)
class TeamDuties:
    """What one team has to do in a system today, and what it last acknowledged."""

    team: Team
    duties: Duties
    latest: DutyAcknowledgement | None

    @property
    def digest(self) -> str:
        """Names exactly these duties."""
        return Basis.digest_of(Basis.text_of(self.duties))

    @property
    def count(self) -> int:
        """How many duties there are."""
        return sum(map(len, self.duties.values()))

    @property
    def state(self) -> str:
        """`acknowledged`, `changed` since, or `never`."""
        if self.latest is None:
            return "never"
        return "acknowledged" if self.latest.duties_id == self.digest else "changed"

    @property
    def added(self) -> Duties:
        """Duties that were not there when it was acknowledged."""
        return _less(self.duties, self.latest.duties.body if self.latest else {})

    @property
    def dropped(self) -> Duties:
        """Duties that were acknowledged and are there no more."""
        return _less(self.latest.duties.body if self.latest else {}, self.duties)


def _less(duties: Mapping[str, list[str]], others: Mapping[str, list[str]]) -> Duties:
    left = {
        ref_id: [duty for duty in of_control if duty not in others.get(ref_id, ())]
        for ref_id, of_control in duties.items()
    }
    return {ref_id: of_control for ref_id, of_control in left.items() if of_control}


def in_words(duties: Duties, names: Names) -> list[tuple[str, list[str]]]:
    """Labels of controls, each with its duties as people read them."""
    return [
        (label_of(ref_id), [_in_words(duty, names) for duty in of_control])
        for ref_id, of_control in duties.items()
    ]


def _in_words(duty: str, names: Names) -> str:
    """`Identity of Amazon S3, configured`."""
    component, layer, kind = duty.split("/")
    service, _, variant = component.partition(":")
    what = layer_name(layer) if layer else WHOLE
    return f"{what} of {component_name(names, service, variant)}, {kind}"


def duties_by_owner(controls: Iterable[MatrixControl]) -> dict[str, Duties]:
    """The duties of controls by the name of the team that owns them; "": nobody's."""
    by_owner: dict[str, Duties] = {}
    for control in controls:
        duties = sorted(
            f"{row.component}:{row.variant}/{duty.layer}/{duty.kind}"
            for row in control.rows
            for duty in row.ours
        )
        if duties:
            owned = by_owner.setdefault(control.control["owner"] or "", {})
            owned[control.control["ref_id"]] = duties
    return by_owner


def teams_with_duties(
    system: System, by_owner: Mapping[str, Duties]
) -> list[TeamDuties]:
    """The teams of `duties_by_owner`, by name, with what they acknowledged.

    Two statements. A team whose last duty went is asked nothing.
    """
    acknowledged = {
        row.team_id: row
        for row in DutyAcknowledgement.objects.filter(system=system).newest_of_teams()
    }
    return [
        TeamDuties(team, by_owner[team.name], acknowledged.get(team.pk))
        for team in Team.objects.filter(name__in=[name for name in by_owner if name])
    ]


def duties_of_systems(
    systems: Sequence[System], day: dt.date
) -> dict[System, list[TeamDuties]]:
    """What `teams_with_duties` says of each of several systems, as of one day. Six
    statements, however many systems."""
    by_pk = {system.pk: system for system in systems}
    moment = Moment(day)
    pairs = ControlImplementation.objects.filter(system__in=by_pk)
    system_of = dict(pairs.values_list("pk", "system"))
    rows = read_rows(
        gather_sql.IMPLEMENTATIONS, moment, implementations=as_bigints(system_of)
    )
    owned: dict[int, list[MatrixControl]] = {pk: [] for pk in by_pk}
    for control in of_rows(rows, moment, {}):
        owned[system_of[control.control["id"]]].append(control)
    by_owner = {pk: duties_by_owner(controls) for pk, controls in owned.items()}
    latest = DutyAcknowledgement.objects.filter(system__in=by_pk).newest_of_teams()
    acknowledged = {(row.system_id, row.team_id): row for row in latest}
    names = {name for duties in by_owner.values() for name in duties if name}
    teams = list(Team.objects.filter(name__in=names))
    return {
        system: [
            TeamDuties(team, by_owner[pk][team.name], acknowledged.get((pk, team.pk)))
            for team in teams
            if team.name in by_owner[pk]
        ]
        for pk, system in by_pk.items()
    }


def duties_today(system: System) -> list[TeamDuties]:
    """The same of all controls of a system, today. Five statements."""
    moment = moment_of(system, today_of(system), None)
    controls = of_rows(listed(system, moment), moment, {})
    return teams_with_duties(system, duties_by_owner(controls))


@transaction.atomic
def acknowledge(
    system: System, team: Team, digest: str, *, by: Actor
) -> DutyAcknowledgement:
    """A person says for their team that it has read the duties of a digest.

    Raises NotPermitted for who does not contribute for the team, Refused where it has
    no duties, TransitionNotAllowed where these are others by now, or were acknowledged
    before.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    if not may_acknowledge(locked, team, by):
        raise NotPermitted("Only a contributor of the team may acknowledge its duties.")
    of_team = next((t for t in duties_today(locked) if t.team.pk == team.pk), None)
    if of_team is None:
        raise Refused({"team": NONE_TO_ACKNOWLEDGE})
    if of_team.digest != digest:
        raise TransitionNotAllowed(CHANGED_MEANWHILE)
    if of_team.state == "acknowledged":
        raise TransitionNotAllowed(SAME_AGAIN)
    Basis.objects.keep([of_team.duties])
    row = DutyAcknowledgement.objects.create(
        system=locked, team=team, duties_id=digest, acknowledged_by=by
    )
    AuditEvent.objects.append(
        about(
            row,
            "duties.acknowledged",
            by=by,
            team=team.name,
            duties=of_team.count,
            digest=digest,
        )
    )
    return row
