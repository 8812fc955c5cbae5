// The requests by keyboard. Single keys act only outside of fields, can be switched off (WCAG 2.1.4), and never decide.

const SETTING = "brevet-keys";
const SEQUENCE_MS = 1500;
const PLACES = { r: "/requests", a: "/access", e: "/executions", o: "/" };
const WORDS = { approve: "Ctrl+Enter approves.", deny: "Ctrl+Enter denies." };

const dialog = document.getElementById("keys");
const legend = document.querySelector("[data-keys]");
const toggle = document.getElementById("keys-on");

function stored() {
  try { return localStorage.getItem(SETTING) !== "off"; } catch { return true; }
}

function store(on) {
  try { on ? localStorage.removeItem(SETTING) : localStorage.setItem(SETTING, "off"); } catch { /* for this page only */ }
}

let on = stored();
let sequence = 0;

// Rows, each where its link is: focus is what says where one is, to eyes and to screen readers.
const links = () => [...document.querySelectorAll("[data-row] th a")];
const current = () => document.activeElement?.closest?.("[data-row]");

function move(step) {
  const all = links();
  const at = all.findIndex((link) => link.closest("[data-row]") === current());
  const to = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  all[to]?.focus();
}

function choose() {
  const box = current()?.querySelector("input[type=checkbox]");
  if (box) box.click();
}

// Leads to the comment, and remembers what Ctrl+Enter there says.
function lead(verdict) {
  const comment = document.getElementById("comment");
  const row = current();
  const hasChosen = document.querySelector(".choose input:checked");
  if (row && !hasChosen) {
    if (row.querySelector("input[type=checkbox]")) location.assign(`${row.querySelector("th a").href}#${verdict}`);
    return;
  }
  if (!comment || (links().length > 0 && !hasChosen)) return;
  intend(comment, verdict);
}

function intend(comment, verdict) {
  comment.form.dataset.intent = verdict;
  comment.closest("[data-live]").querySelector("[data-meant]").textContent = WORDS[verdict];
  comment.scrollIntoView({ block: "center" });
  comment.focus();
}

function follow(key) {
  document.querySelector(`[data-key="${key}"]`)?.click();
}

function help() {
  toggle.checked = on;
  dialog.showModal();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  o: () => current()?.querySelector("th a")?.click(),
  x: choose,
  a: () => lead("approve"),
  d: () => lead("deny"),
  n: () => follow("n"),
  p: () => follow("p"),
  g: () => { sequence = Date.now(); },
  "?": help,
};

const isField = (target) => target.matches?.("textarea, select, input:not([type=checkbox]), [contenteditable]");

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (key === "Enter" && (event.ctrlKey || event.metaKey) && target.id === "comment") {
    const button = target.form.querySelector(`button[value="${target.form.dataset.intent}"]`);
    if (button) event.preventDefault();
    return button && target.form.requestSubmit(button);
  }
  if (!on || dialog.open || event.ctrlKey || event.altKey || event.metaKey || isField(target)) return;
  const arrow = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (arrow && current()) {
    event.preventDefault();
    return move(arrow);
  }
  if (Date.now() - sequence < SEQUENCE_MS) {
    sequence = 0;
    if (key in PLACES) return location.assign(PLACES[key]);
  }
  if (Object.hasOwn(keys, key)) {
    event.preventDefault();
    keys[key]();
  }
});

// What was meant by a key is over once somebody leaves the comment.
document.addEventListener("focusout", ({ target }) => {
  if (target.id !== "comment" || !target.form) return;
  delete target.form.dataset.intent;
  const told = target.form.querySelector("[data-meant]");
  if (told) told.textContent = "";
});

document.querySelector("[data-keys-help]").addEventListener("click", help);
toggle.addEventListener("change", () => {
  on = toggle.checked;
  store(on);
});
legend.hidden = false;

const wanted = location.hash.slice(1);
const comment = document.getElementById("comment");
if (wanted in WORDS && comment && links().length === 0) {
  history.replaceState(null, "", location.pathname + location.search);
  intend(comment, wanted);
}
