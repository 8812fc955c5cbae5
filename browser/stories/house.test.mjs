// The people and rules of a house: from the setup link to the first approved request, and what administrators do afterwards.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { House, PASSWORD, Visitor, closeChrome } from "../harness.mjs";

let house;
before(async () => { house = await House.start(); });
after(async () => { await closeChrome(); await house.stop(); });

const OTHER = "another password for tests only";

/** Fills fields by their labels. */
async function fill(visitor, values) {
  for (const [label, value] of Object.entries(values)) await visitor.page.getByLabel(label, { exact: true }).fill(value);
}

/** Comes in with a one-time code, by the page for it. */
async function enrol(visitor, name, code) {
  await visitor.go("/sign-in/code");
  await fill(visitor, { Name: name, "One-time code": code, "New password": PASSWORD });
  await visitor.page.getByRole("button", { name: "Set password and sign in" }).click();
  await visitor.page.waitForURL((url) => url.pathname !== "/sign-in/code");
}

async function startEmpty(scripts) {
  const fresh = await House.start({ empty: true });
  const ada = await Visitor.open(fresh, { scripts });
  const alice = await Visitor.open(fresh, { scripts });
  try {
    await ada.page.goto(fresh.link);
    if (scripts) {
      await ada.page.waitForFunction(() => location.hash === "");
      assert.equal(await ada.page.getByLabel("One-time code").inputValue(), fresh.code);
    } else await fill(ada, { "One-time code": fresh.code });
    await fill(ada, { Name: "ada", Password: PASSWORD });
    await ada.press("Create the account");

    assert.match(ada.page.url(), /\/start\/people$/);
    assert.match(await ada.text(), /Step 2 of 5/);
    if (scripts) assert.deepEqual(await ada.accessibility(), []);
    await ada.go("/");
    assert.match(await ada.text(), /The first start is not finished/);
    if (scripts) assert.deepEqual(await ada.accessibility(), []);
    await ada.press("Go on with it", "link");
    assert.match(ada.page.url(), /\/start\/people$/);
    await ada.press("Create the group");
    await fill(ada, { Name: "alice", "Full name (optional)": "Alice A" });
    if (scripts) assert.deepEqual(await ada.accessibility(), []);
    await ada.press("Add, and show a code");
    const code = await ada.page.locator("output.secret").innerText();
    assert.ok(!ada.page.url().includes(code));
    await ada.press("Back to the first start", "link");
    assert.match(await ada.text(), /alice/);

    await ada.go("/start");
    assert.match(ada.page.url(), /\/start\/access-control$/);
    assert.equal(await ada.page.getByLabel("Default approver group").inputValue(), "Approvers");
    if (scripts) assert.deepEqual(await ada.accessibility(), []);
    await ada.press("Review, then switch on");
    assert.match(await ada.text(), /5 of 5 tasks have no policy/);
    await ada.press("Yes, switch it on");

    assert.match(ada.page.url(), /\/start\/policy$|\/start\/policy\?/);
    await ada.page.getByLabel("Task", { exact: true }).selectOption("Linux\\Show-Disk-Usage");
    if (scripts) assert.deepEqual(await ada.accessibility(), []);
    await ada.press("Create the policy");
    await ada.go("/start");
    assert.match(ada.page.url(), /\/start\/done$/);
    assert.match(await ada.text(), /Step 5 of 5/);
    if (scripts) assert.deepEqual(await ada.accessibility(), []);

    await enrol(alice, "alice", code);
    const { token } = await fresh.call("POST", "/sessions", { name: "ada", password: PASSWORD });
    const asked = await fresh.call("POST", "/requests", { task: "Linux/Show-Disk-Usage", reason: "First", duration: "1h" }, token);
    await alice.go(`/requests/${asked.id}`);
    await alice.press("Approve");
    if (!scripts) await ada.go("/start");
    await ada.page.getByRole("heading", { name: "All five steps are done" }).waitFor();
    await ada.go("/");
    assert.doesNotMatch(await ada.text(), /first start/);
  } finally {
    await ada.close();
    await alice.close();
    await fresh.stop();
  }
}

test("from the setup link to the first approved request in another browser", () => startEmpty(true));
test("the first start with scripts off", () => startEmpty(false));

test("without a defined task the first start says how to define one, and can be left and found again", async () => {
  const fresh = await House.start({ empty: true, tasks: '[workload]\nname = "Linux"\nkind = "command"\n' });
  const ada = await Visitor.open(fresh, { size: "phone" });
  try {
    await fresh.setUp("ada");
    await ada.go("/sign-in");
    await fill(ada, { Name: "ada", Password: PASSWORD });
    await ada.page.getByRole("button", { name: "Sign in" }).click();
    await ada.page.waitForURL((url) => url.pathname !== "/sign-in");
    await ada.go("/start/learn");
    assert.deepEqual(await ada.accessibility(), []);
    await ada.go("/start/policy");
    assert.match(await ada.text(), /tasks\.d\/linux\.toml/);
    assert.deepEqual(await ada.accessibility(), []);
    await isWithinTheScreen(ada);
    await ada.go("/start");
    assert.match(ada.page.url(), /\/start\/people$/);
  } finally {
    await ada.close();
    await fresh.stop();
  }
});

async function isWithinTheScreen(visitor) {
  const { wide, screen } = await visitor.page.evaluate(() => ({ wide: document.documentElement.scrollWidth, screen: innerWidth }));
  assert.ok(wide <= screen, `${visitor.page.url()} is ${wide} px wide on a screen of ${screen}`);
}

test("a group is made, filled, emptied and deleted; while something names it, it is not", async () => {
  const ada = await Visitor.signIn(house, "ada");
  await ada.go("/groups/new");
  assert.deepEqual(await ada.accessibility(), []);
  await fill(ada, { Name: "Approvers" });
  await ada.press("Create the group");
  assert.match(await ada.page.getByRole("alert").innerText(), /there is already a group Approvers/);
  await fill(ada, { Name: "Night Shift", "What it is for (optional)": "Those who are awake" });
  await ada.press("Create the group");
  assert.match(await ada.text(), /Nobody\. What names this group waits/);
  await fill(ada, { Name: "nobody-here" });
  await ada.press("Add");
  assert.match(await ada.page.getByRole("alert").innerText(), /there is no user/);
  assert.equal(await ada.page.getByLabel("Name", { exact: true }).inputValue(), "nobody-here");
  await fill(ada, { Name: "bob" });
  await ada.press("Add");
  await ada.page.getByRole("rowheader", { name: "bob" }).waitFor();
  assert.deepEqual(await ada.accessibility(), []);
  await ada.page.getByRole("row", { name: "bob" }).getByText("Remove", { exact: true }).click();
  await ada.press("Yes, remove bob");
  assert.match(await ada.text(), /Removed from the group/);
  await ada.press("Delete", "link");
  await ada.press("Yes, delete it");
  assert.match(await ada.text(), /The group is deleted/);
  await fill(ada, { "Find by name": "approvers" });
  await ada.press("Find");
  assert.match(await ada.text(), /It approves by default/);
  assert.match(await ada.text(), /pol-1 on Linux\\Show-Disk-Usage: it decides/);
  await ada.press("Delete", "link");
  assert.deepEqual(await ada.accessibility(), []);
  await ada.press("Yes, delete it");
  assert.match(await ada.page.getByRole("alert").innerText(), /still needed: it is the default approver group/);
  await ada.close();
});

test("a new account comes in with the code that is shown once, and is thrown out everywhere when it is disabled", async () => {
  const ada = await Visitor.signIn(house, "ada");
  const carl = await Visitor.open(house);
  await ada.go("/people/new");
  assert.deepEqual(await ada.accessibility(), []);
  await fill(ada, { Name: "carl", "Owner (optional)": "nobody-here" });
  await ada.press("Create the account");
  assert.match(await ada.page.getByRole("alert").innerText(), /there is no user/);
  await fill(ada, { "Owner (optional)": "", "E-mail address (optional)": "carl@example.org" });
  await ada.press("Create the account");
  const code = await ada.page.locator("output.secret").innerText();
  assert.deepEqual(await ada.accessibility(), []);
  await ada.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await ada.page.getByRole("button", { name: "Copy" }).click();
  await ada.page.getByText("Copied").waitFor();
  assert.equal(await ada.page.evaluate(() => navigator.clipboard.readText()), code);
  await ada.page.reload();
  assert.doesNotMatch(await ada.text(), new RegExp(code));

  await enrol(carl, "carl", code);
  await carl.go("/account");
  assert.match(await carl.text(), /carl/);
  const late = await Visitor.open(house);
  await late.go("/sign-in/code");
  await fill(late, { Name: "carl", "One-time code": code, "New password": OTHER });
  await late.press("Set password and sign in");
  await late.page.getByRole("alert").waitFor();
  await late.close();

  await ada.go("/people");
  assert.deepEqual(await ada.accessibility(), []);
  await fill(ada, { "Find by name": "Carl" });
  await ada.press("Find");
  assert.match(ada.page.url(), /\/people\/usr-/);
  assert.deepEqual(await ada.accessibility(), []);
  await ada.press("Disable the account", "link");
  assert.match(await ada.text(), /their sessions/);
  assert.deepEqual(await ada.accessibility(), []);
  await ada.press("Yes, disable carl");
  assert.match(await ada.text(), /Disabled/);
  await carl.page.reload();
  assert.match(carl.page.url(), /\/sign-in/);
  await ada.press("Enable the account");
  assert.match(await ada.text(), /Active/);
  await ada.press("Make a one-time code");
  await enrol(carl, "carl", await ada.page.locator("output.secret").innerText());
  await carl.go("/account");
  assert.match(await carl.text(), /carl/);
  await ada.close();
  await carl.close();
});

test("the last administrator cannot be locked out, and a name that is not there is told", async () => {
  const ada = await Visitor.signIn(house, "ada");
  await ada.go("/people?name=nobody-here");
  assert.match(await ada.page.getByRole("alert").innerText(), /there is no user nobody-here/);
  await ada.go("/people/ada/disable");
  await house.api("ada", "POST", "/users/adam/disable", {});
  await ada.press("Yes, disable ada");
  assert.match(await ada.page.getByRole("alert").innerText(), /last active administrator/);
  await house.api("ada", "POST", "/users/adam/enable", {});
  await ada.close();
});

test("an assignment is added and removed, and says what it counts for", async () => {
  const ada = await Visitor.signIn(house, "ada");
  await ada.go("/assignments");
  assert.match(await ada.text(), /counts for system accounts only/);
  await fill(ada, { Name: "bob", "Task, role or role group": "Linux/No-Such-Task" });
  await ada.press("Add the assignment");
  assert.match(await ada.page.getByRole("alert").innerText(), /there is no task/);
  await fill(ada, { "Task, role or role group": "Linux/Read-Log" });
  await ada.press("Add the assignment");
  await ada.page.getByRole("row", { name: /bob.*Read-Log.*Task/ }).waitFor();
  await ada.page.getByLabel("To", { exact: true }).selectOption("group");
  await ada.page.getByLabel("What", { exact: true }).selectOption("role");
  await fill(ada, { Name: "Approvers", "Task, role or role group": "Linux/Site-Operators" });
  await ada.press("Add the assignment");
  const row = ada.page.getByRole("row", { name: /Approvers.*Site-Operators.*Role/ });
  await row.waitFor();
  assert.deepEqual(await ada.accessibility(), []);
  await row.getByText("Remove", { exact: true }).click();
  await Promise.all([ada.page.waitForEvent("load"), row.getByRole("button", { name: /Yes, remove/ }).click()]);
  assert.match(await ada.text(), /The assignment is removed/);
  assert.doesNotMatch(await ada.page.getByRole("table").innerText(), /Approvers/);
  await ada.close();
});

test("access control is switched off and on again, each time after what it changes was shown", async () => {
  const ada = await Visitor.signIn(house, "ada");
  await ada.go("/access-control");
  assert.deepEqual(await ada.accessibility(), []);
  await ada.press("Review the changes");
  assert.match(await ada.text(), /Nothing would change/);
  await ada.go("/access-control");
  await fill(ada, { "System accounts (optional)": "nobody-here" });
  await ada.press("Review the changes");
  assert.match(await ada.page.getByRole("alert").innerText(), /there is no user nobody-here/);
  assert.equal(await ada.page.getByLabel("System accounts (optional)").inputValue(), "nobody-here");
  await fill(ada, { "System accounts (optional)": "otto" });
  await ada.page.getByLabel("Those who are assigned may run them, without an approval").check();
  await ada.press("Review the changes");
  const table = await ada.page.getByRole("table").innerText();
  assert.match(table, /otto/);
  assert.match(table, /nobody may run them\s+those assigned may run them/);
  assert.deepEqual(await ada.accessibility(), []);
  assert.deepEqual((await house.api("ada", "GET", "/access-control")).system_accounts, []);
  await ada.press("Yes, change it");
  assert.equal((await house.api("ada", "GET", "/access-control")).system_accounts[0].name, "otto");

  await ada.press("Switch access control off", "link");
  assert.match(await ada.text(), /Nothing needs an approval any more/);
  assert.deepEqual(await ada.accessibility(), []);
  await ada.press("Yes, switch it off");
  assert.equal((await house.api("ada", "GET", "/access-control")).enabled, false);
  await fill(ada, { "System accounts (optional)": "" });
  await ada.page.getByLabel("Nobody may run them").check();
  await ada.press("Review, then switch on");
  assert.match(await ada.text(), /0 of 5 tasks have no policy/);
  await ada.press("Yes, switch it on");
  assert.match(await ada.text(), /Access control is on\./);
  const control = await house.api("ada", "GET", "/access-control");
  assert.deepEqual([control.enabled, control.system_accounts, control.uncovered], [true, [], "refused"]);
  await ada.close();
});

test("what somebody else changed while a review was open is shown, not undone", async () => {
  const ada = await Visitor.signIn(house, "ada");
  const settings = { default_approver_group: "Approvers", uncovered: "refused" };
  await ada.go("/access-control");
  await fill(ada, { "System accounts (optional)": "otto" });
  await ada.press("Review the changes");
  await house.api("ada", "POST", "/access-control/enable", { ...settings, system_accounts: ["adam"] });
  await ada.press("Yes, change it");
  assert.match(await ada.page.getByRole("alert").innerText(), /Changed meanwhile: the system accounts\./);
  assert.deepEqual(await ada.accessibility(), []);
  assert.match(await ada.page.getByRole("row", { name: /System accounts/ }).innerText(), /adam\s+otto/);
  assert.deepEqual((await house.api("ada", "GET", "/access-control")).system_accounts.map((one) => one.name), ["adam"]);
  await ada.press("Yes, change it");
  assert.match(await ada.text(), /Access control is on\./);
  assert.ok(!ada.page.url().includes("said"));
  await ada.page.reload();
  assert.doesNotMatch(await ada.text(), /Access control is on\./);
  await house.api("ada", "POST", "/access-control/enable", { ...settings, system_accounts: [] });
  await ada.close();
});

/** Lets a browser have seen more of the ledger than there is, so that the next question is answered with "not now". */
async function lookAhead(visitor) {
  await visitor.page.route("**/live*", (route) => route.abort());
  await visitor.context.addCookies([{ name: "__Host-brevet-position", value: "999999", url: visitor.house.base.replace("http:", "https:"), secure: true, httpOnly: true, sameSite: "Lax" }]);
}

for (const scripts of [true, false]) {
  test(`what was typed is kept when it cannot be done now${scripts ? "" : ", with scripts off"}`, async () => {
    const ada = await Visitor.signIn(house, "ada", { scripts });
    await ada.go("/groups/new");
    await fill(ada, { Name: scripts ? "Night Owls" : "Early Birds", "What it is for (optional)": "Those who <b>are</b> awake" });
    await lookAhead(ada);
    await ada.press("Create the group");
    assert.match(await ada.text(), /What you sent is kept here[^]*Those who <b>are<\/b> awake/);
    if (scripts) assert.deepEqual(await ada.accessibility(), []);
    assert.deepEqual(ada.faults.splice(0).map((fault) => fault.slice(0, 3)), ["503"]);
    await ada.press("Send it again");
    assert.match(await ada.text(), /Created\./);
    assert.match(await ada.text(), /Those who <b>are<\/b> awake/);
    await ada.close();
  });
}

test("whoever sends a form after the session ended signs in, and is back at the form", async () => {
  const ada = await Visitor.signIn(house, "ada", { scripts: false });
  await ada.go("/groups/Approvers");
  await fill(ada, { Name: "otto" });
  await ada.context.clearCookies();
  await ada.press("Add");
  assert.match(ada.page.url(), /\/sign-in\?next=%2Fgroups%2FApprovers$/);
  await fill(ada, { Name: "ada", Password: PASSWORD });
  await ada.press("Sign in");
  assert.match(ada.page.url(), /\/groups\/Approvers$/);
  await ada.close();
});

test("bob is shown the rules without buttons, and is refused the people", async () => {
  const bob = await Visitor.signIn(house, "bob");
  for (const path of ["/groups", "/groups/Approvers", "/assignments", "/access-control"]) {
    assert.equal((await bob.go(path)).status(), 200, path);
    const main = bob.page.getByRole("main");
    const changes = await main.getByRole("button").allInnerTexts();
    assert.deepEqual(changes.filter((name) => name !== "Find"), [], path);
    assert.equal(await main.getByRole("link", { name: /New|Delete|Switch/ }).count(), 0, path);
    assert.deepEqual(await bob.accessibility(), []);
  }
  assert.doesNotMatch(await bob.text(), /alice/);
  for (const path of ["/people", "/people/new", "/people/alice/disable", "/groups/new", "/groups/Approvers/delete", "/access-control/disable", "/access-control/review?group=Approvers", "/start"]) {
    assert.equal((await bob.go(path)).status(), 403, path);
  }
  assert.equal((await bob.go("/people/alice")).status(), 404);
  await bob.close();
});

test("everything is done with scripts off, on a phone", async () => {
  const ada = await Visitor.signIn(house, "ada", { scripts: false, size: "phone" });
  for (const path of ["/groups", "/groups/Approvers", "/groups/new", "/people", "/people/bob", "/people/new", "/people/bob/disable", "/assignments", "/access-control", "/access-control/review?group=Approvers", "/access-control/disable", "/start/people", "/start/done", "/design", "/account"]) {
    assert.equal((await ada.go(path)).status(), 200, path);
    await isWithinTheScreen(ada);
  }
  await ada.go("/groups/Approvers");
  await fill(ada, { Name: "otto" });
  await ada.press("Add");
  await ada.page.getByRole("row", { name: /otto/ }).getByText("Remove", { exact: true }).click();
  await ada.press("Yes, remove otto");
  assert.doesNotMatch(await ada.page.getByRole("table").innerText(), /otto/);
  await ada.go("/people/new");
  await fill(ada, { Name: "dora" });
  await ada.press("Create the account");
  assert.ok(await ada.page.locator("output.secret").innerText());
  assert.equal(await ada.page.getByRole("button", { name: "Copy" }).count(), 0);
  await ada.close();
});

test("the design page shows every component in both themes", async () => {
  const bob = await Visitor.signIn(house, "bob");
  await bob.go("/account");
  assert.deepEqual(await bob.accessibility(), []);
  await bob.press("The design of these pages", "link");
  assert.deepEqual(await bob.accessibility(), []);
  const colour = (theme) => bob.page.locator(`.theme.${theme}`).evaluate((one) => getComputedStyle(one).backgroundColor);
  assert.notEqual(await colour("light"), await colour("dark"));
  await bob.close();
});
