// The apps of the guides in Node.js and in the browser, as they stand there.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { inBrowser } from "../lib/chromium.mjs";
import { authority, beside, blocksOf, clientId, contentOf, folder, makeTenant, runFrom, save, throughPages, visitor, visitWebApp } from "../lib/guides.mjs";

const kinds = ["web-app.md", "python-web-app.md", "single-page-app.md", "native-app.md", "devices.md", "daemon.md", "api.md"];

before(async () => {
  await makeTenant();
  kinds.forEach(save);
});

test("what the guides quote of the tenant is in its file, and they name no other client", () => {
  const tenant = contentOf("contoso.yaml");
  for (const guide of kinds) {
    const quoted = blocksOf(guide).filter(({ language }) => language === "yaml");
    assert.equal(quoted.length, 1, guide);
    assert.ok(tenant.includes(quoted[0].code), `${guide} quotes the tenant`);
    for (const { code } of blocksOf(guide)) {
      for (const [id] of code.matchAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g)) assert.ok(tenant.includes(id), `${guide}: ${id}`);
    }
  }
});

// R13, R15, R41, R43
test("web app in Node.js", () =>
  beside("web-app.md", "web-app.mjs", /Open http/, () =>
    inBrowser(async (page) => {
      await visitWebApp(page, visitor('Ada <b>"Lovelace"</b>'));
      // Nobody is signed in at the server either.
      await page.locator("#sign-in").click();
      await page.locator("#username").waitFor();
    })));

// R35, R36, R41
test("single-page app", () => {
  const configured = JSON.parse(contentOf("config.json"));
  assert.equal(configured.clientId, clientId("Contoso single-page app"));
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...configured, authority }));
  return beside("single-page-app.md", "serve.mjs", /Open http/, () =>
    inBrowser(async (page) => {
      const person = visitor();
      const greeted = (page, words) => page.getByRole("heading", { name: words, exact: true }).waitFor();
      await page.goto("http://localhost:3200/");
      await page.locator("#sign-in").click();
      await throughPages(page, person);
      await greeted(page, "Hello, Ada Lovelace");
      await page.locator("#sign-out").click();
      await page.locator("#sign-in-popup").waitFor();
      const opened = page.waitForEvent("popup");
      await page.locator("#sign-in-popup").click();
      const popup = await opened;
      const closed = popup.waitForEvent("close");
      await throughPages(popup, person).catch((error) => popup.isClosed() || Promise.reject(error));
      await closed;
      await greeted(page, "Hello, Ada Lovelace");
    }));
});

// R19, R20, R24
test("API in Node.js, called by a job with a secret or a certificate and by an installed app", () =>
  beside("api.md", "api.mjs", /Listening/, async () => {
    for (const authorization of [undefined, "Bearer x", "Bearer a.b.c"]) {
      const reply = await fetch("http://localhost:3400/orders", { headers: { ...(authorization && { authorization }) } });
      assert.equal(reply.status, 401, authorization);
    }
    for (const job of ["job-with-secret.mjs", "job-with-certificate.mjs"]) {
      assert.match(await runFrom("daemon.md", job).ends(), /twelve lamps.*a kettle/, job);
    }
    await inBrowser(async (page) => {
      const installed = runFrom("native-app.md", "orders.mjs");
      const [, address] = await installed.says(/To sign in, open (\S+)/);
      await page.goto(address);
      await throughPages(page, visitor());
      await page.getByRole("heading", { name: "Signed in" }).waitFor();
      const words = await installed.ends();
      assert.match(words, /Hello, Ada Lovelace\n.*a kettle/);
      assert.doesNotMatch(words, /lamps/);
    });
  }));
