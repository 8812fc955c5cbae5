// A server with a small organization, and people with browsers. Everything is real: the program, its tasks, Chromium.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import axe from "axe-core";
import { chromium } from "playwright-core";

export const PASSWORD = "a password for tests only";
const BREVET = process.env.BREVET ?? "../target/debug/brevet";
const CHROMIUM = process.env.BREVET_CHROMIUM ?? "/usr/bin/chromium";

/** Tasks around the log of the site, for every sample organization. */
export const LOG_TASKS = (folder) => `[[task]]
name = "Read-Log"
description = "Show the newest lines of the site's log"
run = ["/usr/bin/tail", "-n", "{lines}", "--", "${folder}/site.log"]
timeout = "10s"
[task.parameters.lines]
type = "integer"
description = "How many"
min = 1
max = 100
default = 10

[[task]]
name = "Follow-Log"
description = "Follow the site's log as it is written"
run = ["/usr/bin/tail", "-f", "--", "${folder}/site.log"]
timeout = "2m"`;

const TASKS = (folder) => `
[workload]
name = "Linux"
kind = "command"

[[task]]
name = "Show-Disk-Usage"
description = "Show how full a file system is"
run = ["/usr/bin/df", "-h", "--", "{path}"]
timeout = "10s"
[task.parameters.path]
type = "string"
description = "Where"
one_of = ["/", "/tmp"]

${LOG_TASKS(folder)}

[[task]]
name = "Restart-Site"
description = "Restart the site"
run = ["/usr/bin/echo", "restarted", "{unit}", "{force}"]
timeout = "10s"
[task.parameters.unit]
type = "string"
description = "Unit to restart"
pattern = "[a-z][a-z0-9-]*"
max_length = 32
[task.parameters.force]
type = "boolean"
description = "Also if somebody is signed in"
default = false

[[task]]
name = "Set-Password"
description = "Set the password of a service"
run = ["/usr/bin/wc", "-c"]
stdin = "{password}"
timeout = "10s"
[task.parameters.password]
type = "string"
secret = true
description = "The new password"

[[role]]
name = "Site-Operators"
description = "Those who keep the site running"
tasks = ["Read-Log", "Restart-Site"]

[[role_group]]
name = "Operations"
description = "All of operations"
roles = ["Site-Operators"]
`;

/** A running server. */
export class House {
  static async start({ empty = false, tasks } = {}) {
    const house = new House();
    // Brevet runs nothing from a folder that others can write to.
    house.folder = mkdtempSync(join(process.env.BREVET_BROWSER_FOLDER ?? homedir(), ".brevet-browser-"));
    for (const name of ["data", "tasks"]) mkdirSync(join(house.folder, name), { mode: 0o700 });
    const lines = Array.from({ length: 20 }, (_, n) => `site: request ${n + 1} answered in ${10 + ((n * 7) % 13)} ms\n`);
    writeFileSync(join(house.folder, "site.log"), lines.join(""), { mode: 0o600 });
    const file = join(house.folder, "tasks", "linux.toml");
    writeFileSync(file, typeof tasks === "string" ? tasks : (tasks ?? TASKS)(house.folder), { mode: 0o600 });
    chmodSync(file, 0o600);
    const { folder } = house;
    const args = ["serve", "--listen", "127.0.0.1:0", "--data", join(folder, "data"), "--tasks", join(folder, "tasks")];
    house.process = spawn(BREVET, args, { stdio: ["ignore", "pipe", "pipe"] });
    house.errors = "";
    house.process.stderr.on("data", (text) => { house.errors += text; });
    const told = createInterface({ input: house.process.stdout });
    for await (const line of told) {
      house.base ??= line.match(/ serves (http:\/\/\S+)/)?.[1];
      house.link ??= line.match(/(http\S+\/setup#code=\S+)/)?.[1];
      house.code ??= line.match(/^One-time code: (\S+)/)?.[1];
      if (house.base && house.code) break;
    }
    house.tokens = {};
    try {
      assert.ok(house.base && house.code, `the server did not start: ${house.errors}`);
      house.process.stdout.resume();
      if (!empty) await house.found();
    } catch (error) {
      console.error(house.errors);
      await house.stop();
      throw error;
    }
    return house;
  }

  /** ada administers and audits, alice and anna approve, bob operates, otto audits; two policies. */
  async found() {
    await this.setUp("ada");
    for (const [name, more] of [["alice", {}], ["anna", {}], ["bob", {}], ["otto", { auditor: true }], ["adam", { administrator: true }]]) {
      await this.person(name, more);
    }
    await this.api("ada", "POST", "/groups", { name: "Approvers", description: "They decide on work on this machine" });
    for (const user of ["alice", "anna"]) await this.api("ada", "POST", "/groups/Approvers/members", { user });
    await this.api("ada", "POST", "/access-control/enable", { default_approver_group: "Approvers" });
    const manual = { approval_type: "manual", approver_groups: [{ group: "Approvers" }] };
    for (const task of ["Show-Disk-Usage", "Restart-Site", "Follow-Log", "Set-Password"]) {
      await this.api("ada", "POST", "/policies", { task: `Linux/${task}`, ...manual });
    }
    await this.api("ada", "POST", "/policies", { role: "Linux/Site-Operators", ...manual, maximum_duration: "8h" });
    await this.api("ada", "POST", "/policies", { task: "Linux/Read-Log", approval_type: "auto", requesters: { users: ["bob"] } });
  }

  async setUp(name) {
    const session = await this.call("POST", "/setup", { code: this.code, name, password: PASSWORD });
    this.tokens[name] = session.token;
  }

  /** A new account that has a password. */
  async person(name, more = {}) {
    await this.api("ada", "POST", "/users", { name, ...more });
    const { code } = await this.api("ada", "POST", `/users/${name}/code`, {});
    const session = await this.call("POST", "/sessions", { name, code, password: PASSWORD });
    this.tokens[name] = session.token;
  }

  /** The API, as somebody: for what a story only needs to be there. */
  async api(name, method, path, body) {
    return this.call(method, path, body, this.tokens[name]);
  }

  async call(method, path, body, token) {
    const headers = { ...(body ? { "content-type": "application/json" } : {}), ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const response = await fetch(`${this.base}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = new Promise((done) => this.process.once("exit", done));
      this.process.kill("SIGTERM");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let browser;

/** The browser of everybody; each person has a profile of their own in it. */
export async function chrome() {
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  return browser;
}

export async function closeChrome() {
  await browser?.close();
  browser = undefined;
}

// Not the zone of the server, nor whole hours from it.
const ZONE = "America/St_Johns";
const SIZES = { desk: { viewport: { width: 1280, height: 860 } }, phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } };

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Somebody with a browser. What goes wrong in it (console, policy, pages that fail) is in `faults`. */
export class Visitor {
  static async open(house, { size = "desk", theme = "light", scripts = true } = {}) {
    const visitor = new Visitor();
    visitor.house = house;
    visitor.context = await (await chrome()).newContext({ ...SIZES[size], colorScheme: theme, javaScriptEnabled: scripts, reducedMotion: "reduce", timezoneId: ZONE });
    visitor.page = await visitor.context.newPage();
    visitor.page.setDefaultTimeout(10_000);
    visitor.faults = [];
    visitor.page.on("console", (message) => {
      // What the server refused is told as an error by the browser; a story says which of them it expects.
      if (["error", "warning"].includes(message.type()) && !/Failed to load resource/.test(message.text())) visitor.faults.push(message.text());
    });
    visitor.page.on("pageerror", (error) => visitor.faults.push(String(error)));
    visitor.page.on("response", (response) => {
      if (response.status() >= 500) visitor.faults.push(`${response.status()} ${response.url()}`);
    });
    return visitor;
  }

  /** Somebody who has signed in by the page for it. */
  static async signIn(house, name, options) {
    const visitor = await Visitor.open(house, options);
    await visitor.go("/sign-in");
    await visitor.page.getByLabel("Name").fill(name);
    await visitor.page.getByLabel("Password").fill(PASSWORD);
    await visitor.page.getByRole("button", { name: "Sign in" }).click();
    await visitor.page.waitForURL((url) => url.pathname !== "/sign-in");
    return visitor;
  }

  async go(path) {
    return this.page.goto(this.house.base + path);
  }

  /** Presses a button or follows a link of this name, and waits for the page it leads to. */
  async press(name, role = "button") {
    await Promise.all([this.page.waitForEvent("load"), this.page.getByRole(role, { name, exact: true }).first().click()]);
  }

  async text() {
    return this.page.locator("main").innerText();
  }

  /** What axe-core finds on this page, in both themes. */
  async accessibility() {
    const found = [];
    for (const colorScheme of ["light", "dark"]) {
      await this.page.emulateMedia({ colorScheme });
      // Again for each page: it went with the last one.
      await this.page.evaluate(axe.source);
      const { violations } = await this.page.evaluate((values) => globalThis.axe.run(document, { runOnly: { type: "tag", values } }), RULES);
      for (const { id, help, nodes } of violations) {
        found.push(`${colorScheme} ${new URL(this.page.url()).pathname}: ${id}: ${help}: ${nodes.map((node) => node.html).slice(0, 3).join(" | ")}`);
      }
    }
    return found;
  }

  async close() {
    await this.context.close();
    assert.deepEqual(this.faults, [], "the browser complained");
  }
}
