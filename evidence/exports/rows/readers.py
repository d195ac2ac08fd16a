"""What a file tells its reader of other teams' evidence: one rule for every format.

Whoever reads a system sees on its pages that there is evidence: title, state, days,
digest and who judged it. What it holds is for those who may open its page: names and
sizes of files, items of samples, where a population is from and what is in it (AC-03).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from evidence.exports.rows.scope import ExportScope
from evidence.models import Evidence, Population

OTHER_TEAMS_FILE = "A file of another team"
NOT_VISIBLE = "Not for you: it belongs to a team you are not in."


def hidden_evidence(scope: ExportScope, uuids: Iterable[Any]) -> Collection[str]:
    """Of pieces of evidence by their UUIDs, those whose page the reader may not open.

    One statement; none for an officer's equal.
    """
    return _hidden(scope, Evidence, uuids)


def hidden_populations(scope: ExportScope, uuids: Iterable[Any]) -> Collection[str]:
    """The same of populations."""
    return _hidden(scope, Population, uuids)


def _hidden(
    scope: ExportScope, model: type[Evidence | Population], uuids: Iterable[Any]
) -> Collection[str]:
    if scope.reader is None:
        return ()
    met = {str(uuid) for uuid in uuids}
    visible = model._default_manager.visible_to(scope.reader).filter(uuid__in=met)
    return met - {
        str(uuid) for uuid in visible.order_by().values_list("uuid", flat=True)
    }
