// An app's redirect URI: keeps what the browser brings.

import { createServer } from "node:http";
import { portHere } from "./lane.mjs";
import { until } from "./until.mjs";

/**
 * Listens at a redirect URI of the demo's apps.
 * @param {{port?: number}} [options] 0 for any free one
 */
export async function listen({ port = 0 } = {}) {
  const brought = [];
  const server = createServer((request, reply) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url, origin);
      if (url.pathname !== "/favicon.ico") {
        brought.push({ method: request.method, url, body: new URLSearchParams(Buffer.concat(chunks).toString()) });
      }
      reply.setHeader("content-type", "text/html; charset=utf-8");
      reply.end('<!doctype html><html lang="en"><title>App</title><h1>App</h1>');
    });
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port && portHere(port), "localhost", resolve));
  const origin = `http://localhost:${port || server.address().port}`;
  return {
    origin,
    /** The next request that was not handed out yet. */
    next: () => until("the browser to come back to the app", () => brought.shift()),
    /** Whether nothing came. */
    quiet: () => brought.length === 0,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
}
