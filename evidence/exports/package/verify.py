#!/usr/bin/env python3
"""Verify an evidence package: python3 verify.py [FOLDER or ZIP] [--key FINGERPRINT]

Needs Python 3.8 or newer and nothing else: no network, no library, no SRM. Without
arguments it verifies the folder it lies in. Exit code 0: all that is listed as checked
is as it was signed. 1: something is not, and is named. It writes nothing.

What it does, from top to bottom of this file: Ed25519 as in RFC 8032, the form of the
zip, reading files, the manifests, the signatures, the audit log.

One file: whoever verifies a package reads all of it.
"""

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zipfile
import zlib
from pathlib import Path

PIECE = 1 << 20
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
KEY, SIGNATURE = "signing-key.pem", ".sig"
AUDIT_LOG, AUDIT_HEAD = "data/audit/log.jsonl", "data/audit/head.json"
CHECKPOINT = "data/audit/checkpoint.json"
# Not listed in any manifest: the last two, which are made of all others.
UNLISTED = {TAG_MANIFEST, TAG_MANIFEST + SIGNATURE}
LINE = re.compile(r"([0-9a-f]{64})  ([^\r\n]+)")


# --- Ed25519, RFC 8032, section 5.1 and 6 ---------------------------------------------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
# A point (x, y) is kept as (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z.


def add(a, b):
    """The sum of two points (section 5.1.4)."""
    m = (a[1] - a[0]) * (b[1] - b[0]) % P
    n = (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, z - t, z + t, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(number, point):
    """The point added to itself so many times."""
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, point)
        point, number = add(point, point), number >> 1
    return total


def decode(data):
    """The point of 32 bytes (section 5.1.3). Raises ValueError."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        raise ValueError("not a point of the curve")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        raise ValueError("not a point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = decode(BASE_Y.to_bytes(32, "little"))


def is_signed(public, signature, data):
    """Whether `signature` is of `data` by the key (section 5.1.7)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    try:
        point, r = decode(public), decode(signature[:32])
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    digest = hashlib.sha512(signature[:32] + public + data).digest()
    h = int.from_bytes(digest, "little") % L
    left, right = multiply(s, BASE), add(r, multiply(h, point))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (
        left[1] * right[2] - right[1] * left[2]
    ) % P == 0


# A public key as DER (RFC 8410) is these bytes and its own 32.
DER_HEAD = bytes.fromhex("302a300506032b6570032100")


def key_of(pem):
    """The 32 bytes of a public key in PEM. Raises ValueError for any other text."""
    match = re.fullmatch(
        "-----BEGIN PUBLIC KEY-----\n(.+)\n-----END PUBLIC KEY-----\n", pem
    )
    der = base64.b64decode(match.group(1), validate=True) if match else b""
    if len(der) != 44 or der[:12] != DER_HEAD:
        raise ValueError("not an Ed25519 public key")
    return der[12:]


def fingerprint_of(public):
    """As `openssl pkey -pubin -outform DER | sha256sum`."""
    return hashlib.sha256(DER_HEAD + public).hexdigest()


# --- The form of the zip --------------------------------------------------------------
# Each byte of the archive follows from the names and contents of its members: nothing
# is compressed (blocks of DEFLATE that hold bytes as they are), no time is kept. So one
# flipped bit anywhere shows. APPNOTE.TXT 4.3 and 4.5; RFC 1951, 3.2.4.
BLOCK = 65535
UTF8_AND_LENGTHS_AFTER, DEFLATED, JANUARY_1980 = 0x0808, 8, 33
MAX_32, MAX_16 = 0xFFFFFFFF, 0xFFFF


def packed_size(size):
    """Bytes that so many bytes take in the archive."""
    return size + 5 * max(1, -(-size // BLOCK))


def block_head(length, last):
    """What stands before a block of so many bytes."""
    return struct.pack("<BHH", 1 if last else 0, length, length ^ 0xFFFF)


def local_head(name):
    """What stands before a member; its checksum and sizes follow after it."""
    raw = name.encode("utf-8")
    return struct.pack(
        "<IHHHHHIIIHH", 0x04034B50, 45, UTF8_AND_LENGTHS_AFTER, DEFLATED, 0,
        JANUARY_1980, 0, 0, 0, len(raw), 0,
    ) + raw  # fmt: skip


def local_tail(checksum, size):
    """What stands after a member. Raises OverflowError for 4 GiB and more."""
    if packed_size(size) >= MAX_32:
        raise OverflowError("A member holds less than 4 GiB.")
    return struct.pack("<IIII", 0x08074B50, checksum, packed_size(size), size)


def directory_entry(name, checksum, size, at):
    """The member's line in the directory at the end."""
    raw = name.encode("utf-8")
    extra = struct.pack("<HHQ", 1, 8, at) if at >= MAX_32 else b""
    return struct.pack(
        "<IHHHHHHIIIHHHHHII", 0x02014B50, 0x031E, 45, UTF8_AND_LENGTHS_AFTER, DEFLATED,
        0, JANUARY_1980, checksum, packed_size(size) & MAX_32, size & MAX_32, len(raw),
        len(extra), 0, 0, 0, 0o100644 << 16, min(at, MAX_32),
    ) + raw + extra  # fmt: skip


def archive_end(count, size, at):
    """What stands after a directory: so many entries and bytes, beginning at `at`."""
    end = b""
    if count >= MAX_16 or at >= MAX_32 or size >= MAX_32:
        end = struct.pack(
            "<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, at
        ) + struct.pack("<IIQI", 0x07064B50, 0, at + size, 1)
    few = min(count, MAX_16)
    return end + struct.pack(
        "<IHHHHIIH", 0x06054B50, 0, 0, few, few, min(size, MAX_32), min(at, MAX_32), 0
    )


# --- Reading --------------------------------------------------------------------------
PACKED_ANEW = "If somebody packed it anew, unpack it and verify the folder"


class Faults(list):
    """Sentences about what is not as it was signed, each with the file it names."""

    def say(self, name, what):
        """Add one, once."""
        if f"{name}: {what}" not in self:
            self.append(f"{name}: {what}")


class Folder:
    """An unpacked package."""

    form = None

    def __init__(self, path):
        self.path = path

    def digests(self, faults):
        """The sha256 and size of each file by its name; links are faults."""
        digests = {}
        for path in sorted(self.path.rglob("*")):
            name = path.relative_to(self.path).as_posix()
            if path.is_symlink():
                faults.say(name, "is a link; a package holds none")
            elif path.is_file():
                digest, size = hashlib.sha256(), 0
                with path.open("rb") as file:
                    for piece in iter(lambda: file.read(PIECE), b""):
                        digest.update(piece)
                        size += len(piece)
                digests[name] = digest.hexdigest(), size
        return digests

    def open(self, name):
        """A file for reading."""
        return (self.path / name).open("rb")


class Archive:
    """A package as the zip that was downloaded."""

    form = "every byte of the archive between and around its files"

    def __init__(self, path):
        self.path, self.zip = path, zipfile.ZipFile(path)
        self.members = sorted(self.zip.infolist(), key=lambda one: one.header_offset)
        self.top = self.members[0].filename.split("/")[0] + "/" if self.members else ""

    def digests(self, faults):
        """As of a folder, reading each byte once and comparing those in between.

        None where the archive has another form than it was written in.
        """
        digests: dict = {}
        directory = []
        with self.path.open("rb") as file:
            for member in self.members:
                name = member.filename
                at = file.tell()
                if member.header_offset != at:
                    faults.say(name, "begins elsewhere than it did. " + PACKED_ANEW)
                    return None
                if not name.startswith(self.top):
                    faults.say(name, "lies outside the folder of the package")
                short = name[len(self.top) :]
                if short in digests:
                    faults.say(short, "is in the archive twice")
                digests[short], checksum = self._read(file, member, short, faults)
                directory.append(directory_entry(name, checksum, digests[short][1], at))
            at = file.tell()
            self._compare_directory(file, directory, at, faults)
        return digests

    def _read(self, file, member, short, faults):
        digest, left, checksum = hashlib.sha256(), member.file_size, 0
        expect(file, local_head(member.filename), short, faults)
        while True:
            length = min(left, BLOCK)
            expect(file, block_head(length, length == left), short, faults)
            piece = file.read(length)
            digest.update(piece)
            checksum = zlib.crc32(piece, checksum)
            left -= length
            if left == 0 or len(piece) < length:
                break
        if packed_size(member.file_size) < MAX_32:
            expect(file, local_tail(checksum, member.file_size), short, faults)
        return (digest.hexdigest(), member.file_size), checksum

    def _compare_directory(self, file, directory, at, faults):
        for member, entry in zip(self.members, directory):  # noqa: B905 - Python 3.8
            where = f"the archive's directory at {member.filename}"
            expect(file, entry, where, faults)
        size = sum(map(len, directory))
        expect(file, archive_end(len(directory), size, at), "the archive's end", faults)
        if file.read(1):
            faults.say("the archive's end", "something follows it")

    def open(self, name):
        """A file for reading."""
        return self.zip.open(self.top + name)


def expect(file, data, where, faults):
    """Read as many bytes as `data`; others than these are a fault."""
    if file.read(len(data)) != data:
        faults.say(
            where, "the archive around it is not as it was written. " + PACKED_ANEW
        )


# --- Manifests, BagIt 1.0, RFC 8493 ---------------------------------------------------
def text_of(package, name, faults):
    """The text of a small file, empty where it cannot be read."""
    try:
        with package.open(name) as file:
            return file.read().decode("utf-8")
    except Exception as failure:  # whatever a damaged archive does to its reader
        faults.say(name, f"cannot be read ({failure!r})")
        return ""


def listed(package, name, faults):
    """What a manifest says: digest by file name."""
    digests = {}
    for number, line in enumerate(text_of(package, name, faults).split("\n")[:-1], 1):
        match = LINE.fullmatch(line)
        if not match or match.group(2) in digests:
            faults.say(name, f"line {number} is no line of a manifest")
            continue
        digests[match.group(2)] = match.group(1)
    return digests


def compare(expected, there, faults, manifest):
    """Name each file that is not what a manifest says, is missing, or is not listed."""
    for name in sorted(set(expected) | set(there)):
        if name not in there:
            faults.say(name, f"is missing; {manifest} lists it")
        elif name not in expected:
            faults.say(name, f"is not listed in {manifest}")
        elif expected[name] != there[name][0]:
            faults.say(name, f"is not what {manifest} says: its bytes were changed")


def check_bag(package, there, faults):
    """Both manifests against the files, and the two files BagIt wants."""
    payload = {name: one for name, one in there.items() if name.startswith("data/")}
    others = set(there) - set(payload) - UNLISTED
    tags = {name: there[name] for name in others}
    compare(listed(package, MANIFEST, faults), payload, faults, MANIFEST)
    compare(listed(package, TAG_MANIFEST, faults), tags, faults, TAG_MANIFEST)
    expected = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    if text_of(package, "bagit.txt", faults) != expected:
        faults.say("bagit.txt", "is not that of a bag of version 1.0")
    sizes = [size for _, size in payload.values()]
    oxum = f"Payload-Oxum: {sum(sizes)}.{len(sizes)}\n"
    if oxum not in text_of(package, "bag-info.txt", faults):
        faults.say("bag-info.txt", "its Payload-Oxum is not that of the files")
    return len(payload)


def check_signatures(package, faults):
    """Both manifests are signed by the key inside; returns its fingerprint."""
    try:
        public = key_of(text_of(package, KEY, faults))
    except ValueError as fault:
        faults.say(KEY, f"holds no key: {fault}")
        return ""
    for name in (MANIFEST, TAG_MANIFEST):
        try:
            with package.open(name) as data, package.open(name + SIGNATURE) as one:
                good = is_signed(public, one.read(), data.read())
        except Exception:  # as in text_of
            good = False
        if not good:
            faults.say(name + SIGNATURE, f"is no signature of {name} by {KEY}")
    return fingerprint_of(public)


# --- The audit log --------------------------------------------------------------------
def link_hash(chain, seq, prev, content):
    """sha256 over chain, number, hash before and hash of the body, each after its
    length in four bytes."""
    parts = (chain.encode(), str(seq).encode(), prev, content)
    joined = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hashlib.sha256(joined).digest()


def check_audit_log(package, there, faults):
    """Each event follows from the one before; returns events, withheld bodies and the
    checkpoint."""
    head = json.loads(text_of(package, AUDIT_HEAD, faults))
    point = check_checkpoint(package, there, head, faults)
    prev, count, withheld = bytes(32), 0, 0
    with package.open(AUDIT_LOG) as file:
        for line in file:
            event, count = json.loads(line), count + 1
            content, body = bytes.fromhex(event["content_hash"]), event["body"]
            withheld += body is None
            own = link_hash(head["chain"], count, prev, content)
            changed = body is not None and hashlib.sha256(body.encode()).digest()
            if event["seq"] != count or own.hex() != event["hash"]:
                faults.say(AUDIT_LOG, f"event {count} does not follow the one before")
                return count, withheld, point
            if changed and changed != content:
                faults.say(AUDIT_LOG, f"the body of event {count} was changed")
            if body and any(
                event[name] != value
                for name, value in json.loads(body).get("_", {}).items()
                if name in ("verb", "at")
            ):
                faults.say(AUDIT_LOG, f"event {count} is not what its body says")
            if point and point["size"] == count and point["head"] != own.hex():
                faults.say(CHECKPOINT, f"names another event {count} than the log")
            prev = own
    if (head["size"], head["head"]) != (count, prev.hex()):
        faults.say(AUDIT_LOG, "does not end where head.json says")
    return count, withheld, point


def check_checkpoint(package, there, head, faults):
    """The signed checkpoint in the package, if there is one."""
    if CHECKPOINT not in there:
        return None
    sealed = json.loads(text_of(package, CHECKPOINT, faults))
    signature = bytes.fromhex(sealed["signature"])
    public = key_of(sealed["public_key"])
    point = json.loads(sealed["statement"])
    if not is_signed(public, signature, sealed["statement"].encode()):
        faults.say(CHECKPOINT, "its signature is not of what it says")
    if point["chain"] != head["chain"] or point["size"] > head["size"]:
        faults.say(CHECKPOINT, "is not of the log in this package")
    return dict(point, key=fingerprint_of(public))


# --- All of it ------------------------------------------------------------------------
def verify(path, key=""):
    """What was checked, what was not, and the faults (empty: all as it was signed)."""
    faults, checked, unchecked = Faults(), [], []
    try:
        package = Archive(path) if path.is_file() else Folder(path)
        if not path.is_file() and not (path / "bagit.txt").is_file():
            raise ValueError("there is no bagit.txt in it")
        there = package.digests(faults)
    except Exception as failure:  # whatever a damaged archive does to its reader
        faults.say(path, f"cannot be read as an evidence package: {failure!r}")
        return [], [], faults
    if there is None:
        return [], ["what the files in it hold"], faults
    if package.form:
        checked.append(package.form)
    else:
        unchecked.append("the zip it came in (only its unpacked files were verified)")
    count = check_bag(package, there, faults)
    checked.append(f"{count} files of data by {MANIFEST}; none is missing or added")
    fingerprint = check_signatures(package, faults)
    checked.append(f"both manifests by their signatures of the key {fingerprint}")
    if key and fingerprint != "".join(key.lower().split()):
        faults.say(KEY, f"is another key than the one you named: {fingerprint}")
    elif not key:
        unchecked.append(
            "whose key that is: compare it with the fingerprint that the people who"
            " sent this gave you another way, or run this again with --key FINGERPRINT"
        )
    try:
        events, withheld, point = check_audit_log(package, there, faults)
        checked.append(f"the chain of {events} events of the audit log")
        if point:
            checked.append(
                f"its first {point['size']} events by the checkpoint of {point['at']},"
                f" signed by the key {point['key']}"
            )
            if point["key"] != fingerprint:
                unchecked.append(
                    f"whose key {point['key']} is, which signed the checkpoint: compare"
                    " it with earlier keys of the people who sent this"
                )
        else:
            unchecked.append("the audit log by a checkpoint: there is none in here")
        if withheld:
            unchecked.append(
                f"{withheld} bodies of audit events: withheld, only their hashes are"
                " here, so that nothing holds what the log calls them and when"
            )
    except Exception as failure:
        faults.say(AUDIT_LOG, f"or what lies beside it cannot be read ({failure!r})")
    unchecked.append(
        "whether what the files say is true, and what was left out of them"
    )
    unchecked.append("what happened after the instant in bag-info.txt")
    return checked, unchecked, faults


def main(arguments=None):
    """Verify and print; returns the exit code."""
    parser = argparse.ArgumentParser(description="Verify an evidence package.")
    parser.add_argument("path", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--key", default="", help="the fingerprint it has to bear")
    chosen = parser.parse_args(arguments)
    checked, unchecked, faults = verify(chosen.path, chosen.key)
    for label, lines in (("Checked", checked), ("NOT checked", unchecked)):
        for line in lines:
            print(f"{label}: {line}.")
    for fault in faults:
        print(f"FAULT: {fault}.")
    print("FAILED." if faults else "OK: every file is as it was signed.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
