// Customers of the external tenant: email with password, reset, existing addresses, terms.

import assert from "node:assert/strict";
import { test } from "node:test";
import { claimsAtApp, enter, isApp, signInAgain } from "../lib/app.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { codeFrom } from "../lib/inbox.mjs";
import {
  agree, customerAnswers, errorCode, fill, finish, giveAddress, giveAddressForCode, giveCode, givePassword,
  returnTo, signInAtFabrikam, signInCustomer, signUpCustomer, submit,
} from "../lib/pages.mjs";
import { until } from "../lib/until.mjs";
import { customers, fabrikam, newAddress, newPassword } from "../lib/world.mjs";

/** Signs a new customer up in a browser of their own. */
async function newCustomer() {
  const person = { address: newAddress(), password: newPassword() };
  person.claims = await inBrowser(async (page) => {
    await enter(page, "shop-sign-in");
    await signUpCustomer(page, person);
    return claimsAtApp(page);
  });
  return person;
}

// FLOW-21, DIR-02, T-30
test("a customer signs up with a password and comes back with it, asked nothing again", async () => {
  const person = await newCustomer();
  assert.equal(person.claims.email ?? person.claims.preferred_username, person.address);
  assert.equal(person.claims.tid, customers.id);
  const again = await inBrowser(async (page) => {
    await enter(page, "shop-sign-in");
    await signInCustomer(page, person);
    return claimsAtApp(page);
  });
  assert.equal(again.oid, person.claims.oid);
});

// 5.2 prompt=create, R42
test("the app's own sign-up button begins at sign-up", () =>
  inBrowser(async (page) => {
    const address = newAddress();
    await enter(page, "shop-sign-up");
    const code = await giveAddressForCode(page, address);
    await giveCode(page, code);
    await page.getByLabel(/given name|first name/i).waitFor();
  }));

// FLOW-23
test("a customer signs up with a Fabrikam account", async () => {
  const user = fabrikam.users[1] ?? fabrikam.users[0];
  const visit = (first) =>
    inBrowser(async (page) => {
      await enter(page, "shop-sign-in");
      await page.locator("#idp-fabrikam").click();
      await signInAtFabrikam(page, user);
      if (first) {
        await returnTo(page, customers);
        await fill(page, { City: customerAnswers.City, Country: customerAnswers.Country });
        await agree(page);
        await submit(page);
      }
      return claimsAtApp(page);
    });
  const claims = await visit(true);
  assert.equal(claims.email, user.email);
  assert.equal((await visit(false)).oid, claims.oid);
});

// FLOW-25
test("a forgotten password is replaced with a code to the mailbox", async () => {
  const person = await newCustomer();
  const renewed = newPassword();
  await inBrowser(async (page) => {
    await enter(page, "shop-sign-in");
    await giveAddress(page, person.address);
    await page.locator("#password").waitFor();
    const code = await codeFrom(person.address, async () => {
      await page.locator("#forgot-password").click();
      await until("the code page", async () => {
        if (await page.locator("#code").isVisible()) return true;
        // The address is known already; it may be asked to be confirmed.
        if (await page.locator("#username").isVisible()) await submit(page);
        return false;
      });
    });
    await giveCode(page, code);
    await givePassword(page, renewed);
    assert.equal((await claimsAtApp(page)).oid, person.claims.oid, "the reset signs in");
  });
  await inBrowser(async (page) => {
    await enter(page, "shop-sign-in");
    await signInCustomer(page, person);
    assert.ok(await errorCode(page), "the old password is refused");
    await givePassword(page, renewed);
    await claimsAtApp(page);
  });
});

// FLOW-27
test("who does not stay signed in has a session all the same until the browser closes", () =>
  inBrowser(async (page) => {
    const person = { address: newAddress(), password: newPassword() };
    await enter(page, "shop-sign-up");
    await page.locator("#username").waitFor();
    const code = await giveAddressForCode(page, person.address);
    await giveCode(page, code);
    await page.locator("#password").fill(person.password);
    await fill(page, customerAnswers);
    await agree(page);
    await submit(page);
    await page.locator("#no").click();
    await finish(page, isApp);
    const [session] = (await page.context().cookies()).filter(({ name }) => name.endsWith(`vestibule-session-${customers.id.slice(0, 8)}`));
    assert.equal(session.expires, -1, "the cookie ends with the browser");
    assert.equal(session.httpOnly, true);
    await signInAgain(page, "/shop");
    await page.waitForURL(isApp);
    await claimsAtApp(page);
  }));

// T-24, EXIST-01, EXIST-02
test("who signs up with an address that has an account proves the mailbox first and then signs in", async () => {
  const person = await newCustomer();
  await inBrowser(async (page) => {
    await enter(page, "shop-sign-up");
    const code = await giveAddressForCode(page, person.address);
    await giveCode(page, code);
    await page.getByText(/already have an account/i).first().waitFor();
    await submit(page);
    if (await page.locator("#password").isVisible().catch(() => false)) await givePassword(page, person.password);
    assert.equal((await claimsAtApp(page)).oid, person.claims.oid, "no second account was made");
  });
});

// T-24, EXIST-02: what a stranger can learn
test("a stranger sees the same pages for an address with an account and for one without", async () => {
  const { address } = await newCustomer();
  const signUpSeen = (typed) =>
    inBrowser(async (page) => {
      await enter(page, "shop-sign-up");
      await giveAddressForCode(page, typed);
      return seen(page, typed);
    });
  assert.deepEqual(await signUpSeen(address), await signUpSeen(newAddress()));

  const signInSeen = (typed) =>
    inBrowser(async (page) => {
      await enter(page, "shop-sign-in");
      await giveAddress(page, typed);
      await givePassword(page, "not the password at all");
      return { error: await errorCode(page), ...(await seen(page, typed)) };
    });
  assert.deepEqual(await signInSeen(address), await signInSeen(newAddress()));
});

/** What a page shows, but for the address itself and the seconds of a countdown. */
async function seen(page, typed) {
  const text = await page.locator("main").innerText();
  return { title: await page.title(), text: text.replaceAll(typed, "{address}").replace(/\b\d+\b/g, "{n}") };
}

// T-25
test("without the terms ticked nobody goes on, and their links are links", () =>
  inBrowser(async (page) => {
    const person = { address: newAddress(), password: newPassword() };
    await enter(page, "shop-sign-up");
    await giveCode(page, await giveAddressForCode(page, person.address));
    await page.locator("#password").fill(person.password);
    await fill(page, customerAnswers);
    const box = page.locator('input[type="checkbox"][required]').first();
    const label = page.locator(`label[for="${await box.getAttribute("id")}"]`);
    assert.ok((await label.locator("a[href]").count()) >= 1, "the terms can be read");
    assert.equal(await label.locator("strong, em, code, h1, h2, ul, img, script").count(), 0, "no other Markdown is rendered");
    await page.locator("form").first().evaluate((form) => (form.noValidate = true));
    await submit(page);
    assert.ok(await errorCode(page));
    assert.equal(await page.getByLabel(/^\s*city/i).first().inputValue(), customerAnswers.City, "what was typed stays");
    assert.equal(await page.locator("#password").inputValue(), "", "a secret does not");
    await page.locator("#password").fill(person.password);
    await agree(page);
    await submit(page);
    await claimsAtApp(page);
  }));

// NIST rules: 7, PWD
for (const [why, password] of [
  ["too short", "short"],
  ["on the list of common ones", "password123"],
  ["made of the tenant's own name", "Woodgrove1"],
]) {
  test(`a password that is ${why} is refused with words`, () =>
    inBrowser(async (page) => {
      await enter(page, "shop-sign-up");
      await giveCode(page, await giveAddressForCode(page, newAddress()));
      await page.locator("form").first().evaluate((form) => (form.noValidate = true));
      await page.locator("#password").fill(password);
      await fill(page, customerAnswers);
      await agree(page);
      await submit(page);
      assert.ok(await errorCode(page));
      assert.equal(await page.locator("#password").getAttribute("aria-invalid"), "true");
    }));
}
