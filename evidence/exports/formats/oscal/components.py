"""The component definition of the customer's side: what each service asks of us."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from controls.service_names import component_name
from evidence.exports.formats.oscal.head import DocumentHead, head_of
from evidence.exports.formats.oscal.plan import baseline_parameters, control_texts
from evidence.exports.formats.oscal.texts import (
    duties,
    lines,
    names_of_components,
    one_line,
    prop,
)
from evidence.exports.formats.oscal.writing import Node, write_document
from evidence.exports.rows.part_status import NOT_APPLICABLE
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.exports.rows.status_rows import SOURCES
from evidence.status.control_status import ControlStatus

ORGANISATION = ("organisation", "")
Basis = list[Mapping[str, Any]]


def write(scope: ExportScope, file: BinaryIO, progress: Progress) -> None:
    """The whole definition, a line for each component."""
    head = head_of(scope)
    answers = scope.answers(over_window=False)
    texts = control_texts(head, answers)
    by_component: defaultdict[tuple[str, str], list[tuple[ControlStatus, Basis]]]
    by_component = defaultdict(list)
    for answer in answers:
        bases = _ours(answer)
        if texts[answer.implementation["id"]]["customer_statement"].strip():
            bases.setdefault(ORGANISATION, [])
        for component, basis in bases.items():
            by_component[component].append((answer, basis))
    definition = _Definition(head, texts, baseline_parameters(head))

    def components() -> Iterator[Node]:
        for component in sorted(by_component):
            yield definition.component(component, by_component[component])

    document = {
        "uuid": head.document("component-definition"),
        "metadata": head.metadata("Customer's side of the controls", []),
        "components": components(),
        "back-matter": {"resources": [head.profile()]},
    }
    write_document(file, "component-definition", document)
    progress(len(answers), len(answers))


def _ours(answer: ControlStatus) -> dict[tuple[str, str], Basis]:
    """The customer's rows of a control's basis by component; none where it is left
    out or nothing of it is ours."""
    row = answer.implementation
    bases: dict[tuple[str, str], Basis] = {}
    if row["applicability"] == NOT_APPLICABLE or not answer.facts.customer_required:
        return bases
    for reason in answer.basis:
        if reason["party"] == "customer":
            component = (reason["component"], reason["variant"])
            bases.setdefault(component, []).append(reason)
    return bases or {ORGANISATION: []}


class _Definition:
    """What each component of the definition is written from."""

    def __init__(
        self,
        head: DocumentHead,
        texts: Mapping[int, Mapping[str, Any]],
        parameters: Mapping[int, Mapping[str, str]],
    ) -> None:
        self.head, self.texts, self.parameters = head, texts, parameters
        self.names = names_of_components()

    def component(
        self, component: tuple[str, str], controls: list[tuple[ControlStatus, Basis]]
    ) -> Node:
        """One service with what it asks of us, or the organisation itself."""
        of = self.head.names.of
        is_service = component != ORGANISATION
        name = component_name(self.names, *component) if is_service else (
            f"Organisation of {self.head.heading.system}"
        )  # fmt: skip
        what = f"What {name} asks of its user" if is_service else "What is our own"
        return {
            "uuid": of("definition", *component),
            "type": "service" if is_service else "process-procedure",
            "title": one_line(name),
            "description": one_line(f"{what}, in our own words."),
            "props": [prop("service", component[0]), prop("variant", component[1])],
            "control-implementations": [
                {
                    "uuid": of("definition", *component, "implementation"),
                    "source": self.head.profile_href,
                    "description": one_line(f"Controls in which {name} has a part."),
                    "implemented-requirements": [
                        self._requirement(component, *of_control)
                        for of_control in controls
                    ],
                }
            ],
        }

    def _requirement(
        self, component: tuple[str, str], answer: ControlStatus, basis: Basis
    ) -> Node:
        row = answer.implementation
        texts = self.texts[row["id"]]
        own = texts["customer_statement"] if component == ORGANISATION else ""
        paragraphs = [lines(own), duties(basis, self.names)]
        description = "\n\n".join(text for text in paragraphs if text)
        kinds = dict.fromkeys(reason["kind"] for reason in basis)
        values = self.parameters.get(row["control_id"], {})
        return {
            "uuid": self.head.names.of("definition", *component, row["ref_id"]),
            "control-id": row["ref_id"],
            "description": description or "Ours; nobody has described yet how.",
            "props": [
                *(
                    prop("control-origination", f"customer-{kind}", ns="")
                    for kind in kinds
                ),
                prop("responsibility", answer.facts.responsibility),
                prop("responsibility-source", SOURCES.get(row["source"] or "", "")),
            ],
            "set-parameters": [
                {"param-id": key, "values": [one_line(text)]}
                for key, text in values.items()
                if text.strip()
            ],
        }
