"""What each document says of itself: scope, clocks, roles and parties, baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controls.display_names import IMPACT_LEVELS
from controls.models import Role
from evidence.exports.formats.oscal.texts import lines, one_line, prop
from evidence.exports.formats.oscal.writing import OSCAL_VERSION, Names, Node, instant
from evidence.exports.rows.heading import Heading, heading_of
from evidence.exports.rows.scope import ExportScope
from evidence.status.rows import read_rows

CONTROL_OWNER, PROVIDER = "control-owner", "provider"
SYSTEM = """
SELECT s.description, b.id AS baseline_id, b.slug AS baseline, b.title AS profile,
       c.title AS catalog, c.version AS edition, c.source
  FROM {system} s
  JOIN controls_baseline b ON b.id = s.baseline_id
  JOIN controls_catalog c ON c.id = b.catalog_id
 WHERE s.id = %(system)s
"""
NIST = (
    "https://raw.githubusercontent.com/usnistgov/oscal-content/main/nist.gov/SP800-53/"
    "rev5/json/NIST_SP-800-53_rev5_{}-baseline_profile.json"
)
FEDRAMP = (
    "https://raw.githubusercontent.com/GSA/fedramp-automation/master/dist/content/rev5/"
    "baselines/json/FedRAMP_rev5_{}-baseline_profile.json"
)
# Where the publisher keeps the profile of a baseline that we ship.
PROFILES = {
    "nist-low": NIST.format("LOW"),
    "nist-moderate": NIST.format("MODERATE"),
    "nist-high": NIST.format("HIGH"),
    "nist-privacy": NIST.format("PRIVACY"),
    "fedramp-low": FEDRAMP.format("LOW"),
    "fedramp-moderate": FEDRAMP.format("MODERATE"),
    "fedramp-high": FEDRAMP.format("HIGH"),
    "fedramp-li-saas": FEDRAMP.format("LI-SaaS"),
}
ROLES = {
    Role.OFFICER: "Decides classes, exclusions and overrides, and keeps the asks",
    Role.CONTRIBUTOR: "Brings evidence and describes the controls of a team",
    Role.REVIEWER: "Accepts and rejects evidence that somebody else brought",
    Role.AUDITOR: "Reads, samples and asks for evidence",
    Role.READER: "Reads",
}


@dataclass(frozen=True)
class DocumentHead:
    """The scope of a document and what it says of itself, as it was known then."""

    scope: ExportScope
    heading: Heading
    names: Names
    system: Mapping[str, Any]

    def document(self, kind: str) -> str:
        """The UUID of a document: another one for each scope and each state of it."""
        scope = self.scope
        filters = [f"{key}={text}" for key, text in sorted(scope.filters.items())]
        clocks = (scope.moment.on, scope.known_at.isoformat(), *scope.window)
        return self.names.of(kind, *map(str, clocks), str(self.heading.rules), *filters)

    @property
    def description(self) -> str:
        """The system's own, or that there is none."""
        return lines(self.system["description"]) or "No description was recorded."

    def metadata(self, title: str, parties: list[Node]) -> Node:
        """Title, version, clocks as properties, roles and parties."""
        heading = self.heading
        return {
            "title": one_line(f"{title} of {heading.system}"),
            "last-modified": instant(self.scope.known_at),
            "version": heading.on,
            "oscal-version": OSCAL_VERSION,
            "props": self._props(),
            "roles": [
                *({"id": role.value, "title": str(role.label)} for role in ROLES),
                {"id": CONTROL_OWNER, "title": "Owner of a control"},
                {"id": PROVIDER, "title": "Provider"},
            ],
            "parties": parties,
        }

    def _props(self) -> list[Node | None]:
        heading = self.heading
        return [
            prop("system", heading.slug),
            prop("regime", heading.regime),
            prop("impact-level", heading.impact_level),
            prop("about-day", heading.on),
            prop("time-zone", heading.time_zone),
            prop("known-at", heading.known_at),
            prop("window-start", heading.window_start),
            prop("window-end", heading.window_end),
            prop("rules", heading.rules),
            prop("rules-then", heading.rules_then or ""),
            prop("reference-version", heading.reference_version),
            prop("controls", heading.view),
            prop("marks", heading.marks),
        ]

    @property
    def profile_href(self) -> str:
        """The baseline, as a reference to the end of the document."""
        return f"#{self.names.of('profile', self.system['baseline'])}"

    def profile(self) -> Node:
        """The baseline as a resource; with its address where the publisher has one."""
        address = PROFILES.get(self.system["baseline"])
        links = [{"href": address, "media-type": "application/json"}] if address else []
        catalog = f"{self.system['catalog']} {self.system['edition']}"
        return {
            "uuid": self.profile_href[1:],
            "title": one_line(self.system["profile"]),
            "description": one_line(f"The baseline of the system, of {catalog}."),
            "props": [prop("baseline", self.system["baseline"])],
            "rlinks": links,
        }

    def users(self) -> list[Node]:
        """Who works on the controls of the system, by role; persons are not named."""
        return [
            {
                "uuid": self.names.of("user", role.value),
                "title": str(role.label),
                "description": f"{what} in the record of this system.",
                "role-ids": [role.value],
            }
            for role, what in ROLES.items()
        ]

    @property
    def fips_level(self) -> str:
        """The impact level in the words of FIPS 199; LI-SaaS is low there."""
        names = {name: code for code, name in IMPACT_LEVELS.items()}
        code = names.get(self.heading.impact_level, "moderate")
        return f"fips-199-{'low' if code == 'li-saas' else code}"


def head_of(scope: ExportScope) -> DocumentHead:
    """The head of a document, to be read in the snapshot of its rows. Four statements.

    Raises LookupError when the system was not recorded by then.
    """
    heading = heading_of(scope)
    (row,) = read_rows(SYSTEM, scope.moment, system=scope.system.pk)
    return DocumentHead(scope, heading, Names(scope.system), row)
