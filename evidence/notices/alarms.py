"""Alarms of the installation, for its administrators."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse

from controls.models import System, User
from evidence.models import AuditLogCheck
from evidence.models.notices import NoticeKind
from evidence.notices.candidates import NoticeCandidate
from evidence.notices.people import People


def audit_log(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Chains that do not verify or contradict a checkpoint (AU-05): administrators.

    Three statements; one while all is well.
    """
    rows = list(AuditLogCheck.objects.alarming().order_by("pk"))
    if not rows:
        return
    administrators = User.objects.filter(is_superuser=True, is_active=True)
    recipients = frozenset(administrators.values_list("pk", flat=True))
    names = {str(key): name for key, name in System.objects.values_list("uuid", "name")}
    path = reverse("admin:evidence_auditlogcheck_changelist")
    for row in rows:
        for part, fault in (
            ("checkpoint", row.checkpoint_fault),
            ("events", row.chain_fault),
        ):
            if fault:
                yield NoticeCandidate(
                    NoticeKind.AUDIT_LOG,
                    f"audit-log:{row.chain}:{part}",
                    recipients,
                    None,
                    path,
                    {
                        "what": names.get(row.chain, "the installation"),
                        "reason": fault,
                    },
                )
