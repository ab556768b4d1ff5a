// Every kind of attribute and input, in both kinds of tenant: filled in by a visitor, read back from the token.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { authorization, decode, json, postToken, under } from "../lib/oauth.mjs";
import { assertReadable, errors, finish, giveAddressForCode, giveCode, submit } from "../lib/pages.mjs";
import { apply, redirectUri, tenantOf } from "../lib/tenant.mjs";
import { until } from "../lib/until.mjs";
import { newAddress } from "../lib/world.mjs";

let app;
before(async () => (app = await listen({ port: 3001 })));
after(() => app.close());

const choices = ["Timber", "Tools", "Transport"].map((label) => ({ label, value: label.toLowerCase() }));
const custom = {
  Nickname: "string", Invoices: "string", Phone: "string", Website: "string", Home: "string", Size: "string", Branch: "string",
  Trades: "string", Languages: "stringCollection", Born: "dateTime", Joined: "string", Staff: "int64", News: "boolean", Terms: "boolean",
};

const inputs = [
  ...["displayName", "givenName", "surname", "jobTitle", "streetAddress", "city", "state", "postalCode"].map((attribute) => ({ attribute, required: true })),
  { attribute: "country", inputType: "country", required: true },
  { attribute: "Nickname", inputType: "text", label: "What do [we](https://woodgrove.example/us) call you?" },
  { attribute: "Invoices", inputType: "emailBox", required: true },
  { attribute: "Phone", inputType: "phone", defaultRegion: "DE", required: true },
  { attribute: "Website", inputType: "url" },
  { attribute: "Home", inputType: "country" },
  { attribute: "Size", inputType: "radioSingleSelect", options: choices, required: true },
  { attribute: "Branch", inputType: "dropdownSingleSelect", options: choices },
  { attribute: "Trades", inputType: "checkboxMultiSelect", options: choices, required: true },
  { attribute: "Languages", inputType: "checkboxMultiSelect", options: choices },
  { attribute: "Born", inputType: "dateTimeDropdown", required: true, minimum: "1900-01-01" },
  { attribute: "Joined", inputType: "dateTimeDropdown" },
  { attribute: "Staff", inputType: "numericTextBox", minimum: -5, maximum: 500 },
  { attribute: "News", inputType: "checkboxSingleSelect" },
  // ATTR-11, T-25
  { attribute: "Terms", inputType: "boolean", required: true, label: "I accept the [terms](https://woodgrove.example/terms) of *Woodgrove*" },
];

const hostile = '=HYPERLINK("http://evil.example")<img src=x onerror=alert(1)>';
const typed = {
  displayName: "Zoë O’Neil-Ñandú", givenName: "Ö", surname: "李", jobTitle: hostile, streetAddress: "1 High Street\n2nd floor",
  city: "Århus", state: "Midtjylland", postalCode: "8000 C", Nickname: "{{ 7 * 7 }} </form>", Invoices: "Bills@Example.com",
  Phone: "030 1234567", Website: "example.com/a?b=c", Staff: "-3",
};
const expected = {
  ...typed, country: "DK", Invoices: "Bills@example.com", Phone: "+49301234567", Website: "https://example.com/a?b=c", Home: "AX",
  Size: "tools", Branch: "transport", Trades: "timber,transport", Languages: ["timber", "tools"], Born: "1990-02-28", Joined: "2024-02-29",
  Staff: -3, News: false, Terms: true,
};

const idOf = (page, name) => page.locator(`[name$="_${name[0].toLowerCase()}${name.slice(1)}"], [name$="_${name}"], [name="${name}"]`);

function everything(kind) {
  const tenant = tenantOf(kind, {
    flow: { identityProviders: ["EmailOtpSignup-OAUTH"], attributeCollection: { inputs } },
    userFlowAttributes: Object.entries(custom).map(([displayName, dataType]) => ({ displayName, dataType })),
  });
  tenant.document.applications[0].tokenClaims = Object.keys(expected).map((attribute) => ({ attribute, name: `x_${attribute}` }));
  return tenant;
}

async function open(page, tenant, more) {
  const request = authorization(tenant, { client_id: tenant.appId, redirect_uri: redirectUri, prompt: "create", ...more });
  await until("the server to know the tenant", async () => (await fetch(under(tenant, "discovery/v2.0/keys"))).ok);
  await page.goto(request.url);
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

/** A date is three fields; the month is a list. */
async function giveDate(page, name, [year, month, day]) {
  const part = (which) => page.locator(`[name$="_${name.toLowerCase()}.${which}"], [name$="_${name}.${which}"]`);
  await part("day").fill(day);
  await part("month").selectOption(month);
  await part("year").fill(year);
}

async function choose(page, name, value) {
  await idOf(page, name).and(page.locator(`[value="${value}"]`)).check();
}

async function country(page, label, name) {
  const box = page.getByRole("combobox", { name: label, exact: true });
  await box.fill(name);
  await box.press("Enter");
  assert.equal(await box.inputValue(), name);
}

for (const kind of ["workforce", "external"]) {
  // ATTR-01 to ATTR-19, T-11, T-25
  test(`every attribute and input type of a flow of kind ${kind} reaches the token as it was meant`, async () => {
    const tenant = everything(kind);
    await apply(tenant);
    await inBrowser(async (page) => {
      const request = await open(page, tenant);
      await giveCode(page, await giveAddressForCode(page, newAddress()));
      await page.locator("#displayName").waitFor();
      await assertReadable(page);
      for (const [name, value] of Object.entries(typed)) await idOf(page, name).first().fill(value);
      await country(page, "Country or region", "Denmark");
      await country(page, "Home (optional)", "Åland Islands");
      await choose(page, "Size", "tools");
      await idOf(page, "Branch").selectOption("transport");
      await choose(page, "Trades", "timber");
      await choose(page, "Trades", "transport");
      await choose(page, "Languages", "tools");
      await choose(page, "Languages", "timber");
      await giveDate(page, "Born", ["1990", "2", "30"]);
      await giveDate(page, "Joined", ["2024", "2", "29"]);

      // Everything that is wrong is told at once, and nothing is lost.
      await submit(page);
      const told = await errors(page);
      assert.match(told[0].text, /February 1990 has no day 30/);
      assert.match(told[0].text, /Tick this box/);
      assert.equal(await idOf(page, "jobTitle").inputValue(), hostile);
      assert.equal(await page.locator("img").count(), 0, "markup of a visitor is text");
      assert.equal(await idOf(page, "Nickname").inputValue(), typed.Nickname);
      const label = page.locator("label", { hasText: "I accept the" });
      assert.equal(await label.locator("a").getAttribute("href"), "https://woodgrove.example/terms");
      assert.equal(await label.locator("em, i").count(), 0, "links are the only Markdown");

      await giveDate(page, "Born", ["1990", "2", "28"]);
      await idOf(page, "Terms").check();
      await submit(page);
      const found = await claims(page, tenant, request);
      for (const [name, value] of Object.entries(expected)) assert.deepEqual(found[`x_${name}`], value, name);
    });
  });
}

test("countries are named in the visitor's language and can be chosen without a script", async () => {
  const tenant = everything("external");
  await apply(tenant);
  await inBrowser(async (page) => {
    await open(page, tenant, { ui_locales: "de-AT" });
    await giveCode(page, await giveAddressForCode(page, newAddress()));
    const list = page.locator('select[name="country"]');
    await list.waitFor();
    assert.equal(await list.locator('option[value="AT"]').textContent(), "Österreich");
    const names = await list.locator("option").allTextContents();
    assert.ok(names.indexOf("Österreich") < names.indexOf("Pakistan"), "sorted as German sorts");
    await list.selectOption("AT");
  }, { javaScriptEnabled: false });
});
