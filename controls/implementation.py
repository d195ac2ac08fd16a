"""How far our part of a control is implemented, in our own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F

from controls.access import is_officer, require_describer
from controls.control_parts import settled
from controls.errors import NotPermitted, StaleVersion
from controls.models import Actor, AuditEvent, ControlImplementation, Team
from controls.models.audit import about


@transaction.atomic
def describe(
    implementation: ControlImplementation,
    *,
    implementation_status: str,
    customer_statement: str,
    owner_team: Team | None,
    version: int | None,
    by: Actor,
    part_statuses: Mapping[str, str] | None = None,
) -> None:
    """Record status, statement and owner of our part.

    `part_statuses` by statement id is what parts of the control say on their own, None:
    as it was; only what differs from the control's is kept. Raises Refused for a part
    that does not exist, NotPermitted for other teams (and for an owner changed by
    anybody but an officer), StaleVersion when somebody saved since `version` was read.
    """
    stored = (
        ControlImplementation.objects.select_for_update(of=("self",))
        .select_related("system", "control")
        .get(pk=implementation.pk)
    )
    require_describer(stored, by)
    if version is not None and version != stored.version:
        raise StaleVersion(
            "Somebody saved this control since you opened it. Your text is kept below:"
            " compare it with theirs, then save again."
        )
    parts = stored.part_statuses if part_statuses is None else part_statuses
    status, parts = settled(stored.control, implementation_status, parts)
    changed = _changes(stored, status, parts, customer_statement, owner_team)
    if "owner_team" in changed:
        _require_officer(stored, by)
    if not changed:
        return
    before = {name: _audit_value(getattr(stored, name)) for name in changed}
    for name, value in changed.items():
        setattr(stored, name, value)
    stored.full_clean(exclude=["system", "control", "decision", "version"])
    stored.version = F("version") + 1
    stored.save(update_fields=[*changed, "version"])
    implementation.refresh_from_db()
    after = {name: _audit_value(value) for name, value in changed.items()}
    AuditEvent.objects.append(
        about(stored, "implementation.described", by=by, before=before, after=after)
    )


def _audit_value(value: Any) -> Any:
    """A value as the audit log keeps it."""
    return value if isinstance(value, dict) else str(value or "")


def _changes(
    stored: ControlImplementation,
    status: str,
    parts: Mapping[str, str],
    statement: str,
    team: Team | None,
) -> dict[str, Any]:
    """Only what differs from the locked row."""
    stated: dict[str, Any] = {
        "implementation_status": status,
        "part_statuses": parts,
        "customer_statement": statement.strip(),
        "owner_team": team,
    }
    return {
        name: value for name, value in stated.items() if getattr(stored, name) != value
    }


def _require_officer(stored: ControlImplementation, by: Actor) -> None:
    if not is_officer(by, stored.system):
        raise NotPermitted("Only a compliance officer names another owner team.")
