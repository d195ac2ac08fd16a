"""The company's responses to what an auditor will ask about (R36).

The owner team or an officer responds to an item of a window (late, missed, waived,
unasked, open, deviating); it stands beside the item once a second person has accepted
it, and changes no count and no result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from controls.access import require_describer
from controls.approvals import known_today
from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, ControlImplementation, System
from controls.models.audit import about
from controls.service_names import display_names
from evidence.artifacts.second_person import REVIEWING, require_reviewer
from evidence.findings.item_answers import ItemAnswer, answers_by_control
from evidence.findings.recording import lock_control
from evidence.models import ItemResponse, ResponseDecision
from evidence.models.responses import MAX_ITEM_TITLE
from evidence.models.reviews import ReviewDecision
from evidence.status.clock_parameters import Window
from evidence.status.gather_window import gather_periods
from evidence.status.rows import Moment
from evidence.status.window import Period, period

NO_ITEM = "Nothing in the window is to be answered there: look at the list again."
CHANGED = (
    "This item is not as it was when you opened it: it is {now}. Read it again, and"
    " respond to all of it."
)
WROTE_ONE = "You wrote a response to this; somebody else must decide."


@dataclass(frozen=True)
class AnsweredItem(ItemAnswer):
    """An item with its control, the response that counts, and one that waits."""

    implementation: ControlImplementation


def narrowed_items(
    rows: Iterable[AnsweredItem], filters: Mapping[str, str]
) -> list[AnsweredItem]:
    """Those that fit `q` (words of a control), `kind` and `answer`: `open`, `waiting`
    or `answered`; what is not answered in full comes first."""
    words = filters.get("q", "").casefold().split()

    def fits(row: AnsweredItem) -> bool:
        control = row.implementation.control
        name = f"{control.label} {control.title}".casefold()
        answers = {
            "open": not row.is_answered,
            "waiting": row.waiting is not None,
            "answered": row.is_answered,
        }
        return (
            all(word in name for word in words)
            and filters.get("kind", row.item.kind) == row.item.kind
            and answers.get(filters.get("answer", ""), True)
        )

    return sorted(filter(fits, rows), key=lambda row: row.is_answered)


def items_answered(
    system: System,
    moment: Moment,
    window: Window,
    *,
    implementations: Iterable[ControlImplementation] | None = None,
) -> list[AnsweredItem]:
    """The items of a system's controls over a window, in the catalog's order, with
    their responses. A constant number of statements.

    Raises LookupError when the system was not recorded by the moment.
    """
    if implementations is None:
        rows = ControlImplementation.objects.filter(system=system)
        implementations = rows.select_related("control", "owner_team").order_by(
            "control__sort_order", "pk"
        )
    by_key = {row.pk: row for row in implementations}
    keys, windows = {system.pk: list(by_key)}, {system.pk: window}
    facts = gather_periods([system], keys, windows, moment)
    periods = {
        pk: period(facts[pk], *window, today=moment.on) for pk in by_key if pk in facts
    }
    return answered(by_key, periods, moment, display_names())


def answered(
    implementations: Mapping[int, ControlImplementation],
    periods: Mapping[int, Period],
    moment: Moment,
    names: Mapping[str, str],
) -> list[AnsweredItem]:
    """The same for windows that were judged already; `names` are `display_names`.

    One statement.
    """
    return [
        AnsweredItem(row.item, row.accepted, row.waiting, implementations[pk])
        for pk, rows in answers_by_control(periods, moment, names).items()
        for row in rows
    ]


@transaction.atomic
def respond(
    implementation: ControlImplementation,
    key: str,
    window: Window,
    *,
    cause: str,
    effect: str,
    measures: str,
    owner: str,
    compensating: str = "",
    seen: str = "",
    by: Actor,
) -> ItemResponse:
    """Respond to the item of a control that has this key in a window; a second person
    decides.

    It answers what is counted now, and nothing that comes to it later. `seen` is the
    key of the extent that the person read; empty: whatever is there.

    Raises NotPermitted unless `by` is an officer or of the owner team, Refused where
    there is no such item or something is not said, TransitionNotAllowed while another
    response to it waits or where it is not as it was seen.
    """
    control = lock_control(implementation)
    require_describer(control, by)
    today = known_today(control.system)
    rows = items_answered(
        control.system, Moment(today), window, implementations=[control]
    )
    row = next((row for row in rows if row.item.key == key), None)
    if row is None:
        raise Refused({"item": NO_ITEM})
    if row.waiting:
        raise TransitionNotAllowed("A response to it waits for a second person.")
    extent = row.item.extent
    if seen and seen != extent.key:
        raise TransitionNotAllowed(CHANGED.format(now=extent.words))
    response = ItemResponse(
        system=control.system,
        implementation=control,
        responded_by=by,
        kind=row.item.kind,
        key=key,
        title=row.item.title[:MAX_ITEM_TITLE],
        starts=row.item.starts,
        ends=row.item.ends,
        late_days=extent.late_days,
        events=list(extent.events),
        cause=cause.strip(),
        effect=effect.strip(),
        measures=measures.strip(),
        compensating=compensating.strip(),
        owner=owner.strip(),
        responded_on=today,
        responder_name=str(by),
    )
    response.full_clean()
    response.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            response,
            "response.written",
            by=by,
            control=control.control.ref_id,
            kind=response.kind,
            starts=response.starts,
            ends=response.ends,
        )
    )
    return response


def require_response_decider(response: ItemResponse, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` reviews for the system and never responded to the
    same item, also not with a response that was rejected (R32)."""
    same = ItemResponse.objects.filter(
        implementation=response.implementation_id, key=response.key
    )
    hands = set(same.values_list("responded_by_id", flat=True))
    require_reviewer(response.system, hands, by=by, sentence=WROTE_ONE)


def may_decide_response(response: ItemResponse, *, by: Actor) -> bool:
    """Whether `by` may decide on it."""
    try:
        require_response_decider(response, by=by)
    except NotPermitted:
        return False
    return True


@transaction.atomic
def decide_response(
    response: ItemResponse, *, decision: str, reason: str = "", by: Actor
) -> ResponseDecision:
    """Accept or reject a response, as known from now on.

    Raises NotPermitted, TransitionNotAllowed when it is decided, Refused for a
    rejection without a reason.
    """
    control = lock_control(response.implementation)
    require_response_decider(response, by=by)
    if ResponseDecision.objects.filter(response=response).exists():
        raise TransitionNotAllowed("This response is decided already.")
    if decision == ReviewDecision.REJECT and not reason.strip():
        raise Refused({"reason": "A rejection says why."})
    decided = ResponseDecision(
        response=response,
        system=control.system,
        reviewer=by,
        responded_by_id=response.responded_by_id,
        decision=decision,
        reason=reason.strip(),
        decided_on=known_today(control.system),
        reviewer_name=str(by),
    )
    decided.full_clean()
    decided.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            decided,
            "response.decided",
            by=by,
            decision=decision,
            response=str(response.uuid),
        )
    )
    return decided


def responses_to_decide(user: Actor) -> QuerySet[ItemResponse]:
    """Responses that wait for this person, oldest first: of a system they review, to
    items that they never responded to. One statement."""
    mine = ItemResponse.objects.filter(
        implementation=OuterRef("implementation"),
        key=OuterRef("key"),
        responded_by=user.pk,
    )
    systems = System.objects.held_as(user, REVIEWING)
    rows = ItemResponse.objects.filter(system__in=systems, decision=None)
    others = rows.exclude(Exists(mine))
    return others.select_related("system", "implementation__control").order_by("pk")
