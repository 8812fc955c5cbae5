// Buttons that copy what an element says. Where a browser does not let a page copy, there is no button.

const told = document.querySelector("[data-copied]");
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      told.textContent = "Copied";
    } catch {
      told.textContent = "The browser did not let it be copied; choose the text instead";
    }
  });
}
