// A tenant with an app for televisions, an API that it calls, and another one that this calls in its user's name.

import { randomUUID } from "node:crypto";
import { giveAddressForCode, giveCode } from "./pages.mjs";
import { publish, redirectUri, tenantOf } from "./tenant.mjs";

/** What `apply` puts into the file `provider-secret`. */
const secret = "the provider knows it";

/** Applies the tenant and waits until the server knows it. */
export async function deviceTenant() {
  const [television, shop, stock] = [randomUUID(), randomUUID(), randomUUID()];
  const api = (displayName, appId, value) => ({
    displayName, appId, identifierUris: [`api://${appId}`],
    api: { oauth2PermissionScopes: [{ value }] },
    passwordCredentials: [{ displayName: "test", secret: { file: "provider-secret" } }],
  });
  const tenant = tenantOf("external", {
    flow: { identityProviders: ["EmailPassword-OAUTH"], applications: ["Woodgrove TV"] },
    applications: [
      { displayName: "Woodgrove TV", appId: television, isFallbackPublicClient: true, publicClient: { redirectUris: [redirectUri] } },
      api("Shop", shop, "sell"),
      api("Stock", stock, "stock.read"),
    ],
  });
  await publish(tenant);
  return Object.assign(tenant, {
    television,
    shop: { clientId: shop, clientSecret: secret, scope: `api://${shop}/sell` },
    stock: { clientId: stock, scope: `api://${stock}/stock.read` },
  });
}

/** Opens the page of a device, types its code and signs up on the way. */
export async function signUpForDevice(page, uri, userCode, { address, password }) {
  await page.goto(uri);
  await page.locator("#user_code").fill(userCode);
  await page.locator("#submit").click();
  await page.locator("#sign-up").click();
  await giveCode(page, await giveAddressForCode(page, address));
  await page.locator("#password").fill(password);
  await page.locator("#submit").click();
  await page.locator("#no").click();
  await page.locator("#continue").waitFor();
}
