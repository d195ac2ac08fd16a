"""The web server with the checks of uploads elsewhere, or left out: for comparing only.

`BENCH_CHECKS=here` runs them in the web process, `none` takes every file for text.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from evidence.files.checks import Checked, files
from evidence.submissions import uploads
from srm_project.wsgi import application

__all__ = ["application"]


def _taken_for_text(body: BinaryIO, name: str) -> Checked:
    return Checked("text/plain")


uploads.check = (  # type: ignore[attr-defined]
    files.check if os.environ["BENCH_CHECKS"] == "here" else _taken_for_text
)
