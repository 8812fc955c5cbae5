"""What there is of a ledger, read from a data folder or from an export (docs/ledger-format.md, docs/exporting.md)."""

import hashlib
import json
import os
import sqlite3
from collections import namedtuple

from formats import Key, Malformed, Note, leaf_hash, need, unbase64, utf8

Row = namedtuple("Row", "position raw leaf texts")


class Finding(Exception):
    """What is wrong, and with which entry."""

    def __init__(self, word, sentence, entry=None):
        super().__init__(sentence)
        self.word, self.sentence, self.entry = word, sentence, entry


class Ledger:
    """What there is of a ledger: rows, nodes, head, and the notes that lie with it."""

    def __init__(self):
        self.rows, self.nodes, self.edge, self.size = [], None, None, None
        self.notes, self.keys, self.first, self.digest = [], [], 0, None
        self.origin = None  # as the first line of an export says
        self.announced = None  # how many entries the first line of an export says there are
        self.stray, self.changes = [], []  # positions of texts beside no row; rows of `ledger_key`
        self.erasing = set()  # people whose texts are being erased


def read(path):
    with open(path, "rb") as file:
        return file.read()


def read_text(path):
    try:
        return utf8(read(path))
    except Malformed as error:
        raise Finding("cannot-verify", f"{path}: {error}") from error


def keys_of(text):
    """Verifier keys, one to a line; what begins with `#` is for people."""
    lines = [line.strip() for line in text.split("\n")]
    return [Key.parse(line) for line in lines if line and not line.startswith("#")]


def folder(path):
    """Reads a data folder, as of one instant."""
    ledger = Ledger()
    # First: what was signed before the database was read must be in it.
    kept = anchor(os.path.join(path, "anchor"))
    database = sqlite3.connect(f"file:{os.path.abspath(path)}/brevet.db?mode=ro", uri=True, timeout=10)
    database.execute("BEGIN")
    texts = {}
    for seq, slot, salt, value in database.execute("SELECT seq, slot, salt, CAST(value AS BLOB) FROM entry_text"):
        texts.setdefault(seq, {})[slot] = (salt, value)
    for seq, raw, leaf in database.execute("SELECT seq, bytes, leaf FROM entry ORDER BY seq"):
        ledger.rows.append(Row(seq, raw, leaf, texts.pop(seq, {})))
    ledger.stray = sorted(texts)
    nodes = database.execute("SELECT level, place, hash FROM node")
    ledger.nodes = {(level, place): node for level, place, node in nodes}
    head = database.execute("SELECT size, edge, CAST(checkpoint AS BLOB) FROM head")
    ledger.size, ledger.edge, note = head.fetchone()
    ledger.notes = [("the checkpoint in the folder", note)]
    for seq, raw, note in database.execute("SELECT seq, bytes, CAST(checkpoint AS BLOB) FROM ledger_key"):
        ledger.notes.append((f"the checkpoint over the change of keys in entry {seq}", note))
        ledger.changes.append((seq, raw, note))
    for size, note in database.execute("SELECT size, CAST(note AS BLOB) FROM cosigned"):
        ledger.notes.append((f"the cosigned checkpoint of {size} entries", note))
    ledger.erasing = {user for (user,) in database.execute("SELECT user FROM erasure")}
    database.close()
    ledger.notes += [pair for pair in kept if pair[1].split(b"\n")[0] == ledger.notes[0][1].split(b"\n")[0]]
    return ledger


def anchor(path):
    """The anchor in a folder, which its owner can remove; one that cannot be read is as good as none."""
    try:
        note = Note(read_text(path))
    except (OSError, Malformed, Finding):
        return []
    return [("the anchor in the folder", note.text.encode())]


def lying_in(path):
    """The archive files in a folder."""
    inside = os.path.join(path, "archive")
    names = sorted(os.listdir(inside)) if os.path.isdir(inside) else []
    return [os.path.join(inside, name) for name in names if name.endswith(".jsonl")]


def once(pairs):
    """An object without a member that is there twice."""
    need(len({name for name, _ in pairs}) == len(pairs), "a member that is there twice")
    return dict(pairs)


def parse_json(text):
    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"no JSON: {error}") from error


def number(value):
    need(isinstance(value, int) and not isinstance(value, bool) and value >= 0, "no number")
    return value


def unhex(text):
    need(len(text) % 2 == 0 and all(digit in "0123456789abcdef" for digit in text), "hex in another spelling")
    return bytes.fromhex(text)


def texts_of(values):
    """Salt and text of each slot, of a list of objects."""
    texts = {}
    for value in values:
        need(value["slot"] not in texts, "two texts in one slot")
        texts[number(value["slot"])] = (unhex(value["salt"]), value["text"].encode())
    return texts


def line_of(line):
    """A line of an export, as a row."""
    value = parse_json(line)
    need(isinstance(value, dict) and isinstance(value.get("bytes"), str), "no entry")
    raw = unbase64(value["bytes"])
    return Row(number(value.get("index")), raw, leaf_hash(raw), texts_of(value.get("texts", [])))


def export(path):
    """Reads an export or an archive."""
    ledger, data = Ledger(), read(path)
    ledger.digest = hashlib.sha256(data).digest()
    lines = utf8(data).split("\n")
    head = parse_json(lines[0])
    is_export = isinstance(head, dict) and head.get("brevet") == "ledger" and head.get("version") == 1
    if not is_export:
        raise Finding("cannot-verify", f"{path} is no export that can be verified")
    ledger.first, ledger.keys = number(head.get("first")), [Key.parse(key) for key in head["keys"]]
    ledger.origin = head["origin"]
    lines = lines[1:] if lines[-1] else lines[1:-1]
    while lines and lines[-1].startswith('{"checkpoint":'):
        note = parse_json(lines.pop())["checkpoint"]
        ledger.notes.append(("a checkpoint of the export", note.encode()))
    for at, line in enumerate(lines, ledger.first):
        try:
            ledger.rows.append(line_of(line))
        except Malformed as error:
            raise Finding("changed", f"the line of entry {at} cannot be read: {error}", at) from error
    ledger.announced = number(head.get("size")) if ledger.notes else -1
    return ledger
