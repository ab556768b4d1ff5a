// What a client library asks first: discovery, keys, names, and the answers to wrong questions.

import assert from "node:assert/strict";
import { X509Certificate, createPublicKey } from "node:crypto";
import { test } from "node:test";
import { assertOauthError, json, metadata, under } from "../lib/oauth.mjs";
import { customers, demo, nameOf } from "../lib/world.mjs";

const { http, https } = demo.origins;
const at = (segments, origin = http) => `${origin}/${segments}/.well-known/openid-configuration`;
const read = async (url) => json(await fetch(url), 200);

for (const [name, tenant] of Object.entries(demo.tenants)) {
  // R1, R2
  test(`${name}: the discovery document stands at both paths and is complete`, async () => {
    const document = await read(at(`${name}/v2.0`));
    for (const endpoint of [
      "authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint", "userinfo_endpoint",
    ]) {
      assert.ok(document[endpoint]?.startsWith(`${http}/`), endpoint);
    }
    assert.deepEqual(document.code_challenge_methods_supported, ["S256"]);
    assert.deepEqual(document.id_token_signing_alg_values_supported, ["RS256"]);
    assert.deepEqual(document.subject_types_supported, ["pairwise", "public"]);
    assert.ok(document.response_types_supported.includes("code"));
    assert.deepEqual([...document.response_modes_supported].sort(), ["form_post", "fragment", "query"]);
    assert.equal(document.authorization_response_iss_parameter_supported, true);
    assert.deepEqual(await read(at(name)), document);
  });

  // R3, R5, R6
  test(`${name}: every name of the tenant leads to the same issuer, in any case`, async () => {
    const aliases = [...new Set([name, tenant.id, ...tenant.names])];
    for (const alias of aliases.flatMap((one) => [one, one.toUpperCase()])) {
      const document = await read(at(`${alias}/v2.0`));
      assert.equal(document.issuer, `${http}/${tenant.id}/v2.0`, alias);
      const endpoints = [document.authorization_endpoint, document.token_endpoint, document.end_session_endpoint];
      for (const [index, action] of ["authorize", "token", "logout"].entries()) {
        const { origin, pathname } = new URL(endpoints[index]);
        assert.equal(origin, http);
        assert.equal(pathname.toLowerCase(), `/${alias}/oauth2/v2.0/${action}`.toLowerCase());
        const answer = await fetch(endpoints[index], { redirect: "manual" });
        assert.notEqual(answer.status, 404, `${endpoints[index]} answers`);
        assert.ok(answer.status < 500);
      }
      assert.equal((await fetch(document.jwks_uri)).status, 200);
    }
  });

  // R4, R6
  test(`${name}: a flow in the path keeps its place in every endpoint`, async () => {
    for (const flow of [...tenant.flows.flatMap((one) => [one, one.toLowerCase()]), "b2c_1_x"]) {
      const document = await read(at(`${name}/${flow}/v2.0`));
      const path = new URL(document.authorization_endpoint).pathname.toLowerCase();
      assert.equal(path, `/${name}/${flow}/oauth2/v2.0/authorize`.toLowerCase());
      assert.deepEqual(await read(at(`${name}/${flow}`)), document);
    }
  });
}

// R5: each origin is its own issuer
test("the issuer has the origin that was asked, whatever the Host header says", async () => {
  const secure = await metadata(customers, https);
  assert.equal(secure.issuer, `${https}/${customers.id}/v2.0`);
  assert.ok(secure.token_endpoint.startsWith(`${https}/`));
});

// R8
test("an unknown tenant is a client's mistake", async () => {
  const reply = await fetch(at("no-such-tenant/v2.0"));
  assert.equal(reply.status, 400);
  const body = await json(reply, 400);
  assert.deepEqual(body.error_codes, [90002]);
});

// R9
test("browser apps may read discovery, keys and token replies", async () => {
  const origin = "http://localhost:3002";
  const name = nameOf.get(customers);
  const document = await metadata(customers);
  for (const url of [at(`${name}/v2.0`), document.jwks_uri]) {
    const reply = await fetch(url, { headers: { origin } });
    assert.ok(["*", origin].includes(reply.headers.get("access-control-allow-origin")), url);
  }
  const body = new URLSearchParams({
    grant_type: "authorization_code", code: "nothing", client_id: customers.apps.spa.clientId,
    redirect_uri: "http://localhost:3002/", code_verifier: "x".repeat(43),
  });
  const refused = await fetch(document.token_endpoint, { method: "POST", body, headers: { origin } });
  assert.ok(["*", origin].includes(refused.headers.get("access-control-allow-origin")), "errors can be read too");
  assert.match(refused.headers.get("access-control-expose-headers") ?? "", /x-ms-request-id/i);
  await assertOauthError(refused, "invalid_grant");
});

// R10
test("the keys are complete, at least two, and the certificates hold the same keys", async () => {
  const { keys } = await read((await metadata(customers)).jwks_uri);
  assert.ok(keys.length >= 2, "current and next");
  assert.equal(new Set(keys.map((key) => key.kid)).size, keys.length);
  for (const key of keys) {
    assert.equal(key.kty, "RSA");
    assert.equal(key.use, "sig");
    assert.equal(key.x5t, key.kid);
    assert.deepEqual(Object.keys(key).filter((name) => ["d", "p", "q", "dp", "dq", "qi"].includes(name)), []);
    const certificate = new X509Certificate(Buffer.from(key.x5c[0], "base64"));
    const published = createPublicKey({ key: { kty: "RSA", n: key.n, e: key.e }, format: "jwk" });
    assert.ok(certificate.publicKey.equals(published));
  }
});

// R11
test("a double slash before .well-known is tolerated", async () => {
  const name = nameOf.get(customers);
  assert.deepEqual(await read(`${http}/${name}//.well-known/openid-configuration`), await read(at(name)));
});

// R12, R72
test("an unknown path of the protocol is 404 in JSON", async () => {
  const body = await json(await fetch(`${http}/common/discovery/instance?api-version=1.1`), 404);
  assert.ok(body.error);
});

// 4.5
test("GET at the token endpoint is refused in its own words", async () => {
  await assertOauthError(await fetch(under(customers, "oauth2/v2.0/token")), "invalid_request", 900561);
});
