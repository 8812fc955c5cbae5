// The link that the server prints at its first start has its code behind the `#`, which reaches no server and no log.
// The code goes into its field, and out of the address.

const code = new URLSearchParams(location.hash.slice(1)).get("code");
if (code) {
  document.getElementById("code").value = code;
  history.replaceState(null, "", location.pathname);
  document.getElementById("name").focus();
}
