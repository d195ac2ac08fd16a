"""Names of files in a package: safe on every disk and in every manifest."""

from __future__ import annotations

import re
import unicodedata

from evidence.files.names import clean_name

MAX_BYTES = 100  # of UTF-8; with its folders a path stays below what Windows opens
# Letters, marks and digits of every script, and what no shell, manifest or disk minds.
KEPT = re.compile(r"[\w.()+,=@ -]")
LETTERS = 12  # of the digest; two files of one folder that share them get all 64


def file_name(name: str, sha256: str, *, whole_digest: bool = False) -> str:
    """`3f2a9c01b4de-report.pdf`: the beginning of the digest, then what people called
    it; other characters become `_`. Never begins with a dot or a dash."""
    plain = "".join(
        letter if KEPT.match(letter) else "_"
        for letter in unicodedata.normalize("NFC", clean_name(name))
    )
    plain = re.sub(r"\s+", " ", plain).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if not stem or len(ending.encode()) > MAX_BYTES // 2:
        stem, dot, ending = plain, "", ""
    room = MAX_BYTES - len(f"{dot}{ending}".encode())
    stem = stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .")
    digest = sha256 if whole_digest else sha256[:LETTERS]
    return f"{digest}-{stem or 'file'}{dot}{ending}"


def folder_name(label: str) -> str:
    """The folder of a control: `AC-2(1)`, `CC6.1`, `A.5.15`."""
    return re.sub(r"[^A-Za-z0-9.()-]", "_", label).strip(".") or "control"
