// Guests of the workforce tenant: the flow B2X_1_Suppliers, from Woodgrove's own app and back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { claimsAtApp, enter, isApp, signOut } from "../lib/app.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { codeFrom, messagesTo } from "../lib/inbox.mjs";
import {
  assertReadable, cancel, errorCode, errors, fill, giveAddress, giveAddressForCode, giveCode, returnTo, signInAtFabrikam,
  signUpSupplier, submit, supplierAnswers,
} from "../lib/pages.mjs";
import { fabrikam, newAddress, woodgrove } from "../lib/world.mjs";

// FLOW-20, DIR-01, 5.4
test("a stranger becomes a guest with a code to their mailbox", () =>
  inBrowser(async (page) => {
    const address = newAddress("grace");
    await enter(page, "request-account");
    await signUpSupplier(page, { address, answers: { ...supplierAnswers, "Your name": "Grace Hopper" } });
    const claims = await claimsAtApp(page);
    assert.equal(claims.name, "Grace Hopper");
    assert.equal(claims.email, address);
    assert.equal(claims.tid, woodgrove.id);
    assert.ok(claims.oid, "the token names the account");
    assert.equal((await messagesTo(address)).length, 1, "one mail was enough");
  }));

// FLOW-20, FLOW-23, DIR-01, IDP-OIDC-01, EXIST-04, FLOW-10
test("a stranger becomes a guest with a Fabrikam account and is asked nothing when coming back", async () => {
  const [user] = fabrikam.users;
  const first = await inBrowser(async (page) => {
    await enter(page, "request-account");
    await page.locator("#idp-fabrikam").click();
    await signInAtFabrikam(page, user);
    await returnTo(page, woodgrove);
    const { "Your name": _, ...asked } = supplierAnswers;
    await fill(page, asked);
    assert.equal(await page.getByLabel("Your name").inputValue(), "Alice Winter", "the provider's name is filled in");
    await submit(page);
    return claimsAtApp(page);
  });
  assert.equal(first.email, user.email);
  assert.equal(first.tid, woodgrove.id);

  const again = await inBrowser(async (page) => {
    await enter(page, "sign-in");
    await page.locator("#idp-fabrikam").click();
    await signInAtFabrikam(page, user);
    return claimsAtApp(page);
  });
  assert.equal(again.oid, first.oid, "it is the same account");
  assert.equal(again.sub, first.sub);
});

// EXIST-04, FLOW-10, FLOW-24
test("a guest who returns proves the mailbox and is asked nothing else", async () => {
  const address = newAddress("edsger");
  const first = await inBrowser(async (page) => {
    await enter(page, "request-account");
    await signUpSupplier(page, { address });
    return claimsAtApp(page);
  });
  const again = await inBrowser(async (page) => {
    await enter(page, "sign-in");
    const code = await giveAddressForCode(page, address.toUpperCase());
    await giveCode(page, code);
    return claimsAtApp(page);
  });
  assert.equal(again.oid, first.oid);
});

// T-30: oid stable, sub pairwise; issue 3 section 5: single sign-on
test("a second app of the flow signs in without a question, and knows the person by another sub", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    await signUpSupplier(page, { address: newAddress("barbara") });
    const first = await claimsAtApp(page);
    await enter(page, "orders-sign-in");
    await page.waitForURL(isApp);
    const second = await claimsAtApp(page);
    assert.equal(second.oid, first.oid);
    assert.notEqual(second.aud, first.aud, "it is another app");
    assert.notEqual(second.sub, first.sub);
  }));

// R43
test("cancelling brings the visitor back to the app with access_denied", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    await cancel(page);
    await page.waitForURL(isApp);
    assert.equal(await errorCode(page), "access_denied");
  }));

test("cancelling in the middle of a sign-up leaves nothing behind", () =>
  inBrowser(async (page) => {
    const address = newAddress();
    await enter(page, "request-account");
    await giveCode(page, await giveAddressForCode(page, address));
    await page.getByLabel(/business name/i).waitFor();
    await cancel(page);
    await page.waitForURL(isApp);
    assert.equal(await errorCode(page), "access_denied");
    await enter(page, "request-account");
    await giveCode(page, await giveAddressForCode(page, address));
    await page.getByLabel(/business name/i).waitFor();
  }));

// RFC-less but promised: single sign-out ends the session
test("signing out ends the session for every app", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    await signUpSupplier(page, { address: newAddress() });
    await claimsAtApp(page);
    await signOut(page);
    await enter(page, "orders-sign-in");
    await page.locator("#username").waitFor();
  }));

// ATTR: all errors at once, values kept
test("every problem of a form is named at once and the values stay", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    await giveCode(page, await giveAddressForCode(page, newAddress()));
    await fill(page, { "Your name": "Kept Name" });
    await page.locator("form").first().evaluate((form) => (form.noValidate = true));
    await submit(page);
    const found = await errors(page);
    assert.ok(found.length >= 1);
    const invalid = await page.locator('[aria-invalid="true"]').all();
    assert.ok(invalid.length >= 2, "the business name and its code are both missing");
    for (const field of invalid) {
      const described = await field.getAttribute("aria-describedby");
      assert.ok(described, "an error is tied to its field");
    }
    assert.equal(await page.getByLabel("Your name").inputValue(), "Kept Name");
    assert.match(await page.title(), /^Error: /);
    await assertReadable(page);
  }));

test("an address that is none is refused where it was typed", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    await page.locator("form").first().evaluate((form) => (form.noValidate = true));
    await giveAddress(page, "not an address");
    await errorCode(page);
    assert.equal(await page.locator("#username").inputValue(), "not an address");
  }));

test("a guest of this flow sees a code page that says where the code went", () =>
  inBrowser(async (page) => {
    const address = newAddress("katherine");
    await enter(page, "request-account");
    await codeFrom(address, () => giveAddress(page, address));
    await page.getByText(address).first().waitFor();
    const field = page.locator("#code");
    assert.equal(await field.getAttribute("autocomplete"), "one-time-code");
    assert.equal(await field.getAttribute("inputmode"), "numeric");
    await assertReadable(page);
  }));
