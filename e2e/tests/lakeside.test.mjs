// Lakeside, the demo's second social network: OAuth 2.0 as Facebook speaks it, with somebody who has no email address.

import assert from "node:assert/strict";
import { test } from "node:test";
import { claimsAtApp, enter } from "../lib/app.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import {
  assertReadable, fill, giveAddressForCode, giveCode, givePassword, signUpCustomer, submit, supplierAnswers,
} from "../lib/pages.mjs";
import { messagesTo } from "../lib/inbox.mjs";
import { until } from "../lib/until.mjs";
import { newAddress, newPassword } from "../lib/world.mjs";

const phone = { viewport: { width: 390, height: 844 } };

// T-09, DIR-01, EXIST-04
test("a partner signs up with Lakeside on a phone, becomes a guest and comes back unasked", async () => {
  const first = await inBrowser(async (page) => {
    await enter(page, "request-account");
    await page.locator("#idp-lakeside").click();
    await page.locator("#person-1001").click();
    const { "Your name": _, ...asked } = supplierAnswers;
    await fill(page, asked);
    assert.equal(await page.getByLabel("Your name").inputValue(), "Mia Larsen");
    await submit(page);
    return claimsAtApp(page);
  }, phone);
  assert.equal(first.email, "mia@lakeside.example");
  const again = await inBrowser(async (page) => {
    await enter(page, "sign-in");
    await page.locator("#idp-lakeside").click();
    await page.locator("#person-1001").click();
    return claimsAtApp(page);
  }, { javaScriptEnabled: false });
  assert.equal(again.oid, first.oid);
});

// RP13: no address, so one is asked for and proven
test("who has no address at Lakeside proves one, and is a guest", async () => {
  const address = newAddress("noor");
  const first = await inBrowser(async (page) => {
    await enter(page, "request-account");
    await page.locator("#idp-lakeside").click();
    await page.locator("#person-1002").click();
    assert.match(await page.locator("h1").innerText(), /Your email address/);
    await assertReadable(page);
    const code = await giveAddressForCode(page, address);
    await giveCode(page, code);
    const { "Your name": _, ...asked } = supplierAnswers;
    await fill(page, asked);
    await submit(page);
    return claimsAtApp(page);
  });
  assert.equal(first.email, address);
  const again = await inBrowser(async (page) => {
    await enter(page, "sign-in");
    await page.locator("#idp-lakeside").click();
    await page.locator("#person-1002").click();
    return claimsAtApp(page);
  });
  assert.equal(again.oid, first.oid);
});

// T1, U15: who proves both sides connects them, and the mailbox is told
test("a customer with a password connects Lakeside, without a script, and comes in by either", async () => {
  const person = { address: newAddress(), password: newPassword() };
  const first = await inBrowser(async (page) => {
    await enter(page, "shop-sign-in");
    await signUpCustomer(page, person);
    return claimsAtApp(page);
  });
  const connected = await inBrowser(async (page) => {
    await enter(page, "shop-sign-in");
    await page.locator("#idp-lakeside").click();
    await page.locator("#person-1003").click();
    await giveCode(page, await giveAddressForCode(page, person.address));
    assert.match(await page.locator("#submit").innerText(), /connect Lakeside/);
    await assertReadable(page);
    await submit(page);
    await givePassword(page, person.password);
    return claimsAtApp(page);
  }, { ...phone, javaScriptEnabled: false });
  assert.equal(connected.oid, first.oid);
  const told = await until("the mailbox to be told", async () => {
    const mails = await messagesTo(person.address);
    return mails.find((mail) => mail.text.includes("Lakeside"));
  });
  assert.ok(told);
  const again = await inBrowser(async (page) => {
    await enter(page, "shop-sign-in");
    await page.locator("#idp-lakeside").click();
    await page.locator("#person-1003").click();
    return claimsAtApp(page);
  });
  assert.equal(again.oid, first.oid);
});
