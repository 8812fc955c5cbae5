// What pages do beyond what they say. Every page works without it, but for what is live.

const zone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

// HTML of this server's own pages, and nothing else, becomes elements.
const trusted = globalThis.trustedTypes?.createPolicy("brevet", { createHTML: (html) => html });
const parse = (html) => new DOMParser().parseFromString(trusted ? trusted.createHTML(html) : html, "text/html");

// A length of time in its two largest units, as the server writes it.
function length(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = Math.max(0, units.findIndex(([size]) => seconds >= size));
  let rest = seconds < 1 ? 0 : seconds;
  if (rest === 0) return "0 s";
  const told = [];
  for (const [size, unit] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest %= size;
    if (count > 0) told.push(`${count} ${unit}`);
  }
  return told.join(" ");
}

// Times in the reader's zone; UTC stays in the title.
function tellTimes(root) {
  const now = Date.now();
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const seconds = Math.floor((at - now) / 1000);
    let told;
    if ("left" in time.dataset) told = length(Math.max(0, seconds));
    else if ("ago" in time.dataset) told = seconds > -5 ? "just now" : `${length(-seconds)} ago`;
    else told = zone.format(at);
    if (time.textContent !== told) time.textContent = told;
  }
}

// Live parts: elements with `data-live` and an id are taken anew from the same address when the ledger goes on, unless
// somebody is typing in them. Those with `data-live-too` go along, but ask for nothing by themselves.
const FETCH_PAUSE_MS = 500;
const RETRY_PAUSE_MS = 5000;
// Where nobody has done anything for a while, it does not matter when: not all pages ask at once.
const IDLE_MS = 60_000;
const IDLE_PAUSE_MS = 1500;
// What was left as it is, because it was in use, is looked at again: once it may be free, and after a while.
const FREE_PAUSE_MS = 500;
const SKIPPED_PAUSE_MS = 60_000;
const FOCUSABLE = "a[href], button, summary, input:not([type=hidden]), select, textarea, [tabindex]";
// Where too many pages wait already, this one asks now and then.
const FULL_PAUSE_MS = 20_000;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const isText = (field) => field.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=hidden])");
const isBeingTypedIn = (part) => [...part.querySelectorAll("input, select, textarea")]
  .some((field) => isText(field) && (field === document.activeElement || (field.value ?? "") !== (field.defaultValue ?? field.value)));

// Where somebody is in a part that is taken anew: the same place in it. Where its row is gone, the row that follows.
function placeIn(old, next, at) {
  const same = at.id && next.querySelector(`#${CSS.escape(at.id)}`);
  const row = at.closest("[data-row]");
  if (same || !row) return same;
  const sameRow = row.id && next.querySelector(`#${CSS.escape(row.id)}`);
  if (sameRow) {
    const place = [...row.querySelectorAll(FOCUSABLE)].indexOf(at);
    const there = sameRow.querySelectorAll(FOCUSABLE)[place];
    const isIt = there?.tagName === at.tagName && there.textContent === at.textContent;
    return isIt ? there : sameRow.querySelector("a");
  }
  const index = [...old.querySelectorAll("[data-row]")].indexOf(row);
  const rows = next.querySelectorAll("[data-row]");
  return rows[Math.min(index, rows.length - 1)]?.querySelector("a");
}

// Whether it must stay as it is: somebody types in it, has opened a part of it, or is at a place that would be lost.
function isInUse(old, next) {
  const at = document.activeElement;
  const isLost = old.contains(at) && !at.closest("[data-row]") && !placeIn(old, next, at);
  return isLost || isBeingTypedIn(old) || old.querySelector("details[open]") !== null;
}

// What is in a part, without what every page has anew: the keys of its forms, and how long ago a time is.
function content(part) {
  const copy = part.cloneNode(true);
  for (const key of copy.querySelectorAll("input[name=key]")) key.remove();
  for (const time of copy.querySelectorAll("time[datetime]")) time.replaceChildren();
  return copy.innerHTML;
}

// What is chosen stays chosen, and focus stays where it was.
function replace(old, next) {
  for (const box of old.querySelectorAll("input[type=checkbox][id]:checked")) {
    const same = next.querySelector(`#${CSS.escape(box.id)}`);
    if (same) same.checked = true;
  }
  const place = old.contains(document.activeElement) ? placeIn(old, next, document.activeElement) : null;
  old.replaceWith(next);
  place?.focus({ preventScroll: true });
}

let hasSkipped = false;

async function takeAnew() {
  const response = await fetch(location.href, { headers: { "brevet-unattended": "1" } });
  // A page that a form was answered with has no address of its own: it stays as it is.
  if (!response.ok || response.redirected) return;
  const fresh = parse(await response.text());
  hasSkipped = false;
  for (const old of document.querySelectorAll("[data-live], [data-live-too]")) {
    const next = fresh.getElementById(old.id);
    if (!next) continue;
    if (content(next) === content(old)) continue;
    if (isInUse(old, next)) {
      hasSkipped = true;
      continue;
    }
    tellTimes(next);
    const known = new Set([...old.querySelectorAll("[id]")].map((one) => one.id));
    const adopted = document.adoptNode(next);
    replace(old, adopted);
    for (const row of adopted.querySelectorAll("[data-row]")) row.classList.toggle("fresh", !known.has(row.id));
    adopted.dispatchEvent(new CustomEvent("brevet:fresh", { bubbles: true }));
  }
}

// One after the other: what is older never comes last.
let refreshed = Promise.resolve();
function refresh() {
  refreshed = refreshed.catch(() => {}).then(takeAnew);
  return refreshed;
}

let isDue = false;
async function takeUp() {
  if (!hasSkipped || isDue || document.hidden) return;
  isDue = true;
  await pause(FREE_PAUSE_MS);
  isDue = false;
  // What fails is taken up after a while.
  await refresh().catch(() => {});
}

// What somebody is writing is not thrown away.
function endSession() {
  const main = document.getElementById("main");
  // Without a fragment: with one, nothing would be loaded. It leads to the sign-in, and back to this page.
  const here = location.pathname + location.search;
  if (!isBeingTypedIn(main)) return location.replace(here);
  const link = document.createElement("a");
  link.href = here;
  link.textContent = "sign in";
  const note = document.createElement("p");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  note.append("You are signed out. Copy what you wrote, then ", link, ".");
  main.prepend(note);
}

/** Asks how long the ledger is, once it is longer than that where it can wait for it; a page that nobody looks at does not. */
async function askLive(after) {
  const unseen = new AbortController();
  const leave = () => document.hidden && unseen.abort();
  document.addEventListener("visibilitychange", leave);
  const ask = (path) => fetch(path, { headers: { "brevet-unattended": "1" }, signal: unseen.signal });
  try {
    const response = await ask(after === null ? "/live" : `/live?after=${after}`);
    const isFull = response.status === 429;
    return { isFull, response: isFull ? await ask("/live") : response };
  } finally {
    document.removeEventListener("visibilitychange", leave);
  }
}

async function live() {
  // What came since the page was made is shown at once.
  let size = document.body.dataset.position ?? null;
  let acted = performance.now();
  for (const kind of ["pointerdown", "keydown", "visibilitychange"]) document.addEventListener(kind, () => { acted = performance.now(); });
  document.addEventListener("focusout", takeUp);
  document.addEventListener("toggle", takeUp, true);
  setInterval(takeUp, SKIPPED_PAUSE_MS);
  for (;;) {
    if (document.hidden) await new Promise((shown) => document.addEventListener("visibilitychange", shown, { once: true }));
    try {
      const { isFull, response } = await askLive(size);
      if (response.redirected || response.status === 401) return endSession();
      if (!response.ok) throw new Error(response.statusText);
      const found = await response.json();
      if (size !== null && found.size > Number(size)) {
        if (performance.now() - acted > IDLE_MS) await pause(Math.random() * IDLE_PAUSE_MS);
        await refresh();
      }
      size = found.size;
      await pause(isFull ? FULL_PAUSE_MS + Math.random() * IDLE_PAUSE_MS : FETCH_PAUSE_MS);
    } catch (error) {
      if (error.name !== "AbortError") await pause(RETRY_PAUSE_MS + Math.random() * IDLE_PAUSE_MS);
    }
  }
}

tellTimes(document);
setInterval(() => tellTimes(document), 1000);
document.querySelector("[data-focus]")?.focus();
if (document.querySelector("[data-live]")) live();
