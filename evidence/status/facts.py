"""The facts that `status` and `period` judge: frozen, plain, without Django.

No field has a default: whoever gathers says each of them (R33). What the product has
no source for yet stands in `not_gathered.py` with the value it is judged by until then.
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
    """One accepted evidence link of a requirement.

    `occurrence` is the first day of its calendar period (None for once, yearly and
    per event); `ends` the last day it proves (None: no end), see
    `cadence.proof_end`; `ends` before `performed_on` proves no day at all.
    """

    link: str
    evidence: str
    performed_on: dt.date
    ends: dt.date | None
    occurrence: dt.date | None
    collected_on: dt.date | None
    title: str


@dataclass(frozen=True, slots=True)
class PopulationFacts:
    """The events of a per-event requirement over [starts, ends], both inclusive.

    `sample` is the number of different events in its samples, None until somebody has
    drawn one; `proven` of them have an accepted link, `waiting` only a submitted one,
    `deviations` were not handled as asked (and need no link to be answered for), and
    `open` have neither an accepted link nor a deviation. `newer` says what became of a
    newer population that does not count. `sampled_on` is the day of the last sample.
    """

    starts: dt.date
    ends: dt.date
    rows: int
    state: LinkState
    sample: int | None
    proven: int
    waiting: int
    deviations: int
    open: int
    newer: LinkState | None
    sampled_on: dt.date | None
    drawn_on: dt.date | None
    uuid: str

    @property
    def complete(self) -> bool:
        """Whether it is accepted and nothing of it is open."""
        if self.state != "accepted":
            return False
        return self.rows == 0 or (self.sample is not None and not self.open)


@dataclass(frozen=True, slots=True)
class AskFacts:
    """What one requirement of our half asks; the defaults stand in `cadence`.

    `grace_days` and `lead_days` None mean the default of the cadence.
    """

    uuid: str
    title: str
    cadence: Cadence
    operates_from: dt.date
    operates_until: dt.date | None
    purpose: Purpose
    grace_days: int | None
    lead_days: int | None

    def operates_on(self, day: dt.date) -> bool:
        """Whether the requirement is in operation on `day`."""
        return self.operates_from <= day and (
            self.operates_until is None or day < self.operates_until
        )


@dataclass(frozen=True, slots=True)
class RequirementFacts(AskFacts):
    """What one requirement of our half asks, and the newest answers to it.

    `population` is the newest accepted one that began by the day, else the newest.
    `latest_accepted` is the accepted link with the greatest end (no end is greatest)
    among those performed on or before the day; `submitted` counts links performed by
    then that wait for review; `newer_rejected` says one submitted after the accepted
    one was rejected.
    """

    latest_accepted: LinkFacts | None
    submitted: int
    newer_rejected: bool
    population: PopulationFacts | None


@dataclass(frozen=True, slots=True)
class NeededService:
    """A service that makes AWS a party of the control, and how reports scope it.

    A service with layers of both scopes comes twice, once per scope (`scopes_of`).
    """

    slug: str
    scope: Scope
    used_from: dt.date
    used_until: dt.date | None
    is_global: bool
    regions: tuple[str, ...]
    layers: tuple[str, ...]


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
    ends: dt.date | None
    scheme: str
    type1: bool
    responsibility_summary: bool
    state: Literal["active", "revoked"]
    revoked_on: dt.date | None
    opinion: str
    impact_level: str
    partition: str
    services_in_scope: frozenset[str]
    regions_in_scope: frozenset[str]
    reliance: Reliance | None
    letters: tuple[LetterFacts, ...]
    exceptions_open: int
    exceptions_answered: int


@dataclass(frozen=True, slots=True)
class AwsFacts:
    """AWS's side of one control: where it is needed and what was registered.

    `versions` holds every version cited for the control, of whatever kind.
    """

    needed: tuple[NeededService, ...]
    versions: tuple[ArtifactVersionFacts, ...]
    regime: Regime
    impact_level: str
    partition: str
    currency_days: int


@dataclass(frozen=True, slots=True)
class ApplicabilityFacts:
    """Whether somebody said the control has no object here, and whether it holds."""

    requested: bool
    approved: bool
    basis_changed: bool
    review_by: dt.date | None


@dataclass(frozen=True, slots=True)
class ControlFacts:
    """Everything `status` needs to judge one control on one day.

    `aws_required` and `customer_required` are the parties in force that day, already
    united with the derived ones when an override has expired. `worst_part` is the
    worst implementation status of the control's parts (None: no parts differ).
    `cuec_open` counts complementary controls that ask for nothing yet. `contradicted`
    counts failing observations without a disposition.
    """

    control_id: str
    responsibility: Responsibility
    aws_required: bool
    customer_required: bool
    override_expired: bool
    implementation_status: str
    worst_part: str | None
    alternative_approved: bool
    applicability: ApplicabilityFacts
    requirements: tuple[RequirementFacts, ...]
    aws: AwsFacts | None
    type2: bool
    open_findings: int
    contradicted: int
    cuec_open: int
    supplementary: int


@dataclass(frozen=True, slots=True)
class RequirementHistory:
    """A requirement with its accepted links, for judging a window.

    Of the links of one occurrence the earliest performed suffices.
    """

    requirement: AskFacts
    links: tuple[LinkFacts, ...]
    populations: tuple[PopulationFacts, ...]


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """Everything `period` needs to judge one control over a window.

    The two `_required` say whether the half was required on any day of it.
    """

    control_id: str
    responsibility: Responsibility
    aws_required: bool
    customer_required: bool
    applicability: ApplicabilityFacts
    requirements: tuple[RequirementHistory, ...]
    aws: AwsFacts | None
