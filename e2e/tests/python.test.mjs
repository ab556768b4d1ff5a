// MSAL Python and Authlib: the programs of the guides as they stand there, and what else the libraries do.

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { inBrowser } from "../lib/chromium.mjs";
import {
  authority, beside, clientId, folder, lendPython, makeTenant, run, runFrom, save, throughPages, visitor, visitWebApp,
} from "../lib/guides.mjs";
import { pythonEnvironment } from "../lib/python.mjs";
import { dataDirectory, demo } from "../lib/world.mjs";

const rows = fileURLToPath(new URL("../python/rows.py", import.meta.url));
/** The browser that MSAL Python opens: it says where it was sent. */
const browser = { BROWSER: "echo OPENED %s" };

before(async () => {
  const environment = pythonEnvironment();
  await makeTenant();
  lendPython(environment);
  for (const guide of ["python-web-app.md", "native-app.md", "devices.md", "daemon.md", "api.md"]) save(guide);
});

/** Runs the rows as an application of the tenant. */
const runRows = (application, ...args) =>
  run(["python/bin/python", rows, ...args], {
    AUTHORITY: authority, CLIENT_ID: clientId(application), REQUESTS_CA_BUNDLE: join(dataDirectory, demo.ca), ...browser,
  });

for (const [library, file] of [
  // R28, R31, R41, R43
  ["MSAL Python", "web_app_msal.py"],
  // R76, R41, R43
  ["Authlib", "web_app_authlib.py"],
]) {
  test(`web app with ${library}`, () =>
    beside("python-web-app.md", file, /Running on/, () =>
      inBrowser(async (page) => {
        await visitWebApp(page, visitor("Ada <i>Lovelace</i>"));
        await page.locator("#sign-in").waitFor();
      })));
}

// R21, R28, R33, R34
test("API in Python, called by a job with a certificate and by an installed app", () =>
  beside("api.md", "api.py", /Running on/, async () => {
    for (const authorization of [undefined, "Bearer x", "Bearer a.b.c"]) {
      const reply = await fetch("http://localhost:3400/orders", { headers: { ...(authorization && { authorization }) } });
      assert.equal(reply.status, 401, authorization);
    }
    assert.match(await runFrom("daemon.md", "job_with_certificate.py").ends(), /twelve lamps[^]*a kettle/);

    await inBrowser(async (page) => {
      const installed = runFrom("native-app.md", "orders.py", browser);
      await page.goto((await installed.says(/OPENED (\S+)/))[1]);
      await throughPages(page, visitor());
      const words = await installed.ends();
      assert.match(words, /Hello, Ada Lovelace\n[^]*a kettle/);
      assert.doesNotMatch(words, /lamps/);
    });
  }));

// R32
test("television with MSAL Python, which names no scope again and gets the one that it asked for", () =>
  inBrowser(async (page) => {
    const person = visitor();
    const television = runFrom("devices.md", "television.py");
    const [, address, code] = await television.says(/(https:\S+).*?([B-Z]{4}-[B-Z]{4})/s);
    await letIn(page, address, code, person);
    assert.match(await television.ends(), /Hello, Ada Lovelace/);

    const second = runRows("Contoso TV", "device");
    const shown = JSON.parse((await second.says(/^\{.*\}$/m))[0]);
    await letIn(page, shown.address, shown.code, person);
    const { scope, error } = lastOf(await second.ends());
    assert.equal(error, null);
    assert.ok(scope.split(" ").includes("api://contoso-orders/orders.read"), scope);
  }));

/** Lets a device in; whoever is signed in is asked nothing else. */
async function letIn(page, address, code, person) {
  await page.goto(address);
  await page.locator("#user_code").fill(code);
  await page.locator("#submit").click();
  const arrived = page.locator("#continue");
  if (!person.known) await throughPages(page, person, () => arrived.isVisible());
  await arrived.click();
}

// R17, R18, R34
test("MSAL Python signs in by every form of the authority", () =>
  inBrowser(async (page) => {
    const person = visitor();
    for (const [argument, address] of [
      // R28
      ["authority", authority],
      // R29
      ["oidc_authority", authority],
      ["oidc_authority", `${authority}/v2.0`],
      // R30: needs nothing that says that the host is known
      ["authority", `${authority}/B2C_1_Customers`],
    ]) {
      const program = runRows("Contoso command line", "interactive", argument, address);
      await page.goto((await program.says(/OPENED (\S+)/))[1]);
      // Whoever is signed in goes straight back to the program.
      if (!person.known) await throughPages(page, person);
      const { claims, account, ...rest } = lastOf(await program.ends());
      assert.deepEqual(rest, { cached: true, renewed: true }, `${argument} ${address}`);
      assert.equal(account, `${claims.oid}.${claims.tid}`);
      assert.equal(claims.preferred_username, person.address);
    }
  }));

// R21, R33
test("MSAL Python proves itself with RS256 and the certificate's SHA-1, in times with fractions", async () => {
  const { fingerprint } = new X509Certificate(readFileSync(join(folder, "job.pem")));
  const program = runRows("Contoso nightly job", "certificate", fingerprint.replaceAll(":", ""));
  assert.deepEqual(lastOf(await program.ends()), { token_type: "Bearer", error: null });
});

const lastOf = (words) => JSON.parse(words.trim().split("\n").at(-1));
