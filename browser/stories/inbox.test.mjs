// The inbox: on a phone, by keyboard, several at once, without scripts.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { House, PASSWORD, Visitor, closeChrome } from "../harness.mjs";

let house;
before(async () => { house = await House.start(); });
after(async () => { await closeChrome(); await house?.stop(); });

const ask = (more = {}, name = "bob") => house.api(name, "POST", "/requests", {
  task: "Linux/Show-Disk-Usage", parameters: { path: "/tmp" }, reason: "The disk may be full", duration: "1h", ...more,
});
const request = (id) => house.api("ada", "GET", `/requests/${id}`);

/** Nothing of an earlier story waits any more. */
async function settle() {
  const { items } = await house.api("alice", "GET", "/requests?for_me=true");
  for (const { id } of items) await house.api("alice", "POST", `/requests/${id}/deny`, { comment: "Over" });
}

const focused = (visitor) => visitor.page.evaluate(() => document.activeElement.id);

test("from a link on a phone an approver signs in, decides before the details, and is offered the next one", async () => {
  const [first, second] = [await ask({ reason: "Uploads fail" }), await ask({ task: "Linux/Restart-Site", parameters: { unit: "shop" } })];
  const alice = await Visitor.open(house, { size: "phone" });
  await alice.go(`/requests/${second.id}`);
  assert.equal(new URL(alice.page.url()).pathname, "/sign-in");
  await alice.page.getByLabel("Name").fill("alice");
  await alice.page.getByLabel("Password").fill(PASSWORD);
  await alice.press("Sign in");
  assert.equal(new URL(alice.page.url()).pathname, `/requests/${second.id}`);
  const approve = await alice.page.getByRole("button", { name: "Approve", exact: true }).boundingBox();
  const details = await alice.page.getByRole("heading", { name: "Exactly what will run" }).boundingBox();
  assert.ok(approve.y + approve.height < details.y, "the decision comes before the details");
  assert.ok(approve.height >= 44 && approve.width >= 100, "the button is big enough");
  assert.match(await alice.text(), /bob would run \/usr\/bin\/echo restarted shop \{force\} for 1 h/);
  assert.deepEqual(await alice.accessibility(), []);
  await alice.press("Approve");
  assert.match(await alice.text(), /Approved/);
  await alice.press("Next: Linux\\Show-Disk-Usage for bob", "link");
  assert.equal(new URL(alice.page.url()).pathname, `/requests/${first.id}`);
  assert.equal((await request(second.id)).status, "approved");
  await alice.close();
  await settle();
});

test("a denial with a comment is before the requester without reload", async () => {
  const { id } = await ask();
  const bob = await Visitor.signIn(house, "bob");
  await bob.go(`/requests/${id}`);
  assert.match(await bob.text(), /You cannot decide on it: nobody decides on their own request/);
  const alice = await Visitor.signIn(house, "alice");
  await alice.go(`/requests/${id}`);
  await alice.page.getByLabel("Comment").fill("Not during the sale");
  await alice.press("Deny");
  await bob.page.getByText("Not during the sale").waitFor();
  await bob.page.locator("#standing").getByText("Denied").waitFor();
  assert.equal((await request(id)).decisions[0].comment, "Not during the sale");
  await bob.page.getByRole("link", { name: "Ask for the same again" }).waitFor();
  assert.deepEqual(await bob.accessibility(), []);
  await alice.close();
  await bob.close();
});

test("an approval for a shorter time; one that is too long is told beside the form, which stays filled in", async () => {
  const { id } = await ask();
  const alice = await Visitor.signIn(house, "alice");
  await alice.go(`/requests/${id}`);
  await alice.page.getByText("Approve for a shorter time").click();
  await alice.page.getByRole("textbox", { name: "For how long" }).fill("3h");
  await alice.page.getByLabel("Comment").fill("Be quick");
  await alice.press("Approve");
  assert.match(await alice.page.getByRole("alert").innerText(), /can shorten the 1h asked for, not lengthen it/);
  assert.equal(await alice.page.getByLabel("Comment").inputValue(), "Be quick");
  await alice.page.getByRole("textbox", { name: "For how long" }).fill("20m");
  await alice.press("Approve");
  assert.match(await alice.text(), /alice approved for 20 min/);
  const { authorization } = await request(id);
  assert.equal((await house.api("ada", "GET", `/authorizations/${authorization}`)).duration, "20m");
  await alice.close();
});

test("several at once: each is decided for itself, and what failed says why", async () => {
  await settle();
  const asked = [await ask(), await ask({ parameters: { path: "/" } }), await ask({ task: "Linux/Follow-Log", parameters: {} })];
  const alice = await Visitor.signIn(house, "alice");
  // What is withdrawn leaves the list at once; this page does not hear of it.
  await alice.page.route("**/live*", (route) => route.abort());
  await alice.go("/requests");
  for (const { id } of asked) await alice.page.locator(`#choose-${id}`).check();
  await house.api("bob", "POST", `/requests/${asked[1].id}/cancel`, {});
  await alice.page.getByLabel("Comment on each of them").fill("All of change 12");
  await alice.press("Approve chosen");
  const text = await alice.text();
  assert.match(text, /2 approved, 1 not decided/);
  assert.match(text, new RegExp(`${asked[1].id} was cancelled`));
  assert.deepEqual(await alice.accessibility(), []);
  assert.equal((await request(asked[0].id)).decisions[0].comment, "All of change 12");
  assert.equal((await request(asked[2].id)).status, "approved");
  await alice.close();
});

test("new requests appear while rows are chosen, and what was chosen stays so", async () => {
  await settle();
  const first = await ask();
  const alice = await Visitor.signIn(house, "alice");
  await alice.go("/requests");
  await alice.page.locator(`#choose-${first.id}`).check();
  assert.equal(await alice.page.locator("#waiting").innerText().then((text) => text.split(/\s/)[0]), "1");
  const second = await ask();
  await alice.page.locator(`#${second.id}`).waitFor();
  assert.ok(await alice.page.locator(`#choose-${first.id}`).isChecked());
  assert.equal(await focused(alice), `choose-${first.id}`);
  await alice.page.waitForFunction(() => document.getElementById("waiting").textContent.startsWith("2"));
  await house.api("anna", "POST", `/requests/${first.id}/deny`, {});
  await alice.page.locator(`#${first.id}`).waitFor({ state: "detached" });
  await alice.close();
});

test("by keyboard: to a row, into it, to the comment, and only Ctrl+Enter there decides", async () => {
  await settle();
  const [older, newer] = [await ask({ parameters: { path: "/" } }), await ask()];
  const alice = await Visitor.signIn(house, "alice");
  await alice.go("/requests");
  const press = (key) => alice.page.keyboard.press(key);
  await press("j");
  assert.equal(await focused(alice), `open-${newer.id}`);
  await press("ArrowDown");
  assert.equal(await focused(alice), `open-${older.id}`);
  await press("x");
  assert.ok(await alice.page.locator(`#choose-${older.id}`).isChecked());
  await press("x");
  await press("k");
  await Promise.all([alice.page.waitForURL(`**/requests/${newer.id}`), press("a")]);
  await alice.page.getByText("Ctrl+Enter approves.").waitFor();
  assert.equal(await focused(alice), "comment");
  await alice.page.keyboard.type("jad, a comment");
  assert.equal((await request(newer.id)).status, "pending");
  await Promise.all([alice.page.waitForEvent("load"), press("Control+Enter")]);
  const decided = await request(newer.id);
  assert.deepEqual([decided.status, decided.decisions[0].comment], ["approved", "jad, a comment"]);
  await Promise.all([alice.page.waitForURL(`**/requests/${older.id}`), press("n")]);
  await press("d");
  assert.equal(await focused(alice), "comment");
  await Promise.all([alice.page.waitForEvent("load"), press("Control+Enter")]);
  assert.equal((await request(older.id)).status, "denied");
  await press("g");
  await Promise.all([alice.page.waitForURL("**/access"), press("a")]);
  await alice.close();
});

test("focus stays at its row when others come and go", async () => {
  await settle();
  const [gone, kept] = [await ask({ parameters: { path: "/" } }), await ask()];
  const alice = await Visitor.signIn(house, "alice");
  await alice.go("/");
  // A link of a row that has no id of its own.
  await alice.page.locator(`#for-${kept.id} a`).focus();
  const row = () => alice.page.evaluate(() => document.activeElement.closest("[data-row]")?.id);
  const newest = await ask({ task: "Linux/Follow-Log", parameters: {} });
  await alice.page.locator(`#for-${newest.id}`).waitFor();
  assert.equal(await row(), `for-${kept.id}`);
  await house.api("bob", "POST", `/requests/${gone.id}/cancel`, {});
  await alice.page.locator(`#for-${gone.id}`).waitFor({ state: "detached" });
  assert.equal(await row(), `for-${kept.id}`);
  await house.api("bob", "POST", `/requests/${kept.id}/cancel`, {});
  await alice.page.locator(`#for-${kept.id}`).waitFor({ state: "detached" });
  assert.equal(await row(), `for-${newest.id}`);
  await alice.close();
  await settle();
});

test("what is open stays as it is, and is taken up once it is closed", async () => {
  const { id } = await ask();
  const alice = await Visitor.signIn(house, "alice");
  await alice.go(`/requests/${id}`);
  const summary = alice.page.getByText("Approve for a shorter time");
  await summary.click();
  await house.api("anna", "POST", `/requests/${id}/deny`, {});
  await alice.page.locator("#standing").getByText("Denied").waitFor();
  assert.ok(await alice.page.getByRole("textbox", { name: "For how long" }).isVisible());
  await summary.click();
  await summary.evaluate((element) => element.blur());
  await summary.waitFor({ state: "detached" });
  await alice.close();
});

test("when the session ends, what somebody writes stays to be copied; other pages lead to the sign-in", async () => {
  await settle();
  const { id } = await ask();
  const alice = await Visitor.signIn(house, "alice");
  await alice.go(`/requests/${id}`);
  const comment = alice.page.getByLabel("Comment");
  await comment.fill("Long thoughts");
  const other = await alice.context.newPage();
  await other.goto(`${house.base}/requests`);
  await alice.context.clearCookies();
  await ask({ task: "Linux/Follow-Log", parameters: {} });
  await other.waitForURL("**/sign-in?*");
  const told = alice.page.getByRole("alert").filter({ hasText: "You are signed out. Copy what you wrote" });
  await told.waitFor();
  assert.equal(await comment.inputValue(), "Long thoughts");
  assert.deepEqual(await alice.accessibility(), []);
  await told.getByRole("link", { name: "sign in" }).click();
  await alice.page.waitForURL("**/sign-in?*");
  await alice.page.getByLabel("Name").fill("alice");
  await alice.page.getByLabel("Password").fill(PASSWORD);
  await alice.press("Sign in");
  assert.equal(new URL(alice.page.url()).pathname, `/requests/${id}`);
  await alice.close();
  await settle();
});

test("the keys are told in a dialog, and can be switched off", async () => {
  await settle();
  await ask();
  const alice = await Visitor.signIn(house, "alice");
  await alice.go("/requests");
  await alice.page.keyboard.press("?");
  const dialog = alice.page.getByRole("dialog", { name: "Keyboard" });
  await dialog.waitFor();
  assert.deepEqual(await alice.accessibility(), []);
  await dialog.getByLabel("Use these keys in this browser").uncheck();
  await dialog.getByRole("button", { name: "Close" }).click();
  await alice.page.reload();
  await alice.page.keyboard.press("j");
  assert.doesNotMatch(await focused(alice), /^open-/);
  await alice.page.getByRole("button", { name: "All keys" }).click();
  await dialog.getByLabel("Use these keys in this browser").check();
  await dialog.getByRole("button", { name: "Close" }).click();
  await alice.page.evaluate(() => document.activeElement.blur());
  await alice.page.keyboard.press("j");
  assert.match(await focused(alice), /^open-/);
  await alice.close();
});

test("an authorization is revoked where it was given, and its holder sees it", async () => {
  const { id } = await ask();
  const { authorization } = await house.api("alice", "POST", `/requests/${id}/approve`, {});
  const bob = await Visitor.signIn(house, "bob");
  await bob.go(`/requests/${id}`);
  await bob.page.getByRole("link", { name: "Ask for more time" }).waitFor();
  const alice = await Visitor.signIn(house, "alice");
  await alice.go(`/requests/${id}`);
  assert.ok(!(await alice.page.getByRole("button", { name: "Revoke the authorization" }).isVisible()), "it asks once more");
  await alice.page.getByText("Revoke it").click();
  await alice.page.getByRole("textbox", { name: "Why" }).fill("Solved otherwise");
  await alice.press("Revoke the authorization");
  assert.match(await alice.text(), /alice revoked it/);
  await bob.page.getByText("Solved otherwise").waitFor();
  assert.equal((await house.api("ada", "GET", `/authorizations/${authorization}`)).ending, "revoked");
  await alice.close();
  await bob.close();
});

test("what is bound and what is free is told apart in the command", async () => {
  const { id } = await ask({ task: "Linux/Restart-Site", parameters: { force: true } });
  const alice = await Visitor.signIn(house, "alice");
  await alice.go(`/requests/${id}`);
  assert.equal(await alice.page.locator("pre.command .free").innerText(), "{unit}");
  assert.equal(await alice.page.locator("pre.command .bound").innerText(), "true");
  assert.match(await alice.text(), /unit\s+not bound: any value within the task's own limits/);
  await alice.close();
});

test("everything works without scripts", async () => {
  await settle();
  const [first, second, third] = [await ask(), await ask({ parameters: { path: "/" } }), await ask({ task: "Linux/Follow-Log", parameters: {} })];
  const alice = await Visitor.signIn(house, "alice", { scripts: false });
  await alice.go("/requests?show=for-me");
  assert.ok(!(await alice.page.getByText("All keys").isVisible()));
  await alice.press("Deny chosen");
  assert.match(await alice.page.getByRole("alert").innerText(), /choose at least one request/);
  for (const { id } of [first, second]) await alice.page.locator(`#choose-${id}`).check();
  await alice.press("Deny chosen");
  assert.match(await alice.text(), /2 denied/);
  await alice.press("Back to the requests", "link");
  await alice.press("Linux\\Follow-Log", "link");
  await alice.press("Approve");
  assert.equal((await request(third.id)).status, "approved");
  await alice.page.getByText("Revoke it").click();
  await alice.press("Revoke the authorization");
  assert.match(await alice.text(), /alice revoked it/);
  const bob = await Visitor.signIn(house, "bob", { scripts: false });
  const fourth = await ask();
  await bob.go("/requests");
  await bob.page.locator(`#open-${fourth.id}`).click();
  await bob.page.getByText("Withdraw the request").click();
  await bob.press("Withdraw");
  assert.equal((await request(fourth.id)).status, "cancelled");
  await alice.close();
  await bob.close();
});

test("the filters show what they say", async () => {
  const { id } = await ask({ reason: "For the filters" });
  const ada = await Visitor.signIn(house, "ada", { scripts: false });
  await ada.go("/requests");
  assert.match(await ada.page.locator(".tabs [aria-current]").innerText(), /Mine/);
  for (const [tab, has] of [["All", true], ["Pending", true], ["Approved", false], ["Denied", false], ["Expired", false], ["Mine", false], ["For me", false]]) {
    await ada.press(tab, "link");
    assert.equal(await ada.page.locator(`#${id}`).count(), has ? 1 : 0, tab);
  }
  await ada.close();
  for (const path of ["/requests?show=all", "/requests?show=for-me", "/requests?show=expired"]) {
    const alice = await Visitor.signIn(house, "alice");
    await alice.go(path);
    assert.deepEqual(await alice.accessibility(), []);
    await alice.close();
  }
  await settle();
});
