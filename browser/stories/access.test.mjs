// Finding a task, asking for it, running it, and all that comes after.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { House, Visitor, closeChrome } from "../harness.mjs";

const SECRET = "correct horse battery staple";

let house;
before(async () => {
  house = await House.start();
  const manual = { approval_type: "manual", approver_groups: [{ group: "Approvers" }] };
  await house.api("ada", "POST", "/policies", { role_group: "Linux/Operations", ...manual, start: "first-use", claim_within: "2h" });
});
after(async () => { await closeChrome(); await house?.stop(); });

async function approve(request) {
  return house.api("alice", "POST", `/requests/${request}/approve`, { comment: "Go ahead" });
}

async function given(task, more = {}) {
  const request = await house.api("bob", "POST", "/requests", { task: `Linux/${task}`, reason: "For a story", duration: "1h", ...more });
  return request.status === "approved" ? request : approve(request.id);
}

/** The last part of the address: an id. */
const id = (visitor) => new URL(visitor.page.url()).pathname.split("/").at(-1);

async function ended(visitor) {
  const execution = id(visitor);
  assert.match(execution, /^exe-/);
  for (;;) {
    const run = await house.api("bob", "GET", `/executions/${execution}`);
    if (run.state !== "running") return run;
    await fetch(`${house.base}/api/v1/executions/${execution}/output`, { headers: { authorization: `Bearer ${house.tokens.bob}` } }).then((told) => told.text());
  }
}

for (const scripts of [true, false]) {
  test(`somebody finds a task, is refused, asks right there, and runs it, with scripts ${scripts ? "on" : "off"}`, async () => {
    const bob = await Visitor.signIn(house, "bob", { scripts });
    await bob.go("/access");
    await bob.page.getByLabel("Name or description").fill("restart");
    await bob.press("Search");
    assert.doesNotMatch(await bob.text(), /Linux\\Show-Disk-Usage/);
    await bob.press("Linux\\Restart-Site", "link");
    const unit = scripts ? "web" : "worker";
    await bob.page.getByLabel("unit").fill(unit);
    await bob.press("Run");
    assert.match(await bob.text(), /Raise an access request for this task/);
    assert.equal(await bob.page.getByLabel("unit").inputValue(), unit);
    assert.equal(await bob.page.getByLabel("Reason").evaluate((field) => field === document.activeElement), true);
    await bob.page.getByLabel("Reason").fill(`The site hangs: ${unit}`);
    assert.match(await bob.page.getByRole("region", { name: "What would run" }).first().innerText(), new RegExp(`restarted ${unit} \\{force\\}`));
    await bob.page.getByLabel("2 h", { exact: true }).check();
    await bob.press("Ask");
    const request = id(bob);
    assert.match(await bob.text(), /The request is submitted/);
    const told = await house.api("bob", "GET", `/requests/${request}`);
    assert.deepEqual([told.parameters, told.free_parameters, told.duration], [{ unit }, ["force"], "2h"]);
    await approve(request);
    await bob.go("/access");
    const card = bob.page.getByRole("article").filter({ hasText: unit });
    assert.match(await card.innerText(), /1 h 59 min|2 h/);
    await Promise.all([bob.page.waitForEvent("load"), card.getByRole("link", { name: "Run" }).click()]);
    assert.equal(await bob.page.getByLabel("unit").inputValue(), unit);
    assert.notEqual(await bob.page.getByLabel("unit").getAttribute("readonly"), null);
    await bob.page.getByLabel("force").selectOption("true");
    await bob.press("Run");
    const run = await ended(bob);
    assert.deepEqual([run.state, run.parameters], ["succeeded", { unit, force: true }]);
    await house.api("bob", "POST", `/authorizations/${run.authorization}/give-back`, {});
    await bob.close();
  });
}

test("what would run is told while one types", async () => {
  const bob = await Visitor.signIn(house, "bob");
  await bob.go("/requests/new?task=Linux/Restart-Site&p.unit=web");
  const command = bob.page.getByRole("region", { name: "What would run" });
  assert.match(await command.innerText(), /restarted web \{force\}/);
  await bob.page.getByLabel("unit").fill("worker");
  await bob.page.getByLabel("force").selectOption("false");
  assert.match(await command.innerText(), /restarted worker false/);
  await bob.close();
});

test("without scripts a button puts the values in, and what was typed stays", async () => {
  const bob = await Visitor.signIn(house, "bob", { scripts: false });
  await bob.go("/requests/new?task=Linux/Restart-Site");
  await bob.page.getByLabel("unit").fill("web");
  await bob.page.getByLabel("Reason").fill("Look first");
  await bob.press("Put the values in");
  assert.match(await bob.page.getByRole("region", { name: "What would run" }).innerText(), /restarted web \{force\}/);
  assert.equal(await bob.page.getByLabel("Reason").inputValue(), "Look first");
  await bob.close();
});

test("a value that does not fit is told beside its field, and nothing is lost", async () => {
  const bob = await Visitor.signIn(house, "bob");
  await bob.go("/requests/new?task=Linux/Restart-Site");
  await bob.page.getByLabel("unit").fill("Not A Unit");
  await bob.page.getByLabel("Reason").fill("A mistake");
  await bob.press("Ask");
  assert.equal(await bob.page.getByLabel("unit").getAttribute("aria-invalid"), "true");
  assert.equal(await bob.page.getByLabel("Reason").inputValue(), "A mistake");
  await bob.page.getByLabel("unit").fill("web");
  await bob.page.getByLabel("Another length").fill("100h");
  await bob.press("Ask");
  assert.match(await bob.page.getByRole("alert").innerText(), /4d4h is longer than the 1d/);
  await bob.close();
});

test("a policy that approves by itself does so at once", async () => {
  const bob = await Visitor.signIn(house, "bob");
  await bob.go("/requests/new?task=Linux/Read-Log");
  assert.match(await bob.text(), /approves at once/);
  await bob.page.getByLabel("Reason").fill("To read");
  await bob.press("Ask");
  assert.match(await bob.text(), /The policy approved it at once/);
  await bob.go("/access");
  const card = bob.page.getByRole("article").filter({ hasText: "Read-Log" });
  await Promise.all([bob.page.waitForEvent("load"), card.getByRole("link", { name: "Run" }).click()]);
  await bob.page.getByLabel("lines").fill("3");
  await bob.press("Run");
  assert.equal((await ended(bob)).state, "succeeded");
  await bob.close();
});

test("more time is asked for, and what is not needed is given back", async () => {
  await given("Show-Disk-Usage", { max_uses: 3 });
  const bob = await Visitor.signIn(house, "bob");
  await bob.go("/access");
  const card = bob.page.getByRole("article").filter({ hasText: "Show-Disk-Usage" });
  assert.match(await card.innerText(), /3 runs/);
  await Promise.all([bob.page.waitForEvent("load"), card.getByRole("link", { name: "More time" }).click()]);
  await bob.page.getByLabel("Reason").fill("It takes longer");
  await bob.page.getByLabel("30 min").check();
  await bob.press("Ask for more time");
  const request = id(bob);
  assert.equal((await house.api("bob", "GET", `/requests/${request}`)).purpose, "extension");
  await bob.go("/access");
  assert.match(await bob.page.getByRole("region", { name: "Waiting for a decision" }).innerText(), /Show-Disk-Usage/);
  await approve(request);
  await bob.page.getByRole("article").filter({ hasText: "Show-Disk-Usage" }).getByText(/1 h (2|30)/).waitFor();
  await card.getByText("Give back", { exact: true }).click();
  await Promise.all([bob.page.waitForEvent("load"), card.getByRole("button", { name: /^Give aut-\d+ back$/ }).click()]);
  assert.match(await bob.text(), /The authorization is given back/);
  assert.equal(await bob.page.getByRole("article").filter({ hasText: "Show-Disk-Usage" }).count(), 0);
  await bob.close();
});

test("a former request is made again with its values", async () => {
  const former = await house.api("bob", "POST", "/requests", {
    task: "Linux/Show-Disk-Usage", parameters: { path: "/tmp" }, reason: "As always", duration: "45m",
  });
  await house.api("bob", "POST", `/requests/${former.id}/cancel`, {});
  const bob = await Visitor.signIn(house, "bob");
  await bob.go(`/requests/new?from=${former.id}`);
  assert.equal(await bob.page.getByLabel("path").inputValue(), "/tmp");
  assert.equal(await bob.page.getByLabel("Another length").inputValue(), "45m");
  await bob.press("Ask");
  const made = await house.api("bob", "GET", `/requests/${id(bob)}`);
  assert.deepEqual([made.parameters, made.duration, made.reason], [former.parameters, "45m", "As always"]);
  await house.api("bob", "POST", `/requests/${made.id}/cancel`, {});
  await bob.close();
});

test("a later start is said in UTC without scripts, and in one's own zone with them", async () => {
  const day = `${new Date().getUTCFullYear() + 1}-01-02`.replace(/^(\d+)/, (year) => (Date.now() < Date.UTC(year - 1, 0, 3) ? year - 1 : year));
  for (const scripts of [false, true]) {
    const bob = await Visitor.signIn(house, "bob", { scripts });
    await bob.go("/requests/new?task=Linux/Restart-Site&p.unit=later");
    await bob.page.getByLabel("Reason").fill("In the night");
    await bob.page.getByText("Start later, or limit the runs").click();
    await bob.page.getByLabel("Start", { exact: false }).last().fill(`${day}T03:30`);
    await bob.page.getByLabel("Number of runs").fill("2");
    await bob.press("Ask");
    const request = await house.api("bob", "GET", `/requests/${id(bob)}`);
    const start = await bob.page.evaluate((text) => new Date(text).toISOString(), `${day}T03:30${scripts ? "" : "Z"}`);
    assert.equal(start, `${day}T${scripts ? "07:00" : "03:30"}:00.000Z`, "the browser is in a zone of its own");
    assert.deepEqual([request.start_at, request.max_uses], [start.replace(".000", ""), 2]);
    await house.api("bob", "POST", `/requests/${request.id}/cancel`, {});
    await bob.close();
  }
});

test("a role is found, asked for, and its tasks run; a role group waits for its first run", async () => {
  const bob = await Visitor.signIn(house, "bob");
  await bob.go("/roles");
  await bob.press("Linux\\Site-Operators", "link");
  assert.match(await bob.text(), /Linux\\Restart-Site/);
  await bob.press("Ask for it", "link");
  await bob.page.getByLabel("Reason").fill("My shift");
  await bob.press("Ask");
  await approve(id(bob));
  await bob.go("/role-groups/Linux/Operations");
  await bob.press("Ask for it", "link");
  assert.match(await bob.text(), /within 2 h of the approval/);
  await bob.page.getByLabel("Reason").fill("My week");
  await bob.press("Ask");
  await approve(id(bob));
  await bob.go("/access");
  assert.match(await bob.page.getByRole("region", { name: "Not started" }).innerText(), /Linux\\Operations[\s\S]*with the first run/);
  const card = bob.page.getByRole("article").filter({ hasText: "Site-Operators" });
  await Promise.all([bob.page.waitForEvent("load"), card.getByRole("link", { name: "Choose what to run" }).click()]);
  assert.match(await bob.text(), /Linux\\Read-Log/);
  await bob.close();
});

test("a secret is given to the run and to nobody else", async () => {
  const bob = await Visitor.signIn(house, "bob");
  const seen = [];
  const keep = async () => seen.push(await bob.page.content());
  await bob.go("/requests/new?task=Linux/Set-Password&s.password=leaked&p.password=leaked");
  await keep();
  assert.equal(await bob.page.getByLabel("password").count(), 0);
  assert.match(await bob.text(), /Secrets are given when it runs/);
  await bob.go("/tasks/Linux/Set-Password?s.password=leaked&p.password=leaked");
  await bob.page.getByLabel("password").fill(SECRET);
  await bob.press("Run");
  await keep();
  assert.match(await bob.text(), /Raise an access request for this task/);
  await bob.page.getByLabel("Reason").fill("It was guessed");
  await bob.press("Ask");
  await keep();
  await approve(id(bob));
  await bob.go("/tasks/Linux/Set-Password");
  await keep();
  assert.equal(await bob.page.getByLabel("password").inputValue(), "");
  assert.equal(await bob.page.getByLabel("password").getAttribute("type"), "password");
  await bob.page.getByLabel("password").fill(SECRET);
  await bob.press("Run");
  assert.equal((await ended(bob)).state, "succeeded");
  await bob.page.reload();
  await keep();
  for (const path of ["/access", "/tasks/Linux/Set-Password", "/requests?show=mine"]) {
    await bob.go(path);
    await keep();
  }
  for (const html of seen) assert.doesNotMatch(html, new RegExp(`${SECRET}|leaked`));
  await bob.close();
});

test("a list narrows as one types", async () => {
  const bob = await Visitor.signIn(house, "bob");
  await bob.go("/access");
  const asked = bob.page.locator("#asked");
  await bob.page.getByLabel("Name or description").pressSequentially("full");
  await asked.getByRole("link", { name: "Linux\\Restart-Site", exact: true }).waitFor({ state: "hidden" });
  assert.equal(await asked.getByRole("link", { name: "Linux\\Show-Disk-Usage", exact: true }).isVisible(), true);
  await bob.page.getByLabel("Name or description").fill("nothing like it");
  await bob.page.getByText("Nothing on this page has this").waitFor();
  await bob.close();
});

test("a policy that binds exactly wants every value, and a run takes no other", async () => {
  const { policy } = await house.api("ada", "GET", "/tasks/Linux/Restart-Site");
  await house.api("ada", "PATCH", `/policies/${policy}`, { binding: "exact" });
  const bob = await Visitor.signIn(house, "bob", { scripts: false });
  await bob.go("/requests/new?task=Linux/Restart-Site");
  assert.notEqual(await bob.page.getByLabel("unit").getAttribute("required"), null);
  await bob.page.getByLabel("unit").fill("web");
  await bob.page.getByLabel("Reason").fill("Exactly this");
  await bob.press("Ask");
  const request = await house.api("bob", "GET", `/requests/${id(bob)}`);
  assert.deepEqual(request.parameters, { unit: "web", force: false });
  const { authorization } = await approve(request.id);
  await bob.go(`/tasks/Linux/Restart-Site?under=${authorization}`);
  for (const name of ["unit", "force"]) assert.notEqual(await bob.page.getByLabel(name).getAttribute("readonly"), null, name);
  await bob.press("Run");
  assert.equal((await ended(bob)).state, "succeeded");
  await house.api("bob", "POST", `/authorizations/${authorization}/give-back`, {});
  await house.api("ada", "PATCH", `/policies/${policy}`, { binding: "open" });
  await bob.close();
});

const LISTS = `
[workload]
name = "Linux"
kind = "command"
[[task]]
name = "Tell"
run = ["/usr/bin/echo", "{hosts}", "{zones}"]
timeout = "10s"
[task.parameters.hosts]
type = "list of string"
[task.parameters.zones]
type = "list of string"
one_of = ["north", "south", "east"]
`;

test("lists have a value on each line, or are chosen", async () => {
  const lists = await House.start({ empty: true, tasks: LISTS });
  try {
    await lists.setUp("ada");
    await lists.person("bob");
    await lists.api("ada", "POST", "/groups", { name: "Approvers" });
    await lists.api("ada", "POST", "/groups/Approvers/members", { user: "ada" });
    await lists.api("ada", "POST", "/access-control/enable", { default_approver_group: "Approvers" });
    await lists.api("ada", "POST", "/policies", { task: "Linux/Tell", approval_type: "manual" });
    const bob = await Visitor.signIn(lists, "bob");
    await bob.go("/tasks/Linux/Tell");
    await bob.page.getByLabel("hosts").fill("a\n\nb c");
    await bob.page.getByLabel("north").check();
    await bob.page.getByLabel("east").check();
    await bob.press("Run");
    assert.equal(await bob.page.getByLabel("hosts").inputValue(), "a\nb c");
    assert.match(await bob.page.getByRole("region", { name: "What would run" }).innerText(), /a,b c north,east/);
    await bob.page.getByLabel("Reason").fill("To tell");
    await bob.press("Ask");
    const request = await lists.api("bob", "GET", `/requests/${id(bob)}`);
    assert.deepEqual(request.parameters, { hosts: ["a", "b c"], zones: ["north", "east"] });
    await lists.api("ada", "POST", `/requests/${request.id}/approve`, {});
    await bob.go("/tasks/Linux/Tell");
    assert.equal(await bob.page.getByLabel("hosts").inputValue(), "a\nb c");
    await bob.press("Run");
    assert.match(id(bob), /^exe-/);
    await bob.close();
  } finally {
    await lists.stop();
  }
});

const PAGES = [
  "/access", "/access?text=nothing-like-it", "/tasks", "/roles", "/role-groups", "/tasks/Linux/Set-Password", "/tasks/Linux/Restart-Site",
  "/roles/Linux/Site-Operators", "/role-groups/Linux/Operations", "/requests/new?task=Linux/Restart-Site", "/requests/new?role=Linux/Site-Operators",
  "/requests/new?task=Linux/Read-Log",
];

test("every page is sound for those who cannot see or point, and fits a phone", async () => {
  await given("Follow-Log");
  for (const size of ["desk", "phone"]) {
    const bob = await Visitor.signIn(house, "bob", { size });
    for (const path of PAGES) {
      await bob.go(path);
      assert.deepEqual(await bob.accessibility(), [], path);
      const [is, may] = await bob.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(is <= may, `${path} is ${is} wide on a ${size} of ${may}`);
    }
    await bob.close();
  }
});

test("a page with a refusal is sound too, and somebody who may not ask is told so", async () => {
  const otto = await Visitor.signIn(house, "otto", { size: "phone" });
  await otto.go("/tasks/Linux/Show-Disk-Usage");
  await otto.page.getByLabel("path").selectOption("/tmp");
  await otto.press("Run");
  assert.match(await otto.text(), /Raise an access request/);
  assert.deepEqual(await otto.accessibility(), []);
  await otto.go("/tasks/Linux/Read-Log");
  assert.equal(await otto.page.getByRole("link", { name: "Ask for it" }).count(), 0);
  await otto.press("Run");
  assert.match(await otto.text(), /you are not among them/);
  assert.deepEqual(await otto.accessibility(), []);
  await otto.close();
});

test("while access control is off, what is assigned runs without a request", async () => {
  await house.api("ada", "POST", "/assignments", { user: "otto", task: "Linux/Show-Disk-Usage" });
  await house.api("ada", "POST", "/access-control/disable", {});
  const otto = await Visitor.signIn(house, "otto");
  await otto.go("/access");
  await otto.press("Run Linux\\Show-Disk-Usage", "link");
  assert.match(await otto.text(), /You need no request for it/);
  await otto.page.getByLabel("path").selectOption("/");
  await otto.press("Run");
  assert.match(id(otto), /^exe-/);
  await otto.close();
});

test("what would run follows what is typed, and no secret is sent for it", async () => {
  const bob = await Visitor.signIn(house, "bob");
  const sent = [];
  bob.page.on("request", (request) => { if (request.url().endsWith("/command")) sent.push(request.postData()); });
  await bob.go("/tasks/Linux/Restart-Site");
  const command = bob.page.getByRole("region", { name: "Command" });
  assert.match(await command.innerText(), /restarted \{unit\} \{force\}/);
  await bob.page.getByLabel("unit").fill("<b>web</b>");
  await command.getByText("<b>web</b>").waitFor();
  await bob.page.getByLabel("force").selectOption("true");
  await command.getByText("true").waitFor();
  assert.match(await command.innerText(), /restarted <b>web<\/b> true/);
  assert.equal(await command.locator(".free").count(), 0);
  await bob.page.getByLabel("unit").fill("");
  await command.getByText("{unit}").waitFor();
  assert.deepEqual(await bob.accessibility(), []);
  // Without scripts the page shows the same once it is loaded with these values.
  await bob.go("/tasks/Linux/Restart-Site?p.unit=web");
  assert.match(await command.innerText(), /restarted web \{force\}/);
  const before = sent.length;
  await bob.go("/tasks/Linux/Set-Password");
  await bob.page.getByLabel("password").fill("a secret of bob");
  await bob.page.waitForTimeout(500);
  assert.equal(sent.length, before);
  // Nor together with a value that may be seen.
  await bob.page.evaluate(() => {
    const form = document.querySelector("form[data-command]");
    form.insertAdjacentElement("beforeend", Object.assign(document.createElement("input"), { name: "p.unit", value: "x" }));
    form.elements["p.unit"].dispatchEvent(new Event("input", { bubbles: true }));
  });
  await bob.page.waitForResponse((response) => response.url().endsWith("/command"));
  assert.deepEqual(sent.slice(before), ["p.unit=x"]);
  await bob.close();
});
