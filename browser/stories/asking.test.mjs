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
