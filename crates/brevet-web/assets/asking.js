// Forms that ask and run: what would run, while one types, a later start in the reader's zone, lists that narrow as one types.

function valuesOf(form, name) {
  const given = [...form.elements].filter((one) => one.name === `p.${name}` && (one.type !== "checkbox" || one.checked));
  return given.flatMap((one) => (one.tagName === "TEXTAREA" ? one.value.split("\n") : [one.value])).filter((text) => text.trim() !== "");
}

function tellCommand(form) {
  for (const part of form.querySelectorAll("[data-parameter]")) {
    const values = valuesOf(form, part.dataset.parameter);
    const told = values.length > 0 ? values.join(",") : `{${part.dataset.parameter}}`;
    if (part.textContent !== told) part.textContent = told;
    part.classList.toggle("free", values.length === 0);
  }
}

// What would run is what the server says of the form. Only values that everybody may read are sent, never a secret.
const TYPED_PAUSE_MS = 200;

function showCommand(place, command) {
  const of = ({ text, parameter, is_free: isFree }) => {
    if (parameter === null) return text;
    const piece = document.createElement("span");
    piece.dataset.parameter = parameter;
    piece.classList.toggle("free", isFree);
    piece.textContent = text;
    return piece;
  };
  const line = command.flatMap((argument) => {
    const shown = document.createElement("span");
    shown.className = "argument";
    shown.append(...argument.map(of));
    return [shown, " "];
  });
  place.replaceChildren(...line);
}

function followCommand(form) {
  const place = document.querySelector("[data-runs] pre");
  if (!place) return;
  let asked = 0;
  let due;
  const ask = async () => {
    const mine = ++asked;
    const said = new URLSearchParams([...new FormData(form)].filter(([name]) => name === "under" || name.startsWith("p.")));
    const response = await fetch(form.dataset.command, { method: "POST", body: said }).catch(() => null);
    // What was typed since is asked for by itself; a page to sign in is no command.
    if (mine !== asked || !response?.ok || response.redirected) return;
    showCommand(place, await response.json());
  };
  form.addEventListener("input", ({ target }) => {
    if (!target.name?.startsWith("p.")) return;
    clearTimeout(due);
    due = setTimeout(ask, TYPED_PAUSE_MS);
  });
}

// The form says UTC; people think in their own zone.
function ownZone(input) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone === "UTC") return;
  const hidden = document.createElement("input");
  hidden.type = "hidden";
  hidden.name = input.name;
  hidden.value = input.value;
  input.removeAttribute("name");
  if (input.value) {
    const at = new Date(`${input.value}Z`);
    input.value = new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  }
  input.after(hidden);
  input.addEventListener("input", () => {
    const at = new Date(input.value);
    hidden.value = Number.isNaN(at.getTime()) ? "" : at.toISOString().slice(0, 16);
  });
  const hint = document.getElementById(input.getAttribute("aria-describedby"));
  if (hint) hint.textContent = hint.textContent.replace("In UTC.", `In your time zone, ${zone}.`);
}

function narrow(input) {
  const list = document.getElementById(input.dataset.narrow);
  const none = list.querySelector("[data-none]");
  input.addEventListener("input", () => {
    const text = input.value.trim().toLowerCase().replaceAll("/", "\\");
    let shown = 0;
    for (const part of list.querySelectorAll("[data-part]")) {
      const rows = [...part.querySelectorAll("[data-text]")];
      for (const row of rows) row.hidden = !row.dataset.text.toLowerCase().replaceAll("/", "\\").includes(text);
      part.hidden = rows.every((row) => row.hidden);
      if (!part.hidden) shown += 1;
    }
    none.hidden = shown > 0;
  });
}

for (const form of document.querySelectorAll("form[data-ask]")) {
  form.querySelector("[data-look]")?.setAttribute("hidden", "");
  form.addEventListener("input", () => tellCommand(form));
  const own = form.elements.duration_own;
  for (const choice of form.querySelectorAll("input[name=duration]")) {
    choice.addEventListener("change", () => { own.value = ""; });
  }
  own?.addEventListener("input", () => {
    if (own.value) for (const choice of form.querySelectorAll("input[name=duration]")) choice.checked = false;
  });
  for (const input of form.querySelectorAll("[data-utc]")) ownZone(input);
}
for (const form of document.querySelectorAll("form[data-command]")) followCommand(form);
for (const input of document.querySelectorAll("[data-narrow]")) narrow(input);
