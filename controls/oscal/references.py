"""Whether every reference of OSCAL documents leads to what it names. Pure.

Several documents are looked at together: a plan that leans on another system names
parts of that system's plan. Schemas do not tell any of this, and documents that pass
them hold such faults, NIST's own pair of examples among them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from controls.oscal.documents import Document, Node, Path, cut, nodes_of

UUID = re.compile(
    r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[45][0-9A-Fa-f]{3}-[89ABab][0-9A-Fa-f]{3}-"
    r"[0-9A-Fa-f]{12}"
)
VERSION = re.compile(r"v?1\.\d+\.\d+(-[\w.]+)?")
ANYTHING = frozenset[str]()
# What the value of a key names: the lists that its object may stand in.
REFERENCES: Mapping[str, frozenset[str]] = {
    "activity-uuid": frozenset({"activities"}),
    "actor-uuid": ANYTHING,
    "component-uuid": frozenset({"components"}),
    "component-uuids": frozenset({"components"}),
    "finding-uuid": frozenset({"findings"}),
    "implementation-statement-uuid": frozenset(
        {"statements", "implemented-requirements", "by-components"}
    ),
    "location-uuids": frozenset({"locations"}),
    "member-of-organizations": frozenset({"parties"}),
    "observation-uuid": frozenset({"observations"}),
    "party-uuid": frozenset({"parties"}),
    "party-uuids": frozenset({"parties"}),
    "provided-uuid": frozenset({"provided"}),
    "response-uuid": frozenset({"remediations"}),
    "responsibility-uuid": frozenset({"responsibilities"}),
    "risk-uuid": frozenset({"risks"}),
    "subject-uuid": ANYTHING,
    "task-uuid": frozenset({"tasks"}),
}
# The same of properties, by their name.
PROPERTIES: Mapping[str, frozenset[str]] = {
    "inherited-uuid": frozenset({"components"}),
    "leveraged-authorization-uuid": frozenset({"leveraged-authorizations"}),
}
ROLE_KEYS = frozenset({"role-id", "role-ids"})
# What an object of a list is called in a sentence.
CALLED = {
    "activities": "an activity",
    "by-components": "a by-component",
    "components": "a component",
    "findings": "a finding",
    "implemented-requirements": "an implemented requirement",
    "leveraged-authorizations": "a leveraged authorization",
    "locations": "a location",
    "observations": "an observation",
    "parties": "a party",
    "provided": "something provided",
    "remediations": "a response",
    "resources": "a resource of the back matter",
    "responsibilities": "a responsibility",
    "risks": "a risk",
    "satisfied": "a satisfied responsibility",
    "statements": "a statement",
    "tasks": "a task",
    "users": "a user",
}


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong: the document's name, the place in it, a sentence."""

    document: str
    place: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.document}: {self.place}: {self.sentence}"


@dataclass(frozen=True)
class CatalogIds:
    """Ids of one catalog. `params` None: which parameters it has is not known."""

    title: str
    controls: frozenset[str]
    statements: Mapping[str, frozenset[str]]  # by the control they belong to
    params: frozenset[str] | None = None


def faults(
    documents: Sequence[Document], catalog: CatalogIds | None = None
) -> list[Fault]:
    """All that is wrong in the documents, by document and in its order."""
    kinds: dict[str, str] = {}
    for document in documents:
        kinds |= document.kinds
    return [
        Fault(document.name, shown(path), sentence)
        for document in documents
        for path, sentence in _Check(document, kinds, catalog).all()
    ]


def shown(path: Path) -> str:
    """`system-security-plan/metadata/parties[0]/uuid`, numbers counted from nought."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f"/{cut(step)}"
    return text.lstrip("/")


class _Check:
    """One document, held against the UUIDs of all and the ids of a catalog."""

    def __init__(
        self, document: Document, kinds: Mapping[str, str], catalog: CatalogIds | None
    ) -> None:
        self.document, self.kinds, self.catalog = document, kinds, catalog
        self.seen: dict[str, Path] = {}

    def all(self) -> Iterator[tuple[Path, str]]:
        """Places and sentences in the order of the document."""
        if self.catalog is not None and self._is_of_another_catalog():
            yield (
                (self.document.kind,),
                (
                    f"none of its controls is one of {self.catalog.title}: name its own"
                    " catalog to have ids of controls and statements checked."
                ),
            )
            self.catalog = None
        for path, key, value in nodes_of(self.document):
            if value in ("", []):
                yield path, "it is empty; OSCAL wants it left out."
            elif isinstance(value, dict):
                for sentence in self._of_object(path, key, value):
                    yield path, sentence
            elif isinstance(value, str):
                for sentence in self._of_text(path, key, value):
                    yield path, sentence

    def _of_object(self, path: Path, key: str, node: Node) -> Iterator[str]:
        uuid = node.get("uuid")
        if isinstance(uuid, str):
            if not UUID.fullmatch(uuid):
                yield f"{cut(uuid)} is no UUID of version 4 or 5."
            first = self.seen.setdefault(uuid.lower(), path)
            if first != path:
                yield f"the UUID {cut(uuid)} stands at {shown(first)} as well."
        if key == "props" and str(node.get("name")) in PROPERTIES:
            target_lists = PROPERTIES[str(node["name"])]
            yield from self._leads(str(node.get("value")), target_lists)
        if key == "implemented-requirements":
            yield from self._of_requirement(node)
        yield from self._twice(node)

    def _twice(self, node: Node) -> Iterator[str]:
        for name, key in (("implemented-requirements", "control-id"),
                          ("statements", "statement-id")):  # fmt: skip
            members = node.get(name)
            counted: defaultdict[str, int] = defaultdict(int)
            for member in members if isinstance(members, list) else []:
                if isinstance(member, dict):
                    counted[str(member.get(key))] += 1
            for text, number in counted.items():
                if number > 1:
                    yield f"{cut(text)} stands {number} times in {name}."

    def _of_text(self, path: Path, key: str, text: str) -> Iterator[str]:
        if key in REFERENCES:
            yield from self._leads(text, REFERENCES[key])
        elif key in ROLE_KEYS and text not in self.document.roles:
            yield f"there is no role {cut(text)} in the metadata."
        elif key == "href" and text.startswith("#"):
            yield from self._fragment(text[1:])
        elif key == "oscal-version" and not VERSION.fullmatch(text):
            yield f"{cut(text)} is no version of OSCAL that is known."
        elif self.catalog is not None:
            yield from self._of_catalog(key, text, self.catalog)

    def _leads(self, uuid: str, target_lists: frozenset[str]) -> Iterator[str]:
        """Nothing where the UUID is that of one of the target_lists."""
        there = self.kinds.get(uuid.lower())
        names = " or ".join(CALLED.get(name, name) for name in sorted(target_lists))
        if there is None:
            wants = f"; it should be that of {names}" if target_lists else ""
            yield f"{cut(uuid)} is the UUID of nothing in these documents{wants}."
        elif target_lists and there not in target_lists:
            is_one = CALLED.get(there, f"an entry of {there}")
            yield f"{cut(uuid)} is the UUID of {is_one}, not of {names}."

    def _fragment(self, name: str) -> Iterator[str]:
        if name.lower() not in self.document.kinds and name not in self.document.ids:
            yield f"#{cut(name)} leads to nothing in this document."

    def _is_of_another_catalog(self) -> bool:
        texts = [
            value.lower()
            for _, key, value in nodes_of(self.document)
            if key == "control-id" and isinstance(value, str)
        ]
        known = self.catalog.controls if self.catalog else frozenset()
        return bool(texts) and known.isdisjoint(texts)

    def _of_catalog(self, key: str, text: str, catalog: CatalogIds) -> Iterator[str]:
        if key == "control-id" and text.lower() not in catalog.controls:
            yield f"there is no control {cut(text)} in {catalog.title}."
        elif key == "param-id" and catalog.params is not None:
            if text not in catalog.params:
                yield f"there is no parameter {cut(text)} in {catalog.title}."
        elif key == "statement-ids" and not any(
            text in ids for ids in catalog.statements.values()
        ):
            yield f"there is no statement {cut(text)} in {catalog.title}."

    def _of_requirement(self, node: Node) -> Iterator[str]:
        """Statements are those of the requirement's own control."""
        if self.catalog is None:
            return
        statements = node.get("statements")
        names = (
            str(member.get("statement-id")) if isinstance(member, dict) else ""
            for member in (statements if isinstance(statements, list) else [])
        )
        yield from unknown_statements(str(node.get("control-id")), names, self.catalog)


def unknown_statements(
    control_id: str, names: Iterable[str], catalog: CatalogIds
) -> Iterator[str]:
    """Sentences about statements that a control of the catalog does not have."""
    control = control_id.lower()
    if control not in catalog.controls:
        return
    own = catalog.statements.get(control, frozenset())
    for name in names:
        if name not in own:
            near = name.replace("_stmt", "_smt")
            hint = f" Is {near} meant?" if near in own else ""
            yield f"control {control} has no statement {cut(name)}.{hint}"
