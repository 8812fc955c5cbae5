// An organization at work, for crawls and pictures: what is asked for, allowed, refused and running is the same each time.

const wait = (house, name, id) => house.api(name, "GET", `/requests/${id}/wait?seconds=1`);

/** Fills a house with requests in every state, executions, and one that still runs. Returns the ids worth looking at. */
export async function organise(house) {
  const ask = (name, body) => house.api(name, "POST", "/requests", body);
  const decide = (name, id, verdict, body = {}) => house.api(name, "POST", `/requests/${id}/${verdict}`, body);
  const run = (name, body) => house.api(name, "POST", "/executions", body);
  for (const user of ["bob", "anna"]) {
    await house.api("ada", "POST", "/assignments", { user, task: "Linux/Read-Log" });
  }
  const restart = await ask("bob", { task: "Linux/Restart-Site", parameters: { unit: "shop" }, reason: "Change 4711: new certificate", duration: "2h" });
  const granted = await decide("alice", restart.id, "approve", { comment: "As agreed in change 4711", duration: "1h" });
  for (const force of [false, true]) await run("bob", { task: "Linux/Restart-Site", parameters: { unit: "shop", force } });
  const tooMuch = await ask("bob", { role: "Linux/Site-Operators", reason: "Weekend duty", duration: "8h" });
  await decide("anna", tooMuch.id, "deny", { comment: "Duty is Carla's this weekend; ask for single tasks if you help her" });
  const withdrawn = await ask("anna", { task: "Linux/Set-Password", reason: "Rotate the password of the reports" });
  await house.api("anna", "POST", `/requests/${withdrawn.id}/cancel`, {});
  const follow = await ask("bob", { task: "Linux/Follow-Log", reason: "Slow answers reported since noon", duration: "1h" });
  await decide("anna", follow.id, "approve");
  const running = await run("bob", { task: "Linux/Follow-Log" });
  const taken = await ask("anna", { task: "Linux/Restart-Site", parameters: { unit: "reports" }, reason: "Reports hang", duration: "4h" });
  const given = await decide("alice", taken.id, "approve");
  await house.api("alice", "POST", `/authorizations/${given.authorization}/revoke`, { comment: "Solved otherwise" });
  const auto = await ask("bob", { task: "Linux/Read-Log", parameters: { lines: 20 }, reason: "Morning check" });
  await wait(house, "bob", auto.id);
  const log = await run("bob", { task: "Linux/Read-Log", parameters: { lines: 20 } });
  const waiting = [];
  for (const body of [
    { task: "Linux/Show-Disk-Usage", parameters: { path: "/tmp" }, reason: "Uploads fail; the disk may be full", duration: "1h" },
    { task: "Linux/Set-Password", reason: "Ticket 311: the shop's database password is due", duration: "30m", max_uses: 1 },
    { role: "Linux/Site-Operators", reason: "On call this afternoon", duration: "4h" },
  ]) waiting.push((await ask("bob", body)).id);
  const annas = await ask("anna", { task: "Linux/Restart-Site", parameters: { unit: "reports", force: false }, reason: "Reports hang again", duration: "1h" });
  return { approved: restart.id, authorization: granted.authorization, denied: tooMuch.id, running: running.id, finished: log.id, waiting, annas: annas.id };
}
