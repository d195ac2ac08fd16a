"""Brings the official text into the database, a whole edition or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings
from django.db import transaction

from controls.access import require_installation_officer
from controls.errors import Refused
from controls.grammar import count_of
from controls.models import (
    Actor,
    AuditEvent,
    Catalog,
    Control,
    ControlText,
    ControlTextEdition,
)
from controls.models.audit import about
from controls.oscal.texts import CatalogTexts, read_texts, require_size
from controls.reference.loader import CATALOG

NAMED = 5  # controls that a refusal names
CHUNK = 1024 * 1024


@dataclass(frozen=True)
class TextImport:
    """What an import led to: the edition, and whether it is new."""

    edition: ControlTextEdition
    is_new: bool
    text_count: int


def import_texts(body: BinaryIO, *, source: str, by: Actor | None) -> TextImport:
    """Keep the text of a catalog file; the file kept last changes nothing.

    `body` is seekable; `source` says where it came from; `by` is None for the command
    line. Raises NotPermitted for all but officers of the installation, and Refused for
    a file that is no catalog, or one of other controls or parts than ours.
    """
    if by is not None:
        require_installation_officer(by)
    sha256, size = _digest(body)
    if (kept := _kept_last(sha256)) is not None:
        return TextImport(kept, is_new=False, text_count=kept.texts.count())
    file_texts = read_texts(body)
    with transaction.atomic():
        # two imports at once: the second looks again once the first is done
        catalog = Catalog.objects.select_for_update().get(slug=CATALOG)
        if (kept := _kept_last(sha256)) is not None:
            return TextImport(kept, is_new=False, text_count=kept.texts.count())
        controls = list(Control.objects.live().filter(catalog=catalog))
        _refuse_other_controls(controls, file_texts)
        edition = ControlTextEdition.objects.create(
            catalog=catalog,
            version=file_texts.version[:40],
            title=file_texts.title[:300],
            last_modified=file_texts.last_modified[:40],
            sha256=sha256,
            size=size,
            source=source[:300],
            is_published=sha256 == settings.CONTROL_TEXT_SHA256,
            imported_by=by if by is not None and by.pk else None,
        )
        texts = [_row(edition, control, file_texts) for control in controls]
        ControlText.objects.bulk_create(texts, batch_size=500)
        AuditEvent.objects.append(
            about(
                edition,
                "control_text.imported",
                by=by,
                version=edition.version,
                sha256=sha256,
                source=edition.source,
                controls=len(texts),
            )
        )
    return TextImport(edition, is_new=True, text_count=len(texts))


def _kept_last(sha256: str) -> ControlTextEdition | None:
    """The edition that pages show now, if it came from the same bytes."""
    last = ControlTextEdition.objects.as_known(None).first()
    return last if last is not None and last.sha256 == sha256 else None


def _digest(body: BinaryIO) -> tuple[str, int]:
    """SHA-256 and bytes of a file. Raises Refused for one that is too large."""
    size, digest = 0, hashlib.sha256()
    body.seek(0)
    while chunk := body.read(CHUNK):
        size += len(chunk)
        require_size(size)
        digest.update(chunk)
    body.seek(0)
    return digest.hexdigest(), size


def _row(
    edition: ControlTextEdition, control: Control, file_texts: CatalogTexts
) -> ControlText:
    text = file_texts.texts[control.ref_id]
    return ControlText(
        edition=edition,
        control=control,
        statements=text.statements,
        params=dict(text.params),
        guidance=text.guidance,
    )


def _refuse_other_controls(controls: list[Control], file_texts: CatalogTexts) -> None:
    """Readings and statuses are about our controls and parts: so is the text."""
    edition = f"This is edition {file_texts.version} of “{file_texts.title}”."
    missing = [row.label for row in controls if row.ref_id not in file_texts.texts]
    if missing:
        raise Refused(
            f"{edition} It lacks {count_of(len(missing), 'control')} of the catalog"
            f" that SRM works with: {_named(missing)}. Nothing was imported.",
            code="another_catalog",
        )
    differing = [
        row.label
        for row in controls
        if [statement["id"] for statement in row.statements]
        != [part["id"] for part in file_texts.texts[row.ref_id].statements]
    ]
    if differing:
        raise Refused(
            f"{edition} {count_of(len(differing), 'control', 'has')} other parts there"
            f" than in the catalog that SRM works with: {_named(differing)}. Nothing"
            " was imported.",
            code="other_parts",
        )


def _named(labels: Iterable[str]) -> str:
    ordered = list(labels)
    more = f" and {len(ordered) - NAMED} more" if len(ordered) > NAMED else ""
    return ", ".join(ordered[:NAMED]) + more
