// An auditor searches the ledger, takes proofs away, and verifies all of it in the browser; every damage is found.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, createPrivateKey, randomBytes, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { House, Visitor, closeChrome } from "../harness.mjs";
import { sha256, tilePath } from "../../crates/brevet-web/assets/verify.js";

const run = promisify(execFile);
const BREVET = process.env.BREVET ?? "../target/debug/brevet";
const BAD_SIGNATURE = 15;

let house;
let request;
before(async () => {
  house = await House.start();
  request = await house.api("bob", "POST", "/requests", {
    task: "Linux/Show-Disk-Usage", parameters: { path: "/tmp" }, reason: "The disk may be full", duration: "1h",
  });
  await house.api("alice", "POST", `/requests/${request.id}/approve`, { comment: "Go ahead" });
  await house.api("bob", "POST", "/executions", { task: "Linux/Show-Disk-Usage", parameters: { path: "/tmp" } });
});
after(async () => { await closeChrome(); await house.stop(); });

/** Checks a page in both themes, and that it fits. */
async function looksRight(visitor) {
  assert.deepEqual(await visitor.accessibility(), []);
  const overflow = await visitor.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${visitor.page.url()} is wider than the window by ${overflow}`);
}

async function download(visitor, name, role = "link") {
  const [file] = await Promise.all([visitor.page.waitForEvent("download"), visitor.page.getByRole(role, { name, exact: true }).first().click()]);
  const path = join(house.folder, file.suggestedFilename());
  await file.saveAs(path);
  return path;
}

/** Verifies on the page for it, and gives what it says. */
async function verify(visitor, { compared = true } = {}) {
  await visitor.go("/audit/verify");
  if (compared) await visitor.page.getByLabel(/I compared this key/).check();
  await visitor.page.getByRole("button", { name: "Verify", exact: true }).click();
  await visitor.page.getByRole("button", { name: "Verify", exact: true, disabled: false }).waitFor();
  return visitor.page.locator("[data-verdict]").innerText();
}

const current = () => house.call("GET", "/ledger", undefined, house.tokens.otto);

/** How many entries are durable, once nothing more comes for a while. */
async function settled() {
  for (let size = (await current()).durable; ; ) {
    await new Promise((done) => setTimeout(done, 700));
    const now = (await current()).durable;
    if (now === size) return size;
    size = now;
  }
}

test("otto searches, and the conditions stay in the address", async () => {
  const otto = await Visitor.signIn(house, "otto");
  await otto.go("/audit");
  await looksRight(otto);
  await otto.page.getByLabel("Who").fill("bob");
  await otto.page.getByLabel("Kind").selectOption("request.*");
  await otto.page.getByLabel("Words").fill("disk");
  await otto.press("Search");
  const { searchParams } = new URL(otto.page.url());
  assert.equal(searchParams.get("actor"), "bob");
  assert.equal(searchParams.get("kind"), "request.*");
  assert.equal(await otto.page.getByLabel("Who").inputValue(), "bob");
  assert.equal(await otto.page.locator("tbody tr").count(), 1);
  await otto.page.getByRole("link", { name: /bob asks for Linux\\Show-Disk-Usage/ }).click();
  await otto.page.waitForURL(/\/audit\/\d+$/);
  const text = await otto.text();
  assert.match(text, /The disk may be full/);
  assert.match(text, new RegExp(request.id));
  await looksRight(otto);
  await otto.go("/audit?actor=nobody-of-this-name");
  assert.match(await otto.text(), /nobody-of-this-name/);
  assert.equal(await otto.page.getByLabel("Who").inputValue(), "nobody-of-this-name");
  await otto.close();
});

test("a page of the search goes on by its cursor", async () => {
  const otto = await Visitor.signIn(house, "otto");
  for (let n = 0; n < 30; n++) await house.api("otto", "GET", `/audit/entries/${n}`);
  await otto.go("/audit");
  const first = await otto.page.locator("tbody th a").first().innerText();
  await otto.press("Next page", "link");
  assert.notEqual(await otto.page.locator("tbody th a").first().innerText(), first);
  await otto.press("First page", "link");
  await otto.close();
});

test("a downloaded proof verifies against a downloaded export", async () => {
  const otto = await Visitor.signIn(house, "otto");
  await otto.go("/audit/3");
  const proof = await download(otto, "Download the proof");
  assert.match(readFileSync(proof, "utf8"), /^c2sp.org\/tlog-proof@v1\n/);
  await otto.press("Show the proof", "link");
  assert.match(await otto.text(), /c2sp.org\/tlog-proof@v1/);
  await looksRight(otto);
  await otto.go("/audit/export");
  await looksRight(otto);
  const whole = await download(otto, "Download", "button");
  assert.match(whole, /brevet-ledger-\d{4}-\d\d-\d\d-\d{4}\.jsonl$/);
  const key = join(house.folder, "data", "ledger.vkey");
  const { stdout } = await run(BREVET, ["audit", "verify", whole, "--key", key, "--receipts", proof, "-o", "json"]);
  assert.equal(JSON.parse(stdout).verified, true, stdout);
  const lines = readFileSync(proof, "utf8").split("\n");
  const first = lines.findIndex((line) => line.startsWith("index ")) + 1;
  lines[first] = lines[first + 1];
  writeFileSync(proof, lines.join("\n"));
  await assert.rejects(run(BREVET, ["audit", "verify", whole, "--key", key, "--receipts", proof]), { code: BAD_SIGNATURE });
  await otto.page.getByLabel("CSV").check();
  await otto.page.getByLabel("Kind").selectOption("request.*");
  const part = await download(otto, "Download", "button");
  assert.match(readFileSync(part, "utf8"), /request\.submitted/);
  assert.match(part, /\.csv$/);
  await otto.close();
});

test("the evidence bundle of a request verifies alone", async () => {
  const otto = await Visitor.signIn(house, "otto");
  await otto.go(`/audit?request=${request.id}`);
  await otto.page.locator("tbody th a").first().click();
  await otto.page.waitForURL(/\/audit\/\d+$/);
  const bundle = await download(otto, "Evidence bundle");
  assert.match(bundle, new RegExp(`${request.id}\\.brevet-bundle$`));
  await run(BREVET, ["audit", "verify", bundle, "--key", join(house.folder, "data", "ledger.vkey")]);
  await otto.close();
});

test("the browser verifies all of it, and the next time that it went on from there", async () => {
  const otto = await Visitor.signIn(house, "otto");
  await otto.go("/audit/verify");
  assert.match(await otto.text(), /From this server: compare it with the one that you were given/);
  await looksRight(otto);
  assert.match(await verify(otto, { compared: false }), /by a key that nobody compared yet/);
  const first = await verify(otto);
  assert.match(first, /^Yes\. What is there is what was signed\./);
  assert.match(first, /no witness was named/);
  await looksRight(otto);
  const second = await verify(otto);
  assert.match(second, /It continues the \d+ entries that this browser verified before/);
  await otto.go("/audit/3");
  await otto.page.getByRole("button", { name: "Verify here" }).click();
  await otto.page.getByText("Yes. This entry is in the ledger.").waitFor();
  assert.match(await otto.text(), /This ledger continues the \d+ entries/);
  const kind = await otto.page.locator("dl.facts dt:text-is('Kind') + dd code").innerText();
  const time = await otto.page.locator("dl.facts dt:text-is('When') + dd code").innerText();
  assert.match(await otto.text(), new RegExp(`Its bytes say: ${kind}, by \\S+, at ${time.slice(0, 19)}`));
  await looksRight(otto);
  await otto.close();
});

test("verifying writes one entry, and not one for each file", async () => {
  await house.person("olga", { auditor: true });
  const olga = await Visitor.signIn(house, "olga");
  const before = await settled();
  await verify(olga);
  await verify(olga);
  assert.equal((await settled()) - before, 1);
  await olga.close();
});

const flip = (at) => (bytes) => { bytes[at] ^= 1; return bytes; };

/** Has one file come to the browser in another form. */
async function damage(visitor, pattern, change) {
  await visitor.page.route(pattern, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: change(await response.body()) });
  });
}

for (const [what, pattern, change, told] of [
  ["entry", "**/audit/ledger/tile/entries/**", flip(60), /NO.*Not what was signed: entry \d+/s],
  ["bundle that is cut short", "**/audit/ledger/tile/entries/**", (bytes) => bytes.subarray(0, -1), /NO.*breaks off in entry \d+/s],
  ["hash", "**/ledger/tile/0/**", flip(32 * 5 + 3), /NO.*the tile of hashes beside them is damaged at entry 5\./s],
  ["root in the checkpoint", "**/ledger/checkpoint", (bytes) => Buffer.from(bytes.toString().replace(/\n(\S)(\S{42}=\n)/, (_, letter, rest) => `\n${letter === "A" ? "B" : "A"}${rest}`)), /NO.*signature of .* does not hold/s],
  ["signature", "**/ledger/checkpoint", (bytes) => Buffer.from(bytes.toString().replace(/(\S)(\S{9}=)\n$/, (_, letter, rest) => `${letter === "A" ? "B" : "A"}${rest}\n`)), /NO.*signature of .* does not hold/s],
]) {
  test(`the browser finds a damaged ${what}`, async () => {
    const otto = await Visitor.signIn(house, "otto");
    await damage(otto, pattern, change);
    const verdict = await verify(otto);
    assert.match(verdict, told);
    assert.match(verdict, /^NO\. This ledger does not verify\./);
    await looksRight(otto);
    await otto.close();
  });
}

test("on the page of an entry a damaged entry or hash is found too", async () => {
  const otto = await Visitor.signIn(house, "otto");
  for (const [pattern, told] of [["**/audit/ledger/tile/entries/**", /its bytes have another hash/], ["**/ledger/tile/0/**", /do not lead to the root|another hash/]]) {
    await damage(otto, pattern, flip(pattern.includes("entries") ? 40 : 3));
    await otto.go("/audit/0");
    await otto.page.getByRole("button", { name: "Verify here" }).click();
    await otto.page.getByText("NO. This ledger does not verify.").waitFor();
    assert.match(await otto.text(), told);
    await otto.page.unroute(pattern);
  }
  await otto.close();
});

/** A checkpoint that the ledger's own key signed, over whatever is wished. */
function signedWith(origin, size, root) {
  const [, name, id, spelled] = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+(\S+)$/m.exec(readFileSync(join(house.folder, "data", "ledger.key"), "utf8"));
  const seed = Buffer.from(spelled, "base64").subarray(1);
  const key = createPrivateKey({ key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]), format: "der", type: "pkcs8" });
  const signed = `${origin}\n${size}\n${root}\n`;
  const line = Buffer.concat([Buffer.from(id, "hex"), sign(null, Buffer.from(signed), key)]).toString("base64");
  return `${signed}\n\u2014 ${name} ${line}\n`;
}

test("a ledger that was cut short, and one that was forked, are found by what the browser remembers", async () => {
  const otto = await Visitor.signIn(house, "otto");
  const older = (await current()).checkpoint;
  await house.api("otto", "GET", "/audit/entries/1");
  await otto.page.waitForFunction(async (older) => (await (await fetch("/ledger/checkpoint")).text()) !== older, older);
  assert.match(await verify(otto), /^Yes/);
  await damage(otto, "**/ledger/checkpoint", () => Buffer.from(older));
  const cut = await verify(otto);
  assert.match(cut, /NO.*cut short, or an older copy/s);
  await otto.page.unroute("**/ledger/checkpoint");
  const seen = await otto.page.evaluate(() => Object.entries(JSON.parse(localStorage.getItem("brevet-ledgers"))).map(([origin, { seen }]) => ({ origin, ...seen }))[0]);
  const forged = signedWith(seen.origin, seen.size, randomBytes(32).toString("base64"));
  await damage(otto, "**/ledger/checkpoint", () => Buffer.from(forged));
  const forked = await verify(otto);
  assert.match(forked, /NO.*forked or rewritten/s);
  for (const note of [seen.note, forged]) assert.ok(forked.includes(note.trim()), `both checkpoints are shown, to be kept:\n${note}\n${forked}`);
  await otto.close();
});

/** A verifier key of nobody's, under a name. */
function strangeKey(name) {
  const bytes = Buffer.concat([Buffer.from([1]), Buffer.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "hex")]);
  const id = createHash("sha256").update(`${name}\n`).update(bytes).digest("hex").slice(0, 8);
  return `${name}+${id}+${bytes.toString("base64")}`;
}

test("another key does not verify, and a key that changed is shouted", async () => {
  const otto = await Visitor.signIn(house, "otto");
  await otto.go("/audit/verify");
  const { origin } = await current();
  await otto.page.getByLabel("Verifier key", { exact: true }).fill(strangeKey(origin));
  await otto.page.getByRole("button", { name: "Verify", exact: true }).click();
  await otto.page.getByText("not signed by the key that you trust").waitFor();
  await otto.page.getByLabel("Verifier key", { exact: true }).fill("no key at all");
  await otto.page.getByRole("button", { name: "Verify", exact: true }).click();
  await otto.page.getByText("this is no verifier key").waitFor();
  assert.match(await verify(otto), /^Yes/);
  await otto.page.evaluate(([origin, key]) => {
    const all = JSON.parse(localStorage.getItem("brevet-ledgers"));
    all[origin].key = key;
    localStorage.setItem("brevet-ledgers", JSON.stringify(all));
  }, [origin, strangeKey(origin)]);
  await otto.go("/audit/verify");
  await otto.page.getByText("Stop and look.").waitFor();
  assert.match(await otto.text(), /The key changed/);
  await looksRight(otto);
  await otto.close();
});

test("a key that handed over to the next is followed", async () => {
  const otto = await Visitor.signIn(house, "otto");
  assert.match(await verify(otto), /^Yes/);
  const remembered = () => otto.page.evaluate(() => Object.values(JSON.parse(localStorage.getItem("brevet-ledgers")))[0].key);
  const old = await remembered();
  const rotate = async () => {
    await house.api("ada", "POST", "/ledger/rotate-key", { overlap_seconds: 0 });
    const { durable } = await current();
    while ((await current()).checkpointed < durable) await new Promise((done) => setTimeout(done, 100));
  };
  await rotate();
  const verdict = await verify(otto);
  assert.match(verdict, /^Yes\. .*signed by a key that follows from the key that you compared, by one change/s);
  const next = await remembered();
  assert.notEqual(next, old);
  // From there on it is the new key that is trusted.
  assert.match(await verify(otto), /is signed by the key that you compared/);
  assert.equal(await remembered(), next);
  // Also where it changes while the page is open.
  await rotate();
  await otto.page.getByRole("button", { name: "Verify", exact: true }).click();
  await otto.page.getByRole("button", { name: "Verify", exact: true, disabled: false }).waitFor();
  assert.match(await otto.page.locator("[data-verdict]").innerText(), /^Yes\. .*by one change that the key before signed/s);
  await otto.close();
});

test("a verification can be stopped", async () => {
  const otto = await Visitor.signIn(house, "otto");
  let go;
  const held = new Promise((done) => { go = done; });
  await otto.page.route("**/audit/ledger/tile/entries/**", async (route) => { await held; await route.abort().catch(() => {}); });
  await otto.go("/audit/verify");
  await otto.page.getByRole("button", { name: "Verify", exact: true }).click();
  await otto.page.getByRole("button", { name: "Stop" }).click();
  await otto.page.getByText("Stopped. Nothing was shown.").waitFor();
  go();
  await otto.close();
});

test("who could run what then; how far the ledger is vouched for", async () => {
  const otto = await Visitor.signIn(house, "otto");
  await otto.go("/audit/as-of");
  await looksRight(otto);
  await otto.page.getByLabel("Person").fill("bob");
  await otto.press("Ask");
  const now = await otto.text();
  assert.match(now, /Linux\\Show-Disk-Usage/);
  assert.match(now, /alice/);
  await looksRight(otto);
  await otto.go("/audit/as-of?time=2020-01-01T00:00");
  assert.match(await otto.text(), /Nobody could run anything/);
  await otto.go("/audit/as-of?time=2999-01-01T00:00");
  assert.match(await otto.text(), /lies in the future/);
  await otto.go("/audit/ledger");
  const text = await otto.text();
  assert.match(text, /No quorum of witnesses is set/);
  assert.match(text, new RegExp((await current()).origin));
  await looksRight(otto);
  await otto.close();
});

test("who does not audit is refused, on every page", async () => {
  for (const name of ["bob", "adam"]) {
    const visitor = await Visitor.signIn(house, name);
    for (const path of ["", "/3", "/3/proof", "/3/tlog-proof", "/verify", "/ledger", "/ledger/tile/entries/000.p/1", "/as-of", "/as-of?time=2026-01-01", "/export", "/export/file", `/bundle/${request.id}`]) {
      const response = await visitor.go(`/audit${path}`);
      assert.equal(response.status(), 403, `${name} /audit${path}`);
    }
    await visitor.close();
  }
});

test("without scripts all is there but the verification, which says how to do it by command", async () => {
  const otto = await Visitor.signIn(house, "otto", { scripts: false });
  for (const [path, told] of [["/audit", /Entries|When/i], ["/audit/3", /Leaf hash/], ["/audit/3/proof", /tlog-proof@v1/], ["/audit/ledger", /Newest checkpoint/], ["/audit/as-of", /Instant/], ["/audit/export", /Format/]]) {
    await otto.go(path);
    assert.match(await otto.text(), told);
  }
  await otto.go("/audit/verify");
  assert.match(await otto.text(), /brevet audit verify/);
  assert.equal(await otto.page.getByRole("button", { name: "Verify", exact: true }).count(), 0);
  await otto.close();
});

test("on a phone every page fits", async () => {
  const otto = await Visitor.signIn(house, "otto", { size: "phone" });
  for (const path of ["/audit", "/audit/3", "/audit/3/proof", "/audit/verify", "/audit/ledger", "/audit/as-of?time=2026-01-01", "/audit/export"]) {
    await otto.go(path);
    await looksRight(otto);
  }
  await otto.close();
});

test("the hashes are SHA-256, and the paths those of tlog-tiles", () => {
  for (let length = 0; length < 200; length++) {
    const bytes = randomBytes(length);
    assert.deepEqual(Buffer.from(sha256(bytes)), createHash("sha256").update(bytes).digest());
  }
  assert.equal(tilePath(0, 1234067, 256), "tile/0/x001/x234/067");
  assert.equal(tilePath("entries", 5, 17), "tile/entries/005.p/17");
});
