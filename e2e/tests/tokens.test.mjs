// Codes, tokens and their misuse, sent by hand.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { authorizeAs, stranger, tokensFor, webRedirect } from "../lib/customer.mjs";
import { cancel } from "../lib/pages.mjs";
import { assertOauthError, authorization, decode, guid, json, metadata, postToken, random, under, verified } from "../lib/oauth.mjs";
import { customers, demo, fabrikam, nameOf, woodgrove } from "../lib/world.mjs";

const person = stranger();
const { web, spa, native } = customers.apps;
let app;

before(async () => (app = await listen({ port: 3001 })));
after(() => app.close());

/** Runs in a browser in which the customer is signed in, or will be. */
const visit = (steps) => inBrowser(steps);
/** A fresh code with everything that redeems it. */
const tokens = (page, parameters) => tokensFor(page, person, app, parameters);

/** An unredeemed code. */
async function codeFor(page, parameters = {}) {
  const request = authorization(customers, { client_id: web.clientId, redirect_uri: webRedirect, ...parameters });
  const url = await authorizeAs(page, person, app, request);
  const redemption = {
    grant_type: "authorization_code",
    client_id: web.clientId,
    client_secret: web.clientSecret,
    redirect_uri: webRedirect,
    code: url.searchParams.get("code"),
    code_verifier: request.verifier,
  };
  return { request, redemption, url };
}

// R45, R46, T-30, 5.4, RFC 9207
test("a sign-up ends with tokens that say who signed up", () =>
  visit(async (page) => {
    const { request, tokens: got, url } = await tokens(page);
    const document = await metadata(customers);
    assert.equal(url.searchParams.get("state"), request.state);
    assert.equal(url.searchParams.get("iss"), document.issuer);

    assert.equal(got.token_type, "Bearer");
    assert.ok(Number.isInteger(got.expires_in) && got.expires_in > 0);
    assert.ok(Number.isInteger(got.ext_expires_in));
    for (const scope of ["openid", "profile", "email"]) assert.ok(got.scope.split(" ").includes(scope), scope);

    const claims = await verified(got.id_token, document);
    assert.equal(claims.iss, document.issuer);
    assert.equal(claims.aud, web.clientId);
    assert.equal(claims.nonce, request.nonce);
    assert.equal(claims.tid, customers.id);
    assert.equal(claims.ver, "2.0");
    assert.equal(claims.email, person.address);
    assert.equal(claims.preferred_username, person.address);
    assert.match(claims.oid, guid);
    assert.notEqual(claims.sub, claims.oid, "sub is pairwise");
    assert.ok(claims.sid && claims.uti && claims.name);
    assert.ok(claims.nbf <= claims.iat && claims.iat < claims.exp);

    const clientInfo = JSON.parse(Buffer.from(got.client_info, "base64url"));
    assert.deepEqual(clientInfo, { uid: claims.oid, utid: claims.tid });

    const access = decode(got.access_token).payload;
    assert.equal(access.azp ?? access.appid, web.clientId);
    assert.equal(access.oid, claims.oid);
  }));

// R7, R6: aliases are one tenant
test("a code issued under one name of the tenant is redeemed under another", () =>
  visit(async (page) => {
    const { redemption } = await codeFor(page);
    const endpoint = `${demo.origins.http}/${customers.id.toUpperCase()}/oauth2/v2.0/token`;
    await json(await postToken(customers, redemption, { endpoint }), 200);
  }));

// R7
test("a code is worth nothing in another tenant", () =>
  visit(async (page) => {
    const { redemption } = await codeFor(page);
    const reply = await postToken(woodgrove, redemption);
    assert.ok(reply.status === 400 || reply.status === 401);
    assert.equal((await reply.json()).access_token, undefined);
  }));

// R48
test("a code is redeemed once", () =>
  visit(async (page) => {
    const { redemption } = await codeFor(page);
    await json(await postToken(customers, redemption), 200);
    await assertOauthError(await postToken(customers, { ...redemption, code_verifier: `${redemption.code_verifier}x` }), "invalid_grant");
    await assertOauthError(await postToken(customers, redemption), "invalid_grant", 54005);
  }));

// R48
for (const [what, change, number] of [
  ["another verifier", { code_verifier: "v".repeat(64) }, 501481],
  ["a redirect URI changed by one byte", { redirect_uri: `${webRedirect}/` }, undefined],
  ["a code changed by one byte", (redemption) => ({ code: otherLast(redemption.code) }), undefined],
]) {
  test(`a code is not redeemed with ${what}`, () =>
    visit(async (page) => {
      const { redemption } = await codeFor(page);
      const changed = { ...redemption, ...(typeof change === "function" ? change(redemption) : change) };
      await assertOauthError(await postToken(customers, changed), "invalid_grant", number);
    }));
}

// R26, R49
test("a wrong secret is told as MSAL expects it, with every member of an error", () =>
  visit(async (page) => {
    const { redemption } = await codeFor(page);
    const id = "5b6cbf2e-0f7f-4a43-9b0c-2a1d9d0f4e11";
    const wrong = { ...redemption, client_secret: "wrong" };
    const reply = await postToken(customers, wrong, { headers: { "client-request-id": id } });
    assert.match(reply.headers.get("x-ms-request-id"), guid);
    const body = await assertOauthError(reply, "invalid_client", 7000215);
    assert.equal(body.correlation_id, id);
    await assertOauthError(await postToken(customers, { ...redemption, client_secret: undefined }), "invalid_client", 7000218);
  }));

// R49
test("the correlation id may stand in the query or the body", async () => {
  const id = "6f0df0d2-5d6a-4c0e-8d3a-1d2f3a4b5c6d";
  const endpoint = `${under(customers, "oauth2/v2.0/token")}?client-request-id=${id}`;
  const parameters = { grant_type: "authorization_code", client_id: native.clientId };
  assert.equal((await assertOauthError(await postToken(customers, parameters, { endpoint }), "invalid_request")).correlation_id, id);
  const inBody = await postToken(customers, { ...parameters, "client-request-id": id });
  assert.equal((await assertOauthError(inBody, "invalid_request")).correlation_id, id);
});

// 4.5
for (const [what, parameters, error, number] of [
  ["without a grant type", { client_id: web.clientId }, "invalid_request", 900144],
  ["with a grant type that does not exist", { client_id: web.clientId, client_secret: web.clientSecret, grant_type: "magic" }, "unsupported_grant_type", 70003],
  ["of an unknown client", { client_id: "00000000-1111-2222-3333-444444444444", grant_type: "authorization_code", code: "x", redirect_uri: webRedirect }, "unauthorized_client", 700016],
  ["with a code that never was", { client_id: web.clientId, client_secret: web.clientSecret, grant_type: "authorization_code", code: "never", redirect_uri: webRedirect, code_verifier: "v".repeat(43) }, "invalid_grant", undefined],
]) {
  test(`a token request ${what} is refused as ${error}`, async () => {
    await assertOauthError(await postToken(customers, parameters), error, number);
  });
}

// R47
test("a refresh token needs offline_access, an ID token needs openid", () =>
  visit(async (page) => {
    const without = (await tokens(page, { scope: "openid profile" })).tokens;
    assert.equal(without.refresh_token, undefined);
    assert.ok(without.id_token);
    const both = (await tokens(page, { scope: "openid offline_access" })).tokens;
    assert.ok(both.refresh_token);
  }));

// R16, 0.7: the nonce is there if it was sent, and only then
test("a request without a nonce gets an ID token without one", () =>
  visit(async (page) => {
    const { tokens: got } = await tokens(page, { nonce: undefined });
    assert.equal("nonce" in decode(got.id_token).payload, false);
  }));

// R18, R45
test("a refresh token is rotated, and its client_info is stable", () =>
  visit(async (page) => {
    const { tokens: got } = await tokens(page);
    const refresh = (token, more) =>
      postToken(customers, {
        grant_type: "refresh_token", client_id: web.clientId, client_secret: web.clientSecret, refresh_token: token,
        client_info: "1", ...more,
      });
    const second = await json(await refresh(got.refresh_token), 200);
    assert.equal(second.client_info, got.client_info);
    assert.equal(decode(second.id_token).payload.oid, decode(got.id_token).payload.oid);
    assert.notEqual(second.access_token, got.access_token);
    const third = await json(await refresh(second.refresh_token), 200);
    assert.ok(third.refresh_token);
    await assertOauthError(await refresh(otherLast(third.refresh_token)), "invalid_grant");
  }));

// Reuse of a rotated refresh token, once the grace window of a retry is closed by the next rotation
test("a refresh token that was rotated twice ago revokes its family", () =>
  visit(async (page) => {
    const { tokens: got } = await tokens(page);
    const refresh = (token) =>
      postToken(customers, {
        grant_type: "refresh_token", client_id: web.clientId, client_secret: web.clientSecret, refresh_token: token,
      });
    const second = await json(await refresh(got.refresh_token), 200);
    const third = await json(await refresh(second.refresh_token), 200);
    assert.notEqual(third.refresh_token, got.refresh_token);
    const reused = await assertOauthError(await refresh(got.refresh_token), "invalid_grant");
    assert.equal(reused.suberror, "bad_token");
    await assertOauthError(await refresh(third.refresh_token), "invalid_grant");
  }));

// 4.4, security: another tenant's token
test("userinfo answers to a token of its tenant and to no other", () =>
  visit(async (page) => {
    const { tokens: got } = await tokens(page);
    const bearer = { headers: { authorization: `Bearer ${got.access_token}` } };
    const { userinfo_endpoint: own } = await metadata(customers);
    const info = await json(await fetch(own, bearer), 200);
    assert.equal(info.sub, decode(got.id_token).payload.sub);
    assert.equal(info.email, person.address);
    await json(await fetch(own, { ...bearer, method: "POST" }), 200);
    for (const tenant of [woodgrove, fabrikam]) {
      const { userinfo_endpoint: foreign } = await metadata(tenant);
      assert.equal((await fetch(foreign, bearer)).status, 401, nameOf.get(tenant));
    }
    const tampered = { headers: { authorization: `Bearer ${otherLast(got.access_token)}` } };
    assert.equal((await fetch(own, tampered)).status, 401);
    assert.equal((await fetch(own, { headers: { authorization: `Bearer ${got.id_token}` } })).status, 401);
    assert.equal((await fetch(own)).status, 401);
  }));

// R44, T-10 of redirects: exact, by the byte
for (const changed of [
  `${webRedirect}/`, webRedirect.replace("callback", "callbacK"), `${webRedirect}?x=1`, "http://localhost:3001/",
  "https://evil.example/callback", webRedirect.replace("http:", "https:"),
]) {
  test(`the redirect URI ${changed} is not followed`, () =>
    visit(async (page) => {
      const request = authorization(customers, { client_id: web.clientId, redirect_uri: changed });
      const reply = await page.goto(request.url);
      assert.equal(new URL(page.url()).origin, demo.origins.http);
      assert.equal(reply.status(), 400);
      assert.match(await page.locator("body").innerText(), /50011/);
      assert.ok(app.quiet(), "nothing reached the app");
    }));
}

// R24, 4.6: any port for a loopback address
test("a native app may listen on any port", () =>
  visit(async (page) => {
    const other = await listen();
    try {
      const request = authorization(customers, { client_id: native.clientId, redirect_uri: other.origin });
      const url = await authorizeAs(page, person, other, request);
      const redemption = {
        grant_type: "authorization_code", client_id: native.clientId, redirect_uri: other.origin,
        code: url.searchParams.get("code"), code_verifier: request.verifier,
      };
      await assertOauthError(await postToken(customers, { ...redemption, client_secret: "any" }), "invalid_client", 700025);
      const again = authorization(customers, { client_id: native.clientId, redirect_uri: other.origin });
      const second = await authorizeAs(page, person, other, again);
      const good = { ...redemption, code: second.searchParams.get("code"), code_verifier: again.verifier };
      assert.ok((await json(await postToken(customers, good), 200)).id_token);
    } finally {
      await other.close();
    }
  }));

// PKCE is not optional for public clients (RFC 9700 §2.1.1)
test("a public client without a code challenge is refused", () =>
  visit(async (page) => {
    const request = authorization(customers, {
      client_id: spa.clientId, redirect_uri: "http://localhost:3001/", code_challenge: undefined, code_challenge_method: undefined,
    });
    await page.goto(request.url);
    const { url } = await app.next();
    const told = url.searchParams.size ? url.searchParams : new URLSearchParams(new URL(page.url()).hash.slice(1));
    assert.equal(told.get("error"), "invalid_request");
    assert.equal(told.get("state"), request.state);
  }));

// R43
test("cancelling returns access_denied with the state", () =>
  visit(async (page) => {
    const request = authorization(customers, { client_id: web.clientId, redirect_uri: webRedirect, state: `${random()} &=%` });
    await page.goto(request.url);
    await cancel(page);
    const { url } = await app.next();
    assert.equal(url.searchParams.get("error"), "access_denied");
    assert.equal(url.searchParams.get("state"), request.state);
    assert.equal(url.searchParams.get("iss"), (await metadata(customers)).issuer);
    assert.equal(url.searchParams.get("code"), null);
  }));

// R37
test("prompt=none without a session returns login_required at once", () =>
  visit(async (page) => {
    const request = authorization(customers, { client_id: web.clientId, redirect_uri: webRedirect, prompt: "none" });
    await page.goto(request.url);
    const { url } = await app.next();
    assert.equal(url.searchParams.get("error"), "login_required");
    assert.equal(url.searchParams.get("state"), request.state);
  }));

// 5.2
test("prompt=none with a session returns a code, prompt=login asks again", () =>
  visit(async (page) => {
    await tokens(page);
    const silent = authorization(customers, { client_id: web.clientId, redirect_uri: webRedirect, prompt: "none" });
    await page.goto(silent.url);
    assert.ok((await app.next()).url.searchParams.get("code"));
    const again = authorization(customers, { client_id: web.clientId, redirect_uri: webRedirect, prompt: "login" });
    await page.goto(again.url);
    await page.locator("#username, #password").first().waitFor();
    assert.ok(app.quiet());
  }));

// R24, 2.4
test("form_post brings code and state once, in the body", () =>
  visit(async (page) => {
    await tokens(page);
    const request = authorization(customers, { client_id: web.clientId, redirect_uri: webRedirect, response_mode: "form_post" });
    await page.goto(request.url);
    const { method, url, body } = await app.next();
    assert.equal(method, "POST");
    assert.equal(url.search, "");
    assert.deepEqual(body.getAll("state"), [request.state]);
    assert.equal(body.getAll("code").length, 1);
  }));

// R35
test("a fragment response stays in the browser", () =>
  visit(async (page) => {
    await tokens(page);
    const request = authorization(customers, {
      client_id: spa.clientId, redirect_uri: "http://localhost:3001/", response_mode: "fragment",
    });
    await page.goto(request.url);
    await app.next();
    const fragment = new URLSearchParams(new URL(page.url()).hash.slice(1));
    assert.equal(fragment.get("state"), request.state);
    const redemption = {
      grant_type: "authorization_code", client_id: spa.clientId, redirect_uri: "http://localhost:3001/",
      code: fragment.get("code"), code_verifier: request.verifier,
    };
    const reply = await postToken(customers, redemption, { headers: { origin: "http://localhost:3001" } });
    assert.equal(reply.headers.get("access-control-allow-origin") !== null, true);
    assert.ok((await json(reply, 200)).access_token);
  }));

// R41, 2.9
test("sign-out returns to a registered address with the state, and to no other", () =>
  visit(async (page) => {
    const { tokens: got } = await tokens(page);
    const { end_session_endpoint: at } = await metadata(customers);
    const leave = (parameters) => page.goto(`${at}?${new URLSearchParams({ id_token_hint: got.id_token, ...parameters })}`);
    await leave({ post_logout_redirect_uri: "https://evil.example/", state: "s" });
    assert.equal(new URL(page.url()).origin, demo.origins.http);
    await leave({ post_logout_redirect_uri: webRedirect, state: "s 1" });
    const { url } = await app.next();
    assert.equal(url.searchParams.get("state"), "s 1");
    const silent = authorization(customers, { client_id: web.clientId, redirect_uri: webRedirect, prompt: "none" });
    await page.goto(silent.url);
    assert.equal((await app.next()).url.searchParams.get("error"), "login_required");
  }));

// FLOW-08, T-02, 4.5: who may not be signed in to
for (const [what, clientId] of [
  ["an app on no flow", customers.apps.admin.clientId],
  ["a built-in app", "00000003-0000-0000-c000-000000000000"],
  ["an app of another tenant", woodgrove.apps.web.clientId],
  ["an app that does not exist", "00000000-1111-2222-3333-444444444444"],
]) {
  test(`nobody signs up for ${what}`, () =>
    visit(async (page) => {
      const { redirectUris = [] } = Object.values(customers.apps).find((one) => one.clientId === clientId) ?? {};
      const request = authorization(customers, { client_id: clientId, redirect_uri: redirectUris[0] ?? webRedirect, prompt: "create" });
      const reply = await page.request.get(request.url, { maxRedirects: 0 });
      if (reply.status() === 302 || reply.status() === 303) {
        const answer = new URL(reply.headers().location, request.url);
        assert.ok(answer.searchParams.get("error"), `${answer} carries an error`);
        return;
      }
      assert.equal(reply.status(), 400);
      await page.goto(request.url);
      assert.equal(await page.locator("#username").count(), 0);
      await page.locator('[role="alert"][data-error-code]').first().waitFor();
    }));
}

/** The text with its tenth-last character changed: the last one may hold bits that nobody reads. */
function otherLast(text) {
  const at = text.length - 10;
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}
