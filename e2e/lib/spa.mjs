// A single-page app of the demo: one page, with a library of the day.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const modules = fileURLToPath(new URL("../node_modules/", import.meta.url));

/**
 * Serves a page that loads scripts in order and then runs one of its own.
 * @param {{port: number, scripts: string[], inline: string}} app paths below node_modules; the page's own script
 */
export async function serveApp({ port, scripts, inline }) {
  const sources = await Promise.all(scripts.map((path) => readFile(modules + path)));
  const tags = scripts.map((_, number) => `<script src="/${number}.js"></script>`).join("");
  const html = `<!doctype html><html lang="en"><title>App</title><h1>App</h1>${tags}<script type="module">${inline}</script>`;
  const server = createServer((request, reply) => {
    const number = /^\/(\d+)\.js$/.exec(request.url)?.[1];
    reply.setHeader("content-type", number ? "text/javascript" : "text/html; charset=utf-8");
    reply.end(number ? sources[number] : html);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "localhost", resolve));
  return {
    origin: `http://localhost:${port}`,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
}
