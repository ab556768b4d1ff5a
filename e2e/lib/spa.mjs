// A single-page app of the demo: one page, with a library of the day.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { portHere } from "./lane.mjs";
import { dataDirectory } from "./world.mjs";

const modules = fileURLToPath(new URL("../node_modules/", import.meta.url));

/**
 * Serves a page that loads scripts in order and then runs one of its own.
 * @param {{port: number, scripts: string[], inline: string, tls?: boolean}} app paths below node_modules; the page's own
 *   script; whether over TLS, and thereby on the server's own site
 */
export async function serveApp({ port, scripts, inline, tls = false }) {
  const sources = await Promise.all(scripts.map((path) => readFile(modules + path)));
  const tags = scripts.map((_, number) => `<script src="/${number}.js"></script>`).join("");
  const html = `<!doctype html><html lang="en"><title>App</title><h1>App</h1>${tags}<script type="module">${inline}</script>`;
  const answer = (request, reply) => {
    const number = /^\/(\d+)\.js$/.exec(request.url)?.[1];
    reply.setHeader("content-type", number ? "text/javascript" : "text/html; charset=utf-8");
    reply.end(number ? sources[number] : html);
  };
  const server = tls ? createSecureServer(certificate(), answer) : createServer(answer);
  await new Promise((resolve, reject) => server.once("error", reject).listen(portHere(port), "localhost", resolve));
  return {
    origin: `http${tls ? "s" : ""}://localhost:${port}`,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
}

/** A key and a certificate that it signed itself: the browser of the tests believes any. */
export function certificate() {
  const folder = mkdtempSync(join(dataDirectory, "app-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", cert];
  execFileSync("openssl", made, { stdio: "pipe" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
