"""The control that a line of a provider's document speaks of, and which part of it."""

from __future__ import annotations

import re

from controls.control_ids import normalised_id

CONTROL = re.compile(
    r"(?P<control>[a-z]{2,3}[\s._-]*\d+"
    r"(?:\s*\(\d{1,2}\)|[.]\d{1,2}(?![a-z0-9]))?)",
    re.IGNORECASE,
)
# One step into a part, with what stands before it: “(a)”, “ part b.”, “, (c)”, “.1”.
STEP = re.compile(
    r"(?P<before>[\s.,;:/_–-]*)(?:parts?\b\.?\s*)?"
    r"(?:\(\s*(?P<inside>[a-z]{1,4}|\d{1,2}|[a-z]\s*[-–,]\s*[a-z])\s*\)"
    r"|(?P<bare>[a-z]|\d{1,2})(?![a-z0-9])"
    r"|(?P<fedramp>req(?:uirements?)?)(?![a-z]))",
    re.IGNORECASE,
)
AT_THE_END = re.compile(r"[\s.,;:]*")


def control_and_part(text: str) -> tuple[str, str]:
    """The id of a control and the part named behind it: “AC-02 (a)” is ac-2, (a).

    Parts are written in any of the ways published matrices use: “AC-2a.”, “AC-1 a 1”,
    “AC-2, part b”, “AC-6 (1) (a)-(b)”, “CA-2 Req. 1”. Both are empty for what is
    no id.
    """
    control_id = normalised_id(text)
    if control_id:
        return control_id, ""
    text = text.strip()
    control = CONTROL.match(text)
    if control is None:
        return "", ""
    part, position = "", control.end()
    while step := STEP.match(text, position):
        name = step["inside"] or step["bare"] or "req"
        between = step["before"].strip(" .:_")
        name = "".join(name.lower().split())
        part += f"{between if part else ''}({name})"
        position = step.end()
    end = AT_THE_END.match(text, position)
    if not part or end is None or end.end() < len(text):
        return "", ""
    return normalised_id(control["control"]), part
