"""A monitor of a tiled ledger, written from the specifications alone (C2SP signed-note, tlog-checkpoint, tlog-tiles,
tlog-proof; RFC 6962, RFC 8032, RFC 9162), with nothing but Python's standard library.

`follow` downloads the checkpoint, every tile and every entry bundle of its size, computes the root from the entries
alone and from each level of tiles, and compares them; with a size and a root of before, also that the ledger only
grew. `receipt` checks a .tlog-proof file. Each prints one JSON object, or fails with a sentence.

    monitor.py follow URL VKEY [TOKEN [SIZE ROOT]]        URL ends before /checkpoint
    monitor.py receipt FILE VKEY
"""

import base64
import hashlib
import json
import sys
import urllib.error
import urllib.request

WIDTH = 256


def fail(sentence):
    sys.exit(sentence)


# RFC 8032 section 5.1, verification only. Slow, and plain.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e = (y1 - x1) * (y2 - x2) % P
    f = (y1 + x1) * (y2 + x2) % P
    g = 2 * t1 * t2 * D % P
    h = 2 * z1 * z2 % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_M1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verifies(public, message, signature):
    key, r = decompress(public), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or key is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    (x1, y1, z1, _), (x2, y2, z2, _) = times(s, BASE), add(r, times(h, key))
    return (x1 * z2 - x2 * z1) % P == 0 and (y1 * z2 - y2 * z1) % P == 0


# C2SP signed-note and tlog-checkpoint.
def open_note(note, vkey):
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key, validate=True)
    if key[0] != 1 or hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() != key_id:
        fail("not the verifier key of an Ed25519 note signature")
    text, lines = note.rsplit("\n\n", 1)
    text += "\n"
    for line in lines.splitlines():
        dash, signer, data = line.split(" ")
        data = base64.b64decode(data, validate=True)
        if dash == "\u2014" and signer == name and data[:4].hex() == key_id:
            if not ed25519_verifies(key[1:], text.encode(), data[4:]):
                fail("the signature of the checkpoint does not hold")
            break
    else:
        fail("the checkpoint is not signed by this key")
    origin, size, root = text.split("\n")[:3]
    if origin != name or str(int(size)) != size:
        fail("the checkpoint is of another ledger, or malformed")
    return int(size), base64.b64decode(root, validate=True)


# RFC 6962 section 2.1.
def leaf(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node(tree(leaves[:split]), tree(leaves[split:]))


# C2SP tlog-tiles.
def index_path(index):
    path = "%03d" % (index % 1000)
    while index >= 1000:
        index //= 1000
        path = "x%03d/%s" % (index % 1000, path)
    return path


class Ledger:
    def __init__(self, url, token):
        self.url, self.token, self.files = url, token, 0

    def get(self, path, kind):
        request = urllib.request.Request(self.url + "/" + path)
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        try:
            with urllib.request.urlopen(request) as response:
                if response.headers["Content-Type"] != kind:
                    fail("%s is %s" % (path, response.headers["Content-Type"]))
                self.files += 1
                return response.read()
        except urllib.error.HTTPError as error:
            fail("%s: %s %s" % (path, error.code, error.read().decode()))

    def tiles(self, level, count):
        """The paths of the tiles that hold `count` hashes or entries of this level, and their widths."""
        for index in range((count + WIDTH - 1) // WIDTH):
            width = min(WIDTH, count - index * WIDTH)
            partial = "" if width == WIDTH else ".p/%d" % width
            yield "tile/%s/%s%s" % (level, index_path(index), partial), width

    def hashes(self, level, count):
        found = []
        for path, width in self.tiles(level, count):
            data = self.get(path, "application/octet-stream")
            if len(data) != 32 * width:
                fail("%s has %d bytes" % (path, len(data)))
            found += [data[at : at + 32] for at in range(0, len(data), 32)]
        return found

    def entries(self, size):
        found = []
        for path, width in self.tiles("entries", size):
            data, at, before = self.get(path, "application/octet-stream"), 0, len(found)
            while at < len(data):
                length = int.from_bytes(data[at : at + 2], "big")
                found.append(data[at + 2 : at + 2 + length])
                at += 2 + length
            if at != len(data) or len(found) - before != width:
                fail("%s is malformed" % path)
        return found


def root_of(levels):
    """The root, from the hashes of one level and what is too new to be in it, down to the leaves."""
    parts, covered = [], 0
    for level in range(len(levels) - 1, -1, -1):
        span = WIDTH**level
        for place in range(covered // span, len(levels[level])):
            parts.append((span, levels[level][place]))
            covered += span
    # Equal neighbours that are aligned make one tree; what is left is the right edge.
    stack = []
    for span, part in parts:
        stack.append((span, part))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            (size, right), (_, left) = stack.pop(), stack.pop()
            stack.append((2 * size, node(left, right)))
    root = stack.pop()[1]
    while stack:
        root = node(stack.pop()[1], root)
    return root


def follow(url, vkey, token="", old_size="0", old_root=""):
    ledger = Ledger(url, token)
    size, root = open_note(ledger.get("checkpoint", "text/plain; charset=utf-8").decode(), vkey)
    entries = ledger.entries(size)
    leaves = [leaf(entry) for entry in entries]
    if tree(leaves) != root:
        fail("the entries do not have the root of the checkpoint")
    levels, count = [], size
    while count:
        levels.append(ledger.hashes(len(levels), count))
        count //= WIDTH
    if levels[0] != leaves:
        fail("the tiles of level 0 are not the hashes of the entries")
    for level in range(1, len(levels)):
        below = levels[level - 1]
        if levels[level] != [tree(below[at * WIDTH : (at + 1) * WIDTH]) for at in range(len(below) // WIDTH)]:
            fail("the tiles of level %d do not follow from those below" % level)
    if root_of(levels) != root:
        fail("the tiles do not have the root of the checkpoint")
    for index, entry in enumerate(entries):
        if entry[0] != 1 or int.from_bytes(entry[1:9], "big") != index:
            fail("entry %d says that it is another one" % index)
    old_size = int(old_size)
    if old_size and (old_size > size or tree(leaves[:old_size]).hex() != old_root):
        fail("the ledger of %d entries is not the beginning of this one" % old_size)
    # A size that was published stays there to be followed, down to the first entry.
    for earlier in [size for size in (1, 255, 256, 257) if size <= len(leaves)]:
        parts, count = [], earlier
        while count:
            parts.append(ledger.hashes(len(parts), count))
            count //= WIDTH
        if root_of(parts) != tree(leaves[:earlier]) or ledger.entries(earlier) != entries[:earlier]:
            fail("the files of size %d are not those of the first entries" % earlier)
    print(json.dumps({"size": size, "root": root.hex(), "files": ledger.files, "levels": len(levels)}))


# C2SP tlog-proof, and RFC 9162 section 2.1.3.2.
def receipt(file, vkey):
    with open(file, encoding="utf-8", newline="") as text:
        head, note = text.read().split("\n\n", 1)
    version, extra, index, *path = head.split("\n")
    if version != "c2sp.org/tlog-proof@v1" or not extra.startswith("extra ") or not index.startswith("index "):
        fail("not a receipt with its entry")
    entry, index = base64.b64decode(extra[6:], validate=True), int(index[6:])
    size, root = open_note(note, vkey)
    if index >= size:
        fail("the checkpoint does not cover the entry")
    at, last, hashed = index, size - 1, leaf(entry)
    for sibling in path:
        sibling = base64.b64decode(sibling, validate=True)
        if last == 0:
            fail("the proof is too long")
        if at & 1 or at == last:
            hashed = node(sibling, hashed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            hashed = node(hashed, sibling)
        at, last = at >> 1, last >> 1
    if last or hashed != root:
        fail("the proof does not lead to the root of the checkpoint")
    if int.from_bytes(entry[1:9], "big") != index:
        fail("the entry says that it is another one")
    kind = entry[18 : 18 + entry[17]].decode()
    print(json.dumps({"index": index, "size": size, "kind": kind}))


{"follow": follow, "receipt": receipt}[sys.argv[1]](*sys.argv[2:])
