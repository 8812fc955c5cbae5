// Policies: made, changed and removed after a look at what they would do; explained; and their history.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { House, Visitor, closeChrome } from "../harness.mjs";

let house;
before(async () => { house = await House.start(); });
after(async () => { await closeChrome(); await house?.stop(); });

/** The policy on an access, by its name. */
async function policyOn(name) {
  const { items } = await house.api("ada", "GET", "/policies?limit=200");
  return items.find((policy) => policy.access.name === name);
}

test("adam sees what a new policy would do before he saves it, and nobody else sees the button", async () => {
  const adam = await Visitor.signIn(house, "adam");
  await adam.go("/policies");
  await adam.press("New policy", "link");
  await adam.press("Role group", "link");
  await adam.page.getByLabel("Role group", { exact: true }).fill("Linux\\Operations");
  await adam.page.getByLabel("Approver group 1", { exact: true }).fill("Approvers");
  await adam.page.getByLabel("At least of approver group 1").fill("1");
  await adam.page.getByLabel("Longest duration").fill("2h");
  await adam.press("Review");
  const review = await adam.text();
  assert.match(review, /Review the new policy/);
  assert.match(review, /Who approves.*1 of Approvers \(at least 1\)/s);
  assert.match(review, /Tasks of its access\s+2/);
  assert.match(review, /Tasks that it governs\s+0/);
  assert.equal(await policyOn("Linux\\Operations"), undefined, "nothing is saved yet");
  assert.deepEqual(await adam.accessibility(), []);
  await adam.press("Save");
  assert.match(await adam.text(), /Created\.[\s\S]*1 person of Approvers \(at least 1\)/);
  assert.equal((await policyOn("Linux\\Operations")).maximum_duration, "2h");
  await adam.close();
  const bob = await Visitor.signIn(house, "bob");
  await bob.go("/policies");
  assert.equal(await bob.page.getByRole("link", { name: "New policy" }).count(), 0);
  await bob.go(`/policies/${(await policyOn("Linux\\Operations")).id}`);
  for (const name of ["Change", "Remove", "History"]) assert.equal(await bob.page.getByRole("link", { name, exact: true }).count(), 0, name);
  await bob.close();
});

test("a change shows every difference and whom it touches", async () => {
  const { id } = await policyOn("Linux\\Show-Disk-Usage");
  await house.api("bob", "POST", "/requests", { task: "Linux/Show-Disk-Usage", parameters: { path: "/" }, reason: "Full?", duration: "1h" });
  const adam = await Visitor.signIn(house, "adam");
  await adam.go(`/policies/${id}/edit`);
  assert.deepEqual(await adam.accessibility(), []);
  await adam.page.getByLabel("Approvals needed in all").fill("2");
  await adam.page.getByLabel("Only these people and groups").check();
  await adam.page.getByLabel("Person 1").fill("anna");
  await adam.press("Review");
  const review = await adam.text();
  assert.match(review, /Who approves.*1 of Approvers.*2 of Approvers/s);
  assert.match(review, /Who may ask.*anyone who is active.*anna/s);
  assert.doesNotMatch(review, /Longest duration/);
  assert.match(review, /People who may ask\s+1 now 6/);
  assert.match(review, /5 people could, and cannot any more/);
  assert.match(review, /1 under it, 1 end undecided/);
  await adam.press("Back to the form");
  assert.equal(await adam.page.getByLabel("Person 1").inputValue(), "anna");
  await adam.press("Review");
  await adam.press("Save");
  assert.match(await adam.text(), /Saved\.[\s\S]*revision 2[\s\S]*2 different people of Approvers/);
  assert.equal((await house.api("bob", "GET", "/requests?mine=true")).items[0].status, "cancelled");
  await adam.close();
});

test("Auto without somebody named is refused above the form, which keeps what was typed; rows are added without scripts", async () => {
  const { id } = await policyOn("Linux\\Restart-Site");
  const adam = await Visitor.signIn(house, "adam", { scripts: false });
  await adam.go(`/policies/${id}/edit`);
  await adam.page.getByLabel("Auto", { exact: true }).check();
  await adam.page.getByLabel("Runs", { exact: true }).fill("3");
  await adam.press("One more person");
  assert.equal(await adam.page.getByLabel("Person 2").count(), 1);
  await adam.press("Review");
  assert.match(await adam.text(), /an Auto policy must name who may ask/);
  assert.ok(await adam.page.getByLabel("Auto", { exact: true }).isChecked());
  assert.equal(await adam.page.getByLabel("Runs", { exact: true }).inputValue(), "3");
  await adam.page.getByLabel("Only these people and groups").check();
  await adam.page.getByLabel("Person 1").fill("bob");
  await adam.page.getByLabel("Person 2").fill("nobody-here");
  await adam.press("Review");
  assert.match(await adam.text(), /nobody-here/);
  await adam.page.getByLabel("Person 2").fill("");
  await adam.press("Review");
  assert.match(await adam.text(), /1 person without anybody's approval/);
  await adam.press("Save");
  assert.match(await adam.text(), /Auto: a request is approved at once/);
  await adam.close();
});

test("somebody who changed it meanwhile is not overwritten unseen", async () => {
  const { id } = await policyOn("Linux\\Follow-Log");
  const adam = await Visitor.signIn(house, "adam");
  await adam.go(`/policies/${id}/edit`);
  await adam.page.getByLabel("Longest duration").fill("3h");
  await adam.press("Review");
  await house.api("ada", "PATCH", `/policies/${id}`, { max_uses: 5 });
  await adam.press("Save");
  const review = await adam.text();
  assert.match(review, /Somebody changed this policy while you did/);
  assert.match(review, /Runs.*at most 5.*any number/s);
  assert.equal((await house.api("ada", "GET", `/policies/${id}`)).max_uses, 5, "nothing was saved");
  await adam.press("Save");
  assert.match(await adam.text(), /Saved\./);
  assert.equal((await house.api("ada", "GET", `/policies/${id}`)).maximum_duration, "3h");
  await adam.close();
});

test("a policy goes after a look at what goes with it", async () => {
  const { id } = await policyOn("Linux\\Set-Password");
  const adam = await Visitor.signIn(house, "adam", { size: "phone" });
  await adam.go(`/policies/${id}`);
  await adam.press("Remove", "link");
  assert.match(await adam.text(), /Remove the policy on Linux\\Set-Password\?/);
  assert.match(await adam.text(), /Tasks that it governs\s+0 now 1/);
  assert.deepEqual(await adam.accessibility(), []);
  assert.ok(await adam.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "no sideways scrolling");
  await house.api("ada", "PATCH", `/policies/${id}`, { maximum_duration: "5h" });
  await adam.press("Remove the policy");
  assert.match(await adam.text(), /Somebody changed this policy while you looked at it/);
  await adam.press("Remove the policy");
  assert.match(await adam.text(), /Removed\./);
  assert.equal(await policyOn("Linux\\Set-Password"), undefined);
  await adam.close();
});

test("bob is told step by step what happens, before he holds something and after", async () => {
  const bob = await Visitor.signIn(house, "bob", { scripts: false });
  await bob.go("/policies/explain");
  await bob.page.getByLabel("Task").fill("Linux/Read-Log");
  await bob.press("Explain");
  assert.match(await bob.text(), /What happens if bob runs Linux\\Read-Log\?[\s\S]*It is refused\.[\s\S]*governs[\s\S]*does not govern/);
  assert.deepEqual((await bob.page.getByLabel("lines").count()), 1, "its parameters are asked for");
  await house.api("bob", "POST", "/requests", { task: "Linux/Read-Log", reason: "To look", duration: "1h" });
  await bob.page.getByLabel("lines").fill("1000");
  await bob.press("Explain");
  assert.match(await bob.text(), /do the values satisfy it\? no/);
  await bob.page.getByLabel("lines").fill("5");
  await bob.press("Explain");
  assert.match(await bob.text(), /It runs\. Under aut-\d+[\s\S]*is in force/);
  await bob.go("/policies/explain?task=Linux/Nothing");
  assert.match(await bob.text(), /is the task defined\? no/);
  await bob.close();
  const otto = await Visitor.signIn(house, "otto");
  await otto.go("/policies/explain?user=bob&task=Linux/Read-Log");
  assert.match(await otto.text(), /What happens if bob runs/);
  assert.deepEqual(await otto.accessibility(), []);
  await otto.close();
});

test("bob gets no page that is an administrator's or an auditor's", async () => {
  const bob = await Visitor.signIn(house, "bob");
  const { id } = await policyOn("Linux\\Read-Log");
  for (const path of ["/policies/new", `/policies/${id}/edit`, `/policies/${id}/remove`, `/history/${id}`]) {
    assert.equal((await bob.go(path)).status(), 403, path);
  }
  assert.equal((await bob.go("/policies/pol-999")).status(), 404);
  await bob.close();
});

test("otto reads how a policy came to say what it says", async () => {
  const { id } = await policyOn("Linux\\Follow-Log");
  await house.api("adam", "PATCH", `/policies/${id}`, { maximum_duration: "6h", requesters: { users: ["bob"], groups: ["Approvers"] } });
  const otto = await Visitor.signIn(house, "otto");
  await otto.go(`/policies/${id}`);
  assert.deepEqual(await otto.accessibility(), []);
  await otto.press("History", "link");
  const told = await otto.text();
  assert.match(told, /adam changed pol-\d+ on Linux\\Follow-Log[\s\S]*maximum duration\s+\S+ 6h[\s\S]*ada created pol-\d+/);
  assert.deepEqual(await otto.accessibility(), []);
  assert.match(await otto.page.getByRole("heading", { level: 1 }).innerText(), /^History of pol-\d+ on Linux\\Follow-Log$/);
  // Who is named is named, and leads to their page.
  await otto.press("Approvers", "link");
  assert.match(await otto.page.getByRole("heading", { level: 1 }).innerText(), /^Approvers/);
  await otto.go("/history/usr-999");
  assert.match(await otto.text(), /The ledger tells nothing of usr-999/);
  await otto.go("/history/grp-1");
  assert.match(await otto.text(), /^Approvers\s+History of Approvers[\s\S]*ada added anna to Approvers[\s\S]*ada created the group Approvers/);
  await otto.go("/history/access-control");
  assert.match(await otto.text(), /ada enabled access control/);
  await otto.close();
});

test("the list is whole on a phone", async () => {
  const otto = await Visitor.signIn(house, "otto", { size: "phone" });
  await otto.go("/policies");
  assert.match(await otto.text(), /Linux\\Read-Log/);
  assert.deepEqual(await otto.accessibility(), []);
  assert.ok(await otto.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "no sideways scrolling");
  await otto.close();
});
