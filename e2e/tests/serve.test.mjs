// `vestibule serve` as an organisation runs it: a file, a mail server, and nothing of the demo.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { codeIn } from "../lib/inbox.mjs";
import { startMailServer } from "../lib/mail-server.mjs";
import { authorization, decode, json, postToken, under } from "../lib/oauth.mjs";
import { fill, finish, giveAddress, giveCode, submit } from "../lib/pages.mjs";
import { startServer, vestibule } from "../lib/server.mjs";
import { redirectUri, tenantOf } from "../lib/tenant.mjs";
import { until } from "../lib/until.mjs";
import { newAddress, newPassword } from "../lib/world.mjs";

const work = fileURLToPath(new URL("../work/", import.meta.url));
mkdirSync(work, { recursive: true });
const folder = mkdtempSync(join(work, "serve-"));
let app;

before(async () => (app = await listen({ port: 3001 })));
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

/** An empty directory and a configuration file: where an organisation's own server begins. */
async function ownServer(mailbox, login) {
  const home = mkdtempSync(join(folder, "home-"));
  const config = join(home, "vestibule.toml");
  const port = await freePort();
  writeFileSync(join(home, "mail-password"), login.pass);
  const lines = [
    `data = ${JSON.stringify(join(home, "data"))}`,
    "[listeners.http]", `address = "127.0.0.1:${port}"`,
    "[smtp]", 'host = "localhost"', `port = ${mailbox.port}`, `ca_files = ${JSON.stringify([mailbox.certificate])}`,
    `username = ${JSON.stringify(login.user)}`, `password_file = ${JSON.stringify(join(home, "mail-password"))}`,
    'from = "door@northwind.example"', 'from_name = "Northwind"',
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  return { home, config, origin: `http://localhost:${port}` };
}

/** Makes the tenant what its document says, with the server's own configuration. */
async function applyTo({ home, config }, tenant) {
  const file = join(home, "tenant.yaml");
  writeFileSync(file, JSON.stringify(tenant.document, null, 2));
  await vestibule("apply", file, "--config", config);
}

const northwind = () =>
  tenantOf("external", {
    flow: {
      identityProviders: ["EmailPassword-OAUTH"],
      attributeCollection: { inputs: [{ attribute: "displayName", label: "Your name", required: true }] },
    },
  });

// 2.3: mail by SMTP; no /dev without the demo
test("a visitor signs up with a code that a real mail server received", async () => {
  const login = { user: "door", pass: "opens quietly" };
  const mailbox = await startMailServer({ folder, login });
  const own = await ownServer(mailbox, login);
  const server = await startServer(own.config);
  try {
    const tenant = northwind();
    await applyTo(own, tenant);
    await until("the server to know the tenant", async () => (await fetch(under(tenant, "discovery/v2.0/keys", own.origin))).ok);
    for (const path of ["/dev/inbox", "/dev/inbox/messages", "/dev"]) {
      assert.equal((await fetch(`${own.origin}${path}`)).status, 404, path);
    }
    const person = { address: newAddress(), password: newPassword() };
    await inBrowser(async (page) => {
      const request = authorization(tenant, {
        origin: own.origin, client_id: tenant.appId, redirect_uri: redirectUri, prompt: "create",
      });
      await page.goto(request.url);
      await giveAddress(page, person.address);
      await page.locator("#code").waitFor();
      const mail = await until("the mail", () => mailbox.received.at(-1));
      assert.deepEqual(mail.to, [person.address]);
      assert.equal(mail.from, "door@northwind.example");
      assert.equal(mail.encrypted, true);
      assert.equal(mail.loggedInAs, login.user);
      assert.match(mail.raw, /^From: "?Northwind"? <door@northwind\.example>/m);
      assert.match(mail.raw, /^Message-ID: </im);
      assert.match(mail.raw, /^Date: /m);
      assert.match(mail.raw, /^Auto-Submitted: auto-generated/im);
      await giveCode(page, codeIn(mail));
      await page.locator("#password").fill(person.password);
      await fill(page, { "Your name": "Ada Lovelace" });
      await submit(page);
      await finish(page, (url) => url.origin === app.origin);
      const { url } = await app.next();
      const tokens = await json(await postToken(tenant, {
        grant_type: "authorization_code", client_id: tenant.appId, redirect_uri: redirectUri,
        code: url.searchParams.get("code"), code_verifier: request.verifier,
      }, { origin: own.origin }), 200);
      assert.equal(decode(tokens.id_token).payload.email, person.address);
    });
    assert.equal(mailbox.received.length, 1, "one mail was enough");
    assert.equal(server.words().includes(codeIn(mailbox.received[0])), false, "no code in the log");
    assert.equal(await server.stop(), 0);
  } finally {
    await server.stop();
    await mailbox.close();
  }
});

/** A port that was free a moment ago. */
async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
