// Runs: followed live, stopped, replayed, searched, downloaded; authorizations that end; the overview.

import assert from "node:assert/strict";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { House, LOG_TASKS, Visitor, closeChrome } from "../harness.mjs";

const TASKS = (folder) => `
[workload]
name = "Linux"
kind = "command"

${LOG_TASKS(folder)}

[[task]]
name = "Slow-Words"
description = "Say some words, one after the other"
run = ["/usr/bin/bash", "-c", "printf '\\\\033[31mfirst\\\\033[0m <b>bold</b>\\\\n'; sleep 1; echo trouble >&2; sleep 1; echo last"]
timeout = "10s"

[[task]]
name = "Binary"
description = "Say what is not text"
run = ["/usr/bin/bash", "-c", "printf 'a'; head -c 3000 /dev/zero; printf 'b\\\\nend\\\\r'; printf '\\\\303' >&2"]
timeout = "10s"

[[task]]
name = "Restart-Site"
description = "Restart the site"
run = ["/usr/bin/echo", "restarted"]
timeout = "10s"

[[task]]
name = "Show-Disk-Usage"
description = "Show how full the disk is"
run = ["/usr/bin/df", "-h"]
timeout = "10s"

[[task]]
name = "Set-Password"
description = "Set the password of a service"
run = ["/usr/bin/cat"]
timeout = "10s"

[[role]]
name = "Site-Operators"
description = "Those who keep the site running"
tasks = ["Binary", "Read-Log", "Restart-Site", "Slow-Words"]
`;

let house;
before(async () => { house = await House.start({ tasks: TASKS }); });
after(async () => { await closeChrome(); await house?.stop(); });

/** An authorization of bob's that alice approved. */
async function granted(access) {
  const request = await house.api("bob", "POST", "/requests", { ...access, reason: "The site is slow", duration: "1h" });
  return (await house.api("alice", "POST", `/requests/${request.id}/approve`, {})).authorization;
}

/** What the policy approves by itself. */
const grantedAtOnce = (task) => house.api("bob", "POST", "/requests", { task, reason: "The site is slow", duration: "1h" });

const run = (task, parameters = {}) => house.api("bob", "POST", "/executions", { task, parameters });

/** A run of bob's that is over. */
async function finished(task, parameters) {
  const { id } = await run(task, parameters);
  await written(id);
  return id;
}

/** What a run of bob's wrote, piece by piece, once it is over. */
async function written(id) {
  const response = await fetch(`${house.base}/api/v1/executions/${id}/output`, { headers: { authorization: `Bearer ${house.tokens.bob}` } });
  const events = (await response.text()).split("\n\n").filter((event) => event.startsWith("event: output\n"));
  const chunks = events.map((event) => JSON.parse(event.split("\ndata: ")[1]));
  return chunks.map(({ after_micros: after, data }) => ({ after, text: Buffer.from(data, "base64").toString() }));
}

/** Once a run of bob's has begun to write. */
async function begun(id) {
  const response = await fetch(`${house.base}/api/v1/executions/${id}/output`, { headers: { authorization: `Bearer ${house.tokens.bob}` } });
  for await (const piece of response.body) if (Buffer.from(piece).includes("event: output")) return;
}

const output = (visitor) => visitor.page.getByRole("region", { name: "Output" });

test("a run is watched live by who approves such runs, and stopped by who runs it", async () => {
  await granted({ task: "Linux/Follow-Log" });
  const { id } = await run("Linux/Follow-Log");
  const bob = await Visitor.signIn(house, "bob");
  const alice = await Visitor.signIn(house, "alice", { theme: "dark" });
  await bob.go("/executions?show=mine");
  await bob.page.getByRole("row", { name: /Follow-Log.*Running/ }).getByRole("link").click();
  await alice.go(`/executions/${id}`);
  await output(alice).getByText("site: request 20 answered").waitFor();
  appendFileSync(join(house.folder, "site.log"), "site: something new\n");
  await Promise.all([alice, bob].map((one) => output(one).getByText("site: something new").waitFor()));
  assert.deepEqual(await alice.accessibility(), []);
  await bob.press("Stop");
  for (const one of [alice, bob]) await one.page.getByText("somebody stopped it: bob").waitFor();
  await alice.page.getByText("It is over.").waitFor();
  await alice.close();
  await bob.close();
});

test("who reads elsewhere in the output is not taken to its end", async () => {
  await granted({ task: "Linux/Follow-Log" });
  appendFileSync(join(house.folder, "site.log"), Array.from({ length: 10 }, (_, n) => `more ${n}\n`).join(""));
  const { id } = await run("Linux/Follow-Log");
  const bob = await Visitor.signIn(house, "bob", { size: "phone" });
  await bob.go(`/executions/${id}`);
  await output(bob).getByText("more 9").waitFor();
  const place = () => output(bob).evaluate((pre) => [pre.scrollTop, pre.scrollHeight - pre.clientHeight - pre.scrollTop]);
  const log = (name, count) => appendFileSync(join(house.folder, "site.log"), Array.from({ length: count }, (_, n) => `${name} ${n}\n`).join(""));
  log("filled", 60);
  await output(bob).getByText("filled 59").waitFor();
  assert.ok((await place())[1] < 9, "it follows the end");
  await output(bob).evaluate((pre) => new Promise((done) => { pre.addEventListener("scroll", done, { once: true }); pre.scrollTop = 30; }));
  log("later", 20);
  await output(bob).getByText("later 19").waitFor();
  assert.equal((await place())[0], 30);
  await house.api("bob", "POST", `/executions/${id}/stop`, {});
  await bob.page.getByText("It is over.").waitFor();
  await bob.close();
});

test("a lost connection is taken up again, and the reader stays where they are", async () => {
  await granted({ task: "Linux/Follow-Log" });
  const log = (name, count) => appendFileSync(join(house.folder, "site.log"), Array.from({ length: count }, (_, n) => `${name} ${n}\n`).join(""));
  log("before", 60);
  const { id } = await run("Linux/Follow-Log");
  const bob = await Visitor.signIn(house, "bob");
  await begun(id);
  // Twice a proxy in between answers instead of the server, and then it breaks off once.
  let asked = 0;
  await bob.page.route(`**/executions/${id}/output`, async (route) => {
    asked += 1;
    if (asked === 1 || asked === 3) return route.fulfill({ status: 502, body: "bad gateway" });
    if (asked !== 2) return route.continue();
    const data = (text) => Buffer.from(text).toString("base64");
    const chunk = (text) => `event: output\ndata: ${JSON.stringify({ stream: "stdout", after_micros: 1000, data: data(text) })}\n\n`;
    return route.fulfill({ contentType: "text/event-stream", body: `retry: 100\n\nevent: started\ndata: {}\n\n${chunk(readFileSync(join(house.folder, "site.log"), "utf8").split("\n").slice(-11).join("\n"))}` });
  });
  await bob.go(`/executions/${id}`);
  await output(bob).getByText("before 59").waitFor();
  log("filled", 60);
  await output(bob).getByText("filled 59").waitFor();
  assert.equal(asked, 4);
  const texts = (await output(bob).locator(".line").allTextContents()).map((line) => line.trim());
  const all = readFileSync(join(house.folder, "site.log"), "utf8").trim().split("\n");
  assert.deepEqual(texts, all.slice(-70));
  await output(bob).evaluate((pre) => new Promise((done) => { pre.addEventListener("scroll", done, { once: true }); pre.scrollTop = 30; }));
  // As when somebody looks at another tab for a while.
  const look = (state) => bob.page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
  await look(true);
  log("meanwhile", 10);
  await look(false);
  await output(bob).getByText("meanwhile 9").waitFor();
  assert.equal(asked, 5);
  assert.equal(await output(bob).locator(".line").count(), 80);
  assert.equal(await output(bob).evaluate((pre) => pre.scrollTop), 30);
  await house.api("bob", "POST", `/executions/${id}/stop`, {});
  await bob.page.getByText("It is over.").waitFor();
  bob.faults = bob.faults.filter((fault) => !fault.startsWith("502 "));
  await bob.close();
});

test("what is not text is shown in few elements, and to its last byte", async () => {
  await granted({ role: "Linux/Site-Operators" });
  const id = await finished("Linux/Binary");
  const bob = await Visitor.signIn(house, "bob");
  await bob.go(`/executions/${id}`);
  await bob.page.getByRole("button", { name: "Replay" }).waitFor();
  const lines = output(bob).locator(".line:not(.stderr)");
  assert.equal((await lines.first().textContent()).trim(), `a${"\\u{0}".repeat(3000)}b`);
  assert.ok(await lines.first().locator(".escape").count() < 10, "as few as the pieces that it came in");
  assert.equal((await lines.nth(1).textContent()).trim(), "end\\u{d}");
  assert.equal((await output(bob).locator(".stderr").textContent()).trim(), "\ufffd");
  await bob.close();
});

test("a finished run is replayed as it came; both streams and control characters are told apart", async () => {
  await granted({ role: "Linux/Site-Operators" });
  const id = await finished("Linux/Slow-Words");
  const bob = await Visitor.signIn(house, "bob");
  await bob.go(`/executions/${id}`);
  const lines = output(bob).locator(".line");
  const replay = bob.page.getByRole("button", { name: "Replay" });
  await replay.waitFor();
  assert.deepEqual((await lines.allTextContents()).map((line) => line.trim()), ["\\u{1b}[31mfirst\\u{1b}[0m <b>bold</b>", "trouble", "last"]);
  assert.equal(await lines.nth(1).evaluate((line) => getComputedStyle(line, "::before").content), '"err "');
  assert.equal(await output(bob).locator("b").count(), 0);
  assert.deepEqual(await bob.accessibility(), []);
  // When each came is on record, whatever the machine took for it.
  const came = await written(id);
  const at = (text) => Math.ceil(came.find((chunk) => chunk.text.includes(text)).after / 1000);
  const slider = bob.page.getByLabel("Position");
  const shown = async () => (await lines.allTextContents()).map((line) => line.trim());
  const first = "\\u{1b}[31mfirst\\u{1b}[0m <b>bold</b>";
  await slider.fill(String(at("trouble")));
  assert.deepEqual(await shown(), [first, "trouble"]);
  const seconds = (millis) => (millis / 1000).toFixed(1);
  assert.ok((await bob.text()).includes(`${seconds(at("trouble"))} of ${(came.at(-1).after / 1e6).toFixed(1)} s`));
  await slider.fill(String(at("first")));
  assert.deepEqual(await shown(), [first]);
  await slider.fill("0");
  assert.deepEqual(await shown(), came[0].after === 0 ? [first] : []);
  await bob.page.getByLabel("Speed").selectOption("4×");
  const play = bob.page.getByRole("button", { name: "Play" });
  // However short it is so: the button is watched, not looked at now and then.
  await play.evaluate((button) => {
    globalThis.names = [];
    new MutationObserver(() => globalThis.names.push(button.textContent)).observe(button, { childList: true });
  });
  await play.click();
  await output(bob).getByText("last").waitFor();
  await replay.waitFor();
  const names = await bob.page.evaluate(() => globalThis.names);
  assert.deepEqual(names.filter((name, n) => name !== names[n - 1]), ["Pause", "Replay"]);
  await bob.close();
});

test("a search goes from one place to the next, and the download is what ran", async () => {
  await grantedAtOnce("Linux/Read-Log");
  const id = await finished("Linux/Read-Log", { lines: 5 });
  const bob = await Visitor.signIn(house, "bob");
  await bob.go(`/executions/${id}`);
  await bob.page.getByRole("button", { name: "Replay" }).waitFor();
  const field = bob.page.getByLabel("Search the output");
  const line = output(bob).locator(".line").first();
  const word = (await line.textContent()).trim().split(" ").at(-1);
  await field.fill(word.toUpperCase());
  const count = bob.page.locator("output[for=search]");
  assert.match(await count.textContent(), /^1 of \d+$/);
  const all = Number((await count.textContent()).split(" ").at(-1));
  assert.equal(await bob.page.evaluate(() => CSS.highlights.get("found").size), all);
  await field.press("Enter");
  assert.equal(await count.textContent(), `${all === 1 ? 1 : 2} of ${all}`);
  await field.press("Shift+Enter");
  await field.press("Shift+Enter");
  assert.equal(await count.textContent(), `${all} of ${all}`);
  await field.fill("nowhere");
  assert.equal(await count.textContent(), "Not found");
  const [download] = await Promise.all([bob.page.waitForEvent("download"), bob.page.getByRole("link", { name: "Download the standard output" }).click()]);
  assert.equal(download.suggestedFilename(), `${id}.txt`);
  const log = readFileSync(join(house.folder, "site.log"), "utf8").split("\n").slice(-6).join("\n");
  assert.equal(readFileSync(await download.path(), "utf8"), log);
  await bob.close();
});

test("who may not see an output is told who may", async () => {
  await grantedAtOnce("Linux/Read-Log");
  const id = await finished("Linux/Read-Log");
  const adam = await Visitor.signIn(house, "adam");
  await adam.go(`/executions/${id}`);
  assert.match(await adam.text(), /You may not see this output/);
  assert.equal(await output(adam).count(), 0);
  for (const path of ["output", "output.txt"]) {
    assert.equal((await adam.page.request.get(`${house.base}/executions/${id}/${path}`)).status(), 404);
  }
  await adam.close();
});

test("a revocation ends a run while it is watched", async () => {
  const authorization = await granted({ task: "Linux/Follow-Log" });
  const { id } = await run("Linux/Follow-Log");
  const bob = await Visitor.signIn(house, "bob");
  const alice = await Visitor.signIn(house, "alice");
  await bob.go(`/executions/${id}`);
  await output(bob).locator(".line").first().waitFor();
  await alice.go("/authorizations");
  await alice.page.locator(`#${authorization}`).getByRole("link").click();
  assert.deepEqual(await alice.accessibility(), []);
  assert.equal(await alice.page.getByRole("button", { name: "Revoke it now" }).isVisible(), false);
  await alice.page.getByText("Revoke…").click();
  await alice.page.getByLabel("Comment").fill("That is enough");
  await alice.press("Revoke it now");
  assert.match(await alice.text(), /Revoked by alice/);
  assert.match(await alice.text(), /That is enough/);
  await bob.page.getByText("its authorization was taken away").waitFor();
  await bob.page.getByText("It is over.").waitFor();
  await alice.close();
  await bob.close();
});

test("a holder asks for more time or gives back", async () => {
  const authorization = await granted({ task: "Linux/Restart-Site" });
  await finished("Linux/Restart-Site");
  const bob = await Visitor.signIn(house, "bob", { size: "phone" });
  await bob.go(`/authorizations/${authorization}`);
  assert.match(await bob.text(), /59 min|1 h/);
  assert.match(await bob.page.locator("#runs").innerText(), /Linux\\Restart-Site/);
  assert.equal(await bob.page.getByRole("link", { name: "Ask for more time" }).getAttribute("href"), `/requests/new?extend=${authorization}`);
  await bob.page.getByText("Give back…").click();
  await bob.press("Give it back now");
  assert.match(await bob.text(), /Given back by|Given back,/);
  await bob.close();
});

test("the overview counts without reload", async () => {
  const ada = await Visitor.signIn(house, "ada");
  await ada.go("/");
  const figure = (name) => ada.page.getByRole("link", { name }).locator(".figure");
  const before = Number(await figure(/in force now/).textContent());
  await granted({ task: "Linux/Show-Disk-Usage" });
  await ada.page.waitForFunction((count) => document.querySelector(".figure").textContent === String(count), before + 1);
  const { id } = await (async () => { await granted({ task: "Linux/Follow-Log" }); return run("Linux/Follow-Log"); })();
  await ada.page.locator(".plot .going").waitFor();
  await house.api("bob", "POST", `/executions/${id}/stop`, {});
  await ada.page.locator(".plot .going").waitFor({ state: "detached" });
  const alice = await Visitor.signIn(house, "alice");
  await alice.go("/");
  const request = await house.api("bob", "POST", "/requests", { task: "Linux/Set-Password", reason: "A new one is due" });
  await alice.page.locator(`#for-${request.id}`).waitFor();
  await house.api("bob", "POST", `/requests/${request.id}/cancel`, {});
  await alice.page.getByText("Nothing waits for your decision.").waitFor();
  await alice.close();
  await ada.close();
});

const pages = async () => {
  const authorization = await granted({ role: "Linux/Site-Operators" });
  const id = await finished("Linux/Slow-Words");
  return ["/", "/executions", "/executions?show=running", `/executions/${id}`, `/executions?authorization=${authorization}`, "/authorizations", "/authorizations?show=scheduled", "/authorizations?show=ended", "/authorizations?show=mine", `/authorizations/${authorization}`];
};

test("every page is accessible, and none scrolls sideways on a phone", async () => {
  const [otto, bob] = await Promise.all([Visitor.signIn(house, "otto"), Visitor.signIn(house, "bob", { size: "phone" })]);
  for (const path of await pages()) {
    for (const visitor of [otto, bob]) {
      const response = await visitor.go(path);
      assert.equal(response.status(), 200, path);
      assert.ok(await visitor.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} scrolls sideways`);
    }
    assert.deepEqual(await otto.accessibility(), []);
  }
  await otto.close();
  await bob.close();
});

test("every page tells the same without scripts", async () => {
  const otto = await Visitor.signIn(house, "otto", { scripts: false });
  for (const path of await pages()) {
    const response = await otto.go(path);
    assert.equal(response.status(), 200, path);
    if (path.startsWith("/executions/")) {
      assert.deepEqual((await otto.page.locator(".output .line").allTextContents()).map((line) => line.trim()), ["\\u{1b}[31mfirst\\u{1b}[0m <b>bold</b>", "trouble", "last"]);
    }
  }
  await granted({ task: "Linux/Follow-Log" });
  const { id } = await run("Linux/Follow-Log");
  await otto.go(`/executions/${id}`);
  assert.match(await otto.text(), /Reload this page/);
  await otto.close();
  const bob = await Visitor.signIn(house, "bob", { scripts: false });
  await bob.go(`/executions/${id}`);
  await bob.press("Stop");
  assert.match(await bob.text(), /told to stop/);
  await bob.close();
});
