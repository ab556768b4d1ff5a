// A customer of Woodgrove with an account and a browser, for tests of what comes after sign-in.

import { authorization, postToken, json } from "./oauth.mjs";
import { customers, newAddress, newPassword } from "./world.mjs";
import { finish, signInCustomer, signUpCustomer } from "./pages.mjs";

/** The redirect URI of the demo's web apps that is free for experiments. */
export const webRedirect = "http://localhost:3001/callback";

/** Opens an authorization request, signs in or up as asked, and hands back what the app receives. */
export async function authorizeAs(page, person, callback, request) {
  await page.goto(request.url);
  const arrived = (url) => url.origin === callback.origin;
  if (!arrived(new URL(page.url()))) {
    if (person.known) await signInCustomer(page, person);
    else await signUpCustomer(page, person);
  }
  await finish(page, arrived);
  person.known = true;
  const { url } = await callback.next();
  return url;
}

/** Somebody who has no account yet. */
export function stranger() {
  return { address: newAddress(), password: newPassword(), known: false };
}

/** Signs in at the customers' web app with a request made by hand, and redeems the code. */
export async function tokensFor(page, person, callback, { origin, tenant = customers, ...parameters } = {}) {
  const { clientId, clientSecret } = tenant.apps.web;
  const request = authorization(tenant, { origin, client_id: clientId, redirect_uri: webRedirect, ...parameters });
  const url = await authorizeAs(page, person, callback, request);
  const redemption = {
    grant_type: "authorization_code",
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uri: webRedirect,
    code: url.searchParams.get("code"),
    code_verifier: request.verifier,
    client_info: "1",
  };
  const tokens = await json(await postToken(tenant, redemption, { origin }), 200);
  return { request, redemption, tokens, url };
}
