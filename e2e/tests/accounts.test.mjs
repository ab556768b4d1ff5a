// Several accounts in one browser, what an app of somebody else may do, and a person's own pages about both.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { authorization, under } from "../lib/oauth.mjs";
import { giveAddressForCode, giveCode, submit } from "../lib/pages.mjs";
import { shoot } from "../lib/shots.mjs";
import { publish, redirectUri, tenantOf } from "../lib/tenant.mjs";
import { newAddress, newPassword } from "../lib/world.mjs";

/** A shop with an app of its own, one of somebody else's, and an API. */
async function shop() {
  const [robot, stock] = [randomUUID(), randomUUID()];
  const tenant = tenantOf("external", { flow: { identityProviders: ["EmailPassword-OAUTH"], applications: ["Portal", "Robot"] } });
  tenant.document.applications.push(
    {
      displayName: "Robot", appId: robot, consent: "required", publisherDomain: "robots.example",
      info: { privacyStatementUrl: "https://robots.example/privacy", termsOfServiceUrl: "https://robots.example/terms" },
      publicClient: { redirectUris: [redirectUri] },
    },
    {
      displayName: "Stock", appId: stock, identifierUris: [`api://${stock}`],
      api: {
        oauth2PermissionScopes: [
          { value: "stock.read", userConsentDisplayName: "See what is in stock", userConsentDescription: "How many of each thing there are, and where they lie." },
          { value: "stock.write", type: "Admin", adminConsentDisplayName: "Change what is in stock" },
        ],
      },
    },
  );
  await publish(tenant);
  return Object.assign(tenant, { robot, api: `api://${stock}` });
}

const isApp = (url) => url.origin === new URL(redirectUri).origin;

/** Signs somebody new up on the page that is open, and comes back to the app. */
async function signUp(page, address) {
  await page.locator("#sign-up").click();
  await giveCode(page, await giveAddressForCode(page, address));
  await page.locator("#password").fill(newPassword());
  await submit(page);
  await page.locator("#no").click();
}

const ask = (tenant, clientId, more) => authorization(tenant, { client_id: clientId, redirect_uri: redirectUri, ...more }).url;

/** Signs somebody new up at the shop's own app. */
async function customer(page, tenant, callback, who) {
  const address = newAddress(who);
  await page.goto(ask(tenant, tenant.appId, { prompt: "login" }));
  await signUp(page, address);
  await page.waitForURL(isApp);
  assert.ok((await callback.next()).url.searchParams.get("code"));
  return address;
}

test("of several accounts a person chooses one", async () => {
  // R42, S22
  const [tenant, callback] = [await shop(), await listen({ port: 3001 })];
  await inBrowser(async (page) => {
    const ada = await customer(page, tenant, callback, "ada");
    const grace = await customer(page, tenant, callback, "grace");
    await page.goto(ask(tenant, tenant.appId, { prompt: "select_account" }));
    await page.locator("#account-2").waitFor();
    assert.equal(await page.locator(".accounts li").count(), 2);
    await shoot(page, "choose-account");
    for (const address of [ada, grace]) {
      await page.goto(ask(tenant, tenant.appId, { prompt: "select_account" }));
      await page.locator("button.account", { hasText: address }).click();
      await page.waitForURL(isApp);
      assert.ok((await callback.next()).url.searchParams.get("code"));
      await page.goto(under(tenant, "account"));
      assert.equal(await page.locator("#address").textContent(), address);
    }
    await shoot(page, "account");
    await page.goto(ask(tenant, tenant.appId, { prompt: "select_account" }));
    await page.locator("li", { hasText: ada }).getByRole("button", { name: /Sign out/ }).click();
    await page.locator(".accounts li").nth(0).waitFor();
    assert.equal(await page.locator("button.account", { hasText: ada }).count(), 0);
    await page.locator("#cancel").click();
    await page.waitForURL(isApp);
    assert.equal((await callback.next()).url.searchParams.get("error"), "access_denied");
  });
  await callback.close();
});

test("an app of somebody else asks, is let, and is let no more", async () => {
  // S77
  const [tenant, callback] = [await shop(), await listen({ port: 3001 })];
  await inBrowser(async (page) => {
    const address = await customer(page, tenant, callback, "ada");
    const scope = `openid profile offline_access ${tenant.api}/stock.read`;
    await page.goto(ask(tenant, tenant.robot, { scope }));
    await page.locator("#accept").waitFor();
    assert.ok((await page.textContent("main")).includes("See what is in stock"));
    assert.equal(await page.locator("#account").textContent(), address);
    await shoot(page, "consent");
    await page.locator("#cancel").click();
    await page.waitForURL(isApp);
    assert.equal((await callback.next()).url.searchParams.get("error"), "access_denied");

    await page.goto(ask(tenant, tenant.robot, { scope }));
    await page.locator("#accept").click();
    await page.waitForURL(isApp);
    assert.ok((await callback.next()).url.searchParams.get("code"));
    // It is not asked twice.
    await page.goto(ask(tenant, tenant.robot, { scope }));
    await page.waitForURL(isApp);
    assert.ok((await callback.next()).url.searchParams.get("code"));

    await page.goto(ask(tenant, tenant.robot, { scope: `${scope} ${tenant.api}/stock.write` }));
    await page.locator("#admin").waitFor();
    await shoot(page, "consent-administrator");

    await page.goto(under(tenant, "account/apps"));
    await page.locator("summary").click();
    await shoot(page, "apps-with-access");
    await page.locator("#withdraw-1").click();
    await page.locator("#none").waitFor();
    await shoot(page, "apps-with-access-none");
    await page.goto(ask(tenant, tenant.robot, { scope, prompt: "none" }));
    await page.waitForURL(isApp);
    assert.equal((await callback.next()).url.searchParams.get("error"), "consent_required");
  });
  await callback.close();
});

test("in a frame on another app's page nothing of ours is shown, be it to sign in or to agree", async () => {
  // S15
  const [tenant, callback] = [await shop(), await listen({ port: 3001 })];
  const attacker = await listen({ port: 3002 });
  try {
    await inBrowser(async (page) => {
      await customer(page, tenant, callback, "ada");
      const victims = [];
      for (const [field, url] of [
        ["#username", ask(tenant, tenant.appId, { prompt: "login" })],
        ["#accept", ask(tenant, tenant.robot, { scope: `openid profile ${tenant.api}/stock.read` })],
      ]) {
        await page.goto(url);
        await page.locator(field).waitFor();
        victims.push({ field, url: page.url(), begun: url });
      }
      for (const { field, url, begun } of victims) {
        // Each header is enough, and without them the attack succeeds: the browser's cookies go into the frame.
        const [policy, options] = ["content-security-policy", "x-frame-options"];
        for (const [without, shown] of [[[], 0], [[policy], 0], [[options], 0], [[policy, options], 1]]) {
          await page.route(url, async (route) => {
            const reply = await route.fetch();
            const headers = Object.entries(reply.headers()).filter(([name]) => !without.includes(name));
            await route.fulfill({ response: reply, headers: Object.fromEntries(headers) });
          });
          assert.equal(await framed(page, attacker, url, field), shown, `${field} without ${without}`);
          await page.unroute(url);
        }
        // From the very beginning, by a redirect, without anybody in between.
        assert.equal(await framed(page, attacker, begun, field), 0);
      }
      assert.ok(callback.quiet(), "nobody agreed to anything");
    }, { attack: /frame-ancestors/ });
  } finally {
    await attacker.close();
    await callback.close();
  }
});

/** How many elements of the framed page are there to be clicked. */
async function framed(page, attacker, url, field) {
  await page.goto(attacker.origin);
  await page.evaluate((src) => {
    const frame = Object.assign(document.createElement("iframe"), { src });
    return new Promise((resolve) => {
      frame.onload = resolve;
      document.body.append(frame);
    });
  }, url);
  return page.frameLocator("iframe").locator(field).count();
}

test("signing out everywhere ends what other browsers have", async () => {
  // S77, S87
  const [tenant, callback] = [await shop(), await listen({ port: 3001 })];
  const [address, password] = [newAddress("ada"), newPassword()];
  await inBrowser(async (page) => {
    await page.goto(ask(tenant, tenant.appId));
    await page.locator("#sign-up").click();
    await giveCode(page, await giveAddressForCode(page, address));
    await page.locator("#password").fill(password);
    await submit(page);
    await page.locator("#no").click();
    await page.waitForURL(isApp);
    await callback.next();
    await inBrowser(async (other) => {
      await other.goto(ask(tenant, tenant.appId));
      await other.locator("#username").fill(address);
      await submit(other);
      await other.locator("#password").fill(password);
      await submit(other);
      await other.locator("#no").click();
      await other.waitForURL(isApp);
      await callback.next();
      await other.goto(under(tenant, "account"));
      await other.locator("#everywhere").click();
      await other.getByRole("heading", { name: /signed out/i }).waitFor();
      await shoot(other, "signed-out-everywhere");
    });
    await page.goto(ask(tenant, tenant.appId, { prompt: "none" }));
    await page.waitForURL(isApp);
    assert.equal((await callback.next()).url.searchParams.get("error"), "login_required");
  });
  await callback.close();
});
