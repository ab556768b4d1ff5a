// What an administrator decides with `vestibule apply` while the server runs, as visitors then meet it.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { mailFrom, messagesTo } from "../lib/inbox.mjs";
import { authorization, decode, json, postToken, under } from "../lib/oauth.mjs";
import { errorCode, fill, finish, giveAddress, giveAddressForCode, giveCode, givePassword, submit } from "../lib/pages.mjs";
import { startProvider } from "../lib/provider.mjs";
import { apply, providerAt, redirectUri, tenantOf } from "../lib/tenant.mjs";
import { until } from "../lib/until.mjs";
import { newAddress, newPassword } from "../lib/world.mjs";

const name = { attributeCollection: { inputs: [{ attribute: "displayName", label: "Your name", required: true }] } };
/** "A running server shows the change within a second." */
const soon = { within: 1_000 };
let app;

before(async () => (app = await listen({ port: 3001 })));
after(() => app.close());

const ask = (tenant, more) => authorization(tenant, { client_id: tenant.appId, redirect_uri: redirectUri, ...more });

/** Waits until the running server knows the tenant, and opens its app's sign-in page. */
async function open(page, tenant, more) {
  const request = ask(tenant, more);
  await until("the server to know the tenant", async () => (await fetch(under(tenant, "discovery/v2.0/keys"))).ok, soon);
  await page.goto(request.url);
  return request;
}

/** Opens the app's sign-in page until it is as described. */
async function shows(what, page, tenant, described) {
  await until(what, async () => {
    await page.goto(ask(tenant).url);
    await page.locator("h1").waitFor();
    return described();
  }, soon);
}

/** The claims of the ID token with which the journey ends. */
async function claims(page, tenant, request) {
  await finish(page, (url) => url.origin === app.origin);
  const { url } = await app.next();
  const tokens = await json(await postToken(tenant, {
    grant_type: "authorization_code", client_id: tenant.appId, redirect_uri: redirectUri,
    code: url.searchParams.get("code"), code_verifier: request.verifier,
  }), 200);
  return decode(tokens.id_token).payload;
}

// T-06, FLOW-02
test("switching sign-up off shows within a second: no way to create an account, who has one signs in", async () => {
  const tenant = tenantOf("external", { flow: { identityProviders: ["EmailPassword-OAUTH"], ...name } });
  await apply(tenant);
  const person = { address: newAddress(), password: newPassword() };
  const { oid } = await inBrowser(async (page) => {
    const request = await open(page, tenant);
    await page.locator("#sign-up").click();
    await giveCode(page, await giveAddressForCode(page, person.address));
    await page.locator("#password").fill(person.password);
    await fill(page, { "Your name": "Ada Lovelace" });
    await submit(page);
    return claims(page, tenant, request);
  });

  tenant.document.userFlows[0].isSignUpAllowed = false;
  assert.match(await apply(tenant), /isSignUpAllowed/);
  await inBrowser((page) =>
    shows("the way to a new account to go", page, tenant, async () => (await page.locator("#sign-up").count()) === 0));

  await inBrowser(async (page) => {
    const request = await open(page, tenant);
    assert.equal(await page.locator("#sign-up").count(), 0);
    await giveAddress(page, person.address);
    await givePassword(page, person.password);
    assert.equal((await claims(page, tenant, request)).oid, oid);
  });
  const stranger = newAddress();
  await inBrowser(async (page) => {
    await open(page, tenant);
    await giveAddress(page, stranger);
    await givePassword(page, newPassword());
    assert.ok(await errorCode(page));
    assert.equal(await page.locator("#sign-up").count(), 0);
  });
  await inBrowser(async (page) => {
    // An app that insists gets no sign-up either.
    await page.goto(ask(tenant, { prompt: "create" }).url);
    assert.equal(await page.locator("#sign-up").count(), 0);
    if (await page.locator("#username").isVisible()) {
      await giveAddress(page, stranger);
      await page.locator("#password").waitFor();
      assert.equal(await page.locator("#password").getAttribute("autocomplete"), "current-password");
    }
  });
  const mails = await messagesTo(stranger);
  assert.deepEqual(mails.filter(({ text }) => /\b\d{8}\b/.test(text)), [], "no code was sent to sign up with");
});

// FLOW-01, T-01
test("a workforce tenant attaches no app while its switch is off, and turning it off closes sign-up", async () => {
  const tenant = tenantOf("workforce", { flow: { identityProviders: ["EmailOtpSignup-OAUTH"], ...name } });
  const { authenticationFlowsPolicy: { selfServiceSignUp } } = tenant.document.tenant;
  selfServiceSignUp.isEnabled = false;
  await assert.rejects(apply(tenant), (error) => {
    assert.equal(error.code, 1);
    assert.match(error.stderr, /tenant\.yaml:\d+.*userFlows\[0\]\.applications.*selfServiceSignUp\.isEnabled/s);
    return true;
  });
  assert.equal((await fetch(under(tenant, "discovery/v2.0/keys"))).status, 400, "nothing was made");

  selfServiceSignUp.isEnabled = true;
  await apply(tenant);
  const address = newAddress();
  const guest = await inBrowser(async (page) => {
    const request = await open(page, tenant);
    await giveCode(page, await giveAddressForCode(page, address));
    await fill(page, { "Your name": "Ada Lovelace" });
    await submit(page);
    return claims(page, tenant, request);
  });

  selfServiceSignUp.isEnabled = false;
  tenant.document.userFlows[0].applications = [];
  // The app loses its sign-up, and nobody sits there to be asked (EXIST-06).
  await assert.rejects(apply(tenant), /--yes/);
  await apply(tenant, "--yes");
  await inBrowser(async (page) => {
    await shows("sign-up to close", page, tenant, async () => (await page.locator("#sign-up").count()) === 0);
    const stranger = newAddress();
    // The page gives away nothing about who has an account; the mail tells its reader that there is none.
    const mail = await mailFrom(stranger, () => giveAddress(page, stranger));
    assert.doesNotMatch(`${mail.subject} ${mail.text}`, /\b\d{8}\b/);
    await giveCode(page, "12345678");
    assert.ok(await errorCode(page));
    assert.equal(await page.getByLabel("Your name").count(), 0);
    assert.ok(app.quiet(), "the app was told nothing");
  });
  await inBrowser(async (page) => {
    const request = await open(page, tenant);
    await giveCode(page, await giveAddressForCode(page, address));
    assert.equal((await claims(page, tenant, request)).oid, guest.oid, "who is a guest still comes in");
  });
});

// FLOW-08
test("an app on no flow signs nobody up", async () => {
  const tenant = tenantOf("external", { flow: { identityProviders: ["EmailPassword-OAUTH"], ...name }, attached: false });
  await apply(tenant);
  await inBrowser(async (page) => {
    await open(page, tenant, { prompt: "create" });
    const told = app.quiet() ? null : (await app.next()).url.searchParams.get("error");
    if (!told) assert.ok(await errorCode(page));
    assert.equal(await page.locator("#username").count(), 0);
  });
});

/** Goes to a provider that makes the claims, from a browser without cookies. */
const arrive = (tenant, provider, claims, then) =>
  inBrowser(async (page) => {
    provider.claims = { sub: "s-1", name: "Eve Stranger", ...claims };
    const create = tenant.document.tenant.kind === "external" ? "create" : undefined;
    const request = await open(page, tenant, { prompt: create });
    await page.locator("#idp-stranger").click();
    return then(page, request);
  });

for (const [kind, method] of [["workforce", "EmailOtpSignup-OAUTH"], ["external", "EmailPassword-OAUTH"]]) {
  const tenantWith = (provider, compatibility) => {
    const tenant = tenantOf(kind, {
      flow: { identityProviders: ["stranger", method], ...name },
      identityProviders: [providerAt(provider.issuer)],
    });
    Object.assign(tenant.document.tenant, compatibility && { compatibility });
    return tenant;
  };

  // T-10, IDP-OIDC-02, EXIST-04
  test(`where the original is followed, an unverified address makes no account (${kind})`, async () => {
    const provider = await startProvider();
    try {
      const tenant = tenantWith(provider, "strict");
      await apply(tenant);
      const address = newAddress();
      for (const email_verified of [false, undefined, "false", 1]) {
        await arrive(tenant, provider, { email: address, email_verified }, async (page) => {
          assert.ok(await errorCode(page), `email_verified ${email_verified}`);
          assert.equal(await page.getByLabel("Your name").count(), 0, "nothing more is asked");
          assert.ok(app.quiet(), "the app was told nothing");
        });
      }
      await arrive(tenant, provider, { email_verified: true }, async (page) => assert.ok(await errorCode(page)));
      // The same person is new: none of the visits before left anything behind.
      const verified = { email: address, email_verified: true };
      const made = await arrive(tenant, provider, verified, async (page, request) => {
        assert.equal(await page.getByLabel("Your name").inputValue(), "Eve Stranger");
        await submit(page);
        return claims(page, tenant, request);
      });
      assert.equal(made.email, address);
      // EXIST-04: the account is found by the provider's subject; its address plays no part any more.
      const moved = { email: newAddress(), email_verified: true };
      const again = await arrive(tenant, provider, moved, (page, request) => claims(page, tenant, request));
      assert.equal(again.oid, made.oid);
    } finally {
      await provider.close();
    }
  });

  // RP13, EXIST-04
  test(`an address that the provider does not vouch for is proven by a code of ours (${kind})`, async () => {
    const provider = await startProvider();
    try {
      const tenant = tenantWith(provider);
      await apply(tenant);
      const address = newAddress();
      for (const email_verified of [false, undefined, "false", 1]) {
        await arrive(tenant, provider, { email: address, email_verified }, async (page) => {
          await page.locator("#username").waitFor();
          assert.equal(await page.locator("#username").inputValue(), address, `email_verified ${email_verified}`);
          assert.equal(await page.getByLabel("Your name").count(), 0, "nothing more is asked");
          assert.ok(app.quiet(), "the app was told nothing");
        });
      }
      const made = await arrive(tenant, provider, { email: address, email_verified: false }, async (page, request) => {
        await giveCode(page, await giveAddressForCode(page, address));
        assert.equal(await page.getByLabel("Your name").inputValue(), "Eve Stranger");
        await submit(page);
        return claims(page, tenant, request);
      });
      assert.equal(made.email, address);
      const again = await arrive(tenant, provider, {}, (page, request) => claims(page, tenant, request));
      assert.equal(again.oid, made.oid);
    } finally {
      await provider.close();
    }
  });
}

// IDP-OIDC-01, RFC 9207: an answer that is not the provider's own
test("a provider's answer that was tampered with lets nobody in", async () => {
  const provider = await startProvider();
  try {
    const tenant = tenantOf("external", {
      flow: { identityProviders: ["stranger", "EmailPassword-OAUTH"], ...name },
      identityProviders: [providerAt(provider.issuer)],
    });
    await apply(tenant);
    const honest = { sub: "s-2", email: newAddress(), email_verified: true };
    const wrong = [
      ["audience", () => (provider.claims = { ...honest, aud: "somebody else" })],
      ["issuer", () => (provider.claims = { ...honest, iss: "https://other.example" })],
      ["nonce", () => (provider.claims = { ...honest, nonce: "another" })],
      ["missing nonce", () => (provider.claims = { ...honest, nonce: undefined })],
      ["time", () => (provider.claims = { ...honest, exp: Math.floor(Date.now() / 1000) - 3600 })],
      ["signature", () => (provider.tamper = (jwt) => jwt.slice(0, -20) + [...jwt.slice(-20)].reverse().join(""))],
      ["algorithm", () => (provider.tamper = unsigned)],
      ["issuer beside the code", () => (provider.issuerInResponse = "https://other.example")],
    ];
    for (const [what, break_] of wrong) {
      Object.assign(provider, { claims: honest, tamper: (jwt) => jwt, issuerInResponse: undefined });
      break_();
      await inBrowser(async (page) => {
        await open(page, tenant);
        await page.locator("#idp-stranger").click();
        assert.ok(await errorCode(page), what);
        assert.equal(await page.getByLabel("Your name").count(), 0, what);
        assert.ok(app.quiet(), what);
      });
    }
  } finally {
    await provider.close();
  }
});

/** The same claims under no signature at all. */
function unsigned(jwt) {
  const head = Buffer.from(JSON.stringify({ alg: "none", typ: "JWT" })).toString("base64url");
  return `${head}.${jwt.split(".")[1]}.`;
}

// T-12
test("under strict compatibility client_secret_basic and id_token are refused, both at once", async () => {
  const settings = { clientAuthentication: "client_secret_basic", responseType: "id_token" };
  const tenant = tenantOf("external", {
    flow: { identityProviders: ["stranger"], ...name },
    identityProviders: [providerAt("https://idp.example", settings)],
  });
  tenant.document.tenant.compatibility = "strict";
  await assert.rejects(apply(tenant), (error) => {
    assert.equal(error.code, 1);
    assert.match(error.stderr, /identityProviders\[0\]\.clientAuthentication.*client_secret_basic/);
    assert.match(error.stderr, /identityProviders\[0\]\.responseType.*id_token/);
    assert.match(error.stderr, /nothing was changed/);
    return true;
  });
});

test("applying the same file a second time changes nothing", async () => {
  const tenant = tenantOf("external", { flow: { identityProviders: ["EmailPassword-OAUTH"], ...name } });
  await apply(tenant);
  assert.match(await apply(tenant), /^Nothing to change/);
});

// T-02, T-03, T-05: what no file may say; each is refused by name and nothing is changed
for (const [what, kind, change, told] of [
  [
    "one of the built-in apps", "external",
    ({ userFlows: [flow] }) => flow.applications.push("00000003-0000-0000-c000-000000000000"),
    /userFlows\[0\]\.applications\[1\].*Microsoft Graph/,
  ],
  [
    "an app of somebody else", "external",
    ({ userFlows: [flow] }) => flow.applications.push("Woodgrove shop"),
    /userFlows\[0\]\.applications\[1\].*Woodgrove shop/,
  ],
  [
    "an app that another flow serves", "external",
    ({ userFlows }) => userFlows.push({ ...userFlows[0], id: randomUUID(), displayName: "Second" }),
    /userFlows\[1\]\.applications\[0\].*Try/,
  ],
  [
    "an eleventh flow under strict compatibility", "external",
    ({ tenant, userFlows }) => {
      tenant.compatibility = "strict";
      while (userFlows.length < 11) {
        userFlows.push({ ...userFlows[0], id: randomUUID(), displayName: `Flow ${userFlows.length}`, applications: [] });
      }
    },
    /userFlows.*(ten|10)/,
  ],
]) {
  test(`a file with ${what} is refused`, async () => {
    const tenant = tenantOf(kind, { flow: { identityProviders: ["EmailPassword-OAUTH"], ...name } });
    change(tenant.document);
    await assert.rejects(apply(tenant), (error) => {
      assert.equal(error.code, 1);
      assert.match(error.stderr, told);
      assert.match(error.stderr, /tenant\.yaml:\d+/);
      return true;
    });
  });
}

// T-04
test("a workforce flow named Partner has the id B2X_1_Partner", async () => {
  const tenant = tenantOf("workforce", { flow: { name: "Partner", identityProviders: ["EmailOtpSignup-OAUTH"], ...name } });
  await apply(tenant);
  await inBrowser(async (page) => {
    await open(page, tenant, { endpoint: under(tenant, "B2X_1_Partner/oauth2/v2.0/authorize") });
    await page.locator("#username").waitFor();
  });
  await assert.rejects(async () => {
    tenant.document.userFlows[0].name = "not a name";
    await apply(tenant);
  }, /userFlows\[0\]\.name/);
});
