// One-time codes: few tries, the newest wins, one use, one browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { claimsAtApp, enter } from "../lib/app.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { codeFrom, otherCode } from "../lib/inbox.mjs";
import { errorCode, fill, formAround, giveAddressForCode, giveCode, submit, supplierAnswers } from "../lib/pages.mjs";
import { newAddress } from "../lib/world.mjs";

// T-22
test("after five wrong codes the right one is refused too, and a new one helps", () =>
  inBrowser(async (page) => {
    const address = newAddress();
    await enter(page, "request-account");
    const code = await giveAddressForCode(page, address);
    const told = [];
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      if (!(await page.locator("#code").isVisible())) break;
      await giveCode(page, otherCode(code));
      told.push(await errorCode(page));
    }
    if (await page.locator("#code").isVisible()) {
      await giveCode(page, code);
      told.push(await errorCode(page));
    }
    assert.ok(told.length >= 5, told.join());
    assert.notEqual(told.at(-1), told[0], "being out of tries is said in its own words");
    assert.equal(await page.getByLabel(/business name/i).count(), 0, "the journey did not go on");
    const renewed = await codeFrom(address, () => resend(page));
    await giveCode(page, renewed);
    await page.getByLabel(/business name/i).waitFor();
  }));

// T-22: superseded by resend
test("a code is worth nothing once a newer one was sent", () =>
  inBrowser(async (page) => {
    const address = newAddress();
    await enter(page, "request-account");
    const old = await giveAddressForCode(page, address);
    const newer = await codeFrom(address, () => resend(page));
    assert.notEqual(newer, old);
    await giveCode(page, old);
    assert.ok(await errorCode(page));
    await giveCode(page, newer);
    await page.getByLabel(/business name/i).waitFor();
  }));

// T-22: reused
test("a code that was used opens nothing a second time", async () => {
  const address = newAddress();
  const used = await inBrowser(async (page) => {
    await enter(page, "request-account");
    const code = await giveAddressForCode(page, address);
    await giveCode(page, code);
    await fill(page, supplierAnswers);
    await submit(page);
    await claimsAtApp(page);
    return code;
  });
  await inBrowser(async (page) => {
    await enter(page, "sign-in");
    const code = await giveAddressForCode(page, address);
    if (code === used) return;
    await giveCode(page, used);
    assert.ok(await errorCode(page));
  });
});

test("a code with spaces or a dash is understood", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    const code = await giveAddressForCode(page, newAddress());
    await giveCode(page, ` ${code.slice(0, 4)} - ${code.slice(4)} `);
    await page.getByLabel(/business name/i).waitFor();
  }));

// 4: a journey belongs to the browser that began it
test("a code is refused in another browser", () =>
  inBrowser(async (page) => {
    await enter(page, "request-account");
    const code = await giveAddressForCode(page, newAddress());
    const { action, fields } = await formAround(page, "#code");
    await inBrowser(async (other) => {
      const shown = await other.goto(page.url());
      assert.ok(shown.status() >= 400, `another browser got ${shown.status()}`);
      assert.equal(await other.locator("#code").count(), 0, "another browser is not asked for the code");
      const reply = await other.request.post(action, { form: { ...fields, code }, maxRedirects: 0 });
      assert.ok(reply.status() >= 400, `another browser's answer got ${reply.status()}`);
    });
    await giveCode(page, code);
    await page.getByLabel(/business name/i).waitFor();
  }));

/** Asks for a new code as soon as the server grants one. */
async function resend(page) {
  await page.locator("#resend:not(.waiting)").click({ timeout: 90_000 });
}
