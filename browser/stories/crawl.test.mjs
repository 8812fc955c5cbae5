// Follows every link as each kind of person, and says what no page may do.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { House, Visitor, closeChrome } from "../harness.mjs";
import { organise } from "../organisation.mjs";


/** Who may not see what; the ids are those of the organization. */
const FORBIDDEN = (ids) => ({
  bob: ["/people", "/people/ada", "/audit", "/audit/0", "/policies/new", `/requests/${ids.annas}`],
  alice: ["/people", "/people/ada", "/audit", "/audit/0", "/policies/new"],
  adam: ["/audit", "/audit/0"],
  otto: ["/policies/new"],
  ada: [],
});

const OF_A_KIND_MAX = 3;
const PAGES_MAX = 150;
const BYTES_MAX = 100 * 1024;

let house, ids;
before(async () => {
  house = await House.start();
  ids = await organise(house);
});
after(async () => { await closeChrome(); await house.stop(); });

/** Addresses that differ in a name or a number only are of one kind. */
function kind(url) {
  const path = url.pathname
    .replace(/\/[a-z]{3}-\d+(?=\/|$)/g, "/:id")
    .replace(/\/\d+(?=\/|$)/g, "/:number")
    .replace(/^\/(tasks|roles|role-groups)\/[^/]+\/[^/]+/, "/$1/:scope/:name")
    .replace(/^\/(people|groups)\/(?!new$)[^/]+/, "/$1/:name");
  const said = [...url.searchParams].map(([name, value]) => (["show", "state", "status", "type"].includes(name) ? `${name}=${value}` : name));
  return said.length ? `${path}?${said.sort().join("&")}` : path;
}

/** What is wrong with the page that a visitor is on, its address answered so. */
async function faults(visitor, response, checksAccessibility) {
  const { page } = visitor;
  const found = [];
  if (response.status() >= 400) return [`answered ${response.status()}`];
  const told = await page.evaluate(() => ({
    headings: document.querySelectorAll("h1").length,
    title: document.title.trim(),
    language: document.documentElement.lang,
    twice: [...document.querySelectorAll("[id]")].map(({ id }) => id).filter((id, at, all) => all.indexOf(id) !== at),
  }));
  if (told.headings !== 1) found.push(`has ${told.headings} h1`);
  if (!told.title || told.title.startsWith("·")) found.push("has no title");
  if (told.language !== "en") found.push("has no language");
  if (told.twice.length) found.push(`says an id twice: ${told.twice}`);
  await page.setViewportSize({ width: 390, height: 844 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > 390) found.push(`is ${width} px wide on a phone`);
  await page.setViewportSize({ width: 1280, height: 860 });
  if (checksAccessibility) found.push(...(await visitor.accessibility()));
  return found;
}

/** What a page waits for as long as it is open. */
const isWaitedFor = (url) => /^\/live$|^\/executions\/[^/]+\/output$/.test(new URL(url).pathname);

/** A tab's icon, which no page waits for: leaving one may break it off. */
const isIconLeft = (request) => /^\/assets\/mark-/.test(new URL(request.url()).pathname) && request.failure()?.errorText === "net::ERR_ABORTED";

/** Counts what a page transfers, and notes what fails in it. */
function watch(visitor) {
  const seen = { bytes: [], failed: [] };
  visitor.page.on("requestfinished", (request) => {
    if (!isWaitedFor(request.url())) seen.bytes.push(request.sizes().then((sizes) => sizes.responseBodySize + sizes.responseHeadersSize).catch(() => 0));
  });
  visitor.page.on("requestfailed", (request) => {
    // Leaving a page ends what it waits for.
    if (!isWaitedFor(request.url()) && !isIconLeft(request)) seen.failed.push(`${request.url()} failed: ${request.failure()?.errorText}`);
  });
  visitor.page.on("response", (response) => {
    if (response.status() >= 400 && response.request().resourceType() !== "document") seen.failed.push(`${response.url()} answered ${response.status()}`);
  });
  return seen;
}

async function crawl(name) {
  const visitor = await Visitor.signIn(house, name);
  const session = await visitor.context.newCDPSession(visitor.page);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  const seen = watch(visitor);
  const [queue, known, kinds, examined, wrong] = [["/", "/access", "/requests", "/account"], new Set(), new Map(), new Set(), []];
  let visited = 0;
  while (queue.length > 0) {
    const path = queue.shift();
    const url = new URL(path, house.base);
    if (known.has(path)) continue;
    known.add(path);
    const count = (kinds.get(kind(url)) ?? 0) + 1;
    if (count > OF_A_KIND_MAX) continue;
    kinds.set(kind(url), count);
    visited += 1;
    assert.ok(visited <= PAGES_MAX, `${name} finds more than ${PAGES_MAX} pages`);
    seen.bytes = [];
    const response = await visitor.go(path).catch((error) => error);
    if (response instanceof Error) {
      // What is saved rather than shown is asked for once more, to see that it is there.
      assert.match(response.message, /Download is starting/, path);
      // Only how it begins: what a run writes may go on.
      const cookie = (await visitor.context.cookies()).map(({ name: key, value }) => `${key}=${value}`).join("; ");
      const file = await fetch(url.href, { headers: { cookie } });
      await file.body.cancel();
      if (!file.ok || !/^attachment/.test(file.headers.get("content-disposition"))) wrong.push(`${name} ${path}: answered ${file.status}`);
      seen.failed = [];
      continue;
    }
    const transferred = (await Promise.all(seen.bytes)).reduce((sum, size) => sum + size, 0);
    // Filters of one list look alike: axe-core, which takes long, sees one of them.
    const shape = kind(url).split("?")[0];
    const found = await faults(visitor, response, !examined.has(shape));
    examined.add(shape);
    if (transferred > BYTES_MAX) found.push(`transfers ${transferred} bytes`);
    found.push(...seen.failed.splice(0), ...visitor.faults.splice(0));
    wrong.push(...found.map((fault) => `${name} ${path}: ${fault}`));
    const links = await visitor.page.$$eval("a[href]", (all) => all.map(({ href }) => href));
    for (const link of links.map((href) => new URL(href))) {
      if (link.origin !== house.base || /^\/(api|ledger)\//.test(link.pathname)) continue;
      link.searchParams.delete("said");
      queue.push(link.pathname + link.search);
    }
  }
  await visitor.close();
  assert.ok(visited >= 3, `${name} finds only ${visited} pages`);
  assert.deepEqual(wrong, []);
}

for (const name of ["bob", "alice", "adam", "otto", "ada"]) {
  test(`every page that ${name} finds is whole`, async () => crawl(name));

  test(`${name} is shown no page that is not theirs`, async () => {
    const visitor = await Visitor.signIn(house, name);
    for (const path of FORBIDDEN(ids)[name]) {
      const response = await visitor.go(path);
      assert.ok([403, 404].includes(response.status()), `${name} ${path}: answered ${response.status()}`);
      assert.equal(await visitor.page.locator("h1").count(), 1, `${path}: a refusal is a page too`);
      const links = await visitor.page.$$eval("nav a[href]", (all) => all.map((link) => link.getAttribute("href")));
      assert.ok(!links.includes(path), `${path} is in the navigation all the same`);
    }
    await visitor.close();
  });
}

test("what needs no account is whole, and everything else asks to sign in", async () => {
  const visitor = await Visitor.open(house);
  for (const path of ["/sign-in", "/sign-in/code"]) {
    const response = await visitor.go(path);
    assert.deepEqual(await faults(visitor, response, true), [], path);
    const icon = await visitor.page.request.get(await visitor.page.$eval("link[rel=icon]", ({ href }) => href));
    assert.equal(icon.headers()["content-type"], "image/svg+xml", `the icon of ${path} answered ${icon.status()}`);
  }
  for (const path of ["/", "/access", "/requests", `/requests/${ids.annas}`, "/audit", "/people", "/nowhere"]) {
    await visitor.go(path);
    assert.equal(new URL(visitor.page.url()).pathname, "/sign-in", path);
  }
  await visitor.close();
});
