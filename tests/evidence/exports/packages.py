"""Evidence packages made and verified as an auditor would."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from controls.models import User
from evidence.exports.jobs import make_export, open_file, request_export
from evidence.exports.package import verify
from evidence.models import Export
from tests.evidence.house import TODAY, House

OLDEST_NEEDED = [sys.executable, "-I", "-S"]  # no library of ours is in reach


def requested(house: House, by: User | None = None, **clocks: object) -> Export:
    """A package about today, made; whatever came of it."""
    export = request_export(
        house.system, by=by or house.ray, on=TODAY, format_name="package", **clocks
    )
    make_export(export.pk)
    export.refresh_from_db()
    return export


def saved(house: House, target: Path, by: User | None = None, **clocks: object) -> Path:
    """The zip of a package about today."""
    export = requested(house, by, **clocks)
    assert (export.state, export.failure) == ("done", "")
    with open_file(export) as file:
        target.write_bytes(file.read())
    return target


def unpacked(package: Path, folder: Path) -> Path:
    """The folder inside, unpacked."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    (top,) = folder.iterdir()
    return top


def verified(script: Path, *arguments: object, cwd: Path | None = None) -> tuple:
    """Exit code and output of a package's own script, by a bare Python."""
    done = subprocess.run(
        [*OLDEST_NEEDED, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
    )
    return done.returncode, done.stdout + done.stderr


def faults(package: Path) -> list[str]:
    """What the same script finds, called in this process."""
    return list(verify.verify(package)[2])
