// MSAL for Node where things are not as usual: other names of the authority, two of them, and tokens that have ended.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as msal from "@azure/msal-node";
import * as oidc from "openid-client";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { authorizeAs, stranger } from "../lib/customer.mjs";
import { decode, random } from "../lib/oauth.mjs";
import { customers, demo, nameOf, woodgrove } from "../lib/world.mjs";

const { https } = demo.origins;
const name = nameOf.get(customers);
const knownAuthorities = [new URL(https).host];
const scopes = ["openid", "profile", "email", "offline_access"];
const { native, web, daemon } = customers.apps;
const person = stranger();
let app;

before(async () => (app = await listen()));
after(() => app.close());

const installed = (authority, more) =>
  new msal.PublicClientApplication({ auth: { clientId: native.clientId, authority, knownAuthorities }, ...more });

/** Signs in with an authority of this request; whoever has a session is asked nothing. */
async function signIn(page, client, { redirectUri = app.origin, listener = app, ...more } = {}) {
  const { verifier, challenge } = await new msal.CryptoProvider().generatePkceCodes();
  const nonce = random();
  const request = { scopes, redirectUri, nonce, ...more };
  const url = await client.getAuthCodeUrl({ ...request, codeChallenge: challenge, codeChallengeMethod: "S256" });
  const back = await authorizeAs(page, person, listener, { url });
  return client.acquireTokenByCode({ ...request, code: back.searchParams.get("code"), codeVerifier: verifier });
}

// R3, R4, R6, R13, R14, R18
test("msal-node signs in under every name of the tenant, with and without the flow", () =>
  inBrowser(async (page) => {
    const [flow] = customers.flows;
    const paths = [name.toUpperCase(), `${name}/v2.0`, customers.id, "customers.woodgrove.example", `${name}/${flow}`];
    const { AAD, OIDC } = msal.ProtocolMode;
    for (const [protocolMode, path] of [...paths.map((path) => [AAD, path]), [OIDC, paths[0]], [OIDC, paths.at(-1)]]) {
      const client = installed(`${https}/${path}`, { system: { protocolMode } });
      const { account } = await signIn(page, client);
      assert.equal(account.username, person.address, `${protocolMode} ${path}`);
      assert.equal(account.tenantId, customers.id);
      const renewed = await client.acquireTokenSilent({ account, scopes, forceRefresh: true });
      assert.equal(renewed.account.homeAccountId, account.homeAccountId);
    }
  }));

// R8
test("msal-node says of a tenant that does not exist that its endpoints cannot be found", async () => {
  const attempt = signIn(null, installed(`${https}/nobody`));
  await assert.rejects(attempt, (error) => error.errorCode === "endpoints_resolution_error");
});

// R25
test("one instance of msal-node signs in under two authorities of one host", () =>
  inBrowser(async (page) => {
    const client = installed(`${https}/${name}`);
    const first = await signIn(page, client);
    const second = await signIn(page, client, { authority: `${https}/${customers.id}` });
    assert.equal(second.account.homeAccountId, first.account.homeAccountId);
    // The other tenant does not know the app, and says so by its own endpoint: no code comes back.
    const elsewhere = new URL(await client.getAuthCodeUrl({ scopes, redirectUri: app.origin, authority: `${https}/${nameOf.get(woodgrove)}` }));
    assert.ok(elsewhere.pathname.startsWith(`/${nameOf.get(woodgrove)}/`));
    await page.goto(elsewhere.href);
    assert.match(await page.locator("body").innerText(), /700016/);
    assert.ok(app.quiet());
  }));

// R27
test("msal-node asks for the person again when the session has ended", () =>
  inBrowser(async (page) => {
    const client = installed(`${https}/${name}`);
    const { account, idToken } = await signIn(page, client);
    const issuer = new URL(`${https}/${customers.id}/v2.0`);
    const config = await oidc.discovery(issuer, native.clientId, undefined, oidc.None());
    await page.goto(oidc.buildEndSessionUrl(config, { id_token_hint: idToken }).href);
    await page.locator("h1").waitFor();
    await endedFor(client, account);
  }));

async function endedFor(client, account) {
  await assert.rejects(client.acquireTokenSilent({ account, scopes, forceRefresh: true }), (error) => {
    assert.ok(error instanceof msal.InteractionRequiredAuthError, `${error.name} ${error.message}`);
    assert.equal(error.errorCode, "invalid_grant");
    assert.equal(error.subError, "bad_token");
    return true;
  });
}

// R27, R39, S72: two copies of an app's cache, one of which was taken
test("msal-node may send a refresh token twice; one that comes back later ends both copies", () =>
  inBrowser(async (page) => {
    const owner = installed(`${https}/${name}`);
    const { account } = await signIn(page, owner);
    const cache = owner.getTokenCache().serialize();
    const copy = () => {
      const client = installed(`${https}/${name}`);
      client.getTokenCache().deserialize(cache);
      return client;
    };
    const renew = (client) => client.acquireTokenSilent({ account, scopes, forceRefresh: true });
    await renew(owner);
    await renew(copy());
    await renew(owner);
    await endedFor(copy(), account);
    await endedFor(owner, account);
  }));

// R13, R42
test("msal-node's prompts reach the server", () =>
  inBrowser(async (page) => {
    const client = installed(`${https}/${name}`);
    await signIn(page, client);
    const { challenge } = await new msal.CryptoProvider().generatePkceCodes();
    const asked = { scopes, redirectUri: app.origin, codeChallenge: challenge, codeChallengeMethod: "S256" };
    const open = async (request) => page.goto(await client.getAuthCodeUrl({ ...asked, ...request }));
    await open({ prompt: "login", loginHint: person.address });
    assert.equal(await page.locator("#username").inputValue(), person.address);
    await open({ prompt: "select_account" });
    await page.locator("button.account").waitFor();
    await page.locator("#other").click();
    await page.locator("#username").waitFor();
    await open({ prompt: "create" });
    await page.locator("#username").waitFor();
    assert.ok(app.quiet());
    await open({ prompt: "none" });
    assert.ok((await app.next()).url.searchParams.get("code"));
    await page.context().clearCookies();
    await open({ prompt: "none" });
    const { url } = await app.next();
    assert.equal(url.searchParams.get("error"), "login_required");
  }));

// R19, R74
test("openid-client gets a token of the app's own", async () => {
  const issuer = new URL(`${https}/${customers.id}/v2.0`);
  const config = await oidc.discovery(issuer, daemon.clientId, daemon.clientSecret);
  const { access_token: token, token_type: type } = await oidc.clientCredentialsGrant(config, { scope: `${web.clientId}/.default` });
  assert.equal(type, "bearer");
  const { aud, azp, azpacr, scp } = decode(token).payload;
  assert.deepEqual([aud, azp, azpacr, scp], [web.clientId, daemon.clientId, "1", undefined]);
});
