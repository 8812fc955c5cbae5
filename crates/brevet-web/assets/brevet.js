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
// somebody is typing in them.
const FETCH_PAUSE_MS = 500;
const RETRY_PAUSE_MS = 5000;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function refresh() {
  const response = await fetch(location.href, { headers: { "brevet-unattended": "1" } });
  if (!response.ok || response.redirected) return location.reload();
  const fresh = parse(await response.text());
  for (const old of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(old.id);
    if (!next || old.contains(document.activeElement)) continue;
    tellTimes(next);
    if (next.innerHTML === old.innerHTML) continue;
    const known = new Set([...old.querySelectorAll("[id]")].map((one) => one.id));
    const adopted = document.adoptNode(next);
    old.replaceWith(adopted);
    for (const row of adopted.querySelectorAll("[data-row]")) row.classList.toggle("fresh", !known.has(row.id));
    adopted.dispatchEvent(new CustomEvent("brevet:fresh", { bubbles: true }));
  }
}

async function live() {
  let size = null;
  for (;;) {
    if (document.hidden) await new Promise((shown) => document.addEventListener("visibilitychange", shown, { once: true }));
    try {
      const after = size === null ? "" : `?after=${size}`;
      const response = await fetch(`/live${after}`, { headers: { "brevet-unattended": "1" } });
      if (response.redirected || response.status === 401) return location.reload();
      if (!response.ok) throw new Error(response.statusText);
      const found = await response.json();
      if (size !== null && found.size > size) await refresh();
      size = found.size;
      await pause(FETCH_PAUSE_MS);
    } catch {
      await pause(RETRY_PAUSE_MS);
    }
  }
}

tellTimes(document);
setInterval(() => tellTimes(document), 1000);
document.querySelector("[data-focus]")?.focus();
if (document.querySelector("[data-live]")) live();
