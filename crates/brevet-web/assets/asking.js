// Forms that ask and run: what would run while one types, a later start in the reader's zone, lists that narrow as one types.

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
for (const input of document.querySelectorAll("[data-narrow]")) narrow(input);
