"""Codes of reasons, and the one table of sentences and next steps for them.

One file: what a code says is looked up in one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
from typing import Any

from controls.display_names import IMPACT_LEVELS, IMPLEMENTATION_STATUSES, REGIMES
from controls.grammar import count_of
from evidence.status.values import value

MESSAGES: dict[str, tuple[str, str]] = {
    "never_performed": (
        "“{subject}” was never performed.",
        "Perform it and upload proof.",
    ),
    "not_yet_due": ("“{subject}” is first due on {due}.", "Perform it by {due}."),
    "overdue": (
        "{subject}: due {due}, {days} overdue.",
        "Perform it now and upload proof.",
    ),
    "expiring": ("“{subject}” counts until {ends}.", "Perform the next one by {ends}."),
    "submitted_unreviewed": (
        "“{subject}” was submitted and waits for review.",
        "Ask a reviewer to decide.",
    ),
    "newer_rejected": (
        "A newer submission of “{subject}” was rejected.",
        "Read the reason and submit again.",
    ),
    "nothing_asked": (
        "Nothing is asked of your half.",
        "Add a requirement with a cadence.",
    ),
    "no_population": (
        "{subject}: no population of its events is on record.",
        "Import the population for the window.",
    ),
    "population_unreviewed": (
        "{subject}: the population from {start} to {end} waits for review.",
        "Ask a reviewer whether it is complete and accurate.",
    ),
    "population_rejected": (
        "{subject}: the population from {start} to {end} was rejected.",
        "Read the reason and import it again.",
    ),
    "population_lapsed": (
        "{subject}: the newest population counted until {ends}.",
        "Import the population since then.",
    ),
    "no_events": (
        "{subject}: no events from {start} to {end}.",
        "Nothing to do.",
    ),
    "no_sample": (
        "{subject}: {rows}, and no sample is drawn.",
        "Draw a sample.",
    ),
    "sample_open": (
        "{subject}: {left} of {sample} in the sample still open.",
        "Upload proof for each open item.",
    ),
    "sample_waiting": (
        "{subject}: {waiting} of {sample} in the sample waiting for review.",
        "Ask a reviewer to decide.",
    ),
    "deviations": (
        "{subject}: {deviations} of {sample} in the sample deviating.",
        "Say why, and what you changed.",
    ),
    "days_without_population": (
        "{subject}: no population from {start} to {end}.",
        "Import the population for these days.",
    ),
    "design_only": ("“{subject}” shows design only.", "Add proof that it operated."),
    "aws_only": ("Only the providers' half is proven.", "Prove your half."),
    "customer_only": (
        "Only the company's half is proven.",
        "Cite the provider's artifact.",
    ),
    "no_artifact": ("No {subject} artifact is cited.", "Register and cite one."),
    "citation_pending": (
        "{subject}: its citation waits for a second person.",
        "Have somebody who did not cite it accept or reject the citation.",
    ),
    "report_withdrawn": (
        "{subject} was withdrawn by its auditor on {ends}.",
        "Cite another artifact.",
    ),
    "site_out_of_scope": (
        "{subject} is outside the scope of {artifact}.",
        "Find an artifact that covers it.",
    ),
    "site_unknown": (
        "{subject} names no site or service, so nothing tells what is covered.",
        "Say which sites or services by name it is about.",
    ),
    "supporting_only": (
        "{subject} supports, but proves nothing under {regime}.",
        "Cite an artifact of a kind that proves under {regime}.",
    ),
    "reliance_pending": (
        "{subject} has not been reviewed for reliance.",
        "Have somebody other than its registrar review it.",
    ),
    "not_relied_on": ("{subject} is not relied on.", "Cite another artifact."),
    "newer_version_unreviewed": (
        "A newer version, {subject}, is not reviewed yet.",
        "Review it for reliance.",
    ),
    "service_out_of_scope": (
        "{subject} is outside the scope of {artifact}.",
        "Find an artifact that covers it, or stop using it.",
    ),
    "external_service_unauthorized": (
        "{subject} is an external service without authorization: outside {artifact}.",
        "Find an authorization that covers it, or stop using it.",
    ),
    "service_not_listed": (
        "{subject} is not listed in {artifact}, which covers its region here.",
        "Nothing to do.",
    ),
    "region_out_of_scope": (
        "Region {subject} is outside the scope of {artifact}.",
        "Find an artifact that covers it.",
    ),
    "region_unknown": (
        "{subject} names no region, and {artifact} covers only some.",
        "Say in which regions the system uses it.",
    ),
    "impact_below_baseline": (
        "{subject} is authorized at {level}, below the system's level.",
        "Use a partition authorized at that level.",
    ),
    "other_partition": (
        "{subject} is for another AWS partition.",
        "Cite a report or an authorization of your partition.",
    ),
    "report_lapsed": (
        "{subject} counted as current until {ends}.",
        "Register the newer report or letter.",
    ),
    "revoked": ("{subject} was revoked on {ends}.", "Cite another artifact."),
    "exception_unanswered": (
        "{subject} has an exception without our response.",
        "Record a response and have it accepted.",
    ),
    "exception_answered": (
        "{subject} has an exception, with our response accepted.",
        "Nothing to do.",
    ),
    "subservice_undecided": (
        "{subject} leaves out {organisation}, and no answer says whether that is a"
        " provider of its own here.",
        "Answer it, and have the answer accepted.",
    ),
    "implementation_partial": (
        "The implementation is {status}.",
        "Finish the implementation and say so.",
    ),
    "not_stated": (
        "Nobody has said how far it is implemented.",
        "Say how far it is implemented, and since when.",
    ),
    "open_finding": (
        "Found and not closed: {subject}.",
        "Mend it, and have somebody else accept the evidence.",
    ),
    "poam_overdue": (
        "“{subject}”: the finding was to be closed by {due}, {days} overdue.",
        "Close it, or ask for a deviation.",
    ),
    "contradicted": (
        "It was seen to fail on {observed}, and no officer has dealt with that yet.",
        "Write a finding, or explain it to a second person.",
    ),
    "cuec_open": (
        "A provider's report expects a control of us that is not shown yet.",
        "Ask for it with a requirement, and prove that.",
    ),
    "override_expired": (
        "The override of the class has ended.",
        "Decide: a new override, or the derived class.",
    ),
    "na_requested": (
        "Not applicable was requested and not decided.",
        "A second officer decides.",
    ),
    "na_basis_changed": (
        "Services changed since it was found not applicable.",
        "Request it again, or implement the control.",
    ),
    "na_review_due": ("Not applicable was to be reviewed by {due}.", "Review it."),
    "unclassified": (
        "Nobody has read this control yet.",
        "Say which layers it governs.",
    ),
    "proposed_not_applicable": (
        "No layer of this control exists here.",
        "Request not applicable, or override the class.",
    ),
    "missed": ("{subject}: missed.", "Explain the gap to the auditor."),
    "late": ("{subject}: {days} late.", "Explain the delay."),
    "recorded_late": (
        "{subject}: recorded {days} after its due day.",
        "Nothing to do: its reviewer confirmed the day.",
    ),
    "cut_short": (
        "{subject}: cut short, asked on {asked} of {of} days.",
        "Nothing to do.",
    ),
    "waived": (
        "{subject}: waived by a change in retrospect, formerly {former}.",
        "Explain the change to the auditor.",
    ),
    "changed_in_retrospect": (
        "{subject}: changed in retrospect.",
        "Explain the change to the auditor.",
    ),
    "asked_from": (
        "Nothing was asked on {days} of the window: asked from {start}.",
        "Begin the window on that day, or ask for the days before.",
    ),
    "blocked_by_status": (
        "{days} from {start} to {end}: the implementation was {status}.",
        "Explain to the auditor what stood in for it.",
    ),
    "blocked_by_design": (
        "{days} from {start} to {end}: everything asked shows design only.",
        "Ask for proof that it operated.",
    ),
    "blocked_by_finding": (
        "{days} from {start} to {end}: “{subject}” was open.",
        "Explain to the auditor what was done about it.",
    ),
    "blocked_by_observation": (
        "{days} from {start} to {end}: it was seen to fail, and no officer had dealt"
        " with that.",
        "Write a finding, or explain it to a second person.",
    ),
    "not_proven_at_end": (
        "It is not proven on the window's last day, {end}.",
        "Open the control as of that day.",
    ),
    "aws_days_open": (
        "{subject}: {covered}{days} open from {start}.",
        "Register {provider}'s report or letter for these days.",
    ),
    "collected_late": ("“{subject}” was collected after the period.", "Nothing to do."),
    "letter_pending": (
        "{subject}: a letter to {ends} waits for a second person.",
        "Have somebody who did not register it accept or reject it.",
    ),
    "letter_beyond_issue": (
        "The letter says more days than it can: counted to {ends}.",
        "Ask for a newer letter.",
    ),
}

# The subject of these is the slug of a service.
ABOUT_SERVICES = frozenset(
    {
        "service_out_of_scope",
        "external_service_unauthorized",
        "service_not_listed",
        "aws_days_open",
        "region_unknown",
        "no_artifact",
    }
)
# Values that are codes, and the names that people read for them.
NAMES: Mapping[str, Mapping[str, str]] = {
    "regime": REGIMES,
    "level": IMPACT_LEVELS,
    "status": IMPLEMENTATION_STATUSES,
}
# Values that are numbers, and what they count.
COUNTED = {"days": "day", "rows": "event"}


@value
class Reason:
    """Why a state holds: a code, what it is about, and what to do next."""

    code: str
    subject: str = ""
    next_step: str = ""
    params: tuple[tuple[str, str], ...] = field(default=())

    @property
    def sentence(self) -> str:
        """The reason in plain words, with a service as its subject by its slug."""
        return self.sentence_with({})

    def sentence_with(self, names: Mapping[str, str]) -> str:
        """The reason in plain words, a service as its subject by its display name."""
        subject = self.subject
        if self.code in ABOUT_SERVICES:
            subject = names.get(subject, subject)
        return _rendered(MESSAGES[self.code][0], subject, self.params)


def reason_for(code: str, subject: str = "", **params: Any) -> Reason:
    """A reason with its next step. Raises KeyError for a code without a sentence."""
    texts = tuple(sorted((name, str(value)) for name, value in params.items()))
    return Reason(code, subject, _rendered(MESSAGES[code][1], subject, texts), texts)


@lru_cache(maxsize=4096)  # the same few sentences stand beside many controls
def _rendered(text: str, subject: str, params: tuple[tuple[str, str], ...]) -> str:
    """The text with its holes filled: codes by names, numbers with their nouns."""
    values = {name: _value(name, value) for name, value in params}
    return text.format(subject=subject or "It", **values)


def _value(name: str, value: str) -> str:
    if name in COUNTED:
        return count_of(int(value), COUNTED[name])
    return NAMES.get(name, {}).get(value, value)
