// The Woodgrove web app of the demo, as its visitors use it.

import assert from "node:assert/strict";
import { demo } from "./world.mjs";
import { finish } from "./pages.mjs";

const app = new URL(demo.origins.app);

export const isApp = (url) => url.origin === app.origin;

export async function openApp(page, path = "/") {
  await page.goto(new URL(path, app).href);
}

/** Starts at the app: `#request-account`, `#sign-in`, `#shop-sign-up`, `#shop-sign-in`, `#orders-sign-in`. */
export async function enter(page, id) {
  const path = id.startsWith("shop-") ? "/shop" : id.startsWith("orders-") ? "/orders" : "/";
  await openApp(page, path);
  await page.locator(`#${id}`).click();
}

/** Sends the browser to the server again, as an app does whose own session ended. */
export async function signInAgain(page, path) {
  await openApp(page, `${path}/sign-in`);
}

/** Finishes the journey and reads the ID token's claims that the app shows. */
export async function claimsAtApp(page) {
  await finish(page, isApp);
  await page.locator("#claims").waitFor();
  return page.locator("#claims").evaluate((list) => {
    const names = [...list.querySelectorAll("dt")];
    return Object.fromEntries(names.map((name) => [name.textContent.trim(), name.nextElementSibling.textContent.trim()]));
  });
}

/** Signs out of the app and of the server. */
export async function signOut(page) {
  await page.locator("#sign-out").click();
  await finish(page, isApp);
  assert.equal(await page.locator("#claims").count(), 0, "the app has forgotten the visitor");
}
