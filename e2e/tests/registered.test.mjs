// An app that registers itself with openid-client, and what its people see of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as oidc from "openid-client";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { finish, giveAddressForCode, giveCode, submit } from "../lib/pages.mjs";
import { shoot } from "../lib/shots.mjs";
import { publish, tenantOf } from "../lib/tenant.mjs";
import { demo, newAddress, newPassword } from "../lib/world.mjs";

const redirectUri = "http://localhost:3001/own";

/** A tenant in which anybody's app may register, with its issuer. */
async function open() {
  const tenant = tenantOf("external", {
    flow: { identityProviders: ["EmailPassword-OAUTH"] },
    clientRegistration: { isEnabled: true, isOpen: true, userFlow: "Try", scopes: ["openid", "email", "offline_access"] },
  });
  await publish(tenant);
  return new URL(`${demo.origins.https}/${tenant.id}/v2.0`);
}

/** A request of the app, and what redeems its answer. */
async function request(config, more = {}) {
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), idTokenExpected: true };
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri, scope: "openid email offline_access", prompt: "consent",
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: "S256",
    state: checks.expectedState, ...more,
  });
  return { href: url.href, checks };
}

// S91, OpenID Connect Dynamic Client Registration 1.0
test("an app registers itself, asks its first visitor, and is known to them from then on", async () => {
  const issuer = await open();
  const config = await oidc.dynamicClientRegistration(issuer, {
    client_name: "Night Desk", application_type: "native", redirect_uris: [redirectUri],
    policy_uri: "https://night-desk.example/privacy", tos_uri: "https://night-desk.example/terms",
    grant_types: ["authorization_code", "refresh_token"], response_types: ["code"], token_endpoint_auth_method: "none",
  }, oidc.None());
  const app = await listen({ port: 3001 });
  try {
    await inBrowser(async (page) => {
      const address = newAddress();
      const silent = await request(config, { prompt: "none" });
      await page.goto(silent.href);
      await page.locator("#onward").waitFor();
      await shoot(page, "registered-onward");
      assert.ok(app.quiet(), "nobody was sent to an app that nobody vouches for");

      const first = await request(config);
      await page.goto(first.href);
      await page.locator("#stranger").waitFor();
      await shoot(page, "registered-sign-in");
      await page.locator("#sign-up").click();
      await giveCode(page, await giveAddressForCode(page, address));
      await page.locator("#password").fill(newPassword());
      await submit(page);
      await finish(page, (url) => url.pathname.includes("/consent/"));
      assert.match(await page.locator("#stranger").textContent(), /Night Desk/);
      await shoot(page, "registered-consent");
      await page.locator("#accept").click();
      const back = (await app.next()).url;
      const tokens = await oidc.authorizationCodeGrant(config, back, first.checks);
      const { sub } = tokens.claims();
      assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, sub)).email, address);
      assert.equal((await oidc.refreshTokenGrant(config, tokens.refresh_token)).claims().sub, sub);

      const again = await request(config, { prompt: "none" });
      await page.goto(again.href);
      const known = await oidc.authorizationCodeGrant(config, (await app.next()).url, again.checks);
      assert.equal(known.claims().sub, sub);
    });
  } finally {
    await app.close();
  }
});
