"""The formats of the ledger, as docs/ledger-format.md has them: entries, tree, keys, notes, policies, receipts.

Written from that document alone, with nothing but Python's standard library, so that Brevet is not the only judge of
its own ledger. Ed25519 is here too (RFC 8032), slow and in plain sight. Knows no file and no database.
"""

import base64
import binascii
import hashlib
import unicodedata
from collections import namedtuple

ENTRY_BYTES_MAX = 65_535
SIZE_MAX = 2**62
NOTE_BYTES_MAX = 2**20
SIGNATURES_MAX = 64
POLICY_BYTES_MAX = 256 * 1024
POLICY_ITEMS_MAX = 32
SIGNS, COSIGNS = 1, 4  # types of keys


# The kinds, in the order of their numbers ("Bodies"). A dot in front goes on with the word before.
KINDS = """
    ledger.opened server.started user.added .disabled .enabled .code-issued .password-set
    session.opened .refused .closed group.created .member-added .member-removed .deleted
    access-control.enabled .disabled assignment.added .removed task.defined .removed
    role.defined .removed role-group.defined .removed policy.created .changed .removed
    request.submitted .decided .expired .cancelled authorization.granted .extended .started .ended
    execution.started .stop-requested .finished .refused ledger.read .heartbeat server.stopped ledger.key-rotated
    .recovered .texts-erased .archive-requested .archived .archive-cancelled server.clock-stepped .lost
""".split()
for at, kind in enumerate(KINDS):
    KINDS[at] = KINDS[at - 1].split(".")[0] + kind if kind[0] == "." else kind


class Malformed(Exception):
    """Something is not written as the document says, or a signature does not hold."""


def need(holds, why):
    """Insists."""
    if not holds:
        raise Malformed(why)


def unbase64(text, size=None):
    """Decodes base64 that has one spelling."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"no base64: {error}") from error
    need(base64.b64encode(decoded).decode() == text, "base64 in another spelling")
    need(size is None or len(decoded) == size, f"{len(decoded)} bytes where there should be {size}")
    return decoded


def decimal(text, maximum=SIZE_MAX):
    """Reads a number that has one spelling."""
    need(text.isascii() and text.isdigit() and len(text) <= 20 and str(int(text)) == text, f"no number: {text!r}")
    need(int(text) <= maximum, f"{text} is too large")
    return int(text)


def has_control(text, but):
    return any(c < " " and c not in but for c in text)


# Entries


class Entry:
    """An entry, decoded; `raw` is what is hashed."""

    def __init__(self, raw):
        need(len(raw) <= ENTRY_BYTES_MAX, "the entry is too long")
        self.raw, self.at = raw, 0
        need(self.number(1) == 1, "a layout that is not known")
        self.index = self.number(8)
        self.time = int.from_bytes(self.take(8), "big", signed=True)
        self.kind = self.name()
        self.version = self.number(2)
        self.actor = self.name()
        self.session = self.number(8)
        self.commitments = [self.take(32) for _ in range(self.number(1))]
        self.body = self.take(self.number(4))
        need(self.at == len(raw), "something stands behind the entry")

    def take(self, count):
        need(self.at + count <= len(self.raw), "the entry ends too early")
        self.at += count
        return self.raw[self.at - count : self.at]

    def number(self, width):
        return int.from_bytes(self.take(width), "big")

    def name(self):
        length = self.number(1)
        name = self.take(length)
        need(length > 0 and all(0x21 <= byte <= 0x7E for byte in name), "a name with other characters")
        return name.decode()

    def fields(self):
        """The number of the kind and its fields, of the body."""
        value, rest = cbor(self.body)
        need(rest == b"" and isinstance(value, list) and len(value) == 2, "a body of another form")
        need(isinstance(value[0], int) and isinstance(value[1], list), "a body of another form")
        need(value[0] < len(KINDS) and KINDS[value[0]] == self.kind, "a body of another kind")
        return value


def commitment(salt, text):
    return hashlib.sha256(b"brevet/text/v1\n" + salt + text).digest()


def cbor(data):
    """Decodes one value of deterministic CBOR (RFC 8949, section 4.2.1, but for the order of maps); answers it and what
    follows."""
    need(data, "CBOR that ends too early")
    major, small, data = data[0] >> 5, data[0] & 31, data[1:]
    if major == 7:
        need(small in (20, 21, 22), "a value that CBOR has and bodies have not")
        return {20: False, 21: True, 22: None}[small], data
    number, data = cbor_number(small, data)
    if major in (0, 1):
        return (number if major == 0 else -1 - number), data
    if major in (2, 3):
        need(number <= len(data), "CBOR that ends too early")
        return (data[:number] if major == 2 else utf8(data[:number])), data[number:]
    need(major in (4, 5) and number <= len(data), "CBOR of another form")
    return cbor_items(number, data) if major == 4 else cbor_map(number, data)


def cbor_number(small, data):
    if small < 24:
        return small, data
    need(small < 28, "an indefinite length")
    width = 1 << (small - 24)
    need(width <= len(data), "CBOR that ends too early")
    number = int.from_bytes(data[:width], "big")
    need(number >= (24 if width == 1 else 1 << (4 * width)), "a number longer than it needs to be")
    return number, data[width:]


def cbor_items(count, data):
    items = []
    for _ in range(count):
        item, data = cbor(data)
        items.append(item)
    return items, data


def cbor_map(count, data):
    found, last = {}, None
    for _ in range(count):
        key, rest = cbor(data)
        need(isinstance(key, str) and (last is None or key > last), "a map out of order")
        found[key], data = cbor(rest)
        last = key
    return found, data


def utf8(data):
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"no UTF-8: {error}") from error


# The tree


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """A tree that grows by leaves: its right edge, as (number of leaves, root), the largest first."""

    def __init__(self, leaves=()):
        self.size, self.parts = 0, []
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf):
        self.size += 1
        self.parts.append((1, leaf))
        while len(self.parts) > 1 and self.parts[-1][0] == self.parts[-2][0]:
            (count, right), (_, left) = self.parts.pop(), self.parts.pop()
            self.parts.append((2 * count, node_hash(left, right)))

    def root(self):
        if not self.parts:
            return hashlib.sha256(b"").digest()
        root = self.parts[-1][1]
        for _, left in reversed(self.parts[:-1]):
            root = node_hash(left, root)
        return root

    def edge(self):
        return self.size.to_bytes(8, "big") + b"".join(root for _, root in self.parts)


def stored_nodes(leaves):
    """The nodes of levels 1 to 7 that are stored for these leaves, as (level, index) to hash."""
    nodes, below = {}, list(leaves)
    for level in range(1, 8):
        below = [Tree(below[at : at + 256]).root() for at in range(0, len(below) - 255, 256)]
        nodes.update({(level, index): node for index, node in enumerate(below)})
    return nodes


def root_of_path(leaf, index, size, path):
    """The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2)."""
    need(index < size, "the index is not below the size")
    here, last, root = index, size - 1, leaf
    for sibling in path:
        need(last > 0, "the proof is too long")
        if here % 2 == 1 or here == last:
            root = node_hash(sibling, root)
            while here % 2 == 0 and here != 0:
                here, last = here >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        here, last = here >> 1, last >> 1
    need(last == 0, "the proof is too short")
    return root


def is_consistent(old, new, old_root, new_root, path):
    """Whether a consistency proof holds (RFC 9162, section 2.1.4.2)."""
    if not 1 <= old <= new or (old == new and path):
        return False
    if old == new:
        return old_root == new_root
    path = [old_root, *path] if old & (old - 1) == 0 else list(path)
    here, last = old - 1, new - 1
    while here % 2 == 1:
        here, last = here >> 1, last >> 1
    if not path:
        return False
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if here % 2 == 1 or here == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while here % 2 == 0 and here != 0:
                here, last = here >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


# Ed25519 (RFC 8032, section 5.1), in extended coordinates

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def point_add(one, two):
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_times(number, point):
    total = (0, 1, 1, 0)
    while number:
        total = point_add(total, point) if number & 1 else total
        point, number = point_add(point, point), number >> 1
    return total


def same_point(one, two):
    return (one[0] * two[2] - two[0] * one[2]) % P == 0 and (one[1] * two[2] - two[1] * one[2]) % P == 0


def point_of(spelled):
    """Decodes a point that is on the curve, in its one spelling, and not of small order."""
    y, sign = int.from_bytes(spelled, "little") & (2**255 - 1), spelled[31] >> 7
    need(y < P, "a point in another spelling")
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    need((x * x - square) % P == 0 and not (x == 0 and sign), "no point of the curve")
    x = P - x if x % 2 != sign else x
    point = (x, y, 1, x * y % P)
    need(not same_point(point_times(8, point), (0, 1, 1, 0)), "a point of small order")
    return point


def base_point():
    return point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def ed25519_holds(public, message, signature):
    """Checks strictly: S below the order, no point of small order, and no cofactor."""
    try:
        a, r = point_of(public), point_of(signature[:32])
    except Malformed:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= ORDER or len(signature) != 64:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    return same_point(point_times(s, base_point()), point_add(r, point_times(k, a)))


# Keys, notes, receipts


def key_name(text):
    bad = not text or any(c == "+" or c.isspace() or unicodedata.category(c) == "Cc" for c in text)
    need(not bad, f"no name of a key: {text!r}")
    return text


class Key(namedtuple("Key", "name id type public")):
    """A verifier key."""

    @classmethod
    def parse(cls, text):
        parts = text.split("+", 2)
        need(len(parts) == 3, "no verifier key")
        name, stated, spelled = key_name(parts[0]), parts[1], unbase64(parts[2], 33)
        made = hashlib.sha256(name.encode() + b"\n" + spelled).digest()[:4]
        need(stated == made.hex(), "the id is not that of the key")
        need(spelled[0] in (SIGNS, COSIGNS), "a key of a type that is not known")
        point_of(spelled[1:])
        return cls(name, made, spelled[0], spelled[1:])


class Note:
    """A checkpoint in a signed note."""

    def __init__(self, text):
        need(len(text.encode()) <= NOTE_BYTES_MAX and not has_control(text, "\n"), "no note: too long, or control")
        self.text, at = text, text.rfind("\n\n")
        need(at > 0, "a note without an empty line")
        self.signed = text[: at + 1]
        lines = text[at + 2 :].split("\n")
        need(lines.pop() == "" and 1 <= len(lines) <= SIGNATURES_MAX, "too many or too few lines of signatures")
        self.signatures = [self.signature(line) for line in lines]
        lines = self.signed.split("\n")
        need(len(lines) >= 4 and lines[0] and all(lines[:-1]), "no checkpoint")
        self.origin, self.size, self.root = lines[0], decimal(lines[1], 2**64 - 1), unbase64(lines[2], 32)

    @staticmethod
    def signature(line):
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014", "no line of a signature")
        spelled = unbase64(parts[2])
        need(len(spelled) > 4, "an empty signature")
        return key_name(parts[1]), spelled[:4], spelled[4:]

    def signers(self, keys):
        """Which of these keys signed, with the time where they cosigned; one that does not hold is an error."""
        found = []
        for name, stated, signature in self.signatures:
            for key in (key for key in keys if (key.name, key.id) == (name, stated)):
                found.append((key, self.check(key, signature)))
        return found

    def check(self, key, signature):
        message, time = self.signed, None
        need(len(signature) == (64 if key.type == SIGNS else 72), f"a signature of another length by {key.name}")
        if key.type == COSIGNS:
            time = int.from_bytes(signature[:8], "big")
            need(time < 2**63, "a time that is too large")
            message, signature = f"cosignature/v1\ntime {time}\n{message}", signature[8:]
        need(ed25519_holds(key.public, message.encode(), signature), f"a signature by {key.name} that does not hold")
        return time


class Receipt:
    """A receipt (C2SP tlog-proof)."""

    def __init__(self, text):
        head, mark, note = text.partition("\n\n")
        lines = head.split("\n")
        need(mark and lines.pop(0) == "c2sp.org/tlog-proof@v1", "no receipt")
        is_extra = bool(lines) and lines[0].startswith("extra ")
        self.extra = unbase64(lines.pop(0)[6:]) if is_extra else None
        need(lines and lines[0].startswith("index "), "a receipt without an index")
        self.index = decimal(lines.pop(0)[6:], 2**64 - 1)
        need(len(lines) <= 63, "a proof that is too long")
        self.path, self.note = [unbase64(line, 32) for line in lines], Note(note)

    def leads_from(self, leaf):
        return root_of_path(leaf, self.index, self.note.size, self.path) == self.note.root


# Policies


class Policy:
    """A witness policy (C2SP tlog-policy)."""

    def __init__(self, text):
        need(len(text.encode()) <= POLICY_BYTES_MAX and not has_control(text, "\t\n"), "no text of a policy")
        need("\x7f" not in text, "no text of a policy")
        self.logs, self.witnesses, self.groups, self.quorum, self.used = [], {}, {}, [], set()
        readers = {"log": self.log, "witness": self.witness, "group": self.group, "quorum": self.set_quorum}
        for line in text.split("\n"):
            words = line.replace("\t", " ").split(" ")
            words = [word for word in words if word]
            if words and not words[0].startswith("#"):
                need(words[0] in readers, f"a line that is not known: {line!r}")
                readers[words[0]](words[1:])
        need(len(self.quorum) == 1, "not exactly one quorum")
        need(max(map(len, (self.logs, self.witnesses, self.groups))) <= POLICY_ITEMS_MAX, "too much in a policy")
        public = [key.public for key in self.keys()]
        need(len(set(public)) == len(public), "a public key that is there twice")

    def keys(self):
        return [*self.logs, *self.witnesses.values()]

    def log(self, words):
        need(len(words) in (1, 2), "a log line of another form")
        self.logs.append(Key.parse(words[0]))
        need(self.logs[-1].type == SIGNS, "the key of a log has type 1")

    def define(self, name):
        need(name != "none" and name not in self.witnesses and name not in self.groups, f"{name} cannot be defined")

    def witness(self, words):
        need(len(words) in (2, 3), "a witness line of another form")
        self.define(words[0])
        self.witnesses[words[0]] = Key.parse(words[1])
        need(self.witnesses[words[0]].type == COSIGNS, "the key of a witness has type 4")

    def group(self, words):
        need(len(words) >= 3, "a group line of another form")
        name, threshold, *members = words
        self.define(name)
        for member in members:
            need(member in self.witnesses or member in self.groups, f"there is no {member} above")
            need(member not in self.used, f"{member} is a member of two groups")
            self.used.add(member)
        count = {"any": 1, "all": len(members)}.get(threshold)
        count = decimal(threshold) if count is None else count
        need(1 <= count <= len(members), "a group that nobody can fill")
        self.groups[name] = (count, members)

    def set_quorum(self, words):
        known = len(words) == 1 and (words[0] == "none" or words[0] in self.witnesses or words[0] in self.groups)
        need(known, "a quorum line of another form")
        self.quorum.append(words[0])

    def counts(self, name, cosigned):
        """Whether a witness or a group cosigned, when these keys did."""
        if name in self.witnesses:
            return self.witnesses[name] in cosigned
        count, members = self.groups[name]
        return sum(self.counts(member, cosigned) for member in members) >= count

    def is_met_by(self, note):
        try:
            signers = {key for key, _ in note.signers(self.keys())}
        except Malformed:
            return False
        signed = any(key in signers and key.name == note.origin for key in self.logs)
        return signed and (self.quorum == ["none"] or self.counts(self.quorum[0], signers))
