// Back, refresh, double click, a second tab and forged steps do no harm.

import assert from "node:assert/strict";
import { test } from "node:test";
import { claimsAtApp, enter, signInAgain } from "../lib/app.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { messagesTo } from "../lib/inbox.mjs";
import {
  agree, customerAnswers, fill, formAround, giveAddress, giveAddressForCode, giveCode, signInCustomer, submit, supplierAnswers,
} from "../lib/pages.mjs";
import { until } from "../lib/until.mjs";
import { newAddress, newPassword } from "../lib/world.mjs";

test("a refresh shows the same step and sends nothing again", () =>
  inBrowser(async (page) => {
    const address = newAddress();
    await enter(page, "request-account");
    const code = await giveAddressForCode(page, address);
    await page.reload();
    await page.locator("#code").waitFor();
    assert.equal((await messagesTo(address)).length, 1);
    await giveCode(page, code);
    await page.getByLabel(/business name/i).waitFor();
    await page.reload();
    await fill(page, supplierAnswers);
    await submit(page);
    const { oid } = await claimsAtApp(page);
    await page.reload();
    assert.equal((await claimsAtApp(page)).oid, oid);
  }));

test("the back button leads to where the journey is", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    const code = await giveAddressForCode(page, newAddress());
    await giveCode(page, code);
    await page.getByLabel(/business name/i).waitFor();
    await page.goBack();
    const shown = await page.request.get(page.url());
    assert.ok(shown.status() < 500);
    await page.reload();
    await fill(page, supplierAnswers);
    await submit(page);
    await claimsAtApp(page);
  }));

test("going back after the end creates no second account", () =>
  inBrowser(async (page) => {
    const person = { address: newAddress(), password: newPassword() };
    await enter(page, "shop-sign-up");
    await giveCode(page, await giveAddressForCode(page, person.address));
    await page.locator("#password").fill(person.password);
    await fill(page, customerAnswers);
    await agree(page);
    const attributesAt = page.url();
    await submit(page);
    const { oid } = await claimsAtApp(page);
    const again = await page.goto(attributesAt);
    assert.ok(!again || again.status() < 500, "an old page is no failure of the server");
    assert.equal(await page.locator('input[name="password"]').count(), 0, "the form is not offered again");
    await signInAgain(page, "/shop");
    assert.equal((await claimsAtApp(page)).oid, oid);
  }));

test("a double click sends a form once", () =>
  inBrowser(async (page) => {
    const address = newAddress();
    await enter(page, "request-account");
    await page.locator("#username").fill(address);
    await page.locator("#submit").dblclick();
    await page.locator("#code").waitFor();
    const [mail] = await until("the mail", async () => {
      const mails = await messagesTo(address);
      return mails.length > 0 && mails.slice(-1);
    });
    await giveCode(page, /\d{8}/.exec(mail.subject + mail.text)[0]);
    await fill(page, supplierAnswers);
    await page.locator("#submit").dblclick();
    await claimsAtApp(page);
    assert.equal((await messagesTo(address)).length, 1, "one mail was sent");
  }));

test("two answers at once are judged once", () =>
  inBrowser(async (page) => {
    const person = { address: newAddress(), password: newPassword() };
    await enter(page, "shop-sign-up");
    await giveCode(page, await giveAddressForCode(page, person.address));
    await page.locator("#password").fill(person.password);
    await fill(page, customerAnswers);
    await agree(page);
    const { action, fields } = await formAround(page, "#password");
    const post = () => page.request.post(action, { form: fields, maxRedirects: 0 });
    const replies = await Promise.all([post(), post(), post()]);
    for (const reply of replies) assert.ok(reply.status() < 500, `answered ${reply.status()}`);
    await page.reload();
    const { oid } = await claimsAtApp(page);
    await inBrowser(async (other) => {
      await enter(other, "shop-sign-in");
      await signInCustomer(other, person);
      assert.equal((await claimsAtApp(other)).oid, oid);
    });
  }));

test("two tabs are two journeys, and both arrive", () =>
  inBrowser(async (page) => {
    const tab = await page.context().newPage();
    await enter(page, "request-account");
    await enter(tab, "request-account");
    const address = newAddress();
    const code = await giveAddressForCode(page, address);
    await giveCode(page, code);
    await fill(page, supplierAnswers);
    await submit(page);
    await claimsAtApp(page);
    await tab.reload();
    const shown = await tab.request.get(tab.url());
    assert.ok(shown.status() < 500);
  }));

// FLOW-20, 4: a step is answered only when it is the one asked
test("a step cannot be skipped", () =>
  inBrowser(async (page) => {
    const person = { address: newAddress(), password: newPassword() };
    await enter(page, "shop-sign-up");
    await giveAddressForCode(page, person.address);
    const forged = { password: person.password, givenName: "Eve", surname: "Skip", city: "Nowhere", country: "DE" };
    await page.locator("form:has(#code)").evaluate((form, answers) => {
      form.noValidate = true;
      form.querySelector("#code").remove();
      for (const [name, value] of Object.entries(answers)) {
        const field = Object.assign(document.createElement("input"), { name, value });
        form.append(field);
      }
      form.querySelector("#submit").click();
    }, forged);
    await page.locator("#code").waitFor();
    await inBrowser(async (other) => {
      await enter(other, "shop-sign-in");
      await giveAddress(other, person.address);
      await other.locator("#password").fill(person.password);
      await submit(other);
      await other.locator('[role="alert"][data-error-code]').first().waitFor();
    });
  }));

test("a form without its own token is refused", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    await page.locator("#username").waitFor();
    const { action } = await formAround(page, "#username");
    const reply = await page.request.post(action, { form: { username: newAddress() }, maxRedirects: 0 });
    assert.ok(reply.status() >= 400 && reply.status() < 500, `answered ${reply.status()}`);
  }));
