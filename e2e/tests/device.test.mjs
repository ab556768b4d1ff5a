// Devices without a browser, and APIs that act for whoever called them, with the libraries that apps really use.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as msal from "@azure/msal-node";
import * as oidc from "openid-client";
import { inBrowser } from "../lib/chromium.mjs";
import { deviceTenant, signUpForDevice } from "../lib/devices.mjs";
import { decode } from "../lib/oauth.mjs";
import { demo, nameOf, newAddress, newPassword } from "../lib/world.mjs";

const { https } = demo.origins;
const knownAuthorities = [new URL(https).host];
const scopes = ["openid", "profile", "offline_access"];
let tenant;
let authority;

before(async () => {
  tenant = await deviceTenant();
  authority = `${https}/${nameOf.get(tenant)}`;
});

const television = () =>
  new msal.PublicClientApplication({ auth: { clientId: tenant.television, authority, knownAuthorities } });

/** Begins the grant and hands over what the device shows, and the tokens that are to come. */
async function beginWithMsal(client, asked) {
  let shown;
  const showing = new Promise((resolve) => (shown = resolve));
  const tokens = client.acquireTokenByDeviceCode({ scopes: asked, deviceCodeCallback: shown });
  tokens.catch(() => {});
  return { shown: await showing, tokens };
}

for (const [name, options] of [["", {}], [" without JavaScript", { javaScriptEnabled: false }]]) {
  // R23
  test(`msal-node lets a device in${name}`, () =>
    inBrowser(async (page) => {
      const client = television();
      const { shown, tokens } = await beginWithMsal(client, scopes);
      assert.ok(shown.message.includes(shown.userCode) && shown.message.includes(shown.verificationUri));
      const person = { address: newAddress("tv"), password: newPassword() };
      await signUpForDevice(page, shown.verificationUri, shown.userCode.toLowerCase().replace("-", " "), person);
      assert.match(await page.locator("main").innerText(), /Woodgrove TV/);
      await page.locator("#continue").click();
      await page.getByRole("heading", { name: "Go back to your device" }).waitFor();
      const result = await tokens;
      assert.equal(result.account.username, person.address);
      assert.equal(result.account.homeAccountId, `${result.idTokenClaims.oid}.${tenant.id}`);
      const renewed = await client.acquireTokenSilent({ account: result.account, scopes, forceRefresh: true });
      assert.notEqual(renewed.accessToken, result.accessToken);

      // Who is signed in is asked nothing but whether this device may come in, and may say no.
      const second = await beginWithMsal(television(), scopes);
      await page.goto(`${second.shown.verificationUri}?user_code=${second.shown.userCode}`);
      assert.equal(await page.locator("#user_code").inputValue(), second.shown.userCode);
      await page.locator("#submit").click();
      await page.locator("#cancel").click();
      await page.getByRole("heading", { name: "The device was not let in" }).waitFor();
      await assert.rejects(second.tokens, /authorization_declined/);
    }, options));
}

// R74
test("openid-client lets a device in", () =>
  inBrowser(async (page) => {
    const issuer = new URL(`${https}/${tenant.id}/v2.0`);
    const config = await oidc.discovery(issuer, tenant.television, undefined, oidc.None());
    oidc.enableNonRepudiationChecks(config);
    const device = await oidc.initiateDeviceAuthorization(config, { scope: scopes.join(" ") });
    const polling = oidc.pollDeviceAuthorizationGrant(config, device);
    polling.catch(() => {});
    const person = { address: newAddress("tv"), password: newPassword() };
    await signUpForDevice(page, device.verification_uri_complete, device.user_code, person);
    await page.locator("#continue").click();
    const tokens = await polling;
    assert.equal(tokens.claims().preferred_username, person.address);
    const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    assert.equal(decode(renewed.id_token).payload.oid, tokens.claims().oid);
  }));

// R22
test("msal-node calls an API in the name of whoever called it", () =>
  inBrowser(async (page) => {
    const { shop, stock } = tenant;
    const { shown, tokens } = await beginWithMsal(television(), [shop.scope]);
    await signUpForDevice(page, shown.verificationUri, shown.userCode, { address: newAddress("tv"), password: newPassword() });
    await page.locator("#continue").click();
    const called = await tokens;
    const { clientId, clientSecret } = shop;
    const api = new msal.ConfidentialClientApplication({ auth: { clientId, clientSecret, authority, knownAuthorities } });
    const request = { oboAssertion: called.accessToken, scopes: [stock.scope] };
    const result = await api.acquireTokenOnBehalfOf(request);
    const said = decode(result.accessToken).payload;
    assert.equal(said.aud, stock.clientId);
    assert.equal(said.azp, shop.clientId);
    assert.equal(said.scp, "stock.read");
    assert.equal(said.oid, called.idTokenClaims.oid);
    const cached = await api.acquireTokenOnBehalfOf(request);
    assert.equal(cached.fromCache, true);
    // A token that is for somebody else is none to act with.
    const wrong = api.acquireTokenOnBehalfOf({ oboAssertion: result.accessToken, scopes: [stock.scope] });
    await assert.rejects(wrong, (error) => error.errorCode === "invalid_grant" && String(error.errorNo) === "50013");
  }));
