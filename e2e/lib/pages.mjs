// The server's pages, by the names that their fields and buttons promise.

import assert from "node:assert/strict";
import { codeFrom } from "./inbox.mjs";
import { until } from "./until.mjs";

export const submit = (page) => page.locator("#submit").click();
export const cancel = (page) => page.locator("#cancel").click();

/** The answers that the supplier flow asks for, by label. */
export const supplierAnswers = {
  "Your name": "Ada Lovelace",
  "Business name": "Northwind Traders",
  "Business registration code": "HRB 12345",
  "Phone": "+49 30 1234567",
};

/** The answers that the customers' flow asks for, by label. */
export const customerAnswers = {
  "Given name|First name": "Ada",
  "Surname|Last name|Family name": "Lovelace",
  "City": "Berlin",
  "Country": "Germany",
};

/** Fills fields by their labels; a select takes the option with that text. */
export async function fill(page, answers) {
  for (const [label, value] of Object.entries(answers)) {
    const field = page.getByLabel(new RegExp(`^\\s*(${label})`, "i")).first();
    const tag = await field.evaluate((element) => element.tagName);
    if (tag === "SELECT") await field.selectOption({ label: value });
    else await field.fill(value);
  }
}

/** Enters the address on a first page and goes on. */
export async function giveAddress(page, address) {
  await page.locator("#username").fill(address);
  await submit(page);
}

/** Enters the address where that sends a code, and hands the code back with the page asking for it. */
export async function giveAddressForCode(page, address) {
  const code = await codeFrom(address, () => giveAddress(page, address));
  await page.locator("#code").waitFor();
  return code;
}

export async function giveCode(page, code) {
  await page.locator("#code").fill(code);
  await submit(page);
}

export async function givePassword(page, password) {
  await page.locator("#password").fill(password);
  await submit(page);
}

/** Ticks every required box, such as the terms. */
export async function agree(page) {
  for (const box of await page.locator('input[type="checkbox"][required]').all()) await box.check();
}

/** The code of the error that the page shows. */
export async function errorCode(page) {
  const block = page.locator('[role="alert"][data-error-code]').first();
  await block.waitFor();
  return block.getAttribute("data-error-code");
}

/** The form around a field, as another program could send it. */
export function formAround(page, field) {
  return page.locator(`form:has(${field})`).evaluate((form) => ({
    // Not `form.action`: the buttons of the form are called so.
    action: new URL(form.getAttribute("action") ?? "", document.location.href).href,
    fields: Object.fromEntries(new FormData(form)),
  }));
}

/** Every error of the page: its code and its words. */
export async function errors(page) {
  await page.locator('[role="alert"]').first().waitFor();
  return page
    .locator('[role="alert"]')
    .evaluateAll((blocks) => blocks.map((block) => ({ code: block.dataset.errorCode, text: block.textContent.trim() })));
}

/**
 * Answers "Stay signed in?" if it is asked, until the browser is back at the app.
 * @param {(url: URL) => boolean | Promise<boolean>} arrived
 */
export async function finish(page, arrived, { stay = true } = {}) {
  const question = page.locator("#no");
  await until(`the way back to the app, not ${page.url()}`, async () => {
    if (await arrived(new URL(page.url()))) return true;
    if (await question.isVisible().catch(() => false)) {
      // The page may be on its way already when the click arrives.
      await (stay ? page.locator("#submit") : question).click({ timeout: 2_000 }).catch(() => {});
    }
    return false;
  });
  await page.waitForLoadState();
}

/** Signs in at the Fabrikam tenant, wherever its pages ask. */
export async function signInAtFabrikam(page, user) {
  await giveAddress(page, user.email);
  await givePassword(page, user.password);
}

/** Answers whatever the provider still asks, until the browser is back at the tenant that sent it there. */
export async function returnTo(page, tenant) {
  await finish(page, (url) => url.pathname.startsWith(`/${tenant.id}/`));
}

/** From the sign-in page of the customers' flow to a new account's last step. */
export async function signUpCustomer(page, { address, password, answers = customerAnswers }) {
  await page.locator("#sign-up").click();
  const code = await giveAddressForCode(page, address);
  await giveCode(page, code);
  await page.locator("#password").fill(password);
  await fill(page, answers);
  await agree(page);
  await submit(page);
}

/** Signs a customer in who has an account. */
export async function signInCustomer(page, { address, password }) {
  await giveAddress(page, address);
  await givePassword(page, password);
}

/** From a sign-in page of the supplier flow to a new guest's last step, with a code. */
export async function signUpSupplier(page, { address, answers = supplierAnswers }) {
  const code = await giveAddressForCode(page, address);
  await giveCode(page, code);
  await fill(page, answers);
  await submit(page);
}

/** A page's own promises to its readers, checked wherever a test comes by. */
export async function assertReadable(page) {
  const found = await page.evaluate(() => {
    const shown = (element) => element.offsetParent !== null && element.type !== "hidden";
    const fields = [...document.querySelectorAll("input, select, textarea")].filter(shown);
    return {
      title: document.title,
      language: document.documentElement.lang,
      headings: document.querySelectorAll("h1").length,
      unlabelled: fields.filter((field) => !field.labels?.length && !field.ariaLabel).map((field) => field.name),
      doubled: [...document.querySelectorAll("[id]")].map((one) => one.id).filter((id, at, all) => all.indexOf(id) !== at),
      wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    };
  });
  assert.notEqual(found.title, "", "the page has a title");
  assert.notEqual(found.language, "", "the page names its language");
  assert.equal(found.headings, 1, "the page has one first heading");
  assert.deepEqual(found.unlabelled, [], "every field has a label");
  assert.deepEqual(found.doubled, [], "no id occurs twice");
  assert.equal(found.wide, false, "nothing has to be scrolled sideways");
}
