"""The facts that `status` and `period` judge: frozen, plain, without Django.

No field has a default: whoever gathers says each of them (R33). What the product has
no source for yet stands in `not_gathered.py` with the value it is judged by until then.
Whoever fills them leaves out everything recorded at or after `known_at`. Days are
calendar days in the system's time zone. Names ending in `_until` are exclusive;
`ends`, `due_on`, `review_by` and both days of a range (`Days`) are inclusive, an open
side being the first or last day there is. A scope holding "*" is everything.

One file: the test of R33 looks through all kinds of facts here.
"""

import datetime as dt
from typing import Literal

from evidence.status.day_ranges import Days
from evidence.status.values import value

Cadence = Literal[
    "once", "weekly", "monthly", "quarterly", "half-yearly", "yearly", "per-event"
]
PopulationCadence = Literal["weekly", "monthly", "quarterly", "half-yearly"]
Purpose = Literal["design", "operation"]
LinkState = Literal["accepted", "submitted", "rejected"]
PopulationState = Literal["accepted", "submitted", "rejected", "withdrawn"]
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
Scope = Literal["service", "region", "site", "document"]
ArtifactKind = Literal[
    "period", "point", "certificate", "authorization", "summary", "assessment"
]
Reliance = Literal["rely", "rely-with-response", "do-not-rely"]
LetterState = Literal["accepted", "waiting", "rejected"]

EVERYTHING = frozenset({"*"})
AWS = "aws"  # the slug of the provider whose scope is services and regions


@value
class LinkFacts:
    """One accepted evidence link of a requirement.

    `occurrence` and `occurrence_ends` are the days of its calendar period (None for
    once, yearly and per event; without the last one it answers whichever period begins
    on that day); `ends` is the last day it proves (None: no end), see
    `cadence.proof_end_by`; `ends` before `performed_on` proves no day at all.
    `uploaded_on` is the day its revision was brought, `day_confirmed` whether the
    reviewer found the day of its performance in the evidence itself.
    """

    link: str
    evidence: str
    performed_on: dt.date
    ends: dt.date | None
    occurrence: dt.date | None
    occurrence_ends: dt.date | None
    collected_on: dt.date | None
    uploaded_on: dt.date
    day_confirmed: bool
    title: str


@value
class PopulationFacts:
    """The events of a per-event requirement over [starts, ends], both inclusive.

    `sample` is the number of different events in its samples, None until somebody has
    drawn one; `proven` of them have an accepted link, `waiting` only a submitted one,
    `deviations` were not handled as asked (and need no link to be answered for), and
    `open` have neither an accepted link nor a deviation; `deviating` and `lacking` are
    the places of these in the population, in order. `drawn_on` is the day it was
    brought, `day_confirmed` whether its reviewer found in it that it shows its days.
    Of one that was rejected or withdrawn only what is judged is left of the sample.
    """

    starts: dt.date
    ends: dt.date
    rows: int
    state: PopulationState
    sample: int | None
    proven: int
    waiting: int
    deviations: int
    open: int
    deviating: tuple[int, ...]
    lacking: tuple[int, ...]
    drawn_on: dt.date
    day_confirmed: bool
    uuid: str

    @property
    def stands(self) -> bool:
        """Whether it was neither rejected nor withdrawn."""
        return self.state in {"accepted", "submitted"}

    @property
    def counts(self) -> bool:
        """Whether a window counts it: it stands, or deviations are on record of it."""
        return self.stands or self.deviations > 0

    @property
    def complete(self) -> bool:
        """Whether it is accepted and nothing of it is open."""
        if self.state != "accepted":
            return False
        return self.rows == 0 or (self.sample is not None and not self.open)


@value
class TermsFacts:
    """What an ask asks on the days `first`..`last`."""

    first: dt.date
    last: dt.date
    title: str
    cadence: Cadence
    purpose: Purpose
    grace_days: int | None
    lead_days: int | None
    population_cadence: PopulationCadence


@value
class AskFacts:
    """What one requirement of our half asks; the defaults stand in `cadence`.

    `grace_days` and `lead_days` None mean the default of the cadence. Per event a
    population is drawn for each calendar period of `population_cadence`.
    """

    uuid: str
    title: str
    cadence: Cadence
    operates_from: dt.date
    operates_until: dt.date | None
    purpose: Purpose
    grace_days: int | None
    lead_days: int | None
    population_cadence: PopulationCadence

    def operates_on(self, day: dt.date) -> bool:
        """Whether the requirement is in operation on `day`."""
        return self.operates_from <= day and (
            self.operates_until is None or day < self.operates_until
        )


@value
class RequirementFacts(AskFacts):
    """What one requirement of our half asks, and the newest answers to it.

    `latest_accepted` is the accepted link with the greatest end (no end is greatest)
    among those performed on or before the day; `others_accepted` are the others, and
    only where the latest was brought after that day: it may count from then only.
    `submitted` counts links performed by the day that wait for review;
    `newer_rejected` says one submitted after the accepted one was rejected.
    Per event, `populations` are those that began by the day, oldest first, withdrawn
    ones only with a deviation on record, `asked_days` the days of which they must
    speak, and `terms` what was asked on which days, in order; without populations both
    are empty.
    """

    latest_accepted: LinkFacts | None
    others_accepted: tuple[LinkFacts, ...]
    submitted: int
    newer_rejected: bool
    populations: tuple[PopulationFacts, ...]
    asked_days: tuple[Days, ...]
    terms: tuple[TermsFacts, ...]

    @property
    def kept_populations(self) -> tuple[PopulationFacts, ...]:
        """Those that nobody withdrew: only they can prove or lack anything."""
        return tuple(one for one in self.populations if one.state != "withdrawn")


@value
class NeededService:
    """A component that makes a provider a party of the control, and its scope.

    Only artifacts of `provider` (a slug) can prove it. A service of AWS with layers of
    both scopes comes twice, once per scope; of another provider each component comes
    once with the scope "site", and its `sites` or services by name. What an override
    names a report for has the scope "document", and the report's title as its slug.
    """

    slug: str
    scope: Scope
    used_from: dt.date
    used_until: dt.date | None
    is_global: bool
    regions: tuple[str, ...]
    layers: tuple[str, ...]
    provider: str
    provider_name: str
    sites: tuple[str, ...]


@value
class LetterFacts:
    """A continuity letter: it asserts [starts, ends], at most to its issue date.

    `state` is what the system made of it: only an accepted one asserts any day. One
    registered after the review of its report waits for a second person. It reaches at
    most `max_months` beyond its report's period, as the system is judged that day.
    """

    issued_on: dt.date
    starts: dt.date
    ends: dt.date
    state: LetterState
    max_months: int


@value
class CarvedOutFacts:
    """A subservice organisation that a report leaves out, and what the system made of
    it: `waiting` until a second person has accepted an answer.

    `layers` are those that it runs of what the report's provider carries; empty: any.
    """

    name: str
    provider: str
    layers: frozenset[str]
    standing: Literal["waiting", "provider", "not-needed"]


@value
class ArtifactVersionFacts:
    """One version of a provider's report, certificate or authorization.

    `scheme` is soc1, soc2, c5, iso, hitrust, pci, irap, fedramp ... and decides for
    which regime a certificate or an attestation speaks. `starts` is the report's or
    issue date; `ends` None means no stated end. `revoked_on` is the day from which on
    it counts no more, or on which its auditor withdrew it. `exceptions_open` and
    `exceptions_answered` count those that touch this control. `reliance` None means
    nobody has reviewed it for this system; `citation` is what the system made of the
    citation for this control.
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
    state: Literal["active", "revoked", "withdrawn"]
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
    provider: str
    sites_in_scope: frozenset[str]
    citation: Literal["accepted", "waiting"]
    carved_out: tuple[CarvedOutFacts, ...]


@value
class AwsFacts:
    """The providers' side of one control: where each is needed, what was registered.

    `versions` holds every version cited for the control, of whatever kind and provider.
    """

    needed: tuple[NeededService, ...]
    versions: tuple[ArtifactVersionFacts, ...]
    regime: Regime
    impact_level: str
    partition: str
    currency_days: int


@value
class ApplicabilityFacts:
    """Whether somebody said the control has no object here, for the day asked about.

    `requested` says that a request waits, `approved` that one for that day was
    approved: it holds to `review_by`, and only while its basis is unchanged.
    """

    requested: bool
    approved: bool
    basis_changed: bool
    review_by: dt.date | None


@value
class FindingFacts:
    """A finding that was not decided to be none.

    `due_on` is its last day in time, None where it stays open as an operational
    requirement; `closed_on` the day on which its closing was accepted, None while it is
    open, or once the evidence that closed it is accepted no more.
    """

    uuid: str
    title: str
    severity: str
    found_on: dt.date
    due_on: dt.date | None
    closed_on: dt.date | None


@value
class ControlFacts:
    """Everything `status` needs to judge one control on one day.

    `aws_required` and `customer_required` are the parties in force that day, already
    united with the derived ones when an override has expired. `worst_part` is the
    worst implementation status of the control's parts (None: no parts differ).
    `cuec_open` counts complementary controls that ask for nothing yet. `findings` are
    those of its system found by the day, closed ones too; `contradicted` are the days
    of failing observations that nothing was made of, up to the day.
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
    findings: tuple[FindingFacts, ...]
    contradicted: tuple[dt.date, ...]
    cuec_open: int
    supplementary: int


@value
class RequirementHistory:
    """What was asked of one control by one ask, day by day, and the answers.

    `terms` are in order and do not overlap; `named` are the days on which the ask
    names the control. `links` and `populations` are those that may answer something
    in the window; of links only accepted ones.
    """

    uuid: str
    terms: tuple[TermsFacts, ...]
    named: tuple[Days, ...]
    links: tuple[LinkFacts, ...]
    populations: tuple[PopulationFacts, ...]

    def terms_on(self, day: dt.date) -> TermsFacts | None:
        """The terms in force on a day."""
        in_force = (terms for terms in self.terms if terms.first <= day <= terms.last)
        return next(in_force, None)

    @property
    def title(self) -> str:
        """What it is called by its newest terms."""
        return self.terms[-1].title if self.terms else ""


@value
class StatedDays:
    """The implementation status on the days `first`..`last`: its worst part's."""

    first: dt.date
    last: dt.date
    status: str


@value
class FormerFacts:
    """What was expected of a control as known just before a retrospective change.

    The change was requested on `requested_on`, approved on `approved_on`, and alters
    answers about days from `first_day` on. The histories hold the links of today.
    """

    change: str
    requested_on: dt.date
    approved_on: dt.date
    first_day: dt.date
    required: tuple[Days, ...]
    not_applicable: tuple[Days, ...]
    requirements: tuple[RequirementHistory, ...]


@value
class PeriodFacts:
    """Everything `period` needs to judge one control over a window.

    `required` are the days of the window, and of the periods that end in it, on which
    our half was required by class; `not_applicable` those on which it was found not
    applicable; on days of which no `stated` speaks the status is not stated. `type2`
    are days of Type II engagements; `findings` and `contradicted` as in `ControlFacts`,
    up to the window's last day. `at_end` are the facts of the window's last day,
    None while the window runs. `former` has one entry for each retrospective change
    of the control, oldest first. `aws_required`: on any day of the window.
    """

    control_id: str
    responsibility: Responsibility
    aws_required: bool
    required: tuple[Days, ...]
    not_applicable: tuple[Days, ...]
    requirements: tuple[RequirementHistory, ...]
    stated: tuple[StatedDays, ...]
    alternative_approved: bool
    type2: tuple[Days, ...]
    findings: tuple[FindingFacts, ...]
    contradicted: tuple[dt.date, ...]
    former: tuple[FormerFacts, ...]
    at_end: ControlFacts | None
    aws: AwsFacts | None

    @property
    def customer_required(self) -> bool:
        """Whether our half was required on any day that is looked at."""
        return bool(self.required)
