// Sign-up and return at providers that nobody here wrote: node-oidc-provider in ten configurations, and a second
// implementation. Relying party tests are named as in security.md 1.3.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, test } from "node:test";
import { OAuth2Server } from "oauth2-mock-server";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { authorization, decode, json, postToken } from "../lib/oauth.mjs";
import { jwk, rsa, startOidcProvider } from "../lib/oidc-provider.mjs";
import { errorCode, finish, submit } from "../lib/pages.mjs";
import { providerAt, publish, redirectUri, tenantOf } from "../lib/tenant.mjs";
import { demo, newAddress } from "../lib/world.mjs";

const name = { attributeCollection: { inputs: [{ attribute: "displayName", label: "Your name", required: true }] } };
const secret = "the provider knows it";
const phone = { viewport: { width: 390, height: 844 } };
const plain = { javaScriptEnabled: false };
let app;

before(async () => (app = await listen({ port: 3001 })));
after(() => app.close());

/** A tenant with the one provider `stranger`. */
function tenantAt(kind, issuer, settings = {}, files = {}) {
  const method = kind === "workforce" ? "EmailOtpSignup-OAUTH" : "EmailPassword-OAUTH";
  const tenant = tenantOf(kind, {
    flow: { identityProviders: ["stranger", method], ...name },
    identityProviders: [providerAt(issuer, settings)],
  });
  return Object.assign(tenant, { files });
}

const at = (tenant, rest) => `${demo.origins.http}/${tenant.id}/federation/stranger${rest}`;

/** Presses the provider's button in a browser without cookies. */
const depart = async (page, tenant) => {
  const prompt = tenant.document.tenant.kind === "external" ? "create" : undefined;
  const request = authorization(tenant, { client_id: tenant.appId, redirect_uri: redirectUri, prompt });
  await page.goto(request.url);
  await page.locator("#idp-stranger").click();
  return request;
};

async function claims(page, tenant, request) {
  await finish(page, (url) => url.origin === app.origin);
  const { url } = await app.next();
  const tokens = await json(await postToken(tenant, {
    grant_type: "authorization_code", client_id: tenant.appId, redirect_uri: redirectUri,
    code: url.searchParams.get("code"), code_verifier: request.verifier,
  }), 200);
  return decode(tokens.id_token).payload;
}

async function signUp(tenant, options) {
  return inBrowser(async (page) => {
    const request = await depart(page, tenant);
    await page.getByLabel("Your name").waitFor();
    assert.equal(await page.getByLabel("Your name").inputValue(), "Eve Stranger");
    await submit(page);
    return claims(page, tenant, request);
  }, options);
}

const comeBack = (tenant, options) =>
  inBrowser(async (page) => claims(page, tenant, await depart(page, tenant)), options);

/** Signs somebody new up, on a phone, and lets them come back unasked. */
async function upAndBack(provider, tenant, { returning = {} } = {}) {
  const email = newAddress();
  provider.join({ email, name: "Eve Stranger" });
  const made = await signUp(tenant, phone);
  assert.equal(made.email, email);
  const again = await comeBack(tenant, returning);
  assert.equal(again.oid, made.oid);
  return made;
}

const pem = (type, options) =>
  generateKeyPairSync(type, options).privateKey.export({ type: "pkcs8", format: "pem" });

/** Ways to be registered at node-oidc-provider, and what the tenant's file says of each. */
const configurations = [
  {
    // oidcc-client-test-client-secret-basic, oidcc-client-test
    title: "client_secret_basic, RS256", kind: "workforce",
    client: { token_endpoint_auth_method: "client_secret_basic" },
    settings: { clientAuthentication: "client_secret_basic" },
    returning: plain,
  },
  {
    // oidcc-client-test-client-secret-post
    title: "client_secret_post, ES256", kind: "external",
    client: { token_endpoint_auth_method: "client_secret_post", id_token_signed_response_alg: "ES256" },
    keys: () => [jwk("ec", { namedCurve: "P-256" })],
    settings: { clientAuthentication: "client_secret_post" },
    returning: plain,
  },
  {
    // oidcc-client-test-client-secret-jwt
    title: "client_secret_jwt, PS256", kind: "workforce",
    client: { token_endpoint_auth_method: "client_secret_jwt", id_token_signed_response_alg: "PS256" },
    secret: "a secret that is long enough to sign with it: 0123456789",
    settings: { clientAuthentication: "client_secret_jwt", signingAlgorithms: ["PS256"] },
  },
  {
    // oidcc-client-test-private-key-jwt
    title: "private_key_jwt with the keys that we publish, EdDSA", kind: "external",
    client: {
      token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: "ES256",
      id_token_signed_response_alg: "Ed25519",
    },
    keys: () => [jwk("ed25519", {}, { alg: "Ed25519" })],
    settings: { clientAuthentication: "private_key_jwt", clientKey: { file: "client.pem" }, clientSecret: undefined },
    files: () => ({ "client.pem": pem("ec", { namedCurve: "P-256" }) }),
    publishes: true,
  },
  {
    title: "ID tokens encrypted to an RSA key", kind: "workforce",
    client: { id_token_encrypted_response_alg: "RSA-OAEP-256", id_token_encrypted_response_enc: "A256GCM" },
    features: { encryption: { enabled: true } },
    settings: { decryptionKey: { file: "decryption.pem" }, decryptionAlgorithm: "RSA-OAEP-256" },
    files: () => ({ "decryption.pem": pem("rsa", { modulusLength: 2048 }) }),
    publishes: true,
  },
  {
    title: "ID tokens and user info encrypted to a curve's key", kind: "external",
    client: {
      id_token_encrypted_response_alg: "ECDH-ES", id_token_encrypted_response_enc: "A128CBC-HS256",
      userinfo_signed_response_alg: "RS256", userinfo_encrypted_response_alg: "ECDH-ES",
      userinfo_encrypted_response_enc: "A256GCM",
    },
    features: { encryption: { enabled: true }, jwtUserinfo: { enabled: true } },
    settings: { decryptionKey: { file: "decryption.pem" }, decryptionAlgorithm: "ECDH-ES", userInfo: "always" },
    files: () => ({ "decryption.pem": pem("ec", { namedCurve: "P-256" }) }),
    publishes: true,
  },
  {
    // RFC 9126, RFC 9449
    title: "pushed requests and DPoP, both demanded, with the server's nonces", kind: "workforce",
    client: { require_pushed_authorization_requests: true, dpop_bound_access_tokens: true },
    features: {
      pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
      dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
    },
    settings: { pushedAuthorizationRequest: true, dpop: true, userInfo: "always" },
  },
  {
    title: "form_post", kind: "external",
    client: {},
    settings: { responseMode: "form_post" },
  },
  {
    // oidcc-client-test-userinfo-bearer-header, oidcc-client-test-signed-userinfo
    title: "claims in signed user info alone", kind: "workforce",
    client: { userinfo_signed_response_alg: "RS256" },
    features: { jwtUserinfo: { enabled: true } },
    configuration: { conformIdTokenClaims: true },
    settings: {},
    asks: "/me",
    returning: plain,
  },
  {
    // oidcc-client-test-scope-userinfo-claims
    title: "a public client with PKCE alone", kind: "external",
    client: { token_endpoint_auth_method: "none" },
    settings: { clientAuthentication: "none", clientSecret: undefined },
    returning: plain,
  },
];

// T-09, T-10, EXIST-04
for (const one of configurations) {
  test(`node-oidc-provider: ${one.title} (${one.kind})`, async () => {
    const files = { "provider-secret": one.secret ?? secret, ...one.files?.() };
    const usesSecret = !("clientSecret" in one.settings);
    const provider = await startOidcProvider({
      client: { ...(usesSecret && { client_secret: one.secret ?? secret }), ...one.client },
      configuration: { ...one.configuration, features: one.features },
    });
    try {
      const tenant = tenantAt(one.kind, provider.issuer, one.settings, files);
      provider.redirectTo(at(tenant, ""));
      await publish(tenant);
      if (one.publishes) provider.trust(await json(await fetch(at(tenant, "/keys")), 200));
      provider.rotate(one.keys?.());
      await upAndBack(provider, tenant, { returning: one.returning });
      if (one.asks) assert.ok(provider.asked.includes(one.asks), provider.asked.join(" "));
    } finally {
      await provider.close();
    }
  });
}

// oidcc-client-test-signing-key-rotation, oidcc-client-test-signing-key-rotation-just-before-signing, RP8
test("node-oidc-provider: keys change between the departure and the token", async () => {
  const provider = await startOidcProvider({ client: { client_secret: secret } });
  try {
    const tenant = tenantAt("external", provider.issuer);
    provider.redirectTo(at(tenant, ""));
    provider.rotate();
    await publish(tenant);
    await upAndBack(provider, tenant);
    const read = () => provider.asked.filter((path) => path === "/jwks").length;
    const before = read();
    const email = newAddress();
    provider.join({ email, name: "Eve Stranger" });
    provider.before["/token"] = () => provider.rotate([rsa()]);
    const made = await signUp(tenant);
    assert.equal(made.email, email);
    assert.equal(read(), before + 1, "the keys were read once more, and only once");
  } finally {
    await provider.close();
  }
});

// IDP-OIDC-01
test("node-oidc-provider: who declines there finds the other ways", async () => {
  const provider = await startOidcProvider({ client: { client_secret: secret } });
  try {
    const tenant = tenantAt("workforce", provider.issuer);
    provider.redirectTo(at(tenant, ""));
    provider.rotate();
    await publish(tenant);
    provider.join({ email: newAddress(), name: "Eve Stranger" });
    provider.declines = true;
    await inBrowser(async (page) => {
      await depart(page, tenant);
      assert.ok(await errorCode(page));
      assert.ok(app.quiet(), "the app was told nothing");
      assert.equal(await page.locator("#username").count(), 1, "there is another way");
      provider.declines = false;
      await page.locator("#idp-stranger").click();
      await page.getByLabel("Your name").waitFor();
    }, phone);
  } finally {
    await provider.close();
  }
});

// F14, RP20: it dies half-way and comes back
test("node-oidc-provider: one that breaks down half-way is told as such, and the same journey goes on later", async () => {
  const provider = await startOidcProvider({ client: { client_secret: secret } });
  try {
    const tenant = tenantAt("external", provider.issuer);
    provider.redirectTo(at(tenant, ""));
    provider.rotate();
    await publish(tenant);
    const email = newAddress();
    provider.join({ email, name: "Eve Stranger" });
    provider.broken = "/token";
    await inBrowser(async (page) => {
      const request = await depart(page, tenant);
      assert.ok(await errorCode(page));
      assert.ok(app.quiet(), "the app was told nothing");
      provider.broken = null;
      await submit(page);
      await page.locator("#idp-stranger").click();
      await page.getByLabel("Your name").waitFor();
      await submit(page);
      const made = await claims(page, tenant, request);
      assert.equal(made.email, email);
    }, phone);
  } finally {
    await provider.close();
  }
});

// T-09: a second implementation, which has nothing in common with the first
for (const kind of ["workforce", "external"]) {
  test(`oauth2-mock-server: sign-up and return (${kind})`, async () => {
    const server = new OAuth2Server();
    await server.issuer.keys.generate("RS256");
    await server.start(0, "localhost");
    try {
      const email = newAddress();
      server.service.on("beforeTokenSigning", (token) =>
        Object.assign(token.payload, { sub: "eve", email, email_verified: true, name: "Eve Stranger" }));
      const tenant = tenantAt(kind, server.issuer.url, { clientAuthentication: "client_secret_basic" });
      await publish(tenant);
      const made = await signUp(tenant, phone);
      assert.equal(made.email, email);
      assert.equal((await comeBack(tenant, plain)).oid, made.oid);
    } finally {
      await server.stop();
    }
  });
}
