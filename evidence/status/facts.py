"""The facts that `status` and `period` judge: frozen, plain, without Django.

Whoever fills them leaves out everything recorded at or after `known_at`. Days are
calendar days in the system's time zone. Names ending in `_until` are exclusive;
`ends`, `due_on` and `review_by` are inclusive. A scope holding "*" is everything.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

Cadence = Literal[
    "once", "weekly", "monthly", "quarterly", "half-yearly", "yearly", "per-event"
]
Purpose = Literal["design", "operation"]
LinkState = Literal["accepted", "submitted", "rejected"]
HalfState = Literal[
    "proven",
    "expiring",
    "pending",
    "lapsed",
    "missing",
    "not_required",
    "design_only",
]
Verdict = Literal["proven", "partly", "unproven", "not_applicable"]
Responsibility = Literal["inherited", "shared", "customer", "none", "unclassified"]
Regime = Literal["fedramp", "soc2", "pci", "iso", "hipaa", "none"]
Scope = Literal["service", "region"]
ArtifactKind = Literal["period", "point", "certificate", "authorization", "summary"]
Reliance = Literal["rely", "rely-with-response", "do-not-rely"]
LetterState = Literal["accepted", "waiting", "rejected"]

EVERYTHING = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """One evidence link of a requirement and what was decided about it.

    `occurrence` is the first day of its calendar period (None for once, yearly and
    per event); `ends` the last day it proves (None: no end), see
    `cadence.proof_end`; `ends` before `performed_on` proves no day at all.
    """

    link: str
    evidence: str
    performed_on: dt.date
    ends: dt.date | None
    state: LinkState = "accepted"
    occurrence: dt.date | None = None
    collected_on: dt.date | None = None
    late_collected: bool = False
    to_reconfirm: bool = False
    purpose: Purpose = "operation"
    title: str = ""


@dataclass(frozen=True, slots=True)
class PopulationFacts:
    """The events of a per-event requirement over [starts, ends], both inclusive.

    `sample` is the number of different events in its samples, None until somebody has
    drawn one; `proven` of them have an accepted link, `waiting` only a submitted one,
    `deviations` were not handled as asked (and need no link to be answered for).
    `open` have neither. `newer` says what became of a newer population that does not
    count. `sampled_on` is the day of the last sample.
    """

    starts: dt.date
    ends: dt.date
    rows: int
    state: LinkState = "submitted"
    sample: int | None = None
    proven: int = 0
    waiting: int = 0
    deviations: int = 0
    # open, told apart from deviations that have a link as well; None: the difference
    left: int | None = None
    newer: LinkState | None = None
    sampled_on: dt.date | None = None
    drawn_on: dt.date | None = None
    uuid: str = ""

    @property
    def open(self) -> int:
        """Sampled events with neither an accepted link nor a deviation."""
        if self.left is not None:
            return self.left
        return max(0, (self.sample or 0) - self.proven - self.deviations)

    @property
    def complete(self) -> bool:
        """Whether it is accepted and nothing of it is open."""
        if self.state != "accepted":
            return False
        return self.rows == 0 or (self.sample is not None and not self.open)


@dataclass(frozen=True, slots=True)
class RequirementFacts:
    """What one requirement of our half asks, and the newest answers to it.

    `population` is the newest accepted one that began by the day, else the newest.
    `latest_accepted` is the accepted link with the greatest end (no end is greatest)
    among those performed on or before the day; `submitted` counts links performed by
    then that wait for review; `newer_rejected` says one submitted after the accepted
    one was rejected. `grace_days` and `lead_days` None mean the default.
    """

    uuid: str
    title: str
    cadence: Cadence
    operates_from: dt.date
    operates_until: dt.date | None = None
    purpose: Purpose = "operation"
    grace_days: int | None = None
    lead_days: int | None = None
    latest_accepted: LinkFacts | None = None
    submitted: int = 0
    newer_rejected: bool = False
    population: PopulationFacts | None = None
    cuec: bool = False

    def operates_on(self, day: dt.date) -> bool:
        """Whether the requirement is in operation on `day`."""
        return self.operates_from <= day and (
            self.operates_until is None or day < self.operates_until
        )


@dataclass(frozen=True, slots=True)
class NeededService:
    """A service that makes AWS a party of the control, and how reports scope it.

    A service with layers of both scopes comes twice, once per scope (`scopes_of`).
    """

    slug: str
    scope: Scope
    used_from: dt.date
    used_until: dt.date | None = None
    is_global: bool = False
    regions: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """A continuity letter: it asserts [starts, ends], at most to its issue date.

    `state` is what the system made of it: only an accepted one asserts any day. One
    registered after the review of its report waits for a second person.
    """

    issued_on: dt.date
    starts: dt.date
    ends: dt.date
    state: LetterState


@dataclass(frozen=True, slots=True)
class ArtifactVersionFacts:
    """One version of a provider's report, certificate or authorization.

    `scheme` is soc1, soc2, c5, iso, hitrust, pci, irap, fedramp ... and decides for
    which regime a certificate or an attestation speaks. `starts` is the report's or
    issue date; `ends` None means no stated end. `exceptions_open` and
    `exceptions_answered` count those that touch this control. `reliance` None means
    nobody has reviewed it for this system.
    """

    uuid: str
    artifact: str
    series: str
    kind: ArtifactKind
    label: str
    starts: dt.date
    ends: dt.date | None = None
    scheme: str = ""
    type1: bool = False
    responsibility_summary: bool = False
    state: Literal["active", "revoked"] = "active"
    revoked_on: dt.date | None = None
    opinion: str = ""
    impact_level: str = ""
    partition: str = ""
    services_in_scope: frozenset[str] = frozenset()
    regions_in_scope: frozenset[str] = frozenset()
    reliance: Reliance | None = None
    letters: tuple[LetterFacts, ...] = ()
    exceptions_open: int = 0
    exceptions_answered: int = 0


@dataclass(frozen=True, slots=True)
class AwsFacts:
    """AWS's side of one control: where it is needed and what was registered.

    `versions` holds every version cited for the control, of whatever kind.
    """

    needed: tuple[NeededService, ...] = ()
    versions: tuple[ArtifactVersionFacts, ...] = ()
    regime: Regime = "none"
    impact_level: str = ""
    partition: str = "aws"
    currency_days: int = 90


@dataclass(frozen=True, slots=True)
class ApplicabilityFacts:
    """Whether somebody said the control has no object here, and whether it holds."""

    requested: bool = False
    approved: bool = False
    basis_changed: bool = False
    review_by: dt.date | None = None


@dataclass(frozen=True, slots=True)
class ControlFacts:
    """Everything `status` needs to judge one control on one day.

    `aws_required` and `customer_required` are the parties in force that day, already
    united with the derived ones when an override has expired. `worst_part` is the
    worst implementation status of the control's parts (None: no parts differ).
    `cuec_open` counts complementary controls that ask for nothing yet; those with a
    requirement are judged by it (`RequirementFacts.cuec`). `contradicted` counts
    failing observations without a disposition.
    """

    control_id: str
    responsibility: Responsibility = "unclassified"
    aws_required: bool = False
    customer_required: bool = False
    override_expired: bool = False
    implementation_status: str = "planned"
    worst_part: str | None = None
    alternative_approved: bool = False
    applicability: ApplicabilityFacts = ApplicabilityFacts()
    requirements: tuple[RequirementFacts, ...] = ()
    aws: AwsFacts | None = None
    type2: bool = False
    open_findings: int = 0
    contradicted: int = 0
    cuec_open: int = 0
    supplementary: int = 0


@dataclass(frozen=True, slots=True)
class RequirementHistory:
    """A requirement with its accepted links, for judging a window.

    Of the links of one occurrence the earliest performed suffices;
    `requirement.latest_accepted` and its counts are not read.
    """

    requirement: RequirementFacts
    links: tuple[LinkFacts, ...] = ()
    populations: tuple[PopulationFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """Everything `period` needs to judge one control over a window.

    The two `_required` say whether the half was required on any day of it.
    """

    control_id: str
    responsibility: Responsibility = "unclassified"
    aws_required: bool = False
    customer_required: bool = False
    applicability: ApplicabilityFacts = ApplicabilityFacts()
    requirements: tuple[RequirementHistory, ...] = ()
    aws: AwsFacts | None = None
    type2: bool = False
    cuec_open: int = 0
