"""What bytes are, judged by the bytes themselves and not by what a client says."""

from __future__ import annotations

UNKNOWN = "application/octet-stream"
SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
OFFICE = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
TEXTS = {"csv": "text/csv", "json": "application/json"}


def media_type(head: bytes, name: str) -> str:
    """The media type to serve bytes under; never one that a browser would run.

    `head` is the first few thousand bytes. The ending of the name only chooses among
    types whose bytes look alike.
    """
    ending = name.rpartition(".")[2].lower()
    found = next((said for mark, said in SIGNATURES if head.startswith(mark)), None)
    if found == "application/zip":
        return OFFICE.get(ending, found)
    if found:
        return found
    return TEXTS.get(ending, "text/plain") if _is_text(head) else UNKNOWN


def _is_text(head: bytes) -> bool:
    """Whether the bytes read as UTF-8 without control characters.

    A character cut in two at the end of `head` is forgiven.
    """
    if not head or any(byte < 32 and byte not in (9, 10, 12, 13) for byte in head):
        return False
    for cut in range(4):
        try:
            head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
        return True
    return False
