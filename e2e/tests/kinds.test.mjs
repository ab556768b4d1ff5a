// Sign-up and return with an account of every kind, in both kinds of tenant, on a phone; each kind once with and once
// without a script.

import assert from "node:assert/strict";
import { generateKeyPairSync, randomInt } from "node:crypto";
import { after, before, test } from "node:test";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { companies, startCompany } from "../lib/companies.mjs";
import { authorization, decode, json, postToken } from "../lib/oauth.mjs";
import { finish, submit } from "../lib/pages.mjs";
import { vestibule } from "../lib/server.mjs";
import { publish, redirectUri, tenantOf } from "../lib/tenant.mjs";
import { dataDirectory, databaseUrl, nameOf, newAddress } from "../lib/world.mjs";

const phone = { viewport: { width: 390, height: 844 } };
const methods = { workforce: "EmailOtpSignup-OAUTH", external: "EmailPassword-OAUTH" };
const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });
let app;

before(async () => (app = await listen({ port: 3001 })));
after(() => app.close());

async function tenantWith(company, kind) {
  const tenant = tenantOf(kind, {
    flow: {
      identityProviders: ["stranger", methods[kind]],
      attributeCollection: { inputs: [{ attribute: "displayName", label: "Your name", required: true }] },
    },
    identityProviders: [company.section],
  });
  tenant.files = { "AuthKey.p8": key };
  await publish(tenant);
  return tenant;
}

/** From the app to the company and back, as a browser with or without a script. */
async function travel(page, company, tenant) {
  const prompt = tenant.document.tenant.kind === "external" ? "create" : undefined;
  const request = authorization(tenant, { client_id: tenant.appId, redirect_uri: redirectUri, prompt });
  await page.goto(request.url);
  const button = page.locator("#idp-stranger");
  assert.equal(await button.locator("svg").count(), company.kind === "OAuth2" ? 0 : 1, "the company's mark");
  await button.click();
  await page.locator("#continue").click();
  if (company.kind === "Apple") await page.locator("#send").click();
  return request;
}

async function claims(page, tenant, request) {
  await finish(page, (url) => url.origin === app.origin);
  const { url } = await app.next();
  const tokens = await json(await postToken(tenant, {
    grant_type: "authorization_code", client_id: tenant.appId, redirect_uri: redirectUri,
    code: url.searchParams.get("code"), code_verifier: request.verifier,
  }), 200);
  return decode(tokens.id_token).payload;
}

async function account(tenant, email) {
  const database = databaseUrl ? ["--database-url", databaseUrl] : [];
  const said = await vestibule("user", "show", nameOf.get(tenant), email, "--json", "--data", dataDirectory, ...database);
  return JSON.parse(said.stdout ?? said);
}

// T-09, DIR-01, DIR-02, FLOW-20
for (const [index, kind] of Object.keys(companies).entries()) {
  for (const tenantKind of ["workforce", "external"]) {
    const scripted = (index + (tenantKind === "external")) % 2 === 0;
    test(`${kind}: sign-up and return (${tenantKind}, ${scripted ? "with" : "without"} a script)`, async () => {
      const company = await startCompany(kind);
      try {
        const { domain, issuers } = companies[kind];
        const email = domain ? newAddress("eve").replace(/@.*/, `@${domain}`) : newAddress("eve");
        company.person = { id: String(randomInt(1e9)), name: "Eve Stranger", email };
        const tenant = await tenantWith(company, tenantKind);
        const options = { ...phone, javaScriptEnabled: scripted };
        const made = await inBrowser(async (page) => {
          const request = await travel(page, company, tenant);
          await page.getByLabel("Your name").waitFor();
          assert.equal(await page.getByLabel("Your name").inputValue(), "Eve Stranger");
          const wide = await page.locator("html").evaluate((html) => html.scrollWidth > html.clientWidth);
          assert.equal(wide, false, "nothing stands out of a phone's page");
          await submit(page);
          return claims(page, tenant, request);
        }, options);
        const again = await inBrowser(async (page) => claims(page, tenant, await travel(page, company, tenant)), options);
        assert.equal(again.oid, made.oid);

        const found = await account(tenant, email);
        const issuer = typeof issuers[tenantKind] === "function" ? issuers[tenantKind](company.base) : issuers[tenantKind];
        assert.equal(found.userType, tenantKind === "workforce" ? "Guest" : "Member");
        const federated = found.identities.filter(({ signInType }) => signInType === "federated");
        assert.deepEqual(federated.map((identity) => [identity.issuer, identity.provider]), [[issuer, "stranger"]]);
        assert.ok(federated[0].issuerAssignedId.endsWith(company.person.id));
      } finally {
        await company.close();
      }
    });
  }
}
