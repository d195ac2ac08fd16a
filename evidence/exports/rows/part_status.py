"""How far a control, or one part of it, is implemented, as every format says it."""

from __future__ import annotations

from controls.control_parts import Part
from controls.models.implementations import worst_of
from evidence.status.control_status import ControlStatus
from evidence.status.rows import as_json

NOT_APPLICABLE = "not-applicable"
PROVIDERS_ALONE = "providers-alone"


def part_status(answer: ControlStatus, part: Part | None) -> str:
    """An `ImplementationStatus`; or that it has no object here, or that no part of it
    is ours, so that nobody of ours states it. `part` None: of the whole control.

    A part's status is the worst of what is said of it and of the parts below it (R5).
    """
    if answer.implementation["applicability"] == NOT_APPLICABLE or not (
        answer.facts.aws_required or answer.facts.customer_required
    ):
        return NOT_APPLICABLE
    if not answer.facts.customer_required:
        return PROVIDERS_ALONE
    whole = answer.facts.implementation_status
    by_part = as_json(answer.implementation["part_statuses"])
    if part is None:
        return worst_of([whole, *by_part.values()])
    below = f"{part.statement_id}."
    own = [by_part.get(part.statement_id, whole)]
    own += [status for key, status in by_part.items() if key.startswith(below)]
    return worst_of(own)
