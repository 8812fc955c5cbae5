// Verifies the ledger from the files that the server publishes (C2SP tlog-tiles), without asking it whether it is honest.
// The formats are those of docs/ledger-format.md. Needs nothing but the browser: SHA-256 is here, since a call of WebCrypto
// for each small entry costs more than the hash; Ed25519 is WebCrypto's.

// ---- SHA-256 (FIPS 180-4) ----

const K = new Int32Array(64);
const START = new Uint32Array(8);
{
  // The first bits of the fractional parts of cube and square roots of the first primes.
  const fraction = (number) => Math.floor((number - Math.floor(number)) * 2 ** 32);
  let found = 0;
  for (let n = 2; found < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    if (found < 8) START[found] = fraction(n ** (1 / 2));
    K[found++] = fraction(n ** (1 / 3));
  }
}

const words = new Int32Array(64);

function compress(state, bytes, at) {
  const w = words;
  for (let i = 0; i < 16; i++, at += 4) w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let a = state[0] | 0, b = state[1] | 0, c = state[2] | 0, d = state[3] | 0;
  let e = state[4] | 0, f = state[5] | 0, g = state[6] | 0, h = state[7] | 0;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

/** SHA-256 of these parts, one behind the other. */
export function sha256(...parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const padded = new Uint8Array((((length + 8) >> 6) + 1) << 6);
  let at = 0;
  for (const part of parts) { padded.set(part, at); at += part.length; }
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(length / 2 ** 29));
  view.setUint32(padded.length - 4, length << 3);
  const state = START.slice();
  for (let block = 0; block < padded.length; block += 64) compress(state, padded, block);
  const out = new Uint8Array(32);
  const outView = new DataView(out.buffer);
  state.forEach((word, i) => outView.setUint32(4 * i, word));
  return out;
}

// ---- Bytes and text ----

/** Why something does not verify. `where` says in which file or entry. */
export class Finding extends Error {
  /** `isStale` where the server's word on its keys or archives, a moment old, can be why; never where two signatures differ. */
  constructor(sentence, { notes = [], kind = "no", isStale = false } = {}) {
    super(sentence);
    Object.assign(this, { notes, kind, isStale });
  }
}

function need(holds, sentence) {
  if (!holds) throw new Finding(sentence);
}

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
/** Letters of these bytes, one each; in pieces, since a call takes only so many arguments. */
function letters(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}
const toBase64 = (bytes) => btoa(letters(bytes));
/** Text that begins with a byte order mark begins with it here too. */
const fromUtf8 = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
/** A moment, in milliseconds since 1970; also one that no calendar has. */
function moment(milliseconds) {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? `a time beyond the calendar (${BigInt(Math.trunc(milliseconds / 1000))} seconds after 1970)` : date.toISOString();
}
const same = (one, two) => one.length === two.length && one.every((byte, i) => byte === two[i]);
/** As people read numbers; in one spelling, whatever the browser's language. */
const count = (number) => number.toLocaleString("en");
const entries = (number) => (number === 1 ? "1 entry" : `${count(number)} entries`);

function unbase64(text, what) {
  let decoded;
  try {
    decoded = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    throw new Finding(`${what} is not base64`);
  }
  need(toBase64(decoded) === text, `${what} is base64 in another spelling`);
  return decoded;
}

// More than any ledger here has, and every number below it is exact.
const SIZE_MAX = 2 ** 48;

function decimal(text, what) {
  need(/^(0|[1-9][0-9]{0,15})$/.test(text) && Number(text) <= SIZE_MAX, `${what} is no number that can be`);
  return Number(text);
}

// ---- Keys and notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature) ----

const SIGNS = 1, COSIGNS = 4;
const NOTE_LENGTH_MAX = 2 ** 20, SIGNATURES_MAX = 64;
// Points of small order, in all spellings, without the sign: who signs with one signs everything.
const SMALL = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

function isSmall(point) {
  const unsigned = point.slice(0, 32);
  unsigned[31] &= 0x7f;
  return SMALL.includes(hex(unsigned));
}

/** A verifier key: `name+id+base64(type || public key)`. */
export function parseKey(text) {
  const match = /^([^\s+\p{Cc}]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text);
  need(match, `this is no verifier key: ${text.slice(0, 80)}`);
  const [, name, id, spelled] = match;
  const bytes = unbase64(spelled, `the key of ${name}`);
  need(bytes.length === 33 && (bytes[0] === SIGNS || bytes[0] === COSIGNS), `the key of ${name} is of a type that is not known`);
  need(hex(sha256(utf8(`${name}\n`), bytes)).slice(0, 8) === id, `the key of ${name} is damaged: its id is not that of the key`);
  need(!isSmall(bytes.slice(1)), `the key of ${name} is one that everybody can sign with`);
  return { name, id, type: bytes[0], bytes: bytes.slice(1), text };
}

async function holds(key, message, signature) {
  if (isSmall(signature.slice(0, 32))) return false;
  if (!globalThis.crypto?.subtle) throw new Finding("Browsers check no signatures on a page that came over plain http from another machine. Open it over https, or verify by command.", { kind: "cannot" });
  try {
    const imported = await crypto.subtle.importKey("raw", key.bytes, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", imported, signature, message);
  } catch (error) {
    throw new Finding(`This browser cannot check Ed25519 signatures (${error.name}). Use a newer one, or verify by command.`, { kind: "cannot" });
  }
}

/** A checkpoint in a signed note. */
export function parseNote(text, what) {
  need(text.length <= NOTE_LENGTH_MAX && !/[\x00-\x09\x0b-\x1f]/.test(text), `${what} is no signed note`);
  const cut = text.lastIndexOf("\n\n");
  need(cut > 0 && text.endsWith("\n"), `${what} is no signed note`);
  const signed = text.slice(0, cut + 1);
  const lines = text.slice(cut + 2, -1).split("\n");
  need(lines.length <= SIGNATURES_MAX, `${what} has too many signatures`);
  const signatures = lines.map((line) => {
    const match = /^\u2014 ([^\s+]+) (\S+)$/u.exec(line);
    need(match, `${what} has a line that is no signature`);
    const bytes = unbase64(match[2], `a signature in ${what}`);
    need(bytes.length > 4, `${what} has an empty signature`);
    return { name: match[1], id: hex(bytes.slice(0, 4)), bytes: bytes.slice(4) };
  });
  const [origin, size, root, ...rest] = signed.slice(0, -1).split("\n");
  need(origin && root !== undefined && rest.every((line) => line !== ""), `${what} is no checkpoint`);
  const rootBytes = unbase64(root, `the root in ${what}`);
  need(rootBytes.length === 32, `the root in ${what} has another length`);
  return { text, signed, signatures, origin, size: decimal(size, `the size in ${what}`), root: rootBytes };
}

/** Which of these keys signed a note; one that signed wrongly is a finding. */
export async function signers(note, keys, what) {
  const found = [];
  for (const signature of note.signatures) {
    for (const key of keys.filter((key) => key.name === signature.name && key.id === signature.id)) {
      let { bytes } = signature;
      let message = utf8(note.signed);
      let time = null;
      need(bytes.length === (key.type === SIGNS ? 64 : 72), `the signature of ${key.name} in ${what} has another length`);
      if (key.type === COSIGNS) {
        const seconds = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
        need(seconds < 2n ** 63n, `the cosignature of ${key.name} in ${what} has a time that cannot be`);
        message = utf8(`cosignature/v1\ntime ${seconds}\n${note.signed}`);
        bytes = bytes.slice(8);
        time = Number(seconds);
      }
      need(await holds(key, message, bytes), `the signature of ${key.name} in ${what} does not hold`);
      found.push({ key, time });
    }
  }
  return found;
}

// ---- Witness policies (C2SP tlog-policy) ----

const POLICY_LENGTH_MAX = 256 * 1024;

/** A policy, or verifier keys of witnesses alone, one to a line. */
export function parsePolicy(text) {
  need(text.length <= POLICY_LENGTH_MAX, "the policy of witnesses is too long");
  const policy = { logs: [], witnesses: new Map(), groups: new Map(), quorum: null };
  let needsQuorum = false;
  const known = (name) => policy.witnesses.has(name) || policy.groups.has(name);
  const isNew = (name) => need(name && name !== "none" && !known(name), `the policy names ${name} twice, or nothing`);
  for (const line of text.split("\n")) {
    const [word, ...rest] = line.trim().split(/[ \t]+/);
    if (!word || word.startsWith("#")) continue;
    needsQuorum ||= word === "witness" || word === "group";
    if (word === "log") policy.logs.push(parseKey(rest[0] ?? ""));
    else if (word === "witness") { isNew(rest[0]); policy.witnesses.set(rest[0], parseKey(rest[1] ?? "")); }
    else if (word === "group") policyGroup(policy, rest, isNew, known);
    else if (word === "quorum") {
      need(policy.quorum === null && (rest[0] === "none" || known(rest[0])), "the policy has a quorum that it does not define");
      policy.quorum = rest[0];
    } else if (word.includes("+")) { const key = parseKey(word); isNew(key.name); policy.witnesses.set(key.name, key); }
    else throw new Finding(`the policy of witnesses has a line that is not known: ${line.slice(0, 80)}`);
  }
  need(!needsQuorum || policy.quorum !== null, "the policy of witnesses has no line with its quorum: write which witness or group must have signed, or `quorum none`");
  for (const key of policy.witnesses.values()) need(key.type === COSIGNS, `${key.name} is no key of a witness`);
  const all = [...policy.logs, ...policy.witnesses.values()].map((key) => hex(key.bytes));
  need(new Set(all).size === all.length, "the policy has one public key twice");
  return policy;
}

function policyGroup(policy, [name, threshold, ...members], isNew, known) {
  isNew(name);
  need(members.length > 0 && members.every(known), `the group ${name} has members that the policy does not define`);
  const used = [...policy.groups.values()].flatMap((group) => group.members);
  need(!members.some((member, i) => used.includes(member) || members.indexOf(member) !== i), `a member of ${name} would count twice`);
  const least = threshold === "all" ? members.length : threshold === "any" ? 1 : decimal(threshold, `the number of ${name}`);
  need(least >= 1 && least <= members.length, `the number of ${name} cannot be reached`);
  policy.groups.set(name, { least, members });
}

function isMet(policy, cosigned, name = policy.quorum) {
  const group = policy.groups.get(name);
  if (!group) return cosigned.has(policy.witnesses.get(name)?.text);
  return group.members.filter((member) => isMet(policy, cosigned, member)).length >= group.least;
}

/**
 * As of when the witnesses vouch: the latest time such that those of then or later meet the quorum by themselves, so that one
 * whose clock is ahead does not make it younger. Without a quorum the earliest.
 */
export function vouchedAt(policy, cosigned) {
  const times = [...cosigned.values()].sort((one, two) => two - one);
  if (!policy?.quorum || policy.quorum === "none") return times.at(-1) ?? null;
  return times.find((time) => isMet(policy, new Map([...cosigned].filter(([, other]) => other >= time)))) ?? null;
}

// ---- The tree (RFC 6962, section 2.1) ----

const LEAF = Uint8Array.of(0), NODE = Uint8Array.of(1);
export const leafHash = (entry) => sha256(LEAF, entry);
export const nodeHash = (left, right) => sha256(NODE, left, right);
const TILE = 256;

/** A tree that grows by leaves: its right edge, the largest subtree first. */
export class Tree {
  size = 0;
  #parts = [];

  append(leaf) {
    let [hash, leaves] = [leaf, 1];
    while (this.#parts.length && this.#parts.at(-1).leaves === leaves) {
      hash = nodeHash(this.#parts.pop().hash, hash);
      leaves *= 2;
    }
    this.#parts.push({ hash, leaves });
    this.size++;
  }

  root() {
    if (this.size === 0) return sha256();
    return this.#parts.map((part) => part.hash).reduceRight((right, left) => nodeHash(left, right));
  }

  copy() {
    const copy = new Tree();
    copy.size = this.size;
    copy.#parts = [...this.#parts];
    return copy;
  }
}

/** The root of 1, 2, 4, … hashes of one tile. */
function fold(hashes) {
  while (hashes.length > 1) hashes = Array.from({ length: hashes.length / 2 }, (_, i) => nodeHash(hashes[2 * i], hashes[2 * i + 1]));
  return hashes[0];
}

// ---- Entries ----

/** What of an entry has to hold for it to stand where it does. */
export function parseEntry(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const take = (length) => { need(at + length <= bytes.length, "it ends too early"); at += length; return at - length; };
  const name = () => {
    const length = view.getUint8(take(1));
    const start = take(length);
    const text = String.fromCharCode(...bytes.subarray(start, at));
    need(length > 0 && /^[\x21-\x7e]+$/.test(text), "a name in it has other characters");
    return text;
  };
  need(view.getUint8(take(1)) === 1, "its layout is not known");
  const index = Number(view.getBigUint64(take(8)));
  const time = view.getBigInt64(take(8));
  const kind = name();
  take(2);
  const actor = name();
  take(8);
  take(32 * view.getUint8(take(1)));
  const length = view.getUint32(take(4));
  const body = bytes.subarray(take(length), at);
  need(at === bytes.length, "something stands behind it");
  return { index, time, kind, actor, body };
}

const ROTATED = { kind: "ledger.key-rotated", number: 42 }, ARCHIVED = { kind: "ledger.archived", number: 46 };

/** Reads the beginning of a body: CBOR, an array of the number of the kind and an array of so many fields or more. */
function fieldsOf(body, { kind, number }, least) {
  let at = 0;
  const head = (major) => {
    need(at < body.length && body[at] >> 5 === major, `it is not written as ${kind} is`);
    let value = body[at++] & 31;
    need(value < 28, `it is not written as ${kind} is`);
    const more = value < 24 ? 0 : 1 << (value - 24);
    need(at + more <= body.length, `it is not written as ${kind} is`);
    if (more) value = 0;
    for (let i = 0; i < more; i++) value = value * 256 + body[at++];
    return value;
  };
  const text = () => {
    const length = head(3);
    need(at + length <= body.length, `it is not written as ${kind} is`);
    at += length;
    try {
      return fromUtf8(body.subarray(at - length, at));
    } catch {
      throw new Finding(`it is not written as ${kind} is`);
    }
  };
  need(head(4) === 2 && head(0) === number && head(4) >= least, `it is not written as ${kind} is`);
  return { text, number: () => head(0) };
}

/** Whether an entry is of this kind, by its name and by the number in its body; one of the two alone is a finding. */
function isOf({ kind, body }, { kind: name, number }) {
  const isNumbered = body[0] === 0x82 && body[1] === 0x18 && body[2] === number;
  need((kind === name) === isNumbered, `its kind is ${kind}, and its body is of another`);
  return isNumbered;
}

/** The old and the new key in the body of an entry `ledger.key-rotated`. */
function keysOfChange(body) {
  const fields = fieldsOf(body, ROTATED, 2);
  return [parseKey(fields.text()), parseKey(fields.text())];
}

/** What of an entry the verification itself goes by: a change of the key, and what was archived. */
function meaning(entry) {
  if (isOf(entry, ROTATED)) {
    const [old, next] = keysOfChange(entry.body);
    return { change: { index: entry.index, old, next } };
  }
  if (isOf(entry, ARCHIVED)) {
    const size = fieldsOf(entry.body, ARCHIVED, 3).number();
    need(size <= entry.index, "it says that what came after it was archived");
    return { archived: { size, entry: entry.index } };
  }
  return {};
}

/** A proof of one entry (C2SP tlog-proof). What it may have of the entry is not believed, and not read. */
function parseProof(text, what) {
  const cut = text.indexOf("\n\n");
  const [first, ...lines] = text.slice(0, cut).split("\n");
  if (lines[0]?.startsWith("extra ")) lines.shift();
  const [index, ...path] = lines;
  need(cut > 0 && first === "c2sp.org/tlog-proof@v1" && index?.startsWith("index "), `${what} is no proof`);
  return {
    index: decimal(index.slice(6), `the index in ${what}`),
    path: path.map((line) => unbase64(line, what)),
    note: parseNote(text.slice(cut + 2), what),
  };
}

/** The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2). */
export function rootOfPath(leaf, index, size, path) {
  need(index < size, "the index is not below the size");
  let [here, last, root] = [index, size - 1, leaf];
  const half = () => { here = Math.floor(here / 2); last = Math.floor(last / 2); };
  for (const sibling of path) {
    need(last > 0, "the proof is too long");
    if (here % 2 === 1 || here === last) {
      root = nodeHash(sibling, root);
      while (here % 2 === 0 && here !== 0) half();
    } else root = nodeHash(root, sibling);
    half();
  }
  need(last === 0, "the proof is too short");
  return root;
}

/**
 * Follows the changes of the key from the one that is trusted: each was signed by the key before and the key after. One step
 * says which entry it was, and under which checkpoint.
 */
export async function follow(trusted, handovers) {
  const keys = [trusted];
  const steps = [];
  for (const { entry, proof } of handovers) {
    const bytes = unbase64(entry, "a change of the key");
    const change = parseEntry(bytes);
    need(isOf(change, ROTATED), "a change of the key is another entry");
    const [old, next] = keysOfChange(change.body);
    if (old.text !== keys.at(-1).text) continue;
    const told = parseProof(proof, `the proof of the change in entry ${change.index}`);
    const by = (await signers(told.note, [old, next], "the proof of a change of the key")).map(({ key }) => key.text);
    need(by.includes(old.text) && by.includes(next.text), `the change of the key in entry ${change.index} is not signed by both keys`);
    need(told.note.origin === trusted.name && told.index === change.index && next.name === old.name && next.type === old.type,
      `the change of the key in entry ${change.index} is one of another ledger`);
    const leaf = leafHash(bytes);
    need(same(rootOfPath(leaf, told.index, told.note.size, told.path), told.note.root), `the change of the key in entry ${change.index} is not proven`);
    steps.push({ index: change.index, old, leaf, note: told.note });
    keys.push(next);
  }
  return { keys, steps };
}

// ---- The files of a ledger (C2SP tlog-tiles) ----

/** The path of a tile or bundle of so many elements. */
export function tilePath(level, index, width) {
  const groups = [String(index % 1000).padStart(3, "0")];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  return `tile/${level}/${groups.join("/")}${width < TILE ? `.p/${width}` : ""}`;
}

class Archived extends Error {}

class Files {
  #tiles = new Map();

  constructor(size, signal) {
    Object.assign(this, { size, signal });
  }

  static async get(path, signal) {
    // Kept by no cache: what counts is what the server shows now.
    const response = await fetch(path, { signal, cache: "no-store" });
    if (response.status === 410) throw new Archived();
    if (response.redirected) throw new Finding("You are signed out. Sign in again, then verify again.", { kind: "cannot" });
    if (!response.ok) {
      const why = await response.text().then((text) => JSON.parse(text).detail).catch(() => "");
      throw new Finding(`The server does not give ${path} (${response.status}). ${why}`, { kind: response.status === 404 ? "no" : "cannot" });
    }
    return new Uint8Array(await response.arrayBuffer());
  }

  static async checkpoint(signal) {
    const bytes = await Files.get("/ledger/checkpoint", signal);
    try {
      return fromUtf8(bytes);
    } catch {
      throw new Finding("the checkpoint of this server is no text");
    }
  }

  width(level, index) {
    return Math.min(TILE, Math.floor(this.size / TILE ** level) - index * TILE);
  }

  /** The hashes of a tile. */
  async tile(level, index) {
    const path = tilePath(level, index, this.width(level, index));
    if (!this.#tiles.has(path)) this.#tiles.set(path, Files.get(`/ledger/${path}`, this.signal));
    const bytes = await this.#tiles.get(path);
    need(bytes.length === 32 * this.width(level, index), `${path} has another length than it must have`);
    return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(32 * i, 32 * i + 32));
  }

  forget(level, index) {
    this.#tiles.delete(tilePath(level, index, this.width(level, index)));
  }

  /** The entries of a bundle; `null` where they are in an archive. */
  async bundle(index) {
    const width = this.width(0, index);
    const path = tilePath("entries", index, width);
    let bytes;
    try {
      bytes = await Files.get(`/audit/ledger/${path}`, this.signal);
    } catch (error) {
      if (error instanceof Archived) return null;
      throw error;
    }
    const found = [];
    for (let at = 0; at < bytes.length; ) {
      need(at + 2 <= bytes.length, `${path} breaks off`);
      const length = bytes[at] * 256 + bytes[at + 1];
      need(at + 2 + length <= bytes.length, `${path} breaks off in entry ${index * TILE + found.length}`);
      found.push(bytes.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    need(found.length === width, `${path} has ${found.length} entries, and must have ${width}`);
    return found;
  }

  /** The root of the leaves from `from` on, a complete subtree. */
  async subtree(from, leaves) {
    const level = Math.floor(Math.log2(leaves) / 8 + 1e-9);
    const unit = TILE ** level;
    const first = from / unit;
    const tile = await this.tile(level, Math.floor(first / TILE));
    return fold(tile.slice(first % TILE, (first % TILE) + leaves / unit));
  }

  /**
   * The root of the leaves from `from` to `to`, out of tiles but for the leaf `at`, which is given; and that of those of
   * them before `cut`. As both are made of the same hashes, they are a proof of inclusion and of consistency.
   */
  async roots(from, to, { at, leaf, cut }) {
    const leaves = to - from;
    if (leaves === 1) {
      const hash = from === at ? leaf : await this.subtree(from, 1);
      return [hash, from < cut ? hash : null];
    }
    const isComplete = Number.isInteger(Math.log2(leaves)) && 2 ** Math.round(Math.log2(leaves)) === leaves;
    const isAsked = (at >= from && at < to) || (cut > from && cut < to);
    if (isComplete && !isAsked) {
      const hash = await this.subtree(from, leaves);
      return [hash, to <= cut ? hash : null];
    }
    let half = 1;
    while (half * 2 < leaves) half *= 2;
    const [left, oldLeft] = await this.roots(from, from + half, { at, leaf, cut });
    const [right, oldRight] = await this.roots(from + half, to, { at, leaf, cut });
    return [nodeHash(left, right), oldRight ? nodeHash(oldLeft, oldRight) : oldLeft];
  }
}

// ---- What this browser remembers ----

const MEMORY = "brevet-ledgers";

/** By the name of a ledger: `key`, `compared`, `policy`, and the largest checkpoint that was verified. A browser may allow none of it. */
export class Memory {
  static all() {
    try {
      const all = JSON.parse(localStorage.getItem(MEMORY));
      return all && typeof all === "object" ? all : {};
    } catch {
      return {};
    }
  }

  static of(origin) {
    const all = Memory.all();
    return Object.hasOwn(all, origin) ? all[origin] : null;
  }

  /** Whether it is remembered now. What another window verified meanwhile, and is larger, stays. */
  static keep(origin, more) {
    const all = Memory.all();
    const before = Object.hasOwn(all, origin) ? all[origin] : {};
    all[origin] = { ...before, ...more };
    if (before.seen?.size > more.seen.size) {
      const { key, seen } = before;
      Object.assign(all[origin], { key, seen, compared: key === more.key ? more.compared : before.compared });
    }
    try {
      localStorage.setItem(MEMORY, JSON.stringify(all));
      return true;
    } catch {
      return false;
    }
  }

  static forget() {
    try {
      localStorage.removeItem(MEMORY);
    } catch {
      // Then there was nothing.
    }
  }
}

// ---- Verifying ----

const AHEAD = 4; // bundles on their way while one is hashed
const TOLD_MAX = 5; // damaged places that are told one by one
// Another server of the same ledger may publish a little later; a ledger that was cut short never does.
const BEHIND_TRIES = 4, BEHIND_PAUSE_MS = 1000;

/** The newest checkpoint, at least as large as what was seen where it comes to be so soon. */
async function newest(seen, signal) {
  for (let tries = 1; ; tries++) {
    const note = parseNote(await Files.checkpoint(signal), "the checkpoint of this server");
    if (!(seen?.size > note.size) || tries === BEHIND_TRIES) return note;
    await new Promise((done) => setTimeout(done, BEHIND_PAUSE_MS));
  }
}

// How often a verification begins anew because the server says something else of its keys and archives by then.
const CLAIMS_TRIES = 3;

/**
 * Verifies with what the server says of its keys and archives now. Where that alone can be why it leads to NO, and the server
 * says something else by then, the key or an archive may have changed meanwhile: once more, with that. What it says is never
 * believed, only followed or held against a hash; what was signed twice stays a NO whatever it says.
 */
async function withNewest({ claimed, again }, verify) {
  if (!again) return verify(claimed);
  claimed = await again();
  for (let tries = 1; ; tries++) {
    try {
      return await verify(claimed);
    } catch (error) {
      if (!(error instanceof Finding) || !error.isStale || tries === CLAIMS_TRIES) throw error;
      const now = await again().catch(() => claimed);
      if (JSON.stringify(now) === JSON.stringify(claimed)) throw error;
      claimed = now;
    }
  }
}

const AGAIN = "If something was being archived just now, the next verification finds the entry that says so.";
const AGAIN_KEY = "If the key was changed in order just now, verify again.";

/** Checks who signed the newest checkpoint, and that it is not older than what was seen. */
export async function verifyCheckpoint({ key, policy, handovers, seen, signal }) {
  const note = await newest(seen, signal);
  need(note.origin === key.name, `The checkpoint is of another ledger: ${note.origin}. The key that you trust is for ${key.name}.`);
  const followed = await follow(key, handovers);
  // What this checkpoint does not cover replaced nothing yet.
  const later = followed.steps.findIndex(({ index }) => index >= note.size);
  const steps = followed.steps.slice(0, later < 0 ? undefined : later);
  const keys = followed.keys.slice(0, steps.length + 1);
  await needsPolicyOf(policy, keys, handovers);
  const by = await signers(note, [...keys, ...(policy?.witnesses.values() ?? [])], "the checkpoint of this server");
  const signed = by.filter(({ key: one }) => one.type === SIGNS).map(({ key: one }) => one);
  const current = signed.filter((one) => !steps.some(({ old }) => old.text === one.text));
  if (!current.length && signed.length) throw replacedKey(signed[0], steps.find(({ old }) => old.text === signed[0].text).index, note);
  if (!current.length) throw new Finding(`The checkpoint is not signed by the key that you trust. This is another ledger, an impostor, or the key was changed behind your back. ${AGAIN_KEY}`, { notes: [note.text], isStale: true });
  const cosigned = new Map();
  for (const { key: one, time } of by.filter(({ key: one }) => one.type === COSIGNS)) cosigned.set(one.text, Math.max(time, cosigned.get(one.text) ?? 0));
  if (seen && seen.size > note.size) {
    throw new Finding(`The ledger was cut short, or an older copy was put in its place: this browser verified ${entries(seen.size)}, signed; now the server shows ${count(note.size)}.`, { notes: [seen.note, note.text] });
  }
  if (seen && seen.size === note.size && seen.root !== toBase64(note.root)) throw forked(seen, note);
  const metQuorum = policy?.quorum && policy.quorum !== "none" ? isMet(policy, cosigned) : null;
  if (metQuorum === false) throw new Finding("Not enough of the witnesses that you named have signed this checkpoint: the policy is not met.", { notes: [note.text] });
  return { note, keys, steps, current, signer: current[0], changes: steps.length, cosigned, metQuorum, vouched: vouchedAt(policy, cosigned) };
}

/** A policy that names ledgers names this one: by a key that is trusted, or one that handed over to it. */
async function needsPolicyOf(policy, keys, handovers) {
  if (!policy?.logs.length) return;
  for (const log of policy.logs.filter((log) => log.name === keys[0].name)) {
    const { keys: reached } = await follow(log, handovers);
    if (reached.some((one) => keys.some((other) => other.text === one.text))) return;
  }
  throw new Finding("The policy of witnesses is for a ledger with another key.");
}

function replacedKey(key, index, note) {
  return new Finding(`The checkpoint is signed by ${key.text}, which was replaced in entry ${index}: what a replaced key signs is not to be believed. Perhaps it was stolen. ${AGAIN_KEY}`, { notes: [note.text] });
}

/**
 * The key that signs for a whole ledger, as step 7 of "How a ledger is verified" says: of those that are trusted, one that no
 * entry of it replaced. An entry adds a key when the one before is trusted, not replaced earlier, and signed for this entry.
 */
async function signerOf({ note, keys, steps, changes }, state) {
  const replaced = new Map();
  for (const { index, old } of state.changes) if (!replaced.has(old.text)) replaced.set(old.text, index);
  for (const { index, old, leaf, note: told } of steps) {
    const root = state.roots.get(told.size);
    if (root && !same(root, told.root)) throw new Finding(`The key ${old.text} signed another history of the first ${entries(told.size)}. The ledger was forked or rewritten: keep both checkpoints.`, { notes: [told.text, note.text] });
    need(same(state.leaves.get(index), leaf), `The change of the key that this page names is not entry ${index} of this ledger.`);
    if (replaced.get(old.text) < index) throw replacedKey(old, replaced.get(old.text), note);
    replaced.set(old.text, index);
  }
  const offered = state.changes.map(({ next }) => next).filter((next) => next.type === SIGNS && next.name === note.origin);
  const candidates = new Map([...keys, ...offered].map((key) => [key.text, key]));
  const signed = (await signers(note, [...candidates.values()], "the checkpoint of this server")).map(({ key }) => key);
  const trusted = new Set(keys.map(({ text }) => text));
  for (const { index, old, next } of state.changes) {
    if (!trusted.has(old.text) || trusted.has(next.text) || replaced.get(old.text) !== index || !candidates.has(next.text)) continue;
    if (!signed.some(({ text }) => text === old.text)) continue;
    trusted.add(next.text);
    changes++;
  }
  const believed = signed.filter(({ text }) => trusted.has(text));
  const signer = believed.findLast(({ text }) => !replaced.has(text));
  if (!signer) throw replacedKey(believed[0], replaced.get(believed[0].text), note);
  return { signer, changes };
}

function forked(seen, note) {
  return new Finding(`The ledger was forked or rewritten: of its first ${entries(seen.size)} two different histories were signed. Keep both checkpoints, and give them to your auditor.`, { notes: [seen.note, note.text] });
}

/**
 * Verifies every entry and every hash under a checkpoint that was checked. Answers whose signature it is in the end, and what
 * was verified by its hashes alone: how many entries, and which entry says of how many that they are in an archive.
 */
export async function verifyEntries({ checked, seen, signal, progress }) {
  const { note, steps } = checked;
  const files = new Files(note.size, signal);
  const bundles = Math.ceil(note.size / TILE);
  const tree = new Tree();
  const levels = new Levels(files);
  const state = { absent: 0, archived: null, last: null, wrong: [], told: null, changes: [], roots: new Map([[0, sha256()]]), leaves: new Map() };
  // At these sizes and places something else was signed, too.
  state.sizes = new Set([seen?.size, ...steps.map((step) => step.note.size)]);
  state.places = new Set(steps.map((step) => step.index));
  const coming = [];
  const ask = (index) => {
    const pair = Promise.all([files.bundle(index), files.tile(0, index)]);
    pair.catch(() => {});
    coming.push(pair);
  };
  for (let index = 0; index < Math.min(AHEAD, bundles); index++) ask(index);
  for (let index = 0; index < bundles; index++) {
    const [found, hashes] = await coming.shift();
    if (index + AHEAD < bundles) ask(index + AHEAD);
    // Archived is a beginning.
    if (!found && state.absent < index * TILE) throw new Finding(`Entries from ${index * TILE} on are missing: the server says that they are in an archive, but gives older ones. ${AGAIN}`, { notes: [note.text], isStale: true });
    if (!found) state.absent += hashes.length;
    const leaves = hashes.map((hash, i) => verifyEntry({ state, tree, position: index * TILE + i, bytes: found?.[i], hash }));
    files.forget(0, index);
    if (leaves.length === TILE) await levels.add(fold(leaves), state);
    progress(tree.size, note.size);
    signal.throwIfAborted();
  }
  await levels.end(state);
  judge({ state, tree, note, seen });
  needArchived(state, note);
  return { ...(await signerOf(checked, state)), absent: state.absent, archived: state.archived };
}

/** What is missing, the last entry `ledger.archived` says is in an archive. */
function needArchived({ absent, archived }, note) {
  if (absent <= (archived?.size ?? 0)) return;
  const why = absent === note.size ? "it gave none at all" : archived ? `entry ${archived.entry} says so of the first ${count(archived.size)} alone` : "no entry that was read says so";
  throw new Finding(`Entries are missing: the server says that the first ${count(absent)} are in an archive, but ${why}. Perhaps they are withheld. ${AGAIN}`, { notes: [note.text], isStale: true });
}

function verifyEntry({ state, tree, position, bytes, hash }) {
  const leaf = bytes ? leafHash(bytes) : hash;
  if (!same(leaf, hash)) {
    // Which of the two is wrong is told at the end, by the root that was signed.
    state.told ??= tree.copy();
    state.wrong.push({ entry: position });
  } else if (bytes && !state.wrong.length) {
    const entry = readEntry(bytes, position);
    if (state.last !== null && entry.time < state.last) throw new Finding(`Time went back at entry ${position}.`);
    state.last = entry.time;
    if (entry.change) state.changes.push(entry.change);
    if (entry.archived) state.archived = entry.archived;
  }
  state.told?.append(hash);
  tree.append(leaf);
  if (state.sizes.has(tree.size)) state.roots.set(tree.size, tree.root());
  if (state.places.has(position)) state.leaves.set(position, leaf);
  return leaf;
}

function readEntry(bytes, position) {
  let entry;
  try {
    entry = parseEntry(bytes);
    entry = { ...entry, ...meaning(entry) };
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    throw new Finding(`Entry ${position} is not written as an entry is: ${error.message}.`);
  }
  need(entry.index === position, `Entry ${position} says that it is entry ${entry.index}: it was moved.`);
  return entry;
}

/** Holds the computed nodes against the tiles of the higher levels. */
class Levels {
  #rows = [];

  constructor(files) {
    this.files = files;
  }

  async add(node, state) {
    for (let level = 1; ; level++) {
      const row = (this.#rows[level] ??= { index: 0, hashes: [] });
      row.hashes.push(node);
      if (row.hashes.length < TILE) return;
      await this.#compare(level, state);
      node = fold(row.hashes);
      Object.assign(row, { index: row.index + 1, hashes: [] });
    }
  }

  async end(state) {
    for (let level = 1; level < this.#rows.length; level++) if (this.#rows[level].hashes.length) await this.#compare(level, state);
  }

  async #compare(level, state) {
    const { index, hashes } = this.#rows[level];
    const tile = await this.files.tile(level, index);
    const at = hashes.findIndex((hash, i) => !same(hash, tile[i]));
    if (at >= 0) state.wrong.push({ tile: tilePath(level, index, hashes.length), at });
  }
}

function judge({ state, tree, note, seen }) {
  const isSigned = same(tree.root(), note.root);
  const damaged = state.wrong.filter((one) => "entry" in one);
  const list = damaged.slice(0, TOLD_MAX).map(({ entry }) => entry).join(", ") + (damaged.length > TOLD_MAX ? `, and ${damaged.length - TOLD_MAX} more` : "");
  if (!isSigned) {
    const isTold = state.told && same(state.told.root(), note.root);
    if (damaged.length) {
      throw new Finding(`Not what was signed: entry ${list}. ${isTold ? "The hashes that were signed are those of other bytes." : "And the hashes beside the entries do not lead to the signed root either."}`, { notes: [note.text] });
    }
    throw new Finding(`The entries agree with the hashes beside them, but not with what was signed: of these ${entries(note.size)} another root is in the checkpoint. The ledger was rewritten.`, { notes: [note.text] });
  }
  if (damaged.length) throw new Finding(`The entries are those that were signed, but the tile of hashes beside them is damaged at entry ${list}.`);
  const node = state.wrong[0];
  if (node) throw new Finding(`The entries are those that were signed, but ${node.tile} is damaged at its hash ${node.at}.`);
  if (seen && toBase64(state.roots.get(seen.size)) !== seen.root) throw forked(seen, note);
}

/** Verifies one entry: its bytes, and the path to the root that was signed, out of tiles. */
export async function verifyOne({ checked: { note, current }, index, leaf, seen, signal }) {
  need(index < note.size, `The newest published checkpoint covers ${entries(note.size)}, and not yet entry ${index}. Try again in a moment.`);
  const files = new Files(note.size, signal);
  const bundle = await files.bundle(Math.floor(index / TILE));
  const hashes = await files.tile(0, Math.floor(index / TILE));
  const bytes = bundle?.[index % TILE];
  const computed = bytes ? leafHash(bytes) : hashes[index % TILE];
  const cut = seen?.size > 0 ? seen.size : note.size;
  const [root, old] = await files.roots(0, note.size, { at: index, leaf: computed, cut });
  if (!same(root, note.root)) {
    const which = same(computed, hashes[index % TILE]) ? "its hash and those beside it do not lead to the root" : "its bytes have another hash than the tile beside it has";
    throw new Finding(`Entry ${index} is not what was signed: ${which}.`, { notes: [note.text] });
  }
  need(same(computed, hashes[index % TILE]), `Entry ${index} is what was signed, but the tile beside it has another hash.`);
  const entry = bytes ? readEntry(bytes, index) : null;
  need(hex(computed) === leaf, `Entry ${index} is what was signed, but this page shows another leaf hash: the page is not of this ledger.`);
  if (seen?.size > 0 && toBase64(old) !== seen.root) throw forked(seen, note);
  if (entry?.change && current.every(({ text }) => text === entry.change.old.text)) throw replacedKey(entry.change.old, index, note);
  return { entry, steps: Math.ceil(Math.log2(note.size)) };
}

// ---- The pages ----

function element(name, { className, ...more } = {}, ...children) {
  const made = Object.assign(document.createElement(name), more);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

const list = (title, lines) => [element("h3", {}, title), element("ul", {}, ...lines.map((line) => element("li", {}, line)))];

function tell(place, { tone, headline, sentence, proven = [], open = [], notes = [] }) {
  const card = element("div", { className: `note ${tone}` }, element("p", {}, element("strong", {}, headline)));
  if (sentence) card.append(element("p", {}, sentence));
  if (proven.length) card.append(...list("What was proven", proven));
  if (open.length) card.append(...list("What was not", open));
  notes.filter(Boolean).forEach((note, i) => {
    const shown = element("pre", { className: "output", tabIndex: 0 }, note);
    shown.setAttribute("role", "region");
    shown.setAttribute("aria-label", `Checkpoint ${i + 1} to keep`);
    card.append(shown);
  });
  place.replaceChildren(card);
}

function tellFailure(place, error) {
  if (error.name === "AbortError") return tell(place, { tone: "wait", headline: "Stopped. Nothing was shown." });
  const isFinding = error instanceof Finding;
  if (isFinding && error.kind === "no") return tell(place, { tone: "bad", headline: "NO. This ledger does not verify.", sentence: error.message, notes: error.notes });
  return tell(place, { tone: "wait", headline: "This could not be verified. Nothing was shown.", sentence: isFinding ? error.message : `The server did not answer: ${error.message}` });
}

/** What the page says of the ledger and its keys: claims of the server. */
function claims(section) {
  const { origin, keys, handovers } = section.dataset;
  return { origin, keys: JSON.parse(keys), handovers: JSON.parse(handovers) };
}

/** The same as the server says it now. */
async function claimsNow(signal) {
  return JSON.parse(fromUtf8(await Files.get("/audit/verify/claims", signal)));
}

/** That a browser which knows other ledgers never saw this one; `null` otherwise. */
function otherLedger(origin) {
  if (Memory.of(origin)?.key) return null;
  const others = Object.keys(Memory.all()).filter((name) => name !== origin);
  return others.length ? `This server shows another ledger than before: ${origin}, where this browser knows ${others.join(", ")}. A server that was recovered does so, and an impostor. Ask before you trust its key.` : null;
}

/** What a key that this browser remembers has against what the server says now; `null` where all is well. */
async function doubt(claimed, memory) {
  if (!memory?.key) return otherLedger(claimed.origin);
  const { keys } = await follow(parseKey(memory.key), claimed.handovers);
  if (claimed.keys.includes(keys.at(-1).text)) return null;
  return `The key changed. This browser remembers ${memory.key}, and the server now says ${claimed.keys[0]}, without a proof that the old key handed over to it. Do not go on before somebody who does not run this server says why. ${AGAIN_KEY}`;
}

function provenBy({ note, cosigned, metQuorum, vouched }, { signer, changes }, compared, policy) {
  const whose = compared ? "the key that you compared" : "a key that came from this server and was not compared";
  const lines = [changes
    ? `The checkpoint over ${entries(note.size)} is signed by a key that follows from ${whose}, by ${changes === 1 ? "one change" : `${changes} changes`} that the key before signed: ${signer.text}`
    : `The checkpoint over ${entries(note.size)} is signed by ${whose}: ${signer.text}`];
  if (policy?.witnesses.size) {
    const when = cosigned.size ? `; as of ${moment(vouched * 1000)} they vouch for it` : "";
    lines.push(`${cosigned.size} of ${policy.witnesses.size} witnesses that you named have signed it${when}.${metQuorum ? " That meets the policy." : ""}`);
  }
  return lines;
}

/** What a verification leaves open, but for what is of one page alone. */
function notProven({ compared, policy, cosigned, vouched, seen }) {
  const whole = cosigned.size ? `That the end is whole: what came after ${moment(vouched * 1000)} no witness has signed.`
    : policy?.witnesses.size ? "That the end is whole: none of your witnesses has signed it."
    : "That the end is whole, or that others are shown the same: no witness was named. Witnesses sign only what continues what they saw.";
  return [
    ...(compared ? [] : ["That the key is the ledger's own: it came from this server. Compare it with the one that you were given."]),
    whole,
    ...(seen ? [] : ["That this is the history of before: it is the first time that this browser verifies this ledger."]),
    "Completeness: that all that happened became an entry, and that what entries say is true.",
    "The texts beside entries (names, reasons, comments), gaps, crashes and the clock: the command looks at them.",
    "That this page's own script is honest: it comes from the same server. brevet audit verify, or another implementation, on another machine does not depend on it.",
  ];
}

function ledgerPage(section) {
  const find = (name) => section.querySelector(`[data-${name}]`);
  const [form, verdict, start, stop, forget] = ["form", "verdict", "start", "stop", "forget"].map(find);
  const [field, compared, policyField] = ["#vkey", "#compared", "#policy"].map((name) => section.querySelector(name));
  const claimed = claims(section);
  let memory = Memory.of(claimed.origin);
  const sayFrom = () => {
    const key = field.value.trim();
    if (key === memory?.key) find("key-from").textContent = memory.compared ? "The one that this browser remembers; you compared it, or one that handed over to it." : "The one that this browser remembers. It came from this server: compare it with the one that you were given.";
    else if (claimed.keys.includes(key)) find("key-from").textContent = "From this server: compare it with the one that you were given.";
    else find("key-from").textContent = "Yours.";
  };
  const show = () => {
    field.value = memory?.key ?? claimed.keys[0];
    compared.checked = memory?.compared ?? false;
    policyField.value = memory?.policy ?? "";
    forget.hidden = !memory;
    find("remembered").textContent = memory?.seen ? `Verified last: ${entries(memory.seen.size)}, at ${new Date(memory.seen.at).toLocaleString()}.` : "";
    sayFrom();
  };
  show();
  field.addEventListener("input", () => { compared.checked = field.value.trim() === memory?.key && memory.compared; sayFrom(); });
  const shout = () => doubt(claimed, memory).then((told) => told && tell(verdict, { tone: "bad", headline: "Stop and look.", sentence: told }), (error) => tellFailure(verdict, error));
  shout();
  forget.addEventListener("click", () => { Memory.forget(); memory = null; show(); verdict.replaceChildren(); field.focus(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const control = new AbortController();
    const halt = () => control.abort();
    stop.addEventListener("click", halt, { once: true });
    [start.disabled, stop.hidden, find("progress").hidden] = [true, false, false];
    verdict.replaceChildren();
    const bar = section.querySelector("progress");
    const progress = (done, of) => { bar.max = of || 1; bar.value = done; find("progress-text").textContent = `${count(done)} of ${entries(of)}`; };
    try {
      const told = await verifyLedger({ claimed, again: () => claimsNow(control.signal), keyText: field.value, compared: compared.checked, policyText: policyField.value, signal: control.signal, progress });
      verdict.dataset.seconds = told.seconds.toFixed(3);
      tell(verdict, told);
      memory = Memory.of(claimed.origin);
      show();
    } catch (error) {
      tellFailure(verdict, error);
    } finally {
      stop.removeEventListener("click", halt);
      [start.disabled, stop.hidden, find("progress").hidden] = [false, true, true];
    }
  });
  document.querySelector("[data-base]")?.replaceChildren(location.origin);
  section.hidden = false;
}

/** Reads what somebody gave; where it cannot be read, that says nothing of the ledger. */
function given(read, text) {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof Finding) error.kind = "cannot";
    throw error;
  }
}

function parseLedgerKey(text) {
  const key = parseKey(text.trim());
  need(key.type === SIGNS, "This is the key of a witness, and not that of a ledger.");
  return key;
}

/** What was computed, and of what the hashes alone. */
function computed({ note }, { absent, archived }) {
  const root = `leads to the root ${toBase64(note.root)}`;
  if (!absent) return `Every entry and every hash was computed anew, and ${root}.`;
  const read = absent === note.size ? "" : `The last ${entries(note.size - absent)} were read, and computed anew. `;
  return `${read}Of the first ${count(absent)} the hashes alone were there: the server no longer gives their bytes, and entry ${archived.entry} says that the first ${count(archived.size)} are in an archive file. All of it ${root}.`;
}

/** Verifies the whole ledger and remembers it: what there is to tell. */
export function verifyLedger({ claimed, again, ...asked }) {
  const started = performance.now();
  return withNewest({ claimed, again }, (claimed) => verifyWhole({ claimed, started, ...asked }));
}

async function verifyWhole({ claimed, started, keyText, compared, policyText, signal, progress }) {
  const key = given(parseLedgerKey, keyText);
  const policy = policyText.trim() ? given(parsePolicy, policyText) : null;
  const seen = Memory.of(key.name)?.seen;
  const other = otherLedger(key.name);
  const checked = await verifyCheckpoint({ key, policy, handovers: claimed.handovers, seen, signal });
  const { note } = checked;
  const found = await verifyEntries({ checked, seen, signal, progress });
  const seconds = (performance.now() - started) / 1000;
  const root = toBase64(note.root);
  // Another window may have verified something meanwhile.
  const meanwhile = Memory.of(key.name)?.seen;
  if (meanwhile?.size === note.size && meanwhile.root !== root) throw forked(meanwhile, note);
  const isKept = Memory.keep(key.name, { key: found.signer.text, compared, policy: policyText, seen: { size: note.size, root, note: note.text, at: new Date().toISOString() } });
  return {
    seconds,
    tone: compared && !other ? "good" : "wait",
    headline: compared ? "Yes. What is there is what was signed." : "What is there is what was signed, by a key that nobody compared yet.",
    sentence: `${entries(note.size)}, in ${seconds.toFixed(1)} s.`,
    proven: [
      ...provenBy(checked, found, compared, policy),
      computed(checked, found),
      ...(seen ? [`It continues the ${entries(seen.size)} that this browser verified before: nothing of them was changed, dropped or reordered.`] : []),
    ],
    open: [
      ...(other ? [other] : []),
      ...(found.absent ? [`What the first ${entries(found.absent)} say, and whether one of them replaced the key: they were verified by their hashes alone. The command reads the archive file too.`] : []),
      ...(isKept ? [] : ["What comes next: this browser let nothing be remembered, and will not know that the ledger goes on from here."]),
      ...notProven({ ...checked, compared, policy, seen }),
    ],
  };
}

/** Verifies one entry: what there is to tell. */
export function verifyEntryOf({ claimed, again, ...asked }) {
  return withNewest({ claimed, again }, (claimed) => verifyEntryBy({ claimed, ...asked }));
}

async function verifyEntryBy({ claimed, index, leaf, signal }) {
  const memory = Memory.of(claimed.origin);
  const told = await doubt(claimed, memory);
  if (told) throw new Finding(told, { isStale: true });
  const compared = Boolean(memory?.compared);
  const policy = memory?.policy?.trim() ? given(parsePolicy, memory.policy) : null;
  const seen = memory?.seen;
  const checked = await verifyCheckpoint({ key: parseKey(memory?.key ?? claimed.keys[0]), policy, handovers: claimed.handovers, seen, signal });
  const { entry, steps } = await verifyOne({ checked, index, leaf, seen, signal });
  const headline = !entry ? "A hash for this entry is in the ledger. Its bytes were not there to be verified."
    : compared ? "Yes. This entry is in the ledger." : "This entry is in the ledger, which is signed by a key that nobody compared yet.";
  return {
    tone: compared && entry ? "good" : "wait",
    headline,
    proven: [
      ...provenBy(checked, checked, compared, policy),
      `${entry ? `Entry ${index}` : `The hash of entry ${index}`} leads to the root that is signed, by ${steps} hashes at the most.`,
      ...(entry ? [`Its bytes say: ${entry.kind}, by ${entry.actor}, at ${moment(Number(entry.time / 1000n))}.`] : []),
      ...(seen ? [`This ledger continues the ${entries(seen.size)} that this browser verified before.`] : []),
    ],
    open: [
      entry ? "The sentence and the details above: they come from the server, and only kind, actor and time were read from the bytes here."
        : "Anything that this page says of the entry, and that it is in an archive file: both come from the server.",
      "That no entry replaced the key that signed: the verification of the whole ledger looks for one.",
      ...notProven({ ...checked, compared, policy, seen }),
    ],
  };
}

function entryPage(section) {
  const [start, stop, verdict] = ["start", "stop", "verdict"].map((name) => section.querySelector(`[data-${name}]`));
  const claimed = claims(section);
  const index = Number(section.dataset.verifyEntry);
  start.addEventListener("click", async () => {
    const control = new AbortController();
    const halt = () => control.abort();
    stop.addEventListener("click", halt, { once: true });
    [start.disabled, stop.hidden] = [true, false];
    verdict.replaceChildren();
    try {
      tell(verdict, await verifyEntryOf({ claimed, again: () => claimsNow(control.signal), index, leaf: section.dataset.leaf, signal: control.signal }));
    } catch (error) {
      tellFailure(verdict, error);
    } finally {
      stop.removeEventListener("click", halt);
      [start.disabled, stop.hidden] = [false, true];
    }
  });
  section.hidden = false;
}

if (globalThis.document) {
  document.querySelectorAll("[data-verify]").forEach(ledgerPage);
  document.querySelectorAll("[data-verify-entry]").forEach(entryPage);
}
