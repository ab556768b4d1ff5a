// Every page at two widths, light and dark, in shots/: made to be looked at. Each is also checked for what a
// machine can see: labels, one heading, no sideways scrolling.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { claimsAtApp, enter, isApp, openApp, signOut } from "../lib/app.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { deviceTenant, signUpForDevice } from "../lib/devices.mjs";
import { codeFrom, messagesTo, otherCode } from "../lib/inbox.mjs";
import { webRedirect } from "../lib/customer.mjs";
import { authorization, metadata, under } from "../lib/oauth.mjs";
import {
  agree, cancel, customerAnswers, errorCode, fill, giveAddress, giveAddressForCode, giveCode, givePassword,
  signUpCustomer, submit, supplierAnswers,
} from "../lib/pages.mjs";
import { shoot } from "../lib/shots.mjs";
import { publish, redirectUri, tenantOf } from "../lib/tenant.mjs";
import { until } from "../lib/until.mjs";
import { customers, demo, newAddress, newPassword, woodgrove } from "../lib/world.mjs";

const skipBrowserChecks = (page) => page.locator("form").first().evaluate((form) => (form.noValidate = true));

test("the supplier's way", () =>
  inBrowser(async (page) => {
    const address = newAddress("supplier");
    await openApp(page);
    await shoot(page, "app");
    await page.locator("#request-account").click();
    await page.locator("#username").waitFor();
    await shoot(page, "supplier-address");
    await skipBrowserChecks(page);
    await giveAddress(page, "not an address");
    await errorCode(page);
    await shoot(page, "supplier-address-error");
    const code = await giveAddressForCode(page, address);
    await shoot(page, "supplier-code");
    await giveCode(page, otherCode(code));
    await errorCode(page);
    await shoot(page, "supplier-code-error");
    await giveCode(page, code);
    await page.getByLabel(/business name/i).waitFor();
    await shoot(page, "supplier-questions");
    await skipBrowserChecks(page);
    await submit(page);
    await errorCode(page);
    await shoot(page, "supplier-questions-errors");
    await fill(page, supplierAnswers);
    await submit(page);
    await claimsAtApp(page);
    await shoot(page, "app-signed-in");
    await signOut(page);
    await shoot(page, "app-signed-out");
  }));

test("the customer's way", () =>
  inBrowser(async (page) => {
    const [address, password] = [newAddress("customer"), newPassword()];
    await openApp(page, "/shop");
    await shoot(page, "shop");
    await page.locator("#shop-sign-in").click();
    await page.locator("#username").waitFor();
    await shoot(page, "customer-address");
    await page.locator("#sign-up").click();
    await page.locator("#username").waitFor();
    await shoot(page, "customer-sign-up");
    const code = await giveAddressForCode(page, address);
    await shoot(page, "customer-code");
    await giveCode(page, code);
    await page.locator("#password").waitFor();
    await shoot(page, "customer-questions");
    await skipBrowserChecks(page);
    await page.locator("#password").fill("short");
    await submit(page);
    await errorCode(page);
    await shoot(page, "customer-questions-errors");
    await page.locator("#password").fill(password);
    await fill(page, customerAnswers);
    await agree(page);
    await submit(page);
    await page.locator("#no").waitFor();
    await shoot(page, "stay-signed-in");
    await claimsAtApp(page);
    await signOut(page);

    await enter(page, "shop-sign-in");
    await giveAddress(page, address);
    await page.locator("#password").waitFor();
    await shoot(page, "customer-password");
    await givePassword(page, "not this one at all");
    await errorCode(page);
    await shoot(page, "customer-password-error");
    const reset = await codeFrom(address, async () => {
      await page.locator("#forgot-password").click();
      await until("the code page", async () => {
        if (await page.locator("#code").isVisible()) return true;
        if (await page.locator("#username").isVisible()) {
          await shoot(page, "reset-address");
          await submit(page);
        }
        return false;
      });
    });
    await shoot(page, "reset-code");
    await giveCode(page, reset);
    await page.locator("#password").waitFor();
    await shoot(page, "reset-password");
    await givePassword(page, newPassword());
    await claimsAtApp(page);
    await signOut(page);

    await enter(page, "shop-sign-up");
    await giveCode(page, await giveAddressForCode(page, address));
    await page.getByText(/already have an account/i).first().waitFor();
    await shoot(page, "account-exists");
  }));

test("a device is let in", async () => {
  const tenant = await deviceTenant();
  const ask = async () => {
    const body = new URLSearchParams({ client_id: tenant.television, scope: "openid" });
    return (await fetch(under(tenant, "oauth2/v2.0/devicecode"), { method: "POST", body })).json();
  };
  await inBrowser(async (page) => {
    const device = await ask();
    await page.goto(device.verification_uri);
    await shoot(page, "device-code");
    await page.locator("#user_code").fill("12345678");
    await submit(page);
    await errorCode(page);
    await shoot(page, "device-code-error");
    await page.goto(device.verification_uri_complete);
    await shoot(page, "device-code-filled");
    await signUpForDevice(page, device.verification_uri, device.user_code, { address: newAddress("tv"), password: newPassword() });
    await shoot(page, "device-question");
    await page.locator("#continue").click();
    await page.getByRole("heading", { name: "Go back to your device" }).waitFor();
    await shoot(page, "device-approved");
    const second = await ask();
    await page.goto(second.verification_uri_complete);
    await submit(page);
    await cancel(page);
    await page.getByRole("heading", { name: "The device was not let in" }).waitFor();
    await shoot(page, "device-declined");
  });
});

const offers = ["Timber", "Tools and machines", "Transport"].map((label) => ({ label, value: label.toLowerCase() }));
const views = [
  {
    title: "About you", description: "We write to you under this name.",
    inputs: [
      { attribute: "displayName", label: "Your name", required: true },
      { attribute: "country", inputType: "country", required: true },
      { attribute: "Phone", inputType: "phone", defaultRegion: "GB" },
      { attribute: "Born", inputType: "dateTimeDropdown", required: true },
    ],
  },
  {
    title: "About your business",
    inputs: [
      { attribute: "Invoices", label: "Where invoices go", inputType: "emailBox", required: true },
      { attribute: "Website", inputType: "url" },
      { attribute: "Size", inputType: "dropdownSingleSelect", options: offers },
      { attribute: "Kind", label: "What do you mostly sell?", inputType: "radioSingleSelect", options: offers, required: true },
      { attribute: "Trades", label: "What else?", inputType: "checkboxMultiSelect", options: offers },
      { attribute: "Staff", label: "How many people work there?", inputType: "numericTextBox", minimum: 0 },
      { attribute: "streetAddress", label: "Address" },
      { attribute: "News", inputType: "boolean", label: "Send me the [newsletter](https://woodgrove.example/news)" },
    ],
  },
];

test("questions of every kind on several pages", async () => {
  const types = { Phone: "string", Born: "dateTime", Invoices: "string", Website: "string", Size: "string", Kind: "string", Trades: "stringCollection", Staff: "int64", News: "boolean" };
  const tenant = tenantOf("external", {
    flow: { identityProviders: ["EmailPassword-OAUTH"], attributeCollection: { views } },
    userFlowAttributes: Object.entries(types).map(([displayName, dataType]) => ({ displayName, dataType })),
  });
  await publish(tenant);
  await inBrowser(async (page) => {
    await page.goto(authorization(tenant, { client_id: tenant.appId, redirect_uri: redirectUri, prompt: "create" }).url);
    await giveCode(page, await giveAddressForCode(page, newAddress()));
    await page.getByRole("heading", { name: "About you" }).waitFor();
    await shoot(page, "several-first");
    await page.getByRole("combobox", { name: "Country or region" }).fill("united");
    await shoot(page, "several-country");
    await page.keyboard.press("Escape");
    await skipBrowserChecks(page);
    await submit(page);
    await errorCode(page);
    await shoot(page, "several-first-errors");
    await fill(page, { "Your name": "Ada Lovelace" });
    await page.getByRole("combobox", { name: "Country or region" }).fill("Denmark");
    await page.locator('[name$=".day"]').fill("10");
    await page.locator('[name$=".month"]').selectOption("12");
    await page.locator('[name$=".year"]').fill("1985");
    await submit(page);
    await page.getByRole("heading", { name: "About your business" }).waitFor();
    await shoot(page, "several-second");
    await skipBrowserChecks(page);
    await submit(page);
    await errorCode(page);
    await shoot(page, "several-second-errors");
    await fill(page, { "Where invoices go": "bills@example.com" });
    await page.locator('input[type="radio"]').first().check();
    await submit(page);
    await page.locator("#password").waitFor();
    await shoot(page, "several-last");
  });
});

test("the provider's pages", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    await page.locator("#idp-fabrikam").click();
    await page.locator("#username").waitFor();
    await shoot(page, "fabrikam-address");
    await enter(page, "shop-sign-up");
    await page.locator("#idp-lakeside").click();
    await page.locator("#person-1002").waitFor();
    await shoot(page, "lakeside");
    await page.locator("#person-1002").click();
    await page.locator("#username").waitFor();
    await shoot(page, "own-address");
    const address = newAddress();
    await inBrowser(async (other) => {
      await enter(other, "shop-sign-in");
      await signUpCustomer(other, { address, password: newPassword() });
      await claimsAtApp(other);
    });
    await giveCode(page, await giveAddressForCode(page, address));
    await page.locator("h1", { hasText: "account" }).waitFor();
    await shoot(page, "connect");
  }));

test("the providers' own buttons", () =>
  inBrowser(async (page) => {
    const clientSecret = { file: "provider-secret" };
    const kinds = ["Google", "Facebook", "MicrosoftAccount", "Apple", "GitHub", "LinkedIn", "X"];
    const providers = kinds.map((kind) => ({
      id: kind.toLowerCase(), identityProviderType: kind, clientId: "vestibule",
      ...(kind === "Apple" ? { clientKey: { file: "apple.p8" }, teamId: "TEAM123456", keyId: "KEY1234567" } : { clientSecret }),
    }));
    const tenant = tenantOf("external", {
      flow: { identityProviders: ["EmailPassword-OAUTH", ...kinds.map((kind) => kind.toLowerCase())] },
      identityProviders: providers,
    });
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    tenant.files = { "apple.p8": privateKey.export({ type: "pkcs8", format: "pem" }) };
    await publish(tenant);
    await page.goto(authorization(tenant, { client_id: tenant.appId, redirect_uri: redirectUri }).url);
    await shoot(page, "providers");
    await page.locator(".ways summary").click();
    await shoot(page, "providers-all");
  }));

test("what goes wrong", () =>
  inBrowser(async (page) => {
    const wrongRedirect = authorization(customers, { client_id: customers.apps.web.clientId, redirect_uri: `${webRedirect}x` });
    await page.goto(wrongRedirect.url);
    await shoot(page, "error-redirect");
    const wrongApp = authorization(customers, { client_id: woodgrove.apps.web.clientId, redirect_uri: webRedirect });
    await page.goto(wrongApp.url);
    await shoot(page, "error-app");
    await page.goto(new URL("/no/such/page", demo.origins.http).href);
    await shoot(page, "error-missing");
    for (const number of [50011, 9002313]) {
      await page.goto(new URL(`/error?code=${number}`, demo.origins.http).href);
      await shoot(page, `number-${number}`);
    }
    await page.goto((await metadata(customers)).end_session_endpoint);
    assert.equal(isApp(new URL(page.url())), false);
    await shoot(page, "signed-out");
    await page.goto(under(customers, ""));
    await shoot(page, "home");
  }));

test("what is left behind", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    await page.locator("#username").waitFor();
    const cancelled = page.url();
    await cancel(page);
    await page.waitForURL(isApp);
    await page.goto(cancelled);
    await shoot(page, "journey-cancelled");
    await enter(page, "request-account");
    await giveCode(page, await giveAddressForCode(page, newAddress("supplier")));
    await fill(page, supplierAnswers);
    const finished = page.url();
    await submit(page);
    await claimsAtApp(page);
    await page.goto(finished);
    await shoot(page, "journey-finished");
    await page.goto((await metadata(woodgrove)).end_session_endpoint);
    await shoot(page, "sign-out");
  }));

test("the dev inbox", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    await giveAddressForCode(page, newAddress("a.supplier.with.a.rather.long.name"));
    await page.goto(demo.inbox);
    await shoot(page, "inbox");
    await page.locator(".mails a").first().click();
    await shoot(page, "inbox-mail");
  }));

test("terms, and a guardian who is asked", () =>
  inBrowser(async (page) => {
    const text = "# 1. What we sell\n\nTimber, **cut to length**, and [tools](https://contoso.example/tools).\n\n# 2. What you promise\n\n1. You are who you say.\n2. You pay within 14 days.";
    const tenant = tenantOf("external", {
      userFlowAttributes: [{ displayName: "Birthday", dataType: "dateTime" }],
      flow: {
        identityProviders: ["EmailPassword-OAUTH"],
        attributeCollection: {
          inputs: [
            { attribute: "displayName", label: "Your name", required: true },
            { attribute: "Birthday", label: "Date of birth", inputType: "date", required: true },
            { attribute: "country", inputType: "country", required: true },
          ],
        },
        terms: [
          { id: "general", version: "2026-11", languages: [{ language: "en", title: "Terms of sale", text }] },
          { id: "news", version: "1", required: false, languages: [{ language: "en", title: "Newsletter", link: "https://contoso.example/news" }] },
        ],
        age: { dateOfBirth: "Birthday", minimum: 16, below: "guardian" },
      },
    });
    await publish(tenant);
    const request = authorization(tenant, { client_id: tenant.appId, redirect_uri: redirectUri, prompt: "create" });
    const [guardian, address] = [newAddress("guardian"), newAddress("minor")];
    await page.goto(request.url);
    await giveCode(page, await giveAddressForCode(page, address));
    await page.locator("#terms-general").waitFor();
    await skipBrowserChecks(page);
    await submit(page);
    await errorCode(page);
    await shoot(page, "terms-errors");
    const [document] = await Promise.all([page.waitForEvent("popup"), page.getByRole("link", { name: /read .*terms of sale/i }).click()]);
    await document.getByRole("heading", { level: 2, name: /what we sell/i }).waitFor();
    await shoot(document, "terms-document");
    await document.close();
    await page.locator("#password").fill(newPassword());
    await fill(page, { "Your name": "Tom" });
    await page.getByLabel("Day").fill("17");
    await page.getByLabel("Month").selectOption("5");
    await page.getByLabel("Year").fill("2015");
    const select = page.locator("select[name=country]");
    await select.evaluate((element) => { element.value = "DK"; });
    await page.locator("#terms-general").check();
    await shoot(page, "terms-filled");
    await submit(page);
    await page.locator("#guardian").waitFor();
    await shoot(page, "guardian-address");
    await page.locator("#guardian").fill(guardian);
    await submit(page);
    await page.getByRole("heading", { level: 1, name: /waiting/i }).waitFor();
    await shoot(page, "guardian-waiting");
    const mail = await until("the mail to the guardian", async () => (await messagesTo(guardian)).at(0));
    const link = mail.text.match(/https?:\/\/\S+\/guardian\/\S+/)[0];
    await inBrowser(async (theirs) => {
      await theirs.goto(link);
      await theirs.getByText("Tom").waitFor();
      await shoot(theirs, "guardian-page");
      await theirs.locator("#agree").click();
      await theirs.getByRole("heading", { level: 1, name: /you have agreed/i }).waitFor();
      await shoot(theirs, "guardian-page-agreed");
    });
    await submit(page);
    await page.getByRole("heading", { level: 1, name: /they have agreed/i }).waitFor();
    await shoot(page, "guardian-agreed");
    await submit(page);
    await page.getByRole("heading", { name: /stay signed in/i }).waitFor();
  }));
