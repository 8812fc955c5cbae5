// Takes a picture of every page, light, dark and on a phone, into docs/screenshots: node pictures.mjs [FOLDER]

import { mkdirSync, readdirSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { House, Visitor, closeChrome } from "./harness.mjs";
import { organise } from "./organisation.mjs";
import { PAGES } from "./pages.mjs";

const FOLDER = process.argv[2] ?? "../docs/screenshots";
const BYTES_MAX = 6_000_000;
const HEIGHT_MAX = 1600;
const LOOKS = [["light", { theme: "light", size: "desk" }], ["dark", { theme: "dark", size: "desk" }], ["phone", { theme: "light", size: "phone" }]];
// The moment of every picture: what ages does so by the same each time.
const STEADY = `
  for (const time of document.querySelectorAll("time[datetime]")) {
    if ("ago" in time.dataset) time.textContent = "3 min ago";
    else if ("left" in time.dataset) time.textContent = time.textContent.replace(/ (min|h) .*/, " $1");
    else time.textContent = "9 Nov 2026, 10:00";
  }`;

async function picture(visitor, path, file) {
  const response = await visitor.go(path);
  if (response.status() >= 400) return console.log(`  no ${path} yet (${response.status()})`);
  const { page } = visitor;
  await page.evaluate(STEADY);
  const height = Math.min(HEIGHT_MAX, await page.evaluate(() => document.documentElement.scrollHeight));
  const { width } = page.viewportSize();
  await page.screenshot({ path: file, type: "jpeg", quality: 60, fullPage: true, clip: { x: 0, y: 0, width, height }, animations: "disabled", caret: "hide" });
}

async function pictures(house, ids) {
  for (const [look, options] of LOOKS) {
    const visitors = {};
    for (const [name, who, path] of PAGES(ids)) {
      visitors[who] ??= who ? await Visitor.signIn(house, who, options) : await Visitor.open(house, options);
      await picture(visitors[who], path, join(FOLDER, `${name}-${look}.jpg`));
    }
    for (const visitor of Object.values(visitors)) await visitor.context.close();
  }
}

mkdirSync(FOLDER, { recursive: true });
for (const file of readdirSync(FOLDER)) if (file.endsWith(".jpg")) unlinkSync(join(FOLDER, file));
const house = await House.start();
try {
  await pictures(house, await organise(house));
} finally {
  await closeChrome();
  await house.stop();
}
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".jpg"));
const bytes = files.reduce((sum, file) => sum + statSync(join(FOLDER, file)).size, 0);
console.log(`${files.length} pictures, ${(bytes / 1e6).toFixed(1)} MB`);
if (bytes > BYTES_MAX) {
  console.error(`more than ${BYTES_MAX / 1e6} MB; take fewer pages or a lower quality`);
  process.exit(1);
}
