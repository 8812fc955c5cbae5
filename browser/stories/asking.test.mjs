// The main story, in two browsers side by side.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { House, Visitor, closeChrome } from "../harness.mjs";

let house;
before(async () => { house = await House.start(); });
after(async () => { await closeChrome(); await house?.stop(); });

test("a request appears before the approver without reload, and the decision before the requester", async () => {
  const alice = await Visitor.signIn(house, "alice", { size: "phone" });
  await alice.go("/requests");
  await alice.page.getByText("Nothing waits for your decision.").waitFor();
  const request = await house.api("bob", "POST", "/requests", {
    task: "Linux/Show-Disk-Usage", parameters: { path: "/tmp" }, reason: "The disk may be full", duration: "1h",
  });
  const bob = await Visitor.signIn(house, "bob");
  await bob.go(`/requests/${request.id}`);
  assert.match(await bob.text(), /Pending/);
  await alice.page.getByRole("link", { name: "Linux\\Show-Disk-Usage" }).click();
  await alice.page.getByLabel("Comment").fill("Go ahead");
  await alice.press("Approve");
  assert.match(await alice.text(), /Approved/);
  await bob.page.getByText("alice approved").waitFor();
  await alice.close();
  await bob.close();
});

test("a page that may not wait for what is new asks now and then", async () => {
  const alice = await Visitor.signIn(house, "alice");
  await alice.page.clock.install();
  let refused = 0;
  await alice.page.route("**/live?after=*", (route) => { refused++; return route.fulfill({ status: 429, body: "" }); });
  await Promise.all([alice.page.waitForResponse((response) => response.url().endsWith("/live")), alice.go("/requests")]);
  const { id } = await house.api("bob", "POST", "/requests", { task: "Linux/Restart-Site", parameters: { unit: "site" }, reason: "It hangs", duration: "1h" });
  await alice.page.clock.fastForward(30_000);
  await alice.page.locator(`a[href="/requests/${id}"]`).first().waitFor();
  assert.ok(refused >= 2, `${refused}`);
  await alice.close();
});

test("times are told in the reader's zone, half an hour off, and UTC stays beside them", async () => {
  const { id } = await house.api("bob", "POST", "/requests", {
    task: "Linux/Follow-Log", reason: "To follow", duration: "1h", start_at: new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z/, "Z"),
  });
  const bob = await Visitor.signIn(house, "bob");
  const inZone = (at, timeZone) => new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeStyle: "short", timeZone }).format(at).replaceAll(/\s/g, " ");
  for (const path of [`/requests/${id}`, "/requests?show=mine", "/access", "/"]) {
    await bob.go(path);
    const times = await bob.page.locator("time[datetime]:not([data-left], [data-ago])").evaluateAll((all) => all.map((time) => ({ at: time.dateTime, text: time.textContent.replaceAll(/\s/g, " "), title: time.title })));
    if (path.includes(id)) assert.ok(times.length > 0, path);
    for (const { at, text, title } of times) {
      const moment = new Date(at);
      assert.equal(text, inZone(moment, "America/St_Johns"), `${path} ${at}`);
      assert.notEqual(text, inZone(moment, "UTC"));
      const minutes = (told) => Number(/:(\d\d)/.exec(told)[1]);
      assert.equal((minutes(text) + 30) % 60, moment.getUTCMinutes(), `${path} ${at} ${text}`);
      assert.match(title, / UTC$/);
      assert.equal(minutes(title), moment.getUTCMinutes());
    }
  }
  await bob.close();
  const plain = await Visitor.signIn(house, "bob", { scripts: false });
  await plain.go(`/requests/${id}`);
  assert.match(await plain.page.locator("time[datetime]:not([data-left], [data-ago])").first().innerText(), / UTC$/);
  await plain.close();
});
