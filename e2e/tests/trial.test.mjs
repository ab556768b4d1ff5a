// A provider is tried in a browser by whoever configures it, with a provider that nobody here wrote.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inBrowser } from "../lib/chromium.mjs";
import { startOidcProvider } from "../lib/oidc-provider.mjs";
import { submit } from "../lib/pages.mjs";
import { vestibule } from "../lib/server.mjs";
import { shoot } from "../lib/shots.mjs";
import { providerAt, publish, tenantOf } from "../lib/tenant.mjs";
import { dataDirectory, databaseUrl, demo, nameOf, newAddress } from "../lib/world.mjs";

const secret = "the provider knows it";

/** A command on the demo's data, configured as the demo is. */
function command(...args) {
  const database = databaseUrl ? ["--database-url", databaseUrl] : [];
  const settings = [`listeners.http.origin=${demo.origins.http}`, "outbound.allow_networks=127.0.0.0/8,::1/128"];
  return vestibule(...args, "--data", dataDirectory, ...database, ...settings.flatMap((one) => ["--set", one]));
}

/** The results of the report's steps. */
const results = (page) => page.locator("[data-result]").evaluateAll((steps) => steps.map((step) => step.dataset.result));

// IDP-OIDC-01
test("the whole way at a provider, right and wrong, of which nothing is left", async () => {
  const provider = await startOidcProvider({ client: { client_secret: secret } });
  try {
    const tenant = tenantOf("external", {
      flow: { identityProviders: ["stranger", "EmailPassword-OAUTH"] },
      identityProviders: [providerAt(provider.issuer)],
    });
    provider.redirectTo(`${demo.origins.http}/${tenant.id}/federation/stranger`);
    provider.rotate();
    await publish(tenant);
    const name = nameOf.get(tenant);
    const said = await command("provider", "test", name, "stranger", "--browser");
    const [link] = /https?:\/\/\S+\/test\?token=\S+/.exec(said);
    provider.join({ email: newAddress(), name: "Eve Stranger" });
    await inBrowser(async (page) => {
      await page.goto(link);
      await shoot(page, "trial");
      await submit(page);
      await page.locator("#subject").waitFor();
      assert.equal(await page.locator("#subject").textContent(), provider.user);
      assert.ok((await results(page)).every((result) => result === "ok"));
      await shoot(page, "trial-report");
      await page.reload();
      assert.equal(await page.locator("#subject").count(), 0, "an answer is shown once");

      provider.broken = "/token";
      await page.goto(link);
      await submit(page);
      await page.locator('[data-result="failed"]').waitFor();
      await shoot(page, "trial-report-failed");
    });
    assert.match(await command("provider", "list", name), /stranger/);
    await assert.rejects(command("user", "unlink", name, "stranger", provider.user), "nobody has that identity");
  } finally {
    await provider.close();
  }
});
