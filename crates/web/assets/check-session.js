// Tells a watching app whether the session it knows is the browser's still (OpenID Connect Session Management 1.0 §4).
const cookie = document.currentScript?.dataset.cookie ?? document.querySelector("script[data-cookie]").dataset.cookie;

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const browserState = () =>
  document.cookie.split("; ").find((pair) => pair.startsWith(`${cookie}=`))?.slice(cookie.length + 1) ?? "";

addEventListener("message", async (event) => {
  if (!event.source || event.source === window) return;
  const parts = typeof event.data === "string" ? event.data.split(" ") : [];
  const [hash, salt] = (parts[1] ?? "").split(".");
  let answer = "error";
  if (parts.length === 2 && hash && salt) {
    const text = `${parts[0]} ${event.origin} ${browserState()} ${salt}`;
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    answer = base64url(new Uint8Array(digest)) === hash ? "unchanged" : "changed";
  }
  event.source.postMessage(answer, event.origin);
});
