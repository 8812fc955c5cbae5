// How long until a page can be used, and what it transfers, without a cache and on the loopback: node speed.mjs
//
// Usable is when the document is parsed and its scripts have run: modules run before DOMContentLoaded.

import { House, Visitor, closeChrome } from "./harness.mjs";
import { organise } from "./organisation.mjs";
import { PAGES } from "./pages.mjs";

const USABLE_MS_MAX = 300;
const BYTES_MAX = 100 * 1024;
const RUNS = 5;

async function measure(visitor, path) {
  const { page } = visitor;
  const times = [];
  let bytes = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const sizes = [];
    const note = (request) => {
      if (new URL(request.url()).pathname !== "/live") sizes.push(request.sizes().then((all) => all.responseBodySize + all.responseHeadersSize).catch(() => 0));
    };
    page.on("requestfinished", note);
    const response = await visitor.go(path);
    if (response.status() >= 400) return null;
    times.push(await page.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd));
    page.off("requestfinished", note);
    bytes = Math.max(bytes, (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0));
  }
  times.sort((one, other) => one - other);
  return { median: times[Math.floor(RUNS / 2)], worst: times.at(-1), bytes };
}

const house = await House.start();
let slow = 0;
try {
  const ids = await organise(house);
  const visitors = {};
  console.log(`${"page".padEnd(20)} ${"usable ms".padStart(10)} ${"worst ms".padStart(10)} ${"KiB".padStart(8)}   limits: ${USABLE_MS_MAX} ms, ${BYTES_MAX / 1024} KiB`);
  for (const [name, who, path] of PAGES(ids)) {
    if (!visitors[who]) {
      visitors[who] = who ? await Visitor.signIn(house, who) : await Visitor.open(house);
      const session = await visitors[who].context.newCDPSession(visitors[who].page);
      await session.send("Network.enable");
      await session.send("Network.setCacheDisabled", { cacheDisabled: true });
    }
    const found = await measure(visitors[who], path);
    if (!found) {
      console.log(`${name.padEnd(20)} not there yet`);
      continue;
    }
    const isOver = found.median > USABLE_MS_MAX || found.bytes > BYTES_MAX;
    slow += isOver ? 1 : 0;
    console.log(`${name.padEnd(20)} ${found.median.toFixed(0).padStart(10)} ${found.worst.toFixed(0).padStart(10)} ${(found.bytes / 1024).toFixed(1).padStart(8)}${isOver ? "   OVER" : ""}`);
  }
} finally {
  await closeChrome();
  await house.stop();
}
process.exit(slow > 0 ? 1 : 0);
