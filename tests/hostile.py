"""Files made to hurt whoever opens them, written to a folder one by one.

Run as `python -m tests.hostile FOLDER`, so that whoever measures its own memory does
not hold them. Each function returns the bytes, or pieces of them, of the file that its
entry in `FILES` names. One file: each kind is a few lines, and `FILES` lists them.
"""

from __future__ import annotations

import io
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

TYPES = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY l0 "ha">'
    + b"".join(
        b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10)
    )
    + b"]><a>&l9;</a>"
)
MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def archive(members: dict[str, bytes]) -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in members.items():
            made.writestr(name, body)
    return out.getvalue()


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A picture of one colour that says it is so large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check_sum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check_sum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def wall() -> bytes:
    """Just below the pixel limit, in a few kilobytes; decoded it is 165 MB."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + 7400 * 3)
    rows = b"".join(packer.compress(row) for _ in range(7400)) + packer.flush()
    return png(7400, 7400, rows)


def deflated_zeros(size: int) -> bytes:
    """As many zeros, packed once."""
    packer = zlib.compressobj(9)
    piece = b"\0" * 1_000_000
    return b"".join(packer.compress(piece) for _ in range(size // len(piece))) + (
        packer.flush()
    )


def pdf_of(objects: list[bytes]) -> bytes:
    """A PDF of these objects, the first being its root."""
    body, places = b"%PDF-1.7\n", []
    for number, item in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
        + b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (count, len(body))
    )


def stream(keys: bytes, body: bytes) -> bytes:
    """A stream as a PDF object."""
    head = b"<<%s/Length %d>>" % (keys, len(body))
    return head + b"stream\n" + body + b"\nendstream"


STYLES = b'<Override PartName="/xl/styles.xml" ContentType="%sstyles+xml"/>'
STRINGS = (
    b'<Override PartName="/xl/sharedStrings.xml" ContentType="%ssharedStrings+xml"/>'
)
PAGES = [
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
]


def small_pdf() -> bytes:
    """About a kilobyte whose list of objects unpacks to 490 MB."""
    packed = zlib.compress(zlib.compress(deflated_zeros(490_000_000), 9), 9)
    head = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    head += b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    keys = (
        b"/Type/XRef/Size 4/W[1 4 2]/Root 1 0 R"
        b"/Filter[/FlateDecode/FlateDecode/FlateDecode]"
    )
    table = b"3 0 obj\n" + stream(keys, packed) + b"\nendobj\n"
    return head + table + b"startxref\n%d\n%%%%EOF" % len(head)


def packed_objects_pdf() -> bytes:
    """Objects in a stream that unpacks to 490 MB."""
    packed = zlib.compress(zlib.compress(deflated_zeros(490_000_000), 9), 9)
    head = b"%PDF-1.7\n"
    keys = b"/Type/ObjStm/N 2/First 20/Filter[/FlateDecode/FlateDecode/FlateDecode]"
    place = len(head)
    head += b"3 0 obj\n" + stream(keys, packed) + b"\nendobj\n"
    rows = struct.pack(
        ">BIHBIHBIHBIHBIH",
        *(0, 0, 65535, 2, 3, 0, 2, 3, 1, 1, place, 0, 1, len(head), 0),
    )
    keys = b"/Type/XRef/Size 5/W[1 4 2]/Root 1 0 R"
    return (
        head
        + b"4 0 obj\n"
        + stream(keys, rows)
        + b"\nendobj\nstartxref\n%d\n%%%%EOF" % len(head)
    )


def drawn_pdf() -> bytes:
    """A page whose drawing unpacks to 300 MB."""
    packed = zlib.compress(zlib.compress(deflated_zeros(300_000_000), 9), 9)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"
    keys = b"/Filter[/FlateDecode/FlateDecode/FlateDecode]"
    return pdf_of([*PAGES, page, stream(keys, packed)])


def nested_pdf() -> bytes:
    """Lists within lists."""
    deep = b"[" * 100_000 + b"]" * 100_000
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Deep 4 0 R>>"
    return pdf_of([*PAGES, page, deep])


def circular_pdf() -> bytes:
    """Pages that are their own parents."""
    return pdf_of([PAGES[0], b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 9999999>>"])


def quine() -> bytes:
    """An archive that says its member is the archive itself."""
    inner = archive({"a.txt": b"x"})
    for _ in range(8):
        inner = archive({"a.zip": inner})
    return inner


def overlapping() -> bytes:
    """A thousand entries of one directory over the same packed bytes."""
    kernel = deflated_zeros(20_000_000)
    local, directory = b"", b""
    check_sum = zlib.crc32(b"\0" * 20_000_000)
    for n in range(1_000):
        name = b"%04d.txt" % n
        fields = (20, 0, 8, 0, 0, check_sum, len(kernel), 20_000_000, len(name), 0)
        if not local:
            local = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", *fields) + name + kernel
        directory += b"PK\x01\x02" + struct.pack(
            "<HHHHHHIIIHHHHHII", 20, *fields, 0, 0, 0, 0, 0
        )
        directory += name
    end = struct.pack("<HHHHIIH", 0, 0, 1_000, 1_000, len(directory), len(local), 0)
    return local + directory + b"PK\x05\x06" + end


def crowd() -> bytes:
    """A hundred thousand members."""
    return archive({f"{n}.txt": b"" for n in range(100_000)})


def workbook(rows: bytes, **more: bytes) -> bytes:
    """A workbook of one sheet; `styles` and `strings` are parts of it if given."""
    content = b"application/vnd.openxmlformats-officedocument.spreadsheetml."
    types = (
        TYPES[:-2]
        + b'><Default Extension="xml" ContentType="application/xml"/>'
        + b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-'
        b'package.relationships+xml"/>'
        + b'<Override PartName="/xl/workbook.xml" ContentType="%ssheet.main+xml"/>'
        % content
        + b'<Override PartName="/xl/worksheets/sheet1.xml"'
        b' ContentType="%sworksheet+xml"/>'
        % content
        + (STYLES % content if "styles" in more else b"")
        + (STRINGS % content if "strings" in more else b"")
        + b"</Types>"
    )
    package = b'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    root = b"<Relationships %s>" % package
    link = b'<Relationship Id="r%d" Type="' + RELATIONS + b'/%s" Target="%s"/>'
    members = {
        "[Content_Types].xml": types,
        "_rels/.rels": root
        + link % (1, b"officeDocument", b"xl/workbook.xml")
        + b"</Relationships>",
        "xl/workbook.xml": b'<workbook xmlns="%s" xmlns:r="%s"><sheets>'
        b'<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>'
        % (MAIN, RELATIONS),
        "xl/_rels/workbook.xml.rels": root
        + link % (1, b"worksheet", b"worksheets/sheet1.xml")
        + (link % (2, b"styles", b"styles.xml") if "styles" in more else b"")
        + (
            link % (3, b"sharedStrings", b"sharedStrings.xml")
            if "strings" in more
            else b""
        )
        + b"</Relationships>",
        "xl/worksheets/sheet1.xml": b'<worksheet xmlns="%s"><sheetData>%s</sheetData>'
        b"</worksheet>" % (MAIN, rows),
    }
    if "styles" in more:
        members["xl/styles.xml"] = more["styles"]
    if "strings" in more:
        members["xl/sharedStrings.xml"] = more["strings"]
    return archive(members)


HEADING = (
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>key</t></is></c>'
    b'<c r="B1" t="inlineStr"><is><t>day</t></is></c></row>'
)


def styled() -> bytes:
    """Megabytes of styles, no two alike."""
    fonts = b"".join(b'<font><sz val="%d"/></font>' % n for n in range(100_000))
    cells = b"".join(b'<xf fontId="%d"/>' % n for n in range(100_000))
    styles = b'<styleSheet xmlns="%s"><fonts>%s</fonts><cellXfs>%s</cellXfs>' % (
        *(MAIN, fonts),
        cells,
    )
    return workbook(HEADING, styles=styles + b"</styleSheet>")


def repeated_text() -> bytes:
    """One long text, named by a hundred thousand cells."""
    text = "\N{GRINNING FACE}".encode() * 4_000
    strings = b'<sst xmlns="%s"><si><t>%s</t></si></sst>' % (MAIN, text)
    letters = "CDEFGHIJKLMNOPQRSTUV"
    rows = b"".join(
        b'<row r="%d">%s</row>'
        % (
            n,
            b"".join(
                b'<c r="%s%d" t="s"><v>0</v></c>' % (x.encode(), n) for x in letters
            ),
        )
        for n in range(2, 5_000)
    )
    return workbook(HEADING + rows, strings=strings)


def many_cells() -> bytes:
    """A hundred thousand short cells that are all different."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    rows = (
        b'<row r="%d">%s</row>'
        % (
            n,
            b"".join(
                b'<c r="%s%d"><v>%d</v></c>' % (x.encode(), n, n * 97 + ord(x))
                for x in letters[:18]
            ),
        )
        for n in range(2, 6_000)
    )
    return workbook(HEADING + b"".join(rows))


def formulas() -> bytes:
    """Formulas without values, as many as fit."""
    rows = (
        b'<row r="%d"><c r="A%d"><f>B9</f></c></row>' % (n, n) for n in range(2, 30_000)
    )
    return workbook(HEADING + b"".join(rows))


def word(document: bytes) -> bytes:
    """A Word document of this part."""
    return archive({"[Content_Types].xml": TYPES, "word/document.xml": document})


def fields() -> bytes:
    """Fields within fields of a Word document."""
    begin = (
        b'<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>IF </w:instrText></w:r>'
    )
    return word(b'<w:document xmlns:w="w">' + begin * 300_000 + b"</w:document>")


def wide_json() -> Iterator[bytes]:
    """49 MB that become some thirty times as much when they are read."""
    yield b"[" + b"[]," * 100_000
    for _ in range(162):
        yield b"[]," * 100_000
    yield b"[]]"


def keyed_json() -> Iterator[bytes]:
    """49 MB of objects with keys of their own."""
    yield b"["
    for n in range(3_000_000):
        yield b'{"%d":{}},' % n
    yield b"0]"


def many_lines() -> Iterator[bytes]:
    """A list of a hundred thousand events with twenty columns, 19 MB."""
    yield b"key,day" + b"".join(b",c%d" % n for n in range(20)) + b"\n"
    for n in range(99_000):
        yield b"%d,2026-10-05%s\n" % (n, b",%06d" % n * 20)


def wide_line() -> bytes:
    """A line of a million cells."""
    return b"key,day\n" + b"x," * 1_000_000 + b"\n"


FILES: dict[str, Callable[[], bytes | Iterable[bytes]]] = {
    "pixels-by-header.png": lambda: png(60_000, 60_000),
    "wall.png": wall,
    "text-chunk.png": lambda: png(1, 1)[:33] + struct.pack(">I", 40_000_000) + b"zTXt",
    "zeros.zip": lambda: archive({"a.txt": b"\0" * 200_000_000}),
    "spaces.zip": lambda: archive({f"{n}.txt": b" " * 900_000 for n in range(20)}),
    "nested.zip": quine,
    "overlapping.zip": overlapping,
    "crowd.zip": crowd,
    "small.pdf": small_pdf,
    "packed-objects.pdf": packed_objects_pdf,
    "drawn.pdf": drawn_pdf,
    "nested.pdf": nested_pdf,
    "circular.pdf": circular_pdf,
    "bomb-in.zip": lambda: archive({"a.pdf": small_pdf()}),
    "deep.json": lambda: b"[" * 5_000,
    "deeper.json": lambda: b'{"a":' * 900 + b"1" + b"}" * 900,
    "wide.json": wide_json,
    "keyed.json": keyed_json,
    "laughs.xml": lambda: LAUGHS,
    "deep.xml": lambda: b"<a>" * 500_000 + b"</a>" * 500_000,
    "attributes.xml": lambda: (
        b"<a " + b"".join(b'a%d="" ' % n for n in range(900_000)) + b"/>"
    ),
    "laughs.docx": lambda: word(LAUGHS),
    "deep.docx": lambda: word(b"<a>" * 500_000 + b"</a>" * 500_000),
    "fields.docx": fields,
    "styles.xlsx": styled,
    "repeated-text.xlsx": repeated_text,
    "many-cells.xlsx": many_cells,
    "formulas.xlsx": formulas,
    "laughs.xlsx": lambda: workbook(HEADING, styles=LAUGHS),
    "many-lines.csv": many_lines,
    "wide-line.csv": wide_line,
    "one-quote.csv": lambda: b'key,day\n"' + b"x\n" * 2_000_000,
    "long-line.txt": lambda: b"x" * 100_000_000,
    "comments.md": lambda: b"<!---->" * 1_000_000,
}


def write(folder: Path) -> None:
    """Write all of them."""
    for name, make in FILES.items():
        content = make()
        with (folder / name).open("wb") as file:
            for piece in [content] if isinstance(content, bytes) else content:
                file.write(piece)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
