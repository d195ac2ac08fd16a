"""One control in a security plan: each side of it by component, part by part.

The provider publishes no plan in OSCAL. What it provides, and what it leaves to us,
stands as `export` at the provider's component, in our own words; what we inherit of
that, and how we meet what is left to us, stands as `inherited` and `satisfied` at our
own component. So every reference leads somewhere within the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from controls.control_parts import Part, labelled_parts
from evidence.exports.formats.oscal.head import CONTROL_OWNER, DocumentHead
from evidence.exports.formats.oscal.part_sides import PartSides, sides_of
from evidence.exports.formats.oscal.system import Surroundings, needed_on
from evidence.exports.formats.oscal.texts import FEDRAMP, lines, prop
from evidence.exports.formats.oscal.writing import Node
from evidence.exports.rows.part_status import (
    NOT_APPLICABLE,
    PROVIDERS_ALONE,
    part_status,
)
from evidence.exports.rows.status_rows import SOURCES
from evidence.status.control_status import ControlStatus
from evidence.status.half import GOOD
from evidence.status.rows import as_json
from evidence.systems.matrix_parts import PartReading, layers_of

OF_ORGANISATION = frozenset({"people", "programme"})
FEDRAMP_ORIGINS = {
    "organization": "sp-corporate",
    "system-specific": "sp-system",
    "inherited": "inherited",
}
OUR_READING = (
    "What the provider runs and what it leaves to us, as we read it: it publishes no"
    " plan in OSCAL."
)
NO_LAYER = "There is no layer here that this control governs."
NOBODY_CLASSIFIED = "Nobody has classified this control; it counts as ours."


@dataclass(frozen=True)
class Texts:
    """What people wrote of a control, and what the baseline sets for it."""

    statement: str
    statements: Sequence[Mapping[str, Any]]
    parameters: Mapping[str, str]


class Requirement:
    """One control of the system as an implemented requirement."""

    def __init__(
        self,
        head: DocumentHead,
        around: Surroundings,
        answer: ControlStatus,
        texts: Texts,
        readings: Sequence[PartReading],
    ) -> None:
        self.head, self.around, self.answer, self.texts = head, around, answer, texts
        self.readings = readings
        self.control = answer.implementation["ref_id"]
        self.path = ("plan", self.control)
        self.this_system = head.names.of("component", "this-system")
        self.needed = needed_on(answer, head.scope.moment.on)

    @property
    def is_left_out(self) -> bool:
        """Whether two persons have left it out as not applicable."""
        return bool(self.answer.implementation["applicability"] == NOT_APPLICABLE)

    def node(self) -> Node:
        """The requirement with its statements; of a control without any, by itself."""
        parts: list[Part | None] = [
            part for part in labelled_parts(self.texts.statements) if part.top
        ]
        node: Node = {
            "uuid": self.head.names.of(*self.path),
            "control-id": self.control,
            "props": self._props(),
            "set-parameters": [
                {"param-id": key, "values": [text]}
                for key, text in self.texts.parameters.items()
            ],
            "responsible-roles": self._owner(),
        }
        whole = next((row["id"] for row in self.texts.statements), None)
        if whole is None:
            return node | {"by-components": list(self._by_components("", None))}
        return node | {
            "statements": [
                self._statement(part.statement_id if part else whole, part)
                for part in parts or [None]
            ]
        }

    def _statement(self, statement_id: str, part: Part | None) -> Node:
        return {
            "statement-id": statement_id,
            "uuid": self.head.names.of(*self.path, statement_id),
            "by-components": list(self._by_components(statement_id, part)),
        }

    def _props(self) -> list[Node | None]:
        answer, row = self.answer, self.answer.implementation
        origins = list(self._origins())
        in_fedramp = self.head.heading.regime == "FedRAMP"
        return [
            *(prop("control-origination", origin, ns="") for origin in origins),
            *(
                prop("control-origination", FEDRAMP_ORIGINS[origin], ns=FEDRAMP)
                for origin in origins
                if in_fedramp
            ),
            prop("responsibility", answer.facts.responsibility),
            prop("responsibility-source", SOURCES.get(row["source"] or "", "")),
            prop("verdict", answer.status.verdict),
            prop("provider-half", answer.status.aws_half),
            prop("customer-half", answer.status.customer_half),
        ]

    def _origins(self) -> Iterator[str]:
        """Whose the control is, as seen from our system (R4): the providers' side is
        inherited, ours is the organisation's or the system's own."""
        if self.is_left_out:
            return
        if self.answer.facts.aws_required:
            yield "inherited"
        if self.answer.facts.customer_required:
            ours = {
                row["layer"] in OF_ORGANISATION
                for row in self.answer.basis
                if row["party"] == "customer"
            }
            if True in ours:
                yield "organization"
            if False in ours or not ours:
                yield "system-specific"

    def _owner(self) -> list[Node]:
        team = self.around.team_of.get(self.answer.implementation["id"])
        if team is None:
            return []
        party = self.head.names.of("party", "team", team)
        return [{"role-id": CONTROL_OWNER, "party-uuids": [party]}]

    def _by_components(self, statement_id: str, part: Part | None) -> Iterator[Node]:
        """Ours, then that of each provider that answers for the part."""
        letter = part.label.strip("(). ") if part else ""
        layers = layers_of(self.readings, f"({letter})") if part else frozenset()
        sides = sides_of(self.answer, self.needed, layers, self.around.names)
        if self.is_left_out:
            sides = replace(sides, providers={})
        status = part_status(self.answer, part)
        if not sides.is_ours and sides.providers and status != NOT_APPLICABLE:
            status = PROVIDERS_ALONE  # of this part, if not of the whole control
        yield self._ours(statement_id, status, sides)
        for slug in sides.providers:
            yield self._theirs(statement_id, slug, sides)

    def _ours(self, statement_id: str, status: str, sides: PartSides) -> Node:
        """What we do, what we inherit, and which duties left to us we meet."""
        node: Node = {
            "component-uuid": self.this_system,
            "uuid": self._named(statement_id, "ours"),
            "description": self._our_description(status, sides),
        }
        if status == NOT_APPLICABLE:
            why = self.answer.implementation["na_justification"] or ""
            remarks = lines(why) if self.is_left_out else NO_LAYER
            state = {"state": NOT_APPLICABLE, "remarks": remarks}
            return node | {"implementation-status": state}
        if status == PROVIDERS_ALONE:
            if self.answer.status.aws_half in GOOD:
                node["implementation-status"] = {"state": "implemented"}
        elif status == "not-stated":
            node["props"] = [prop("implementation-status", "not-stated")]
        else:
            node["implementation-status"] = {"state": status}
        return node | {
            "inherited": [
                {
                    "uuid": self._named(statement_id, "inherited", slug),
                    "provided-uuid": self._named(statement_id, "provided", slug),
                    "description": self._provided(slug, sides),
                }
                for slug in sides.providers
            ],
            "satisfied": [
                {
                    "uuid": self._named(statement_id, "satisfied", slug),
                    "responsibility-uuid": self._named(statement_id, "left", slug),
                    "description": self._our_words(sides),
                }
                for slug in sides.providers
                if sides.is_ours and self._is_done(status)
            ],
        }

    def _is_done(self, status: str) -> bool:
        """Whether our part is done (R28), so that what is left to us is met."""
        approved = self.answer.facts.alternative_approved
        return status == "implemented" or (status == "alternative" and approved)

    def _theirs(self, statement_id: str, slug: str, sides: PartSides) -> Node:
        """What a provider runs, and what it leaves to us."""
        provided = self._named(statement_id, "provided", slug)
        node: Node = {
            "component-uuid": self.head.names.of("component", "provider", slug),
            "uuid": self._named(statement_id, "theirs", slug),
            "description": self._provided(slug, sides),
        }
        state = next(
            (p.state for p in self.answer.status.providers if p.provider == slug), ""
        )
        node["props"] = [prop("provider-half", state)]
        if state in GOOD:
            node["implementation-status"] = {"state": "implemented"}
        left = []
        if sides.is_ours:
            left.append(
                {
                    "uuid": self._named(statement_id, "left", slug),
                    "provided-uuid": provided,
                    "description": self._left(sides),
                }
            )
        return node | {
            "export": {
                "description": OUR_READING,
                "provided": [
                    {"uuid": provided, "description": self._provided(slug, sides)}
                ],
                "responsibilities": left,
            }
        }

    def _named(self, statement_id: str, *what: str) -> str:
        return self.head.names.of(*self.path, statement_id, *what)

    def _provided(self, slug: str, sides: PartSides) -> str:
        name = self.around.providers[slug]
        runs = sides.providers[slug]
        return f"{name} runs: {runs}." if runs else f"{name} runs this."

    def _left(self, sides: PartSides) -> str:
        return sides.duties or "What of this control the provider does not run."

    def _our_words(self, sides: PartSides) -> str:
        return lines(self.texts.statement) or self._left(sides)

    def _our_description(self, status: str, sides: PartSides) -> str:
        """What people wrote, then our duties by layer; else why there are none."""
        if status == NOT_APPLICABLE:
            return "Left out of this system." if self.is_left_out else NO_LAYER
        if not sides.is_ours:
            names = [self.around.providers[slug] for slug in sides.providers]
            return f"Inherited from {' and '.join(names) or 'the provider'}."
        nobody = self.answer.facts.responsibility == "unclassified"
        paragraphs = [
            lines(self.texts.statement),
            NOBODY_CLASSIFIED if nobody else "",
            f"Ours:\n\n{sides.duties}" if sides.duties else "",
        ]
        description = "\n\n".join(text for text in paragraphs if text)
        return description or "Ours; nobody has described yet how it is done."


def texts_of(
    row: Mapping[str, Any], parameters: Mapping[int, Mapping[str, str]]
) -> Texts:
    """The texts of a control as `TEXTS` of `plan` reads them."""
    values = parameters.get(row["control_id"], {})
    return Texts(
        row["customer_statement"],
        as_json(row["statements"]),
        {key: " ".join(text.split()) for key, text in values.items() if text.split()},
    )
