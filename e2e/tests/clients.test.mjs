// Libraries that apps really use, over the development authority's TLS.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as msal from "@azure/msal-node";
import * as oidc from "openid-client";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { authorizeAs, stranger, webRedirect } from "../lib/customer.mjs";
import { decode, random, verified } from "../lib/oauth.mjs";
import { customers, demo, nameOf } from "../lib/world.mjs";

const { https } = demo.origins;
const authority = `${https}/${nameOf.get(customers)}`;
const knownAuthorities = [new URL(https).host];
const scopes = ["openid", "profile", "email", "offline_access"];
const { web, native, daemon } = customers.apps;
const person = stranger();
let app;

before(async () => (app = await listen({ port: 3001 })));
after(() => app.close());

for (const protocolMode of [msal.ProtocolMode.AAD, msal.ProtocolMode.OIDC]) {
  // R13, R14, R15, R17, R18
  test(`msal-node signs a confidential client in (${protocolMode})`, () =>
    inBrowser(async (page) => {
      const client = new msal.ConfidentialClientApplication({
        auth: { clientId: web.clientId, clientSecret: web.clientSecret, authority, knownAuthorities },
        system: { protocolMode },
      });
      await signInWithMsal(page, client, webRedirect, app);
    }));
}

// R13, R15, R17, R18, R24 (any port)
test("msal-node signs a public client in", () =>
  inBrowser(async (page) => {
    const listener = await listen();
    try {
      const client = new msal.PublicClientApplication({
        auth: { clientId: native.clientId, authority, knownAuthorities },
      });
      await signInWithMsal(page, client, listener.origin, listener);
    } finally {
      await listener.close();
    }
  }));

async function signInWithMsal(page, client, redirectUri, listener) {
  const { verifier, challenge } = await new msal.CryptoProvider().generatePkceCodes();
  // The library reads the state back and takes it for its own form: base64 of JSON.
  const state = Buffer.from(JSON.stringify({ id: random() })).toString("base64");
  const nonce = random();
  const url = await client.getAuthCodeUrl({
    scopes, redirectUri, state, nonce, codeChallenge: challenge, codeChallengeMethod: "S256",
  });
  assert.ok(url.startsWith(`${https}/`));
  const back = await authorizeAs(page, person, listener, { url });
  assert.equal(back.searchParams.get("state"), state);
  const code = back.searchParams.get("code");
  const first = await client.acquireTokenByCode(
    { scopes, redirectUri, code, codeVerifier: verifier, state, nonce },
    { nonce, state: back.searchParams.get("state") },
  );
  const { oid, tid } = first.idTokenClaims;
  assert.equal(tid, customers.id);
  assert.equal(first.account.homeAccountId, `${oid}.${tid}`);
  assert.equal(first.account.username, person.address);

  const cached = await client.acquireTokenSilent({ account: first.account, scopes });
  assert.equal(cached.fromCache, true);
  assert.equal(cached.accessToken, first.accessToken);
  const renewed = await client.acquireTokenSilent({ account: first.account, scopes, forceRefresh: true });
  assert.equal(renewed.fromCache, false);
  assert.notEqual(renewed.accessToken, first.accessToken);
  assert.equal(renewed.account.homeAccountId, first.account.homeAccountId);
}

// R16
test("msal-node signs in without a nonce", () =>
  inBrowser(async (page) => {
    const client = new msal.ConfidentialClientApplication({
      auth: { clientId: web.clientId, clientSecret: web.clientSecret, authority, knownAuthorities },
    });
    const { verifier, challenge } = await new msal.CryptoProvider().generatePkceCodes();
    const url = await client.getAuthCodeUrl({
      scopes, redirectUri: webRedirect, codeChallenge: challenge, codeChallengeMethod: "S256",
    });
    const back = await authorizeAs(page, person, app, { url });
    const code = back.searchParams.get("code");
    const result = await client.acquireTokenByCode({ scopes, redirectUri: webRedirect, code, codeVerifier: verifier });
    assert.equal(result.idTokenClaims.nonce, undefined);
    assert.ok(result.account);
  }));

// R26
test("msal-node understands a wrong secret", async () => {
  const client = new msal.ConfidentialClientApplication({
    auth: { clientId: web.clientId, clientSecret: "wrong", authority, knownAuthorities },
  });
  const attempt = client.acquireTokenByCode({ scopes, redirectUri: webRedirect, code: "none", codeVerifier: "v".repeat(43) });
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof msal.ServerError, error.name);
    assert.equal(error.errorCode, "invalid_client");
    assert.equal(String(error.errorNo), "7000215");
    return true;
  });
});

for (const [kind, registered, authentication] of [
  ["confidential, secret in the body", web, (secret) => oidc.ClientSecretPost(secret)],
  ["confidential, Basic", web, (secret) => oidc.ClientSecretBasic(secret)],
  ["public", native, () => oidc.None()],
]) {
  // R5, R74; devices are in device.test.mjs
  test(`openid-client signs in (${kind})`, () =>
    inBrowser(async (page) => {
      const listener = registered === native ? await listen() : app;
      try {
        await signInWithOpenidClient(page, listener, registered, authentication(registered.clientSecret));
      } finally {
        if (listener !== app) await listener.close();
      }
    }));
}

async function signInWithOpenidClient(page, listener, { clientId }, authentication) {
  const issuer = new URL(`${https}/${customers.id}/v2.0`);
  const config = await oidc.discovery(issuer, clientId, undefined, authentication);
  oidc.enableNonRepudiationChecks(config);
  // The library sends the address that it was called at when it redeems, and addresses of URLs have a path.
  const redirectUri = listener === app ? webRedirect : `${listener.origin}/`;
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const expectedNonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
  });
  const back = await authorizeAs(page, person, listener, { url: url.href });
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  const tokens = await oidc.authorizationCodeGrant(config, back, checks);
  const { sub, oid } = tokens.claims();
  const info = await oidc.fetchUserInfo(config, tokens.access_token, sub);
  assert.equal(info.email, person.address);
  const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal(decode(renewed.id_token).payload.oid, oid);
  assert.notEqual(renewed.access_token, tokens.access_token);
  const leaving = oidc.buildEndSessionUrl(config, {
    post_logout_redirect_uri: redirectUri, id_token_hint: tokens.id_token, state: "left",
  });
  await page.goto(leaving.href);
  if (listener === app) {
    assert.equal((await listener.next()).url.searchParams.get("state"), "left");
  } else {
    // S84: byte for byte; a port that was chosen at run time is not registered to return to.
    assert.equal(new URL(page.url()).origin, https);
  }
}

// R19, R74
test("openid-client gets a token of the app's own", async () => {
  const issuer = new URL(`${https}/${customers.id}/v2.0`);
  const config = await oidc.discovery(issuer, daemon.clientId, daemon.clientSecret);
  const { access_token: token, token_type: type } = await oidc.clientCredentialsGrant(config, { scope: `${web.clientId}/.default` });
  assert.equal(type, "bearer");
  const { aud, azp, azpacr, scp } = await verified(token, config.serverMetadata());
  assert.deepEqual([aud, azp, azpacr, scp], [web.clientId, daemon.clientId, "1", undefined]);
});
