"""How people write the ids of controls, and the one way in which we keep them."""

from __future__ import annotations

import re

WRITTEN_ID = re.compile(
    r"^(?P<family>[a-z]{2,3})[\s._-]*0*(?P<number>\d+)"
    r"(?:[\s.(]+0*(?P<enhancement>\d+)\)?)?$"
)


def normalised_id(text: str) -> str:
    """`ac-2.1` for “AC-02(01)”, “ac 2.1” or “AC-2 (1)”; empty when it is no id."""
    match = WRITTEN_ID.match(text.strip().lower())
    if match is None:
        return ""
    base = f"{match['family']}-{match['number']}"
    return f"{base}.{match['enhancement']}" if match["enhancement"] else base


def typed_ids(text: str) -> list[str]:
    """The ids in what somebody typed, apart by commas, semicolons, lines or spaces:
    “AC-2(1), mp 6” and “AC-2 (1) MP-6” are two each. What is no id stays as typed, for
    whoever says so."""
    ids = []
    for piece in re.split(r"[,;\n]+", text):
        if whole := normalised_id(piece):
            ids.append(whole)
            continue
        joined = re.sub(r"\s+\(", "(", piece)
        ids += [normalised_id(word) or word.lower() for word in joined.split()]
    return list(dict.fromkeys(ids))


def label_of(ref_id: str) -> str:
    """The label of a control by its id: `AC-2(1)` of `ac-2.1`."""
    base, _, enhancement = ref_id.upper().partition(".")
    return f"{base}({enhancement})" if enhancement else base


def matches(text: str, *, ref_id: str, label: str, title: str) -> bool:
    """Whether a control is meant by what somebody typed: its id first, then words.

    An id also finds the control's enhancements; a word is looked for in the title.
    """
    typed = text.strip().lower()
    exact = normalised_id(typed)
    if exact:
        return ref_id == exact or ref_id.startswith(f"{exact}.")
    return label.lower().startswith(typed) or typed in title.lower()
