// A flow of three pages: forth and back, and at each of its steps whatever browsers and their users do.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { authorization, decode, json, postToken } from "../lib/oauth.mjs";
import { assertReadable, errorCode, fill, finish, giveAddressForCode, giveCode, submit } from "../lib/pages.mjs";
import { apply, publish, redirectUri, tenantOf } from "../lib/tenant.mjs";
import { until } from "../lib/until.mjs";
import { newAddress, newPassword } from "../lib/world.mjs";

let app;
let tenant;

const kinds = [{ label: "For myself", value: "private" }, { label: "For a business", value: "business" }];
const views = [
  { title: "Who are you?", inputs: [{ attribute: "displayName", label: "Your name", required: true }, { attribute: "kind", label: "Account", inputType: "radioSingleSelect", options: kinds, required: true }] },
  { title: "Your business", when: { answer: { attribute: "kind", is: ["business"] } }, inputs: [{ attribute: "company", label: "Business name", required: true }] },
  { title: "Where are you?", inputs: [{ attribute: "city", label: "City", required: true }] },
];

before(async () => {
  app = await listen({ port: 3001 });
  tenant = tenantOf("external", {
    flow: { identityProviders: ["EmailPassword-OAUTH"], attributeCollection: { views } },
    userFlowAttributes: ["kind", "company"].map((displayName) => ({ displayName, dataType: "string" })),
  });
  tenant.document.applications[0].tokenClaims = ["kind", "company", "city"].map((attribute) => ({ attribute, name: attribute }));
  await publish(tenant);
});
after(() => app.close());

/** From the app to the first page of questions. */
async function begin(page, address = newAddress()) {
  const request = authorization(tenant, { client_id: tenant.appId, redirect_uri: redirectUri, prompt: "create" });
  await page.goto(request.url);
  await giveCode(page, await giveAddressForCode(page, address));
  await heading(page, "Who are you?");
  return request;
}

const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();
const back = (page) => page.locator("#back").click();

const steps = [
  { name: "Who are you?", of: "Step 1 of", answer: async (page) => { await fill(page, { "Your name": "Ada" }); await page.getByLabel("For a business").check(); } },
  { name: "Your business", of: "Step 2 of 4", answer: (page) => fill(page, { "Business name": "Acme" }) },
  { name: "Where are you?", of: "Step 3 of 4", answer: (page) => fill(page, { City: "Bath" }) },
  { name: "One last thing", of: "Step 4 of 4", answer: async (page) => page.locator("#password").fill(newPassword()) },
];

async function claims(page, request) {
  await finish(page, (url) => url.origin === app.origin);
  const { url } = await app.next();
  const tokens = await json(await postToken(tenant, {
    grant_type: "authorization_code", client_id: tenant.appId, redirect_uri: redirectUri,
    code: url.searchParams.get("code"), code_verifier: request.verifier,
  }), 200);
  return decode(tokens.id_token).payload;
}

/** Goes through the pages; `disturb` does something at each before it is answered. */
async function walk(page, disturb) {
  const request = await begin(page);
  for (const [at, step] of steps.entries()) {
    await heading(page, step.name);
    await page.getByText(step.of).waitFor();
    await disturb?.(page, step, at);
    await heading(page, step.name);
    await step.answer(page);
    await submit(page);
  }
  const { name, kind, company, city } = await claims(page, request);
  assert.deepEqual({ name, kind, company, city }, { name: "Ada", kind: "business", company: "Acme", city: "Bath" });
}

test("a flow of three pages is gone through, each page readable", () => inBrowser((page) => walk(page, assertReadable)));

test("a refresh at each page shows the same page", () => inBrowser((page) => walk(page, async () => page.reload())));

test("the browser's back button at each page leads to where the journey is", () =>
  inBrowser((page) => walk(page, async () => {
    const here = page.url();
    await page.goBack().catch(() => {});
    await page.goto(here);
  })));

test("a double click at each page sends it once", () =>
  inBrowser(async (page) => {
    const request = await begin(page);
    for (const step of steps) {
      await heading(page, step.name);
      await step.answer(page);
      await page.locator("#submit").dblclick();
    }
    assert.equal((await claims(page, request)).company, "Acme");
  }));

test("a second tab at each page answers for both, and the first one does no harm", () =>
  inBrowser(async (page) => {
    const request = await begin(page);
    for (const step of steps) {
      await heading(page, step.name);
      const other = await page.context().newPage();
      await other.goto(page.url());
      await heading(other, step.name);
      await step.answer(other);
      if (step === steps.at(-1)) {
        await other.close();
        break;
      }
      await submit(other);
      await other.locator("#back").waitFor();
      await other.close();
      // The old page is answered once more: it shows where the journey is, and changes nothing.
      await step.answer(page);
      await submit(page);
    }
    await heading(page, "One last thing");
    await steps[3].answer(page);
    await submit(page);
    assert.equal((await claims(page, request)).city, "Bath");
  }));

test("an expired page at each step is answered by nobody", () =>
  inBrowser(async (page) => {
    for (const last of steps.keys()) {
      await begin(page);
      for (const step of steps.slice(0, last)) {
        await step.answer(page);
        await submit(page);
      }
      await heading(page, steps[last].name);
      // What an old tab says: the form of a state that is long over.
      await page.locator('input[name="step"]').evaluate((input) => (input.value = input.value.replace(/\d+$/, "1")));
      await steps[last].answer(page);
      await submit(page);
      await heading(page, steps[last].name);
      // And what a browser says that has lost its cookie.
      await steps[last].answer(page);
      await page.context().clearCookies();
      const [answer] = await Promise.all([page.waitForResponse((r) => r.request().method() === "POST"), submit(page)]);
      assert.ok(answer.status() >= 400 && answer.status() < 500, `status ${answer.status()}`);
      assert.ok(await errorCode(page));
    }
  }));

test("the way back loses nothing, and another answer changes what is asked", () =>
  inBrowser(async (page) => {
    const request = await begin(page);
    await steps[0].answer(page);
    await submit(page);
    await heading(page, "Your business");
    await fill(page, { "Business name": "Acme" });
    await back(page);
    await heading(page, "Who are you?");
    assert.equal(await page.getByLabel("Your name").inputValue(), "Ada");
    await submit(page);
    await heading(page, "Your business");
    assert.equal(await page.getByLabel("Business name").inputValue(), "Acme", "even what was not sent");
    await back(page);
    await page.getByLabel("For myself").check();
    await submit(page);
    await heading(page, "Where are you?");
    await page.getByText("Step 2 of 3").waitFor();
    await steps[2].answer(page);
    await submit(page);
    await steps[3].answer(page);
    await submit(page);
    const { kind, company } = await claims(page, request);
    assert.deepEqual([kind, company], ["private", undefined]);
  }));

// T-08, FLOW-10
test("who has an account is asked for what it lacks only when the flow says so", async () => {
  const own = tenantOf("external", { flow: { identityProviders: ["EmailOtpSignup-OAUTH"], attributeCollection: { inputs: [] } } });
  const [flow] = own.document.userFlows;
  own.document.applications[0].tokenClaims = [{ attribute: "city", name: "city" }];
  await publish(own);
  const address = newAddress();

  /** Signs in or up; says whether the page of missing answers came between, and what the token says. */
  const visit = (who, more) => inBrowser(async (page) => {
    const request = authorization(own, { client_id: own.appId, redirect_uri: redirectUri, ...more });
    await page.goto(request.url);
    await giveCode(page, await giveAddressForCode(page, who));
    const asks = page.locator("#city");
    await asks.or(page.locator("#no")).waitFor();
    const asked = await asks.isVisible();
    if (asked) {
      await assertReadable(page);
      await submit(page);
      assert.ok(await errorCode(page), "nobody goes on without an answer");
      await fill(page, { City: "Bath" });
      await submit(page);
    }
    await finish(page, (url) => url.origin === app.origin);
    const { url } = await app.next();
    const tokens = await json(await postToken(own, {
      grant_type: "authorization_code", client_id: own.appId, redirect_uri: redirectUri,
      code: url.searchParams.get("code"), code_verifier: request.verifier,
    }), 200);
    return { asked, city: decode(tokens.id_token).payload.city };
  });

  assert.deepEqual(await visit(address, { prompt: "create" }), { asked: false, city: undefined });
  const inputs = [{ attribute: "city", required: true }];
  flow.attributeCollection = { inputs };
  await apply(own);
  await until("newcomers to be asked", async () => (await visit(newAddress(), { prompt: "create" })).asked, { within: 20_000 });
  assert.deepEqual(await visit(address), { asked: false, city: undefined }, "as the original does it");

  flow.attributeCollection = { inputs, askMissingAtSignIn: true };
  await apply(own);
  await until("the flow to ask for it", async () => {
    const { asked, city } = await visit(address);
    assert.equal(city, asked ? "Bath" : undefined);
    return asked;
  }, { within: 20_000 });
  assert.deepEqual(await visit(address), { asked: false, city: "Bath" }, "once");
});
