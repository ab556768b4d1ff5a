// Everything works without JavaScript.

import assert from "node:assert/strict";
import { test } from "node:test";
import { claimsAtApp, enter, isApp, signOut } from "../lib/app.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { otherCode } from "../lib/inbox.mjs";
import {
  cancel, errorCode, giveAddressForCode, giveCode, signInCustomer, signUpCustomer, signUpSupplier,
} from "../lib/pages.mjs";
import { newAddress, newPassword } from "../lib/world.mjs";

const plain = { javaScriptEnabled: false };

test("a guest signs up with a code", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    await signUpSupplier(page, { address: newAddress() });
    const claims = await claimsAtApp(page);
    await enter(page, "orders-sign-in");
    assert.equal((await claimsAtApp(page)).oid, claims.oid);
    await signOut(page);
  }, plain));

test("a customer signs up with a password and comes back", async () => {
  const person = { address: newAddress(), password: newPassword() };
  const first = await inBrowser(async (page) => {
    await enter(page, "shop-sign-in");
    await signUpCustomer(page, person);
    return claimsAtApp(page);
  }, plain);
  const again = await inBrowser(async (page) => {
    await enter(page, "shop-sign-in");
    await signInCustomer(page, person);
    return claimsAtApp(page);
  }, plain);
  assert.equal(again.oid, first.oid);
});

test("a wrong code is told, and cancelling leads back", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    const code = await giveAddressForCode(page, newAddress());
    await giveCode(page, otherCode(code));
    assert.ok(await errorCode(page));
    await cancel(page);
    await page.waitForURL(isApp);
    assert.equal(await errorCode(page), "access_denied");
  }, plain));
