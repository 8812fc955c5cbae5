// What the verifier of the web admin center believes, held against ledgers made here: no server, no browser.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { beforeEach, test } from "node:test";
import {
  Memory, Tree, leafHash, nodeHash, parseKey, parsePolicy, verifyCheckpoint, verifyEntries, verifyEntryOf, verifyLedger, vouchedAt,
} from "../../crates/brevet-web/assets/verify.js";

const ORIGIN = "ledger.example";
const SIGNS = 1, COSIGNS = 4;
const signal = new AbortController().signal;
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const hex = (bytes) => Buffer.from(bytes).toString("hex");

// ---- Keys, notes and entries, as docs/ledger-format.md has them ----

function newKey(name = ORIGIN, type = SIGNS) {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const bytes = Buffer.concat([Buffer.from([type]), publicKey.export({ type: "spki", format: "der" }).subarray(-32)]);
  const id = createHash("sha256").update(`${name}\n`).update(bytes).digest().subarray(0, 4);
  return { name, id, privateKey, text: `${name}+${hex(id)}+${base64(bytes)}` };
}

const line = (key, bytes) => `\u2014 ${key.name} ${base64(Buffer.concat([key.id, bytes]))}\n`;
const signedBy = (key, signed) => line(key, sign(null, Buffer.from(signed), key.privateKey));

function cosignedBy(key, signed, time) {
  const seconds = Buffer.alloc(8);
  seconds.writeBigUInt64BE(BigInt(time));
  return line(key, Buffer.concat([seconds, sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${signed}`), key.privateKey)]));
}

function cborNumber(major, value) {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 256) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 255]);
}
const cborText = (text) => Buffer.concat([cborNumber(3, Buffer.byteLength(text)), Buffer.from(text)]);
const body = (number, ...fields) => Buffer.concat([cborNumber(4, 2), cborNumber(0, number), cborNumber(4, fields.length), ...fields]);
const rotated = (old, next) => ["ledger.key-rotated", body(42, cborText(old.text), cborText(next.text), cborNumber(0, 0))];
const archived = (size) => ["ledger.archived", body(46, cborNumber(0, size), cborNumber(0, 0), Buffer.concat([cborNumber(2, 32), Buffer.alloc(32, 5)]))];

function entry(index, [kind, content] = ["ledger.heartbeat", body(40, cborNumber(0, 60))], { actor = "usr-7", micros = 1_700_000_000_000_000n + BigInt(index) } = {}) {
  const head = Buffer.alloc(17), length = Buffer.alloc(4);
  head[0] = 1;
  head.writeBigUInt64BE(BigInt(index), 1);
  head.writeBigInt64BE(micros, 9);
  length.writeUInt32BE(content.length);
  const name = (text) => [Buffer.from([text.length]), Buffer.from(text)];
  return new Uint8Array(Buffer.concat([head, ...name(kind), Buffer.from([0, 1]), ...name(actor), Buffer.alloc(9), length, content]));
}

// ---- A ledger, and the server that publishes it ----

function foldTile(hashes) {
  while (hashes.length > 1) hashes = hashes.filter((_, i) => i % 2 === 0).map((hash, i) => nodeHash(hash, hashes[2 * i + 1]));
  return hashes[0];
}

class Ledger {
  /** `special` has the entries that are no heartbeats, by their index. */
  constructor(size, special = {}) {
    this.entries = Array.from({ length: size }, (_, i) => entry(i, special[i]));
    this.hash();
    this.isGone = () => false;
    this.asked = [];
  }

  hash() {
    this.levels = [this.entries.map(leafHash)];
    while (this.levels.at(-1).length >= 256) {
      const below = this.levels.at(-1);
      this.levels.push(Array.from({ length: Math.floor(below.length / 256) }, (_, i) => foldTile(below.slice(256 * i, 256 * i + 256))));
    }
  }

  root(size) {
    const tree = new Tree();
    for (const leaf of this.levels[0].slice(0, size)) tree.append(leaf);
    return tree.root();
  }

  text(size = this.entries.length) {
    return `${ORIGIN}\n${size}\n${base64(this.root(size))}\n`;
  }

  /** Publishes a checkpoint with the signatures that `lines` makes of its text. */
  publish(lines, { size = this.entries.length, text = this.text(size) } = {}) {
    this.size = size;
    this.note = `${text}\n${lines(text)}`;
    globalThis.fetch = async (path) => this.answer(path);
    return this.note;
  }

  answer(path) {
    this.asked.push(path);
    const ok = (bytes) => ({ status: 200, ok: true, redirected: false, arrayBuffer: async () => Uint8Array.from(bytes).buffer });
    const not = (status) => ({ status, ok: false, redirected: false, text: async () => "{}" });
    if (path === "/ledger/checkpoint") return ok(Buffer.from(this.note));
    const [, kind, more, last, partial] = /tile\/(\w+)\/((?:x\d{3}\/)*)(\d{3})(?:\.p\/(\d+))?$/.exec(path);
    const index = Number(more.replace(/[x/]/g, "") + last);
    const level = kind === "entries" ? 0 : Number(kind);
    const width = Math.min(256, Math.floor(this.size / 256 ** level) - 256 * index);
    if (width <= 0 || (width < 256 ? String(width) : undefined) !== partial) return not(404);
    if (kind !== "entries") return ok(Buffer.concat(this.levels[level].slice(256 * index, 256 * index + width)));
    if (this.isGone(index)) return not(410);
    return ok(Buffer.concat(this.entries.slice(256 * index, 256 * index + width).flatMap((bytes) => [Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])));
  }

  /** What the server gives of a change of the key: its entry, and a proof whose checkpoint these keys signed. */
  handover(index, keys, size = index + 1) {
    const path = (from, to) => {
      if (to - from === 1) return [];
      let half = 1;
      while (2 * half < to - from) half *= 2;
      const root = (one, two) => { const tree = new Tree(); this.levels[0].slice(one, two).forEach((leaf) => tree.append(leaf)); return tree.root(); };
      return index < from + half ? [...path(from, from + half), root(from + half, to)] : [...path(from + half, to), root(from, from + half)];
    };
    const text = this.text(size);
    const proof = ["c2sp.org/tlog-proof@v1", `index ${index}`, ...path(0, size).map(base64)].join("\n");
    return { entry: base64(this.entries[index]), proof: `${proof}\n\n${text}\n${keys.map((key) => signedBy(key, text)).join("")}` };
  }
}

const claim = (keys, handovers = []) => ({ origin: ORIGIN, keys: keys.map(({ text }) => text), handovers });

function verify(key, { handovers = [], compared = true, policyText = "" } = {}) {
  return verifyLedger({ claimed: claim([key], handovers), keyText: key.text, compared, policyText, signal, progress() {} });
}

const finding = (kind, sentence) => (error) => {
  assert.equal(error.constructor.name, "Finding", error.stack);
  assert.equal(error.kind, kind, error.message);
  assert.match(error.message, sentence);
  return true;
};

/** A storage that is shut throws whatever is asked. */
function storage({ isShut = false } = {}) {
  const kept = new Map();
  const open = (work) => { if (isShut) throw new DOMException("shut", "SecurityError"); return work(); };
  return {
    getItem: (name) => open(() => kept.get(name) ?? null),
    setItem: (name, text) => open(() => void kept.set(name, text)),
    removeItem: (name) => open(() => void kept.delete(name)),
  };
}

beforeEach(() => { globalThis.localStorage = storage(); });

const A = newKey(), B = newKey(), C = newKey();
const by = (...keys) => (text) => keys.map((key) => signedBy(key, text)).join("");
const SIZE = 700;

// ---- All is well ----

test("whole ledgers of many sizes verify, entry by entry too, and continue what was seen", async () => {
  const whole = new Ledger(1100);
  const sizes = [1, 2, 255, 256, 257, 511, 512, 513, 1100];
  let seen = null;
  for (const size of sizes) {
    globalThis.localStorage = storage();
    if (seen) Memory.keep(ORIGIN, { key: A.text, compared: true, policy: "", seen });
    whole.publish(by(A), { size });
    for (const index of new Set([0, size - 1, Math.floor(size / 2)])) {
      const told = await verifyEntryOf({ claimed: claim([A]), index, leaf: hex(whole.levels[0][index]), signal });
      assert.match(told.headline, /This entry is in the ledger/);
    }
    const told = await verify(A);
    assert.equal(told.tone, "good");
    assert.equal(told.proven.some((line) => line.includes("It continues the")), seen !== null);
    seen = Memory.of(ORIGIN).seen;
    assert.equal(seen.size, size);
  }
  globalThis.localStorage = storage();
  Memory.keep(ORIGIN, { key: A.text, compared: true, policy: "", seen: { ...seen, size: 513 } });
  await assert.rejects(verify(A), finding("no", /forked or rewritten/));
  await assert.rejects(verifyEntryOf({ claimed: claim([A]), index: 600, leaf: hex(whole.levels[0][600]), signal }), finding("no", /forked or rewritten/));
});

test("a changed entry, hash or node is found", async () => {
  for (const [change, told] of [
    [(ledger) => { ledger.entries[300][20] ^= 1; }, /Not what was signed: entry 300/],
    [(ledger) => { ledger.levels[0][300] = leafHash(Buffer.from("x")); }, /the tile of hashes beside them is damaged at entry 300/],
    [(ledger) => { ledger.levels[1][1] = leafHash(Buffer.from("x")); }, /tile\/1\/000.p\/2 is damaged at its hash 1/],
    [(ledger) => { ledger.entries[300] = entry(301); ledger.hash(); ledger.publish(by(A)); }, /it was moved/],
    [(ledger) => { ledger.entries[300] = entry(300, undefined, { micros: 5n }); ledger.hash(); ledger.publish(by(A)); }, /Time went back at entry 300/],
  ]) {
    const ledger = new Ledger(SIZE);
    ledger.publish(by(A));
    change(ledger);
    await assert.rejects(verify(A), finding("no", told));
  }
});

// ---- Keys ----

test("a key that an entry replaced is not believed, though the page offers no handover", async () => {
  const ledger = new Ledger(SIZE, { 300: rotated(A, B) });
  ledger.publish(by(A));
  await assert.rejects(verify(A), finding("no", /was replaced in entry 300.*verify again/s));
  assert.equal(Memory.of(ORIGIN), null);
  // Nor on the page of that entry, which reads no other.
  await assert.rejects(verifyEntryOf({ claimed: claim([A]), index: 300, leaf: hex(ledger.levels[0][300]), signal }), finding("no", /was replaced in entry 300/));
  // Before the change it was the key.
  ledger.publish(by(A), { size: 300 });
  assert.equal((await verify(A)).tone, "good");
  ledger.publish(by(A), { size: 301 });
  await assert.rejects(verify(A), finding("no", /was replaced in entry 300/));
});

test("a replaced key is not believed where the page does offer the handover", async () => {
  const ledger = new Ledger(SIZE, { 300: rotated(A, B) });
  ledger.publish(by(A));
  const handovers = [ledger.handover(300, [A, B])];
  await assert.rejects(verify(A, { handovers }), finding("no", /was replaced in entry 300/));
  const claimed = claim([B, A], handovers);
  Memory.keep(ORIGIN, { key: A.text, compared: true, policy: "", seen: { size: 3, root: base64(ledger.root(3)), note: "" } });
  await assert.rejects(verifyEntryOf({ claimed, index: 3, leaf: hex(ledger.levels[0][3]), signal }), finding("no", /was replaced in entry 300/));
});

test("a followed change verifies, and the new key is remembered", async () => {
  const ledger = new Ledger(SIZE, { 300: rotated(A, B), 600: rotated(B, C) });
  ledger.publish(by(B), { size: 500 });
  const handovers = [ledger.handover(300, [A, B], 310), ledger.handover(600, [B, C])];
  const policyText = `log ${A.text}\nwitness w ${newKey("w.example", COSIGNS).text}\nquorum none`;
  const told = await verify(A, { handovers, policyText });
  assert.match(told.proven[0], /follows from the key that you compared, by one change /);
  assert.equal(Memory.of(ORIGIN).key, B.text);
  // From there on by what is remembered, with the policy that still names the first key.
  ledger.publish(by(C));
  const { key, policy } = Memory.of(ORIGIN);
  const next = await verifyLedger({ claimed: claim([C], handovers), keyText: key, compared: true, policyText: policy, signal, progress() {} });
  assert.match(next.proven[0], /by one change /);
  assert.equal(Memory.of(ORIGIN).key, C.text);
  const one = await verifyEntryOf({ claimed: claim([C], handovers), index: 3, leaf: hex(ledger.levels[0][3]), signal });
  assert.equal(one.tone, "good");
});

test("while both keys sign, the entry itself hands over, on a page that does not know yet", async () => {
  const ledger = new Ledger(SIZE, { 300: rotated(A, B) });
  ledger.publish(by(A, B));
  const told = await verify(A);
  assert.match(told.proven[0], /by one change /);
  assert.equal(Memory.of(ORIGIN).key, B.text);
});

test("an entry hands over from a key that signed alone", async () => {
  const ledger = new Ledger(SIZE, { 300: rotated(A, B), 400: rotated(B, C) });
  ledger.publish(by(A, C));
  await assert.rejects(verify(A), finding("no", /was replaced in entry 300/));
  ledger.publish(by(A, B, C));
  assert.match((await verify(A)).proven[0], /by 2 changes /);
});

test("a key that was replaced hands over to nobody any more", async () => {
  const ledger = new Ledger(SIZE, { 300: rotated(A, B), 400: rotated(A, C) });
  for (const handovers of [[], [ledger.handover(400, [A, C])]]) {
    for (const keys of [[A, C], [C]]) {
      ledger.publish(by(...keys));
      await assert.rejects(verify(A, { handovers }), finding("no", /replaced in entry 300|not signed by the key/));
    }
  }
});

test("a change that is not in this ledger, or is of another history of it, is found", async () => {
  const other = new Ledger(SIZE, { 200: rotated(A, B) });
  const ledger = new Ledger(SIZE);
  ledger.publish(by(B));
  await assert.rejects(verify(A, { handovers: [other.handover(200, [A, B])] }), finding("no", /signed another history of the first 201 entries/));
  ledger.publish(by(B), { size: 250 });
  await assert.rejects(verify(A, { handovers: [other.handover(200, [A, B], 600)] }), finding("no", /is not entry 200 of this ledger/));
});

test("a key that changed since the page was loaded: reload", async () => {
  const ledger = new Ledger(SIZE, { 300: rotated(A, B) });
  ledger.publish(by(B));
  await assert.rejects(verify(A), finding("no", /not signed by the key that you trust.*verify again/s));
});

test("an entry whose kind and body are of two kinds hides no change", async () => {
  for (const special of [["ledger.heartbeat", rotated(A, B)[1]], ["ledger.key-rotated", body(40, cborNumber(0, 60))], ["ledger.archived", Buffer.from([0x82])]]) {
    const ledger = new Ledger(SIZE, { 300: special });
    ledger.publish(by(A));
    await assert.rejects(verify(A), finding("no", /Entry 300 is not written as an entry is/));
  }
});

// ---- What is withheld ----

test("bundles may be missing where the last ledger.archived that was read says so", async () => {
  const ledger = new Ledger(1300, { 1200: archived(100), 1250: archived(768) });
  ledger.publish(by(A));
  ledger.isGone = (index) => index * 256 < 768;
  const told = await verify(A);
  assert.equal(told.tone, "good");
  assert.ok(told.proven.some((line) => /The last 532 entries were read.*first 768 the hashes alone.*entry 1250 says that the first 768/.test(line)), told.proven.join("\n"));
  assert.ok(!told.proven.some((line) => line.includes("Every entry")));
  assert.ok(told.open.some((line) => line.includes("What the first 768 entries say")));
  // One bundle more than that.
  ledger.isGone = (index) => index * 256 < 800;
  await assert.rejects(verify(A), finding("no", /the first 1,024 are in an archive, but entry 1250 says so of the first 768 alone/));
  // What is missing stands at the beginning.
  ledger.isGone = (index) => index === 1;
  await assert.rejects(verify(A), finding("no", /Entries from 256 on are missing/));
});

test("what is withheld without an entry that says so is no YES", async () => {
  const ledger = new Ledger(SIZE, { 100: archived(50) });
  ledger.publish(by(A));
  ledger.isGone = (index) => index === 0;
  await assert.rejects(verify(A), finding("no", /but no entry that was read says so/));
  ledger.isGone = () => true;
  await assert.rejects(verify(A), finding("no", /it gave none at all/));
  assert.equal(Memory.of(ORIGIN), null);
  Memory.keep(ORIGIN, { key: A.text, compared: true, policy: "", seen: { size: 3, root: base64(ledger.root(3)), note: "" } });
  const one = await verifyEntryOf({ claimed: claim([A]), index: 3, leaf: hex(ledger.levels[0][3]), signal });
  assert.equal(one.tone, "wait");
  assert.doesNotMatch(one.headline, /^(Yes|This entry is)/);
});

test("what was signed twice stays a NO, whatever the server says of its keys by then", async () => {
  const ledger = new Ledger(SIZE);
  ledger.publish(by(A));
  Memory.keep(ORIGIN, { key: A.text, compared: true, policy: "", seen: { size: SIZE, root: "another", note: ledger.text(), at: "" } });
  let asked = 0;
  const again = async () => {
    // A second try would find nothing to hold it against.
    if (asked++) globalThis.localStorage = storage();
    return { ...claim([A]), asked };
  };
  await assert.rejects(verifyLedger({ claimed: claim([A]), again, keyText: A.text, compared: true, policyText: "", signal, progress() {} }), finding("no", /forked or rewritten/));
  assert.equal(asked, 1);
});

test("a key or an archive that changes during a verification does not end in NO", async () => {
  const ledger = new Ledger(SIZE, { 300: rotated(A, B), 600: rotated(B, C), 650: archived(200) });
  const verifyFrom = (again) => verifyLedger({ claimed: claim([A]), again, keyText: A.text, compared: true, policyText: "", signal, progress() {} });
  const handovers = [ledger.handover(300, [A, B]), ledger.handover(600, [B, C])];
  const stages = [
    () => { ledger.publish(by(A), { size: 300 }); return claim([A]); },
    () => claim([B, A], handovers.slice(0, 1)),
    () => claim([C], handovers),
  ];
  let asked = 0;
  const told = await verifyFrom(async () => {
    const stage = stages[Math.min(asked++, 2)]();
    // By the time that the checkpoint is read the key is the next one.
    if (asked === 1) ledger.publish(by(B), { size: 500 });
    if (asked === 2) ledger.publish(by(C));
    return stage;
  });
  assert.match(told.proven[0], /by 2 changes /);
  assert.equal(asked, 3);
  // The page of an entry too.
  globalThis.localStorage = storage();
  asked = 0;
  const again = async () => (asked++ ? claim([C], handovers) : claim([A]));
  const one = await verifyEntryOf({ claimed: claim([A]), again, index: 3, leaf: hex(ledger.levels[0][3]), signal });
  assert.match(one.headline, /This entry is in the ledger/);
  // Who only says ever something else gets no YES, and an answer all the same.
  asked = 0;
  await assert.rejects(verifyFrom(async () => claim([A, newKey()].slice(0, 1 + (asked++ % 2)))), finding("no", /not signed by the key that you trust/));
  assert.equal(asked, 3);
});

test("an entry cannot archive what comes after it", async () => {
  const ledger = new Ledger(SIZE, { 600: archived(650) });
  ledger.publish(by(A));
  await assert.rejects(verify(A), finding("no", /what came after it was archived/));
});

// ---- The page of an entry ----

test("the page of an entry tells what its bytes say, and that the words came from the server", async () => {
  const ledger = new Ledger(SIZE);
  ledger.entries[300] = entry(300, ["request.decided", body(28, cborNumber(0, 1))], { actor: "usr-42", micros: 1_750_000_000_123_456n });
  ledger.hash();
  ledger.publish(by(A));
  const told = await verifyEntryOf({ claimed: claim([A]), index: 300, leaf: hex(ledger.levels[0][300]), signal });
  assert.ok(told.proven.includes("Its bytes say: request.decided, by usr-42, at 2025-06-15T15:06:40.123Z."), told.proven.join("\n"));
  assert.ok(told.open.some((line) => /^The sentence and the details above: they come from the server/.test(line)));
  assert.ok(told.open.some((line) => /no entry replaced the key/.test(line)));
  await assert.rejects(verifyEntryOf({ claimed: claim([A]), index: 299, leaf: hex(ledger.levels[0][300]), signal }), finding("no", /another leaf hash/));
});

test("a time that no calendar has is told all the same", async () => {
  const ledger = new Ledger(SIZE);
  ledger.entries[SIZE - 1] = entry(SIZE - 1, undefined, { micros: 2n ** 63n - 1n });
  ledger.hash();
  ledger.publish(by(A));
  const told = await verifyEntryOf({ claimed: claim([A]), index: SIZE - 1, leaf: hex(ledger.levels[0][SIZE - 1]), signal });
  assert.ok(told.proven.some((line) => /at a time beyond the calendar/.test(line)), told.proven.join("\n"));
});

// ---- Witnesses ----

const [V, W, X] = ["v", "w", "x"].map((name) => newKey(`${name}.example`, COSIGNS));

test("witnesses vouch as of the time of their quorum, and not beyond", async () => {
  const ledger = new Ledger(SIZE);
  ledger.publish((text) => by(A)(text) + cosignedBy(V, text, 1_700_000_000) + cosignedBy(W, text, 1_700_000_100) + cosignedBy(X, text, "4611686018427387904"));
  const named = `witness v ${V.text}\nwitness w ${W.text}\nwitness x ${X.text}\n`;
  for (const [policyText, time] of [
    [`${named}group g 2 v w x\nquorum g`, "2023-11-14T22:15:00.000Z"],
    [`${named}group g all v w x\nquorum g`, "2023-11-14T22:13:20.000Z"],
    [`${named}quorum none`, "2023-11-14T22:13:20.000Z"],
    [`${V.text}\n${X.text}`, "2023-11-14T22:13:20.000Z"],
    [`${named}quorum x`, "a time beyond the calendar (4611686018427387904 seconds after 1970)"],
    [X.text, "a time beyond the calendar (4611686018427387904 seconds after 1970)"],
  ]) {
    const told = await verify(A, { policyText });
    assert.ok(told.proven.some((line) => line.includes(`as of ${time} they vouch`)), told.proven.join("\n"));
    assert.ok(told.open.includes(`That the end is whole: what came after ${time} no witness has signed.`), told.open.join("\n"));
  }
  assert.equal(vouchedAt(parsePolicy(`${named}group g all v w x\nquorum g`), new Map([[V.text, 5]])), null);
  ledger.publish((text) => by(A)(text) + cosignedBy(V, text, 1_700_000_000));
  await assert.rejects(verify(A, { policyText: `${named}group g 2 v w x\nquorum g` }), finding("no", /policy is not met/));
});

test("a policy that says who, but not how many, is refused", async () => {
  for (const text of [`witness v ${V.text}`, `log ${A.text}\nwitness v ${V.text}\nwitness w ${W.text}\ngroup g all v w`]) {
    assert.throws(() => parsePolicy(text), finding("no", /no line with its quorum/));
    assert.equal(parsePolicy(`${text}\nquorum v`).quorum, "v");
    new Ledger(3).publish(by(A));
    await assert.rejects(verify(A, { policyText: text }), finding("cannot", /no line with its quorum/));
  }
  assert.equal(parsePolicy(`${V.text}\n${W.text}`).witnesses.size, 2);
});

// ---- What is remembered ----

test("what is remembered never goes backwards", async () => {
  const ledger = new Ledger(SIZE);
  ledger.publish(by(A));
  const text = ledger.text();
  // Another window ends first, with more entries; its key was the next one.
  let once = false;
  const progress = () => {
    if (once) return;
    once = true;
    Memory.keep(ORIGIN, { key: B.text, compared: false, policy: "", seen: { size: 900, root: "later", note: text, at: "" } });
  };
  await verifyLedger({ claimed: claim([A]), keyText: A.text, compared: true, policyText: "", signal, progress });
  const { key, compared, seen } = Memory.of(ORIGIN);
  assert.deepEqual([key, compared, seen.size, seen.root], [B.text, false, 900, "later"]);
  // The same size with another root is a fork.
  globalThis.localStorage = storage();
  const fork = () => Memory.keep(ORIGIN, { key: A.text, seen: { size: SIZE, root: "another", note: text, at: "" } });
  await assert.rejects(verifyLedger({ claimed: claim([A]), keyText: A.text, compared: true, policyText: "", signal, progress: fork }), finding("no", /forked/));
});

test("a browser that remembers nothing verifies all the same, and says so", async () => {
  new Ledger(SIZE).publish(by(A));
  globalThis.localStorage = storage({ isShut: true });
  const told = await verify(A);
  assert.equal(told.tone, "good");
  assert.ok(told.open.some((line) => line.includes("let nothing be remembered")));
  Memory.forget();
  assert.equal(Memory.of(ORIGIN), null);
  globalThis.localStorage = storage();
  assert.ok(!(await verify(A)).open.some((line) => line.includes("let nothing be remembered")));
});

test("another ledger than before is told in the verdict, too", async () => {
  Memory.keep("before.example", { key: newKey("before.example").text, compared: true, policy: "", seen: { size: 1 } });
  new Ledger(SIZE).publish(by(A));
  const first = await verify(A);
  assert.equal(first.tone, "wait");
  assert.match(first.open[0], /another ledger than before: ledger\.example, where this browser knows before\.example/);
});

// ---- Small things ----

test("a long signature of somebody unknown is passed over, and a byte order mark is not", async () => {
  const ledger = new Ledger(SIZE);
  ledger.publish((text) => by(A)(text) + line({ name: "some.one", id: Buffer.alloc(4, 7) }, Buffer.alloc(300_000, 7)));
  assert.equal((await verify(A)).tone, "good");
  ledger.note = `\ufeff${ledger.note}`;
  await assert.rejects(verify(A), finding("no", /of another ledger/));
});

test("a browser that cannot check signatures says that, and not NO", async () => {
  new Ledger(SIZE).publish(by(A));
  const real = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  const fails = (name) => async () => { throw new DOMException("no", name); };
  try {
    for (const [value, told] of [
      [{}, /over plain http/],
      [{ subtle: { importKey: fails("NotSupportedError") } }, /cannot check Ed25519/],
      [{ subtle: { importKey: fails("SyntaxError") } }, /cannot check Ed25519/],
      [{ subtle: { importKey: async () => ({}), verify: fails("OperationError") } }, /cannot check Ed25519/],
    ]) {
      Object.defineProperty(globalThis, "crypto", { value, configurable: true });
      await assert.rejects(verify(A), finding("cannot", told));
    }
  } finally {
    Object.defineProperty(globalThis, "crypto", real);
  }
  const key = parseKey(A.text);
  const checked = await verifyCheckpoint({ key, policy: null, handovers: [], seen: null, signal });
  assert.equal((await verifyEntries({ checked, seen: null, signal, progress() {} })).absent, 0);
  await assert.rejects(verifyLedger({ claimed: claim([A]), keyText: "no key", compared: true, policyText: "", signal, progress() {} }), finding("cannot", /no verifier key/));
});

test("a signature that does not hold is NO", async () => {
  const ledger = new Ledger(SIZE);
  ledger.publish(() => line(A, Buffer.alloc(64, 9)));
  await assert.rejects(verify(A), finding("no", /does not hold/));
});
