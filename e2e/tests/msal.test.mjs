// MSAL for Node in its major versions, and where things are not as usual: other names of the authority, two of them,
// answers that lack something, and tokens that have ended.

import assert from "node:assert/strict";
import { X509Certificate, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import * as msal from "@azure/msal-node";
import * as oidc from "openid-client";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { authorizeAs, stranger } from "../lib/customer.mjs";
import { majors, network } from "../lib/msal.mjs";
import { decode, random } from "../lib/oauth.mjs";
import { certificate } from "../lib/spa.mjs";
import { publish, redirectUri, tenantOf } from "../lib/tenant.mjs";
import { customers, demo, nameOf, woodgrove } from "../lib/world.mjs";

const { https } = demo.origins;
const name = nameOf.get(customers);
const knownAuthorities = [new URL(https).host];
const scopes = ["openid", "profile", "email", "offline_access"];
const { native } = customers.apps;
const person = stranger();
let app;

before(async () => (app = await listen()));
after(() => app.close());

const installed = (authority, more) =>
  new msal.PublicClientApplication({ auth: { clientId: native.clientId, authority, knownAuthorities }, ...more });

/** Signs in with an authority of this request; whoever has a session is asked nothing. */
async function signIn(page, client, { redirectUri = app.origin, listener = app, who = person, ...more } = {}) {
  const { verifier, challenge } = await new msal.CryptoProvider().generatePkceCodes();
  const nonce = random();
  const request = { scopes, redirectUri, nonce, ...more };
  const url = await client.getAuthCodeUrl({ ...request, codeChallenge: challenge, codeChallengeMethod: "S256" });
  const back = await authorizeAs(page, who, listener, { url });
  const code = back.searchParams.get("code");
  return client.acquireTokenByCode({ ...request, code, codeVerifier: verifier }, { code, nonce });
}

for (const [major, library] of majors) {
  // R13, R15, R17, R18
  test(`msal-node ${major} signs in and renews`, () =>
    inBrowser(async (page) => {
      const auth = { clientId: native.clientId, authority: `${https}/${name}`, knownAuthorities };
      const client = new library.PublicClientApplication({ auth });
      const { account, accessToken, idTokenClaims: { oid, tid } } = await signIn(page, client);
      assert.deepEqual([account.homeAccountId, account.username, tid], [`${oid}.${tid}`, person.address, customers.id]);
      const cached = await client.acquireTokenSilent({ account, scopes });
      assert.deepEqual([cached.fromCache, cached.accessToken], [true, accessToken]);
      const renewed = await client.acquireTokenSilent({ account, scopes, forceRefresh: true });
      assert.equal(renewed.account.homeAccountId, account.homeAccountId);
      assert.notEqual(renewed.accessToken, accessToken);
    }));
}

test("every major of msal-node gets a token of the app's own, with a secret and with a certificate", async () => {
  const { key, cert } = certificate();
  const { fingerprint, fingerprint256 } = new X509Certificate(cert);
  const hex = (print) => print.replaceAll(":", "");
  const [job, stock, clientSecret] = [randomUUID(), randomUUID(), random()];
  const tenant = tenantOf("external", { flow: { identityProviders: ["EmailPassword-OAUTH"] } });
  tenant.files = { "job-secret": clientSecret, "job.pem": cert };
  tenant.document.applications.push(
    {
      displayName: "Job", appId: job,
      passwordCredentials: [{ displayName: "first", secret: { file: "job-secret" } }],
      keyCredentials: [{ displayName: "certificate", pem: { file: "job.pem" } }],
    },
    { displayName: "Stock", appId: stock, identifierUris: [`api://${stock}`] },
  );
  await publish(tenant);
  const clientCertificate = (print) => ({ clientCertificate: { ...print, privateKey: key.toString() } });
  const ways = [
    // R19
    [{ clientSecret }, "1", undefined],
    // R21
    [clientCertificate({ thumbprint: hex(fingerprint) }), "2", { alg: "RS256", typ: "JWT", x5t: base64url(fingerprint) }],
    // R20
    [clientCertificate({ thumbprintSha256: hex(fingerprint256) }), "2", { alg: "PS256", typ: "JWT", "x5t#S256": base64url(fingerprint256) }],
  ];
  for (const [major, library] of majors) {
    // The first one knows SHA-1 only.
    for (const [credential, azpacr, header] of major === 1 ? ways.slice(0, 2) : ways) {
      const asked = [];
      const client = new library.ConfidentialClientApplication({
        auth: { clientId: job, authority: `${https}/${nameOf.get(tenant)}`, knownAuthorities, ...credential },
        system: { networkClient: network((ask, body) => (asked.push(body), ask())) },
      });
      const { accessToken } = await client.acquireTokenByClientCredential({ scopes: [`api://${stock}/.default`] });
      const said = decode(accessToken).payload;
      assert.deepEqual([said.aud, said.azp, said.azpacr], [stock, job, azpacr], `msal-node ${major}`);
      assert.equal(asked.length, 1);
      const assertion = asked[0].get("client_assertion");
      assert.deepEqual(assertion ? decode(assertion).header : undefined, header, `msal-node ${major}`);
    }
  }
});

const base64url = (print) => Buffer.from(print.replaceAll(":", ""), "hex").toString("base64url");

// 2.6, R45 to R47
test("every major of msal-node needs the members of the server's answer as we believe", () =>
  inBrowser(async (page) => {
    let whole;
    const { account, idTokenClaims } = await signIn(page, installed(`${https}/${name}`, {
      system: { networkClient: network(async (ask) => (whole = await ask())) },
    }));
    const { nonce, sub } = idTokenClaims;
    const nobody = { account: undefined };
    const known = { account: account.homeAccountId, token: true, cached: true, renewed: true };
    const uncached = { ...known, cached: false };
    /** What the app has when the server answers this and never anything else. */
    const met = async (library, body) => {
      const client = new library.PublicClientApplication({
        auth: { clientId: native.clientId, authority: `${https}/${name}`, knownAuthorities },
        system: { networkClient: network(async () => ({ ...whole, body: { ...body } })) },
      });
      const request = { scopes, redirectUri: app.origin, nonce, code: "any", codeVerifier: "v".repeat(43) };
      try {
        const first = await client.acquireTokenByCode(request, { code: "any", nonce });
        const { account } = first;
        if (!account) return nobody;
        const again = (more) => client.acquireTokenSilent({ account, scopes, ...more }).catch(({ errorCode }) => ({ errorCode }));
        const [second, third] = [await again(), await again({ forceRefresh: true })];
        return {
          account: account.homeAccountId, token: first.accessToken !== "", cached: second.fromCache,
          renewed: third.errorCode ?? !third.fromCache,
        };
      } catch ({ errorCode }) {
        return errorCode;
      }
    };
    for (const [major, library] of majors) {
      for (const [member, expected] of Object.entries({
        nothing: known,
        access_token: { ...uncached, token: false },
        // The newest misses the nonce in it, the others only the account.
        id_token: major === 7 ? "nonce_mismatch" : nobody,
        refresh_token: { ...known, renewed: "no_tokens_found" },
        expires_in: uncached,
        ext_expires_in: known,
        token_type: known,
        scope: known,
        client_info: major === 1 ? "client_info_empty_error" : { ...known, account: sub },
      })) {
        const { [member]: _, ...body } = whole.body;
        assert.deepEqual(await met(library, body), expected, `msal-node ${major} without ${member}`);
      }
      const narrow = { ...whole.body, scope: "openid profile" };
      assert.deepEqual(await met(library, narrow), uncached, `msal-node ${major} with fewer scopes than it asked for`);
    }
  }));

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

// R25: by the endpoints of the first, because the library asks for no others
test("one instance of msal-node signs in at two tenants of one host", async () => {
  const flow = { identityProviders: ["EmailPassword-OAUTH"] };
  const tenants = [tenantOf("external", { flow }), tenantOf("external", { flow })];
  const [{ appId }, second] = tenants;
  second.document.applications[0].appId = appId;
  for (const tenant of tenants) await publish(tenant);
  const at = (tenant) => `${https}/${nameOf.get(tenant)}`;
  const listener = await listen({ port: 3001 });
  try {
    await inBrowser(async (page) => {
      const somebody = { ...stranger(), answers: {} };
      const auth = { clientId: appId, authority: at(tenants[0]), knownAuthorities };
      const client = new msal.PublicClientApplication({ auth });
      const results = [];
      for (const tenant of tenants) {
        const more = tenant === second ? { authority: at(second) } : {};
        results.push(await signIn(page, client, { listener, redirectUri, who: { ...somebody }, ...more }));
      }
      assert.deepEqual(results.map(({ account }) => account.tenantId), tenants.map(({ id }) => id));
      assert.deepEqual(results.map(({ idTokenClaims }) => idTokenClaims.iss), tenants.map(({ id }) => `${https}/${id}/v2.0`));
      assert.notEqual(results[0].uniqueId, results[1].uniqueId, "the same address is somebody else there");
      assert.equal((await client.getAllAccounts()).length, 2);
      for (const [index, { account, accessToken }] of results.entries()) {
        const request = { account, scopes, authority: at(tenants[index]) };
        assert.equal((await client.acquireTokenSilent(request)).accessToken, accessToken);
        const renewed = await client.acquireTokenSilent({ ...request, forceRefresh: true });
        assert.equal(renewed.account.homeAccountId, account.homeAccountId);
        assert.notEqual(renewed.accessToken, accessToken);
      }
    });
  } finally {
    await listener.close();
  }
});

// R25
test("one instance of msal-node signs in under two names of one tenant, and at no tenant that does not know it", () =>
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
