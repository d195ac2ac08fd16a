"""Sets a report as a tagged PDF; run as a program of its own by `pdf.py`.

Arguments: the template, and the document's own date in seconds since 1970. Standard
input is what the template shows, as JSON; standard output the PDF. Only the fonts of
the library are used, so that every machine sets the same pages.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typst


def main(template: Path, timestamp: int) -> None:
    """Read all, set it, write it."""
    pdf = typst.compile(
        str(template),
        root=str(template.parent),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"data": sys.stdin.buffer.read().decode()},
        timestamp=timestamp,
        pdf_standards=["ua-1"],
    )
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
