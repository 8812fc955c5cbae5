import { House, Visitor, closeChrome } from "./harness.mjs";
const house = await House.start();
const manual = { approval_type: "manual", approver_groups: [{ group: "Approvers" }] };
await house.api("ada", "POST", "/policies", { role_group: "Linux/Operations", ...manual, start: "first-use", claim_within: "2h" });
const ask = async (body) => { const r = await house.api("bob", "POST", "/requests", { reason: "x", duration: "1h", ...body }); if (r.status === "pending") await house.api("alice", "POST", `/requests/${r.id}/approve`, {}); return r; };
try {
  await ask({ task: "Linux/Restart-Site", parameters: { unit: "web" }, max_uses: 3 });
  await ask({ task: "Linux/Read-Log" });
  await ask({ role_group: "Linux/Operations" });
  await ask({ role: "Linux/Site-Operators" });
  await house.api("bob", "POST", "/requests", { task: "Linux/Set-Password", reason: "guessed" });
  for (const [name, options] of [["desk", {}], ["dark", { theme: "dark" }], ["phone", { size: "phone" }]]) {
    const bob = await Visitor.signIn(house, "bob", options);
    for (const [shot, path] of [["access", "/access"], ["ask", "/requests/new?task=Linux/Restart-Site&p.unit=web"], ["tasks", "/tasks"], ["task", "/tasks/Linux/Restart-Site"], ["role", "/roles/Linux/Site-Operators"], ["extend", "/requests/new?extend=aut-1"], ["secret", "/tasks/Linux/Set-Password"]]) {
      await bob.go(path);
      await bob.page.screenshot({ path: `/tmp/access-shots/${shot}-${name}.png`, fullPage: true });
    }
    await bob.go("/tasks/Linux/Show-Disk-Usage");
    await bob.page.getByLabel("path").selectOption("/tmp");
    await bob.press("Run");
    await bob.page.screenshot({ path: `/tmp/access-shots/refused-${name}.png`, fullPage: true });
    await bob.close().catch((e) => console.log(name, e.message));
  }
} finally { await closeChrome(); await house.stop(); }
