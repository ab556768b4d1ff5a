// MSAL for Node, in every major version that apps are built with.

import * as newest from "@azure/msal-node";

/** The library by its major version. */
export const majors = new Map();
for (const major of [1, 2, 3, 5]) majors.set(major, await import(`msal-node-${major}`));
majors.set(7, newest);

/**
 * A network for the library (`system.networkClient`) that lets a test look into what is sent and change what is heard.
 * @param answer gets a function that asks the server, and what the library would post
 */
export const network = (answer) => ({
  sendGetRequestAsync: (url, options) => ask(url, { method: "GET", headers: options?.headers }),
  sendPostRequestAsync: (url, { headers, body }) => answer(() => ask(url, { method: "POST", headers, body }), new URLSearchParams(body)),
});

async function ask(url, request) {
  const reply = await fetch(url, request);
  return { status: reply.status, headers: Object.fromEntries(reply.headers), body: await reply.json() };
}
