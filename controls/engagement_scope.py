"""Which controls an audit is about: all of the baseline, or those that were chosen.

Officers choose before an auditor is let in. After that controls are added; those that
no auditor has begun with are taken out with a reason, which the auditors read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction

from controls.access import require_officer
from controls.approvals import refuse_stale
from controls.control_ids import label_of, normalised_id
from controls.errors import Refused, TransitionNotAllowed
from controls.grammar import count_of
from controls.models import Actor, AuditEvent, Engagement, EngagementScope, System
from controls.models.audit import about
from controls.reasons import refuse_long

MAX_TYPED = 20_000  # characters of a pasted list
MAX_CONTROLS = 5_000  # of one scope; a baseline has some 400, a catalog 1,200
MAX_NAMED = 20  # of what is not understood, in one sentence
WHY_FEWER = (
    "Its auditors were let in for {controls}: say why this is taken out; they read it."
)
BEGUN = (
    "The auditors have begun with {controls}: what they have looked at stays in the"
    " audit."
)
NO_CONTROLS = "Name at least one control, or audit the whole baseline."
# Ids as people write them: `AC-2 (1)` is one, `AC-2, AC-3` are two.
SEPARATORS = re.compile(r"[,;\n\r\t]+")


@dataclass(frozen=True)
class ControlScope:
    """The controls of an audit by their ids; None: the whole baseline."""

    controls: frozenset[str] | None
    # false: the system was taken out of the audit, and `controls` are none
    covered: bool = True

    def __contains__(self, ref_id: object) -> bool:
        return self.controls is None or ref_id in self.controls

    @property
    def chosen(self) -> bool:
        """Whether some of the system's controls are out of scope."""
        return self.controls is not None


BASELINE = ControlScope(None)
TAKEN_OUT = ControlScope(frozenset(), covered=False)


def scopes_of(
    engagements: Collection[int], known_at: dt.datetime | None = None
) -> dict[int, ControlScope]:
    """The scope of each engagement by its key, as known before an instant (None: now).
    One statement."""
    rows = EngagementScope.objects.filter(engagement__in=engagements)
    if known_at is not None:
        rows = rows.filter(known_from__lt=known_at)
    newest = rows.order_by("engagement", "-pk").distinct("engagement")
    recorded = {
        key: scope_as(controls, covered)
        for key, controls, covered in newest.values_list(
            "engagement", "controls", "covered"
        )
    }
    return {key: recorded.get(key, BASELINE) for key in engagements}


def scope_as(controls: Collection[str], covered: bool) -> ControlScope:
    """A scope as it is recorded: none of the controls is all of them."""
    if not covered:
        return TAKEN_OUT
    return ControlScope(frozenset(controls)) if controls else BASELINE


def scope_of_engagement(
    engagement: Engagement, known_at: dt.datetime | None = None
) -> ControlScope:
    """The scope of one engagement. One statement."""
    return scopes_of([engagement.pk], known_at)[engagement.pk]


@dataclass(frozen=True)
class ReadList:
    """A list of controls as somebody wrote it: ids of the system, in their order, and
    what is none of it, as it was written."""

    controls: tuple[str, ...]
    unknown: tuple[str, ...]


def read_controls(system: System, typed: str) -> ReadList:
    """The controls of a system that a pasted list names, by commas, semicolons, tabs or
    lines. One statement."""
    of_system = set(system.implementations.values_list("control__ref_id", flat=True))
    ids: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for text in SEPARATORS.split(typed[:MAX_TYPED]):
        # ids with nothing but blanks between them
        for part in [text.strip()] if normalised_id(text) else text.split():
            ref_id = normalised_id(part)
            if ref_id in of_system:
                ids[ref_id] = None
            else:
                unknown[part] = None
    return ReadList(tuple(ids), tuple(unknown))


def unknown_in_words(unknown: Collection[str]) -> str:
    """A sentence that names what is no control of the system."""
    named = ", ".join(f"“{text[:40]}”" for text in list(unknown)[:MAX_NAMED])
    more = len(unknown) - MAX_NAMED
    rest = f" and {more} more" if more > 0 else ""
    return f"This system has no control {named}{rest}."


@transaction.atomic
def choose_controls(
    engagement: Engagement,
    controls: Collection[str] | None,
    *,
    by: Actor,
    reason: str = "",
    begun: Collection[str] = (),
    version: int | None = None,
) -> ControlScope:
    """Say which controls an audit is about, by their ids; None is the whole baseline.

    `begun` are those that its auditors have begun with. Raises NotPermitted (no
    officer), TransitionNotAllowed (it has ended), StaleVersion, and Refused: none, one
    that the system has not, one of `begun` left out, or fewer than before without a
    reason once an auditor was let in.
    """
    rows = Engagement.objects.select_for_update(of=("self",)).select_related("system")
    stored: Engagement = rows.get(pk=engagement.pk)
    require_officer(stored.system, by)
    refuse_stale(stored, version)
    if stored.ended_at is not None:
        raise TransitionNotAllowed("This engagement has ended. Make another one.")
    before = scope_of_engagement(stored)
    if controls is not None and not controls:
        raise Refused({"controls": NO_CONTROLS})
    after = BASELINE if controls is None else ControlScope(frozenset(controls))
    if after == before:
        return before
    if after.controls is not None:
        of_system = stored.system.implementations.filter(
            control__ref_id__in=after.controls
        )
        known = set(of_system.values_list("control__ref_id", flat=True))
        if unknown := sorted(after.controls - known):
            raise Refused({"controls": unknown_in_words(unknown)})
    refuse_long(reason, "reason")
    taken_out = _taken_out(stored, before, after)
    if taken_out and stored.memberships.exists():
        if looked_at := taken_out & frozenset(begun):
            raise Refused(
                {"controls": BEGUN.format(controls=named_in_words(looked_at))}
            )
        if not reason.strip():
            text = WHY_FEWER.format(controls=named_in_words(taken_out))
            raise Refused({"reason": text})
    EngagementScope.objects.create(
        engagement=stored,
        chosen_by_id=by.pk,
        controls=sorted(after.controls or ()),
        reason=reason.strip() if taken_out else "",
        chooser_name=str(by),
    )
    stored.version += 1  # under the row's lock
    stored.save(update_fields=["version"])
    AuditEvent.objects.append(
        about(
            stored,
            "engagement.scope_chosen",
            by=by,
            before=in_words(before),
            after=in_words(after),
            controls=sorted(label_of(one) for one in after.controls or ()),
            taken_out=sorted(label_of(one) for one in taken_out),
            reason=reason.strip() if taken_out else "",
        )
    )
    return after


def _taken_out(
    engagement: Engagement, before: ControlScope, after: ControlScope
) -> frozenset[str]:
    """Ids of the controls that were in scope and are not afterwards."""
    if after.controls is None:
        return frozenset()
    held = before.controls
    if held is None:
        rows = engagement.system.implementations
        held = frozenset(rows.values_list("control__ref_id", flat=True))
    return held - after.controls


def named_in_words(controls: Collection[str]) -> str:
    """`AC-2, AC-3 and 4 more`: at most MAX_NAMED by name."""
    ordered = sorted(controls)
    named = ", ".join(label_of(one) for one in ordered[:MAX_NAMED])
    more = len(ordered) - MAX_NAMED
    return f"{named} and {more} more" if more > 0 else named


def record_taken_out(engagement: Engagement, *, reason: str, by: Actor) -> None:
    """Say that the system is out of the audit from now on, and why; whoever calls has
    refused where it may not be. The database refuses it where somebody has begun."""
    EngagementScope.objects.create(
        engagement=engagement,
        chosen_by_id=by.pk,
        covered=False,
        reason=reason.strip(),
        chooser_name=str(by),
    )
    AuditEvent.objects.append(
        about(engagement, "engagement.taken_out", by=by, reason=reason.strip())
    )


def in_words(scope: ControlScope) -> str:
    """`40 chosen controls`, or `the whole baseline`."""
    if not scope.covered:
        return "no control, taken out of the audit"
    if scope.controls is None:
        return "the whole baseline"
    return count_of(len(scope.controls), "chosen control,chosen controls")
