// The protocol by hand: for what a well-behaved client library would never send.

import assert from "node:assert/strict";
import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";
import { demo, nameOf } from "./world.mjs";

export const random = () => randomBytes(24).toString("base64url");

/** A code verifier with its challenge. */
export function pkce() {
  const verifier = random() + random();
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** `{origin}/{tenant}/…` of a tenant of the demo. */
export function under(tenant, path, origin = demo.origins.http) {
  return `${origin}/${nameOf.get(tenant)}/${path}`;
}

/** The discovery document of a tenant. */
export async function metadata(tenant, origin) {
  return json(await fetch(under(tenant, "v2.0/.well-known/openid-configuration", origin)), 200);
}

/** The URL of an authorization request, and what its redemption needs. */
export function authorization(tenant, { origin, endpoint, ...parameters }) {
  const { verifier, challenge } = pkce();
  const asked = {
    response_type: "code",
    scope: "openid profile email offline_access",
    state: random(),
    nonce: random(),
    code_challenge: challenge,
    code_challenge_method: "S256",
    ...parameters,
  };
  const url = new URL(endpoint ?? under(tenant, "oauth2/v2.0/authorize", origin));
  for (const [name, value] of Object.entries(asked)) if (value !== undefined) url.searchParams.set(name, value);
  return { url: url.href, verifier, ...asked };
}

/** A POST to the token endpoint. */
export function postToken(tenant, parameters, { origin, headers, endpoint } = {}) {
  const body = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined));
  return fetch(endpoint ?? under(tenant, "oauth2/v2.0/token", origin), { method: "POST", body, headers });
}

/** Reads a JSON reply and checks its status. */
export async function json(reply, status) {
  const text = await reply.text();
  assert.equal(reply.status, status, `${reply.url} answered ${reply.status}: ${text.slice(0, 500)}`);
  assert.match(reply.headers.get("content-type") ?? "", /^application\/([a-z-]+\+)?json/, reply.url);
  return JSON.parse(text);
}

/** Checks an error reply of the OAuth endpoints: every member that MSAL and people rely on. */
export async function assertOauthError(reply, error, number) {
  assert.ok(reply.status === 400 || reply.status === 401, `${reply.status} is a client's error`);
  assert.equal(reply.headers.get("retry-after"), null, "a mistake does not throttle");
  const body = await json(reply, reply.status);
  assert.equal(body.error, error, JSON.stringify(body));
  assert.ok(Array.isArray(body.error_codes) && body.error_codes.every(Number.isInteger), "error_codes are numbers");
  if (number) assert.ok(body.error_codes.includes(number), `${JSON.stringify(body)} has ${number}`);
  assert.match(body.error_description, new RegExp(`^AADSTS${body.error_codes[0]}: `));
  assert.match(body.timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
  assert.match(body.trace_id, guid);
  assert.match(body.correlation_id, guid);
  assert.match(body.error_uri, new RegExp(`/error\\?code=${body.error_codes[0]}$`));
  const page = await (await fetch(body.error_uri, { headers: { accept: "text/html" } })).text();
  assert.match(page, new RegExp(`AADSTS${body.error_codes[0]}`), "the number is explained where error_uri leads");
  return body;
}

export const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A JWT's parts, unverified. */
export function decode(jwt) {
  const [header, payload] = jwt.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
  return { header, payload };
}

/** Verifies a JWT of a tenant with its published keys and hands its claims back. */
export async function verified(jwt, { jwks_uri: keysAt }) {
  const { header, payload } = decode(jwt);
  assert.equal(header.alg, "RS256");
  assert.equal(header.typ, "JWT");
  const { keys } = await json(await fetch(keysAt), 200);
  const jwk = keys.find((key) => key.kid === header.kid);
  assert.ok(jwk, "the key is published");
  const [head, body, signature] = jwt.split(".");
  const key = createPublicKey({ key: { kty: jwk.kty, n: jwk.n, e: jwk.e }, format: "jwk" });
  const good = verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"));
  assert.ok(good, "the signature verifies");
  return payload;
}
