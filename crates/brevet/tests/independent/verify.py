#!/usr/bin/env python3
"""A second verifier of Brevet's ledger, written from docs/ledger-format.md alone.

    verify.py PATH [--key KEY|FILE]... [--checkpoint FILE]... [--receipts DIR|FILE]... [--archive FILE]...
                   [--anchor FILE]... [--policy FILE]

PATH is a data folder, an export, an evidence bundle or a receipt. The answer is one line of JSON; exit codes are those
of `brevet audit verify`. Of a bundle the form, signatures, proofs and texts are verified, not the story. What the
server makes out of the entries (its other tables) is not looked at.
"""

import argparse
import hashlib
import json
import os
import sqlite3
import sys

from formats import Entry, Key, Malformed, Note, Policy, Receipt, Tree, commitment, leaf_hash, need
from formats import decimal, root_of_path, stored_nodes, unbase64, utf8
from sources import Finding, Ledger, export, folder, keys_of, lying_in, parse_json, read, read_text, texts_of

CODES = {
    "cannot-verify": 1, "changed": 10, "back-dated": 10, "missing": 11, "truncated": 12, "forked": 13,
    "bad-signature": 15, "policy-not-met": 16, "rows-differ": 17,
}  # fmt: skip
DATED_WITHIN = 120 * 10**6
ERASING_MAX = 3600 * 10**6
BUNDLE_BYTES_MAX = 256 * 2**20


# How a ledger is verified, step by step


class Verification:
    """Walks over a ledger, and then holds against it what was kept."""

    def __init__(self, ledger, archives, trusted, policy):
        self.ledger, self.policy, self.trusted = ledger, policy, list(trusted)
        self.archives = list({archive.digest: archive for archive in archives}.values())
        self.origin = origin_of(text for _, text in ledger.notes)
        own = [archive for archive in self.archives if archive.origin == self.origin]
        self.old, self.taken = {row.position: row for archive in own for row in archive.rows}, set()
        self.tree, self.leaves, self.entries, self.gone, self.roots = Tree(), [], [], [], {0: Tree().root()}
        self.changes = []

    def rows(self):
        """Step 1."""
        before = [self.old[position] for position in range(self.ledger.first) if position in self.old]
        if len(before) < self.ledger.first:
            raise Finding("cannot-verify", "the export begins later: give the archive file with what is older too")
        for row in before + self.ledger.rows:
            self.row(row)
        if self.ledger.stray:
            raise Finding("changed", "a text lies beside an entry that is not there", self.ledger.stray[0])

    def row(self, row):
        position = self.tree.size
        if row.position != position:
            is_missing = row.position > position
            raise Finding("missing", f"entry {position} is missing", position) if is_missing else Finding(
                "changed", f"an entry was inserted at {position}", position
            )
        if self.ledger.size is not None and position >= self.ledger.size:
            raise Finding("changed", f"entry {position} was inserted", position)
        old = self.old.get(position) if self.is_archived(row) else None
        whole = row._replace(raw=old.raw, texts={**row.texts, **old.texts}) if old else row
        self.taken |= {position} if old or position < self.ledger.first else set()
        self.entries.append(self.entry(whole, position))
        self.tree.append(row.leaf)
        self.leaves.append(row.leaf)
        self.roots[self.tree.size] = self.tree.root()

    def is_archived(self, row):
        return row.raw == b"" and self.ledger.size is not None

    def entry(self, row, position):
        if self.is_archived(row):
            if row.texts:
                raise Finding("changed", f"texts lie beside entry {position}, which is in an archive", position)
            return None
        if leaf_hash(row.raw) != row.leaf:
            raise Finding("changed", f"entry {position} was changed", position)
        try:
            entry = Entry(row.raw)
            entry.fields()
        except Malformed as error:
            raise Finding("changed", f"entry {position} was changed: {error}", position) from error
        self.texts(entry, row.texts, position)
        if entry.index != position:
            raise Finding("changed", f"entry {position} was moved from {entry.index}", position)
        if self.entries and self.entries[-1] and entry.time < self.entries[-1].time:
            raise Finding("changed", f"at entry {position} time went back", position)
        return entry

    def texts(self, entry, texts, position):
        try:
            differs = next(iter(wrong_texts(entry, texts)), None)
        except Malformed as error:
            raise Finding("changed", f"a text beside entry {position} cannot be read: {error}", position) from error
        if differs is not None:
            raise Finding("changed", f"text {differs} beside entry {position} is another one", position)
        self.gone.append(set(range(len(entry.commitments))) - set(texts))

    def stored(self):
        """Steps 2 to 4."""
        ledger, size = self.ledger, self.tree.size
        if ledger.announced not in (None, size):
            raise Finding("truncated", "the export was cut short: it has not all that it announces", size)
        if ledger.size is None:
            return
        if size != ledger.size:
            raise Finding("missing", f"entry {size} is missing", size)
        nodes = stored_nodes(self.leaves)
        for key in sorted(nodes.keys() | ledger.nodes.keys()):
            if key not in ledger.nodes:
                raise Finding("missing", f"the stored node {key} is missing")
            if nodes.get(key) != ledger.nodes[key]:
                raise Finding("changed", f"the stored node {key} differs, or is surplus")
        if ledger.edge != self.tree.edge():
            raise Finding("changed", "the stored head differs")

    def of_kind(self, kind):
        return [(entry, entry.fields()[1]) for entry in self.entries if entry and entry.kind == kind]

    def archived(self):
        """Step 5."""
        archived = self.of_kind("ledger.archived")
        until = archived[-1][1][0] if archived else 0
        lost = next((at for at, entry in enumerate(self.entries) if entry is None and at >= until), None)
        if lost is not None:
            raise Finding("missing", f"entry {lost} has no bytes, and no entry says that it was archived", lost)
        digests = {fields[2] for _, fields in archived}
        recovered = self.of_kind("ledger.recovered")
        for archive in self.archives:
            # Those of other ledgers are of the one before, or of ones before that.
            if archive.digest not in digests and (archive.origin == self.origin or not recovered):
                raise Finding("changed", "an archive file is not the one that an entry states")
        for _, fields in recovered:
            self.before(*fields[1:])

    def before(self, previous, size, root, text):
        """The ledger that this one goes on from, and those before it."""
        files = sorted((file for file in self.archives if file.origin == previous), key=lambda file: file.first)
        if not files:
            return
        joined = Ledger()
        joined.rows = [row for file in files for row in file.rows]
        before, note = Verification(joined, [], [], None), note_or_none(text.encode())
        before.rows()
        before.text_gone()
        has_note = note is None or note.size > size or before.roots.get(note.size) == note.root
        if before.roots.get(size) != root or not has_note:
            raise Finding("changed", "the archive of the ledger before is another one")
        before.archives = [file for file in self.archives if file.origin != previous]
        for _, fields in before.of_kind("ledger.recovered"):
            before.before(*fields[1:])

    def erased(self):
        """Step 6."""
        until = {fields[0]: entry.index for entry, fields in self.of_kind("ledger.texts-erased")}
        for entry, gone in zip(filter(None, self.entries), self.gone):
            yield entry, gone, until.get(owner_of(entry), -1) > entry.index

    def text_gone(self):
        for entry, gone, is_erased in self.erased():
            if gone and not is_erased:
                raise Finding("missing", f"text {min(gone)} beside entry {entry.index} is missing", entry.index)

    def just_going(self):
        """Whose texts may still be there, because a server was about to erase them."""
        said = {fields[0]: entry.time for entry, fields in self.of_kind("ledger.texts-erased")}
        end = max((entry.time for entry in self.entries if entry), default=0)
        return {user for user in self.ledger.erasing if user in said and said[user] >= end - ERASING_MAX}

    def text_back(self):
        going = self.just_going()
        for entry, gone, is_erased in self.erased():
            if owner_of(entry) in going:
                continue
            if is_erased and len(gone) < len(entry.commitments) and entry.index not in self.taken:
                raise Finding("rows-differ", f"a text beside entry {entry.index} is still there", entry.index)

    def changes_are_entries(self):
        """The rows in `ledger_key` are those of the entries, with a checkpoint that both keys signed."""
        kept = set()
        for seq, raw, _ in self.ledger.changes:
            if not 0 <= seq < self.tree.size or leaf_hash(raw) != self.leaves[seq]:
                raise Finding("changed", f"the change of keys in entry {seq} is another one", seq)
            if Entry(raw).kind != "ledger.key-rotated":
                raise Finding("changed", f"entry {seq} changes no key", seq)
            kept.add(seq)
        for entry, _ in self.of_kind("ledger.key-rotated"):
            if self.ledger.size is not None and entry.index not in kept:
                raise Finding("missing", f"the change of keys in entry {entry.index} is not kept", entry.index)
        for seq, raw, note in self.ledger.changes:
            old, new = (Key.parse(field) for field in Entry(raw).fields()[1][:2])
            self.signed_by_both(seq, note, [old, new])

    @staticmethod
    def signed_by_both(index, text, keys):
        try:
            note = Note(utf8(text))
            signers = {key for key, _ in note.signers(keys)}
            need(note.size > index and len(signers) == len(keys), "not both keys signed it, or it is too small")
        except Malformed as error:
            raise Finding("bad-signature", f"the checkpoint over entry {index} cannot be believed: {error}") from error

    def follow_keys(self, notes):
        """Step 7: trusts more keys, until nothing changes."""
        self.changes = self.rotations()
        count = -1
        while count != len(self.trusted):
            count = len(self.trusted)
            for index, old, new in self.changes:
                hands_over = self.may_add(old, new) and self.is_current(old, index)
                if hands_over and self.is_signed(notes, index, lambda _, old=old: [old]):
                    self.trusted.append(new)
                if self.may_add(new, old) and self.is_signed(notes, index, self.current):
                    self.trusted.append(old)

    def may_add(self, known, key):
        return known in self.trusted and key not in self.trusted

    def is_current(self, key, size):
        """Whether none of the first `size` entries replaced the key."""
        return not any(old == key and index < size for index, old, _ in self.changes)

    def current(self, note):
        """The trusted keys that may sign so much."""
        return [key for key in self.trusted if key.name == self.origin and self.is_current(key, note.size)]

    def rotations(self):
        """Index, old and new key of each change, also of those whose entries are in an archive."""
        changes = {entry.index: fields for entry, fields in self.of_kind("ledger.key-rotated")}
        there = [(seq, raw) for seq, raw, _ in self.ledger.changes if 0 <= seq < self.tree.size]
        known = [Entry(raw) for seq, raw in there if leaf_hash(raw) == self.leaves[seq]]
        changes |= {entry.index: entry.fields()[1] for entry in known if entry.kind == "ledger.key-rotated"}
        return [(index, Key.parse(fields[0]), Key.parse(fields[1])) for index, fields in sorted(changes.items())]

    def is_signed(self, notes, index, keys_for):
        """Whether a history with the entry `index` is signed by one of the keys that count for the note."""
        for note in notes:
            if note.size > index and self.roots.get(note.size) == note.root and note.origin == self.origin:
                if signers_or_none(note, keys_for(note)):
                    return True
        return False

    def believe(self, label, text):
        """Step 8, for one note."""
        try:
            note = Note(utf8(text)) if isinstance(text, bytes) else text
            need(note.origin == self.origin, "it is of another ledger")
            need(note.signers(self.current(note)), "no trusted key signed it that was not replaced by then")
            return note
        except Malformed as error:
            raise Finding("bad-signature", f"{label} cannot be believed: {error}") from error

    def hold(self, label, text):
        """Steps 8 to 10, for one note."""
        note = self.believe(label, text)
        if note.size > self.tree.size:
            raise Finding("truncated", f"the ledger was cut short: {label} signs {note.size} entries", self.tree.size)
        if note.root != self.roots[note.size]:
            is_fork = any(self.agrees(other, note.size) for other in self.ledger.notes)
            raise Finding("forked" if is_fork else "changed", f"{label} signs another history")

    def agrees(self, note, size):
        """Whether a note that lies with the ledger, over so many entries or more, is believed and of this history."""
        try:
            other = self.believe(*note)
        except Finding:
            return False
        return other.size >= size and self.roots.get(other.size) == other.root

    def hold_receipt(self, label, receipt):
        self.hold(label, receipt.note)
        leaf = self.leaves[receipt.index] if receipt.index < len(self.leaves) else b""
        try:
            need(receipt.leads_from(leaf), "its path leads elsewhere")
        except Malformed as error:
            raise Finding("bad-signature", f"{label} proves nothing: {error}") from error

    def witnessed(self, notes):
        """Step 11."""
        if self.policy is None or self.policy.quorum == ["none"]:
            return
        if not any(self.policy.is_met_by(note) for note in notes):
            raise Finding("policy-not-met", "no checkpoint meets the policy")
        for note in notes:
            for key, time in signers_or_none(note, list(self.policy.witnesses.values())):
                self.dated(note.size, time * 10**6)

    def dated(self, size, time):
        last = self.entries[size - 1] if 0 < size <= len(self.entries) else None
        after = self.entries[size] if size < len(self.entries) else None
        if last and last.time > time + DATED_WITHIN:
            raise Finding("back-dated", f"entry {size - 1} is dated later than a witness saw it", size - 1)
        if after and after.time < time - DATED_WITHIN:
            raise Finding("back-dated", f"entry {size} is back-dated", size)

    def run(self, kept, receipts):
        """All of it."""
        self.rows()
        self.stored()
        self.archived()
        self.text_gone()
        opened = [fields[0] for kind in ("ledger.opened", "ledger.recovered") for _, fields in self.of_kind(kind)]
        notes = self.ledger.notes + kept
        parsed = list(filter(None, (note_or_none(text) for _, text in notes)))
        parsed += [receipt.note for _, receipt in receipts]
        self.origin = opened[0] if opened else self.origin
        self.follow_keys(parsed)
        checks = [self.changes_are_entries, self.text_back] + [lambda note=note: self.hold(*note) for note in notes]
        checks += [lambda receipt=receipt: self.hold_receipt(*receipt) for receipt in receipts]
        worst_of(checks)
        self.witnessed(parsed)


def origin_of(texts):
    """The origin in the newest of these notes."""
    notes = [note for note in map(note_or_none, texts) if note]
    return max(notes, key=lambda note: note.size).origin if notes else None


def wrong_texts(entry, texts):
    """The slots whose text is not the one that the entry commits to, or that the entry has not."""
    for slot, (salt, text) in sorted(texts.items()):
        has = slot < len(entry.commitments) and len(salt) == 16
        if not has or utf8(text) is None or entry.commitments[slot] != commitment(salt, text):
            yield slot


def owner_of(entry):
    """Whose texts these are, as the number of a user."""
    if entry.kind in ("user.added", "session.opened", "session.refused"):
        return entry.fields()[1][0]
    is_user = entry.kind != "group.created" and entry.actor.startswith("usr-")
    return int(entry.actor[4:]) if is_user else None


def note_or_none(text):
    try:
        return Note(utf8(text)) if isinstance(text, bytes) else text
    except Malformed:
        return None


def signers_or_none(note, keys):
    try:
        return note.signers(keys)
    except Malformed:
        return []


def worst_of(checks):
    """Runs all; forks come first, then what was changed, is missing, was cut short, and what cannot be believed."""
    found = []
    for check in checks:
        try:
            check()
        except Finding as finding:
            found.append(finding)
    order = ["forked", "changed", "missing", "truncated", "bad-signature", "rows-differ"]
    if found:
        raise min(found, key=lambda finding: order.index(finding.word))


# Files that stand alone


BUNDLE = {
    "brevet": str, "version": int, "origin": str, "keys": [str], "request": str, "checkpoint": str,
    "entries": [{"index": int, "bytes": str, "texts": [{"slot": int, "salt": str, "text": str}], "proof": [str]}],
    "outputs": [{"digest": str, "bytes": str}], "summary": [str],
}  # fmt: skip


def has_form(value, form):
    """Whether a value is of a type, an array of such, or an object with exactly such members."""
    if isinstance(form, list):
        return isinstance(value, list) and all(has_form(item, form[0]) for item in value)
    if isinstance(form, dict):
        same = isinstance(value, dict) and set(value) == set(form)
        return same and all(has_form(value[name], inner) for name, inner in form.items())
    return type(value) is form and (form is not int or value >= 0)


def bundle(path, trusted, policy):
    """Steps 1 to 3 and 5 of the chapter on evidence bundles."""
    data = read(path)
    need(len(data) <= BUNDLE_BYTES_MAX, "the bundle is too large")
    value = parse_json(utf8(data))
    need(has_form(value, BUNDLE), "another form than a bundle has")
    need(value["brevet"] == "evidence-bundle" and value["version"] == 1, "another layout")
    need(value["request"].startswith("req-") and decimal(value["request"][4:]) > 0, "no request")
    note = Note(value["checkpoint"])
    if note.origin != value["origin"] or note.origin not in {key.name for key in trusted}:
        raise Finding("bad-signature", "the bundle is of another ledger")
    if not signers_or_none(note, [key for key in trusted if key.name == note.origin]):
        raise Finding("bad-signature", "no trusted key signed the checkpoint, or wrongly")
    meets(policy, note)
    try:
        entries = [bundle_entry(entry) for entry in value["entries"]]
        bundle_tree(note, entries)
        bundle_outputs(entries, value["outputs"])
    except Malformed as error:
        raise Finding("changed", f"the bundle was changed: {error}") from error
    return len(entries)


def meets(policy, note):
    if policy and policy.quorum != ["none"] and not policy.is_met_by(note):
        raise Finding("policy-not-met", "the checkpoint does not meet the policy")


def bundle_entry(value):
    """Index, bytes, texts and proof of one object."""
    path = [unbase64(sibling, 32) for sibling in value["proof"]]
    return value["index"], unbase64(value["bytes"]), texts_of(value["texts"]), path


def bundle_tree(note, entries):
    last = None
    for index, raw, texts, path in entries:
        root = root_of_path(leaf_hash(raw), index, note.size, path)
        need(root == note.root, f"entry {index} is not in the tree")
        entry = Entry(raw)
        need(entry.index == index, f"entry {index} was moved")
        need(not list(wrong_texts(entry, texts)), f"a text beside entry {index} is another one")
        entry.fields()
        need(last is None or (last.index < entry.index and last.time <= entry.time), "entries out of order")
        last = entry


def bundle_outputs(entries, outputs):
    entries = [Entry(raw) for _, raw, _, _ in entries]
    ends = [entry.fields()[1] for entry in entries if entry.kind == "execution.finished"]
    known = [fields[2][0] for fields in ends if len(fields) > 2 and fields[2]]
    for output in outputs:
        digest = hashlib.sha256(unbase64(output["bytes"])).digest()
        need(digest.hex() == output["digest"] and digest in known, "an output that no run wrote, or twice")
        known = [other for other in known if other != digest]


def receipt(path, trusted, policy):
    """One receipt alone: what it has of the entry leads to a root that is signed."""
    kept = Receipt(read_text(path))
    need(kept.extra is not None, "the receipt does not have the entry")
    if not signers_or_none(kept.note, [key for key in trusted if key.name == kept.note.origin]):
        raise Finding("bad-signature", "no trusted key signed the checkpoint, or wrongly")
    try:
        need(kept.leads_from(leaf_hash(kept.extra)) and Entry(kept.extra).index == kept.index, "it leads elsewhere")
    except Malformed as error:
        raise Finding("bad-signature", f"the receipt proves nothing: {error}") from error
    meets(policy, kept.note)
    return 1


# The command line


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    for option in ("--key", "--checkpoint", "--receipts", "--archive", "--anchor"):
        parser.add_argument(option, action="append", default=[])
    parser.add_argument("--policy")
    return parser.parse_args()


def files_of(paths):
    for path in paths:
        inside = [os.path.join(path, name) for name in sorted(os.listdir(path))] if os.path.isdir(path) else [path]
        yield from inside


def receipts_of(paths):
    for path in files_of(paths):
        yield path, Receipt(read_text(path))


def note_of(path):
    return path, Note(read_text(path))


def check(asked):
    """Verifies what was asked for; answers how many entries there are."""
    keys = [key for text in asked.key for key in keys_of(read_text(text) if os.path.exists(text) else text)]
    policy = Policy(read_text(asked.policy)) if asked.policy else None
    trusted = keys + (policy.logs if policy else [])
    is_folder = os.path.isdir(asked.path)
    start = b"" if is_folder else read(asked.path)[:4096]
    if start.startswith(b"c2sp.org/tlog-proof@v1\n") or (not is_folder and b'"evidence-bundle"' in start):
        alone = receipt if start.startswith(b"c2sp") else bundle
        return alone(asked.path, trusted, policy)
    ledger = folder(asked.path) if is_folder else export(asked.path)
    kept = [note_of(path) for path in asked.checkpoint + asked.anchor]
    if not trusted:
        trusted = keys_of(read_text(os.path.join(asked.path, "ledger.vkey"))) if is_folder else ledger.keys
    archives = [export(path) for path in asked.archive + (lying_in(asked.path) if is_folder else [])]
    verification = Verification(ledger, archives, trusted, policy)
    verification.run(kept, list(receipts_of(asked.receipts)))
    return verification.tree.size


def main():
    answer = {"verified": True, "code": 0}
    try:
        answer["entries"] = check(arguments())
    except Finding as finding:
        answer = {"verified": False, "code": CODES[finding.word], "finding": finding.word}
        answer |= {"entry": finding.entry, "sentence": finding.sentence}
    except (Malformed, OSError, sqlite3.Error, KeyError, TypeError, AttributeError) as error:
        answer = {"verified": False, "code": 1, "finding": "cannot-verify", "sentence": f"{error!r}"}
    print(json.dumps(answer))
    sys.exit(answer["code"])


if __name__ == "__main__":
    main()
