"""The files of the demo's evidence: reports, screenshots, lists and archives.

Each is made of what it is about and nothing else, so that the same day gives the same
bytes; each names its system, its period and who made it, and takes milliseconds.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache

import pikepdf
from PIL import Image, ImageDraw, ImageFont

from evidence.demo.clock import DAY

# What teams of the company show for a control, by its family; others print a report.
KIND_OF_FAMILY = {
    "ac": "csv",
    "ia": "csv",
    "ps": "csv",
    "at": "csv",
    "sc": "png",
    "cm": "png",
    "mp": "png",
    "au": "zip",
}
MEMBERS_MAX = 14  # files of an archive
INK, FAINT, PAPER, BAR, GREEN = range(5)  # colours of a screenshot, by number
PALETTE = (
    (32, 33, 36),
    (96, 99, 104),
    (255, 255, 255),
    (222, 225, 230),
    (24, 110, 52),
)
ACCOUNTS = (
    "a.visser", "b.okafor", "c.lindqvist", "d.moreau", "e.santos", "f.huang",
    "g.novak", "h.bakker", "i.petrova", "j.murphy", "k.yilmaz", "l.rossi",
    "m.kovacs", "n.dubois", "o.hansen", "p.silva", "svc-batch", "svc-deploy",
    "svc-backup", "break-glass",
)  # fmt: skip
ROLES = ("operator", "developer", "read-only", "administrator", "auditor")


@dataclass(frozen=True)
class FileSubject:
    """What a file is about. Days inclusive; `flawed`: with the fault of its kind."""

    title: str
    label: str  # of the control, such as AC-2
    system: str
    maker: str
    performed_on: dt.date
    start: dt.date
    end: dt.date
    flawed: bool = False

    @property
    def period(self) -> str:
        """The days as every file writes them."""
        return f"{self.start} to {self.end}"

    @property
    def kind(self) -> str:
        """The ending of its file."""
        family = self.label.lower().partition("-")[0]
        return KIND_OF_FAMILY.get(family, "pdf")

    def number(self, of: int, turn: int = 0) -> int:
        """A number below `of` that looks like chance and is always the same."""
        text = f"{self.title} {self.system} {self.start} {turn}"
        return zlib.crc32(text.encode()) % of


def evidence_file(subject: FileSubject) -> tuple[str, bytes]:
    """Name and bytes of the file that shows it."""
    make = {"csv": _table, "png": _screenshot, "zip": _archive, "pdf": _report}
    stem = f"{subject.label.lower().replace('(', '-').replace(')', '')}"
    name = f"{stem}-{subject.start:%Y-%m}.{subject.kind}"
    return name, make[subject.kind](subject)


def fault_of(subject: FileSubject) -> str:
    """Why a reviewer rejects the file: what is wrong with a flawed one of its kind."""
    sentences = {
        "csv": f"No decision stands beside {ACCOUNTS[3]} and {ACCOUNTS[16]}.",
        "png": "The screenshot shows the account “sandbox”, not production.",
        "zip": "The archive stops before its period does: the last file is missing.",
        "pdf": "Nobody has signed it: the line “Approved by” is empty.",
    }
    return sentences[subject.kind]


def ticket(subject: FileSubject, key: str, kind: str) -> bytes:
    """A change ticket printed with its history, as PDF."""
    before = subject.performed_on - DAY * (1 + subject.number(3))
    return pdf_of(
        [
            ("Ticket", key),
            ("Title", f"{subject.title}: {kind}"),
            *_heading(subject),
            ("Requested", f"{before} by {ACCOUNTS[subject.number(16)]}"),
            ("Approved", f"{before} by {ACCOUNTS[subject.number(16, 1)]}"),
            ("Tested", f"{before}, build {4000 + subject.number(900)}: passed"),
            ("Deployed", f"{subject.performed_on} by the pipeline, no manual step"),
            ("Closed", f"{subject.performed_on}"),
        ],
        f"Change {key}",
    )


def configuration(subject: FileSubject) -> bytes:
    """A configuration printed as text, with a line that should not stand in it."""
    settings = [
        f"setting_{number:02} = {subject.number(1_000, number)}" for number in range(80)
    ]
    about = [f"# {name}: {value}" for name, value in _heading(subject)]
    lines = ["region = us-east-1", "key = REDACT ME", *about, *settings, ""]
    return "\n".join(lines).encode()


def acting_report(subject: FileSubject) -> bytes:
    """A report that asks the reader's program to run something when it is opened."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(_report(subject))) as document:
        document.Root.OpenAction = pikepdf.Dictionary(
            S=pikepdf.Name.JavaScript, JS=pikepdf.String("this.print()")
        )
        document.save(out, deterministic_id=True)
    return out.getvalue()


def _heading(subject: FileSubject) -> list[tuple[str, str]]:
    return [
        ("System", subject.system),
        ("Control", subject.label),
        ("Period", subject.period),
        ("Performed", f"{subject.performed_on} by {subject.maker}"),
    ]


def _table(subject: FileSubject) -> bytes:
    """An access review: every account with its role and what was decided of it."""
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(
        ["system", "period", "account", "role", "last_used", "decision", "reviewed_by"]
    )
    for turn, account in enumerate(ACCOUNTS):
        open_one = subject.flawed and turn in {3, 16}
        unused = subject.number(60, turn)
        decision = "remove" if unused > 55 else "keep"
        rows.writerow(
            [
                subject.system,
                subject.period,
                account,
                ROLES[subject.number(len(ROLES), turn)],
                subject.performed_on - DAY * unused,
                "" if open_one else decision,
                "" if open_one else subject.maker,
            ]
        )
    return out.getvalue().encode()


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _screenshot(subject: FileSubject) -> bytes:
    """A console page with settings, as somebody's browser showed it."""
    picture = Image.new("P", (760, 420), PAPER)
    picture.putpalette([level for colour in PALETTE for level in colour])
    draw = ImageDraw.Draw(picture)
    draw.fontmode = "1"  # a palette has no shades to smooth with
    draw.rectangle((0, 0, 760, 34), fill=BAR)
    account = "sandbox" if subject.flawed else "production"
    rules = 12 + subject.number(30)
    draw.text((14, 9), f"console / {account}", fill=INK, font=_font(15))
    draw.text((560, 9), f"{subject.performed_on} 08:42 UTC", fill=INK, font=_font(15))
    draw.text((14, 48), subject.title[:70], fill=INK, font=_font(19))
    lines = [
        *_heading(subject),
        ("Account", account),
        ("Encryption", f"on, key {subject.number(90_000) + 10_000}"),
        ("Public access", "blocked"),
        ("Logging", f"on, kept {365 + subject.number(3) * 35} days"),
        ("Rules", f"{rules - subject.number(3, 1)} of {rules} compliant"),
        ("Last change", f"{subject.start - DAY * subject.number(40)}"),
    ]
    for row, (name, value) in enumerate(lines):
        top = 86 + row * 31
        draw.line((14, top - 5, 746, top - 5), fill=BAR)
        draw.text((14, top), name, fill=FAINT, font=_font(15))
        colour = GREEN if value.startswith(("on", "blocked")) else INK
        draw.text((190, top), value[:75], fill=colour, font=_font(15))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _archive(subject: FileSubject) -> bytes:
    """The logs of the period, a file for each stretch of it, and what they come to."""
    days = (subject.end - subject.start).days + 1
    step = max(7 if days > MEMBERS_MAX else 1, -(-days // MEMBERS_MAX))
    starts = [subject.start + DAY * n for n in range(0, days, step)]
    if subject.flawed:
        starts = starts[:-1]
    out = io.BytesIO()
    stamp = (*subject.performed_on.timetuple()[:3], 6, 0, 0)
    with zipfile.ZipFile(out, "w") as archive:
        for first in starts:
            last = min(first + DAY * (step - 1), subject.end)
            entry = zipfile.ZipInfo(f"log-{first}.csv", stamp)
            archive.writestr(entry, _log(subject, first, last))
        about = "\n".join(f"{name}: {value}" for name, value in _heading(subject))
        archive.writestr(
            zipfile.ZipInfo("README.txt", stamp), f"{subject.title}\n{about}\n"
        )
    return out.getvalue()


def _log(subject: FileSubject, first: dt.date, last: dt.date) -> str:
    hours = (0, 6, 12, 18) if (subject.end - subject.start).days < 32 else (0,)
    lines = ["day,hour,system,exported_by,events,failed_sign_ins,alerts,delivered"]
    for n in range((last - first).days + 1):
        day = first + DAY * n
        for hour in hours:
            turn = day.toordinal() * 24 + hour
            lines.append(
                f"{day},{hour:02},{subject.system},{subject.maker},"
                f"{9_000 + subject.number(2_000, turn)},{subject.number(10, turn)},"
                f"{subject.number(2, turn)},complete"
            )
    return "\n".join([*lines, ""])


def _report(subject: FileSubject) -> bytes:
    """A report of one page, signed at its foot."""
    total = 40 + subject.number(60)
    open_items = subject.number(4, 1)
    lines = [
        *_heading(subject),
        ("Scope", f"{total} items drawn from the inventory of {subject.end}"),
        ("In order", f"{total - open_items} of {total}"),
        ("Followed up", f"{open_items}, each with a ticket and an owner"),
        ("Compared with", f"the report of the period before {subject.start}"),
        ("Next", f"within the cadence, after {subject.end}"),
        ("Approved by", "" if subject.flawed else f"{subject.maker}, team lead"),
    ]
    return pdf_of(lines, subject.title)


def pdf_of(lines: list[tuple[str, str]], title: str) -> bytes:
    """A PDF of one page: a title, and a line for each name with its value."""
    drawing = [f"BT /F1 15 Tf 56 780 Td ({_in_pdf(title[:70])}) Tj ET"]
    for row, (name, value) in enumerate(lines):
        top = 740 - row * 26
        drawing.append(f"0.85 G 56 {top - 8} m 540 {top - 8} l S")
        drawing.append(f"BT /F1 10 Tf 56 {top} Td ({_in_pdf(name)}) Tj ET")
        drawing.append(f"BT /F1 10 Tf 170 {top} Td ({_in_pdf(value[:75])}) Tj ET")
    content = "\n".join(drawing).encode("cp1252", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica"
        b" /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    file = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(file)
    file += b"xref\n0 6\n0000000000 65535 f \n"
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    file += b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % table
    return bytes(file)


def _in_pdf(text: str) -> str:
    """A text between the brackets of a PDF's string."""
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
