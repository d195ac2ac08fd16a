"""What may and must stand in the parts of OSCAL that we write, from the reference of
OSCAL 1.2: enough to see a wrong key without NIST's schemas at hand.

Each object is named by the key it stands under; `!` marks what must be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
LINE = re.compile(r"\S(.*\S)?")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
TOKEN = re.compile(r"[^\W\d][\w.\-]*")
IMPACT = "base! selected adjustment-justification"
SHAPES = {
    "system-security-plan": "uuid! metadata! import-profile! system-characteristics!"
    " system-implementation! control-implementation! back-matter",
    "component-definition": "uuid! metadata! components back-matter",
    "assessment-results": "uuid! metadata! import-ap! results! back-matter",
    "plan-of-action-and-milestones": "uuid! metadata! system-id local-definitions"
    " observations risks poam-items!",
    "system-id": "identifier-type id!",
    "risks": "uuid! title! description! statement! props status! deadline risk-log"
    " related-observations",
    "risk-log": "entries!",
    "entries": "uuid! title description start! remarks",
    "related-risks": "risk-uuid!",
    "poam-items": "uuid title! description! props related-observations related-risks",
    "metadata": "title! last-modified! version! oscal-version! props roles parties",
    "props": "name! value! ns",
    "roles": "id! title!",
    "parties": "uuid! type! name",
    "import-profile": "href!",
    "import-ap": "href!",
    "system-characteristics": "system-ids! system-name! description!"
    " security-sensitivity-level system-information! security-impact-level status!"
    " authorization-boundary!",
    "system-ids": "identifier-type id!",
    "system-information": "information-types!",
    "information-types": "uuid title! description! confidentiality-impact"
    " integrity-impact availability-impact",
    "confidentiality-impact": IMPACT,
    "integrity-impact": IMPACT,
    "availability-impact": IMPACT,
    "security-impact-level": "security-objective-confidentiality!"
    " security-objective-integrity! security-objective-availability!",
    "status": "state! remarks",
    "authorization-boundary": "description!",
    "system-implementation": "leveraged-authorizations users components!",
    "leveraged-authorizations": "uuid! title! props party-uuid! date-authorized!",
    "users": "uuid! title description role-ids",
    "components": "uuid! type! title! description! props status responsible-roles"
    " control-implementations",
    "responsible-roles": "role-id! party-uuids",
    "control-implementation": "description! implemented-requirements!",
    "control-implementations": "uuid! source! description! implemented-requirements!",
    "implemented-requirements": "uuid! control-id! description props set-parameters"
    " responsible-roles statements by-components",
    "set-parameters": "param-id! values!",
    "statements": "statement-id! uuid! by-components",
    "by-components": "component-uuid! uuid! description! props implementation-status"
    " export inherited satisfied",
    "implementation-status": "state! remarks",
    "export": "description provided responsibilities",
    "provided": "uuid! description!",
    "responsibilities": "uuid! provided-uuid description!",
    "inherited": "uuid! provided-uuid description!",
    "satisfied": "uuid! responsibility-uuid description!",
    "back-matter": "resources!",
    "resources": "uuid! title description props rlinks",
    "rlinks": "href! media-type hashes",
    "hashes": "algorithm! value!",
    "results": "uuid! title! description! start! end local-definitions"
    " reviewed-controls! observations findings",
    "local-definitions": "components",
    "reviewed-controls": "control-selections!",
    "control-selections": "include-controls",
    "include-controls": "control-id!",
    "observations": "uuid! title description! props methods! types subjects"
    " relevant-evidence collected! expires remarks",
    "subjects": "subject-uuid! type!",
    "findings": "uuid! title! description! props target! related-observations",
    "target": "type! target-id! status!",
    "related-observations": "observation-uuid!",
    "relevant-evidence": "href description!",
}
OF_ONE_LINE = {"title", "value", "name", "version", "system-name"}
INSTANTS = {"last-modified", "start", "end", "collected", "expires", "deadline"}
TOKENS = {"control-id", "statement-id", "param-id", "role-id"}


def misshapen(key: str, value: Any, place: str = "") -> Iterator[str]:
    """What is wrong with the object or text that stands under a key."""
    place = f"{place}/{key}"
    if isinstance(value, list):
        if not value:
            yield f"{place}: an empty list"
        for number, member in enumerate(value):
            yield from misshapen(key, member, f"{place}[{number}]")
    elif isinstance(value, dict):
        keys = SHAPES.get(key, "").split()
        known = {name.rstrip("!") for name in keys}
        yield from (f"{place}: {name} is not known" for name in set(value) - known)
        needed = {name.rstrip("!") for name in keys if name.endswith("!")}
        yield from (f"{place}: {name} is not there" for name in needed - set(value))
        if key == "components" and not {"control-implementations", "status"} & set(
            value
        ):
            yield f"{place}: status is not there"
        for name, member in value.items():
            yield from misshapen(name, member, place)
    elif not isinstance(value, str) or not value:
        yield f"{place}: {value!r} is no text"
    else:
        for keys_of, pattern in (
            ({"uuid"}, UUID),
            (OF_ONE_LINE, LINE),
            (INSTANTS, INSTANT),
            (TOKENS, TOKEN),
        ):
            if key in keys_of and not pattern.fullmatch(value):
                yield f"{place}: {value!r}"
