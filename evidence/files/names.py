"""File names that show what they are."""

from __future__ import annotations

import re
import unicodedata

BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")


# Windows takes these for devices, with an ending and space before it as well.
RESERVED = re.compile(
    r"^(con(in\$|out\$)?|prn|aux|nul|(com|lpt)[\d¹²³])\s*(\.|$)", re.I
)


MAX_NAME_BYTES = 200


def clean_name(name: str) -> str:
    """A file name that shows what it is: no path, control or bidi characters.

    At most 200 bytes of UTF-8; never empty. Source: UP-06 of the requirements.
    """
    name = unicodedata.normalize("NFC", str(name)).replace("\\", "/").rsplit("/", 1)[-1]
    name = BIDI.sub("", name)
    name = "".join(c for c in name if unicodedata.category(c) not in {"Cc", "Cs", "Cf"})
    name = name.strip().rstrip(". ")
    if RESERVED.match(name):
        name = f"_{name}"
    stem, dot, ending = name.rpartition(".")
    while len(name.encode()) > MAX_NAME_BYTES:
        stem = stem[:-1] if stem else ""
        name = f"{stem}{dot}{ending}" if stem else name[:-1]
    return name or "file"
