// A client library of another house pushes its request and binds its tokens to a key: oauth4webapi.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { authorizeAs, stranger } from "../lib/customer.mjs";
import { decode, metadata } from "../lib/oauth.mjs";
import { customers } from "../lib/world.mjs";

const person = stranger();
const { spa, native, web } = customers.apps;
let app;

before(async () => (app = await listen({ port: 3001 })));
after(() => app.close());

/** Asks again, once, with the nonce that the server gave: the library remembers it. */
async function withNonce(ask, process) {
  try {
    return await process(await ask());
  } catch (error) {
    assert.ok(oauth.isDPoPNonceError(error), error);
    return process(await ask());
  }
}

for (const [what, clientId, redirectUri, authentication, headers] of [
  ["a single-page app", spa.clientId, "http://localhost:3001/", oauth.None(), { origin: "http://localhost:3001" }],
  ["an installed app", native.clientId, "http://localhost:3001", oauth.None(), {}],
  ["a web app", web.clientId, "http://localhost:3001/callback", oauth.ClientSecretPost(web.clientSecret), {}],
]) {
  // RFC 9126, RFC 9449, RFC 9207
  test(`${what} pushes its request and gets tokens for its key`, () =>
    inBrowser(async (page) => {
      const fetchAs = (url, options) => fetch(url, { ...options, headers: { ...options.headers, ...headers } });
      const plain = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: fetchAs };
      const issuer = new URL((await metadata(customers)).issuer);
      const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, plain));
      assert.ok(server.dpop_signing_alg_values_supported.includes("ES256"));
      const client = { client_id: clientId };
      const keys = await oauth.generateKeyPair("ES256");
      const options = { ...plain, DPoP: oauth.DPoP(client, keys) };

      const verifier = oauth.generateRandomCodeVerifier();
      const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
      const asked = new URLSearchParams({
        redirect_uri: redirectUri, response_type: "code", scope: "openid profile offline_access", state, nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
      });
      const pushed = await withNonce(
        () => oauth.pushedAuthorizationRequest(server, client, authentication, asked, options),
        (reply) => oauth.processPushedAuthorizationResponse(server, client, reply),
      );
      const url = new URL(server.authorization_endpoint);
      url.searchParams.set("client_id", clientId);
      url.searchParams.set("request_uri", pushed.request_uri);

      const back = await authorizeAs(page, person, app, { url: url.href });
      const answer = oauth.validateAuthResponse(server, client, back, state);
      const tokens = await withNonce(
        () => oauth.authorizationCodeGrantRequest(server, client, authentication, answer, redirectUri, verifier, options),
        (reply) => oauth.processAuthorizationCodeResponse(server, client, reply, { expectedNonce: nonce, requireIdToken: true }),
      );
      assert.equal(tokens.token_type, "dpop");
      assert.equal(decode(tokens.access_token).payload.cnf.jkt, await options.DPoP.calculateThumbprint());

      const { sub } = oauth.getValidatedIdTokenClaims(tokens);
      const told = await withNonce(
        () => oauth.userInfoRequest(server, client, tokens.access_token, options),
        (reply) => oauth.processUserInfoResponse(server, client, sub, reply),
      );
      assert.equal(told.sub, sub);
      const stolen = await fetch(server.userinfo_endpoint, { headers: { authorization: `Bearer ${tokens.access_token}` } });
      assert.equal(stolen.status, 401);

      const renewed = await withNonce(
        () => oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token, options),
        (reply) => oauth.processRefreshTokenResponse(server, client, reply),
      );
      assert.equal(renewed.token_type, "dpop");

      await page.goto(url.href);
      const { url: again } = await app.next();
      assert.equal(again.searchParams.get("error"), "invalid_request_uri");
    }));
}
