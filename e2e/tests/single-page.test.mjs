// Single-page apps with the libraries that they use, in Chromium, over the development authority's TLS.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inBrowser } from "../lib/chromium.mjs";
import { stranger } from "../lib/customer.mjs";
import { finish, signInCustomer, signUpCustomer } from "../lib/pages.mjs";
import { serveApp } from "../lib/spa.mjs";
import { until } from "../lib/until.mjs";
import { customers, demo, nameOf } from "../lib/world.mjs";

const { https } = demo.origins;
const { clientId } = customers.apps.spa;
const authority = `${https}/${nameOf.get(customers)}`;
const home = "http://localhost:3001/";
const scopes = ["openid", "profile", "offline_access"];

/** Signs in or up on the server's pages until the browser is back at the app. */
async function throughPages(page, person) {
  await page.waitForURL((url) => url.origin === https);
  if (person.known) await signInCustomer(page, person);
  else await signUpCustomer(page, person);
  await finish(page, (url) => url.origin !== https);
  person.known = true;
}

for (const version of [3, 4, 5]) {
  const bridge = version === 5 ? ["msal-browser-5/lib/redirect-bridge/msal-redirect-bridge.min.js"] : [];
  const app = {
    port: 3001,
    scripts: [`msal-browser-${version}/lib/msal-browser.min.js`, ...bridge],
    inline: `
      if (window.opener || window.parent !== window) {
        await window.msalRedirectBridge?.broadcastResponseToMainFrame();
      } else {
        const pca = new msal.PublicClientApplication({
          auth: {
            clientId: ${JSON.stringify(clientId)}, authority: ${JSON.stringify(authority)},
            knownAuthorities: [${JSON.stringify(new URL(https).host)}],
            redirectUri: ${JSON.stringify(home)}, postLogoutRedirectUri: ${JSON.stringify(home)},
          },
          cache: { cacheLocation: "sessionStorage" },
        });
        await pca.initialize();
        window.returned = await pca.handleRedirectPromise();
        window.pca = pca;
      }`,
  };

  test(`msal-browser ${version}`, async (t) => {
    const served = await serveApp(app);
    const person = stranger();
    try {
      await t.test("loginRedirect, renewal, popup and sign-out", () =>
        inBrowser(async (page) => {
          const preflights = [];
          page.on("request", (request) => request.method() === "OPTIONS" && preflights.push(request.url()));
          await open(page);
          // R35
          await page.evaluate((scopes) => void window.pca.loginRedirect({ scopes }), scopes);
          await throughPages(page, person);
          await ready(page);
          const first = await page.evaluate(() => ({
            home: window.returned.account.homeAccountId, claims: window.returned.idTokenClaims, token: window.returned.accessToken,
          }));
          assert.equal(first.home, `${first.claims.oid}.${first.claims.tid}`);
          // R38: the account's token again, from the cache and anew, without a preflight
          const renewed = await page.evaluate(async (scopes) => {
            const account = window.pca.getAllAccounts()[0];
            const cached = await window.pca.acquireTokenSilent({ scopes, account });
            const fresh = await window.pca.acquireTokenSilent({ scopes, account, forceRefresh: true });
            return { cached: cached.fromCache, fresh: fresh.fromCache, token: fresh.accessToken };
          }, scopes);
          assert.deepEqual([renewed.cached, renewed.fresh], [true, false]);
          assert.notEqual(renewed.token, first.token);
          assert.deepEqual(preflights, []);
          // R36: a popup that the session answers
          await page.evaluate(() => sessionStorage.clear());
          await open(page);
          const popup = await page.evaluate(async (scopes) => {
            const result = await window.pca.loginPopup({ scopes });
            return result.account.homeAccountId;
          }, scopes);
          assert.equal(popup, first.home);
          // R41
          await page.evaluate(() => void window.pca.logoutRedirect({ account: window.pca.getAllAccounts()[0] }));
          await page.waitForURL((url) => url.href.startsWith(home));
          await ready(page);
          // R37, without a session; with one see silent.test.mjs, because this browser keeps cookies from frames of other sites
          const after = await page.evaluate(async (scopes) => {
            const began = performance.now();
            const error = await window.pca.ssoSilent({ scopes }).catch((error) => error);
            return { code: error.errorCode, kind: error.name, took: performance.now() - began };
          }, scopes);
          assert.deepEqual([after.code, after.kind], ["login_required", "InteractionRequiredAuthError"]);
        }));

      // R36
      await t.test("loginPopup through the pages", () =>
        inBrowser(async (page) => {
          await open(page);
          const opened = page.waitForEvent("popup");
          const signedIn = page.evaluate(async (scopes) => {
            const result = await window.pca.loginPopup({ scopes });
            return result.account.username;
          }, scopes);
          const popup = await opened;
          await popup.waitForURL((url) => url.origin === https);
          await signInCustomer(popup, person);
          await finishPopup(popup);
          assert.equal(await signedIn, person.address);
        }));

      // R39, R48, S29, S74: the library sends once more what it heard no answer to
      if (version === 5) {
        await t.test("a renewal whose reply is lost is asked for again, and a login begins anew", () =>
          inBrowser(async (page) => {
            await open(page);
            await page.evaluate((scopes) => void window.pca.loginRedirect({ scopes }), scopes);
            await throughPages(page, person);
            await ready(page);
            const sent = [];
            let lost = 1;
            await page.route(/\/oauth2\/v2\.0\/token\b/, async (route) => {
              const reply = await route.fetch();
              sent.push({ status: reply.status(), body: route.request().postData() });
              if (lost-- > 0) await route.abort("connectionreset");
              else await route.fulfill({ response: reply });
            });
            const renew = () =>
              page.evaluate(async (scopes) => {
                const account = window.pca.getAllAccounts()[0];
                return (await window.pca.acquireTokenSilent({ scopes, account, forceRefresh: true })).accessToken;
              }, scopes);
            const [afterLoss, later] = [await renew(), await renew()];
            assert.notEqual(later, afterLoss);
            assert.deepEqual(sent.map(({ status }) => status), [200, 200, 200]);
            assert.equal(sent[1].body, sent[0].body, "the same request, to the byte");
            assert.notEqual(sent[2].body, sent[0].body);

            // A code counts once, whoever lost the answer; the next attempt asks nobody anything.
            lost = 1;
            const login = () =>
              page.evaluate(async (scopes) => {
                const answer = await window.pca.loginPopup({ scopes }).catch((error) => error);
                return answer.account?.username ?? [answer.errorCode, Number(answer.errorNo)];
              }, scopes);
            assert.deepEqual(await login(), ["invalid_grant", 54005]);
            assert.equal(await login(), person.address);
          }));
      }
    } finally {
      await served.close();
    }
  });
}

/** Answers “Stay signed in?” where it is asked; the popup closes by itself. */
async function finishPopup(popup) {
  await until("the popup to close", async () => {
    if (popup.isClosed()) return true;
    await popup.locator("#no").click({ timeout: 500 }).catch(() => {});
    return popup.isClosed();
  });
}

async function open(page) {
  await page.goto(home);
  await ready(page);
}

const ready = (page) => page.waitForFunction(() => window.pca !== undefined);

// R75
test("oidc-client-ts signs in, renews, asks userinfo and signs out with state", async () => {
  const served = await serveApp({
    port: 3002,
    scripts: ["oidc-client-ts/dist/browser/oidc-client-ts.min.js"],
    inline: `
      const manager = new oidc.UserManager({
        authority: ${JSON.stringify(`${authority}/v2.0`)}, client_id: ${JSON.stringify(clientId)},
        redirect_uri: "http://localhost:3002/", post_logout_redirect_uri: "http://localhost:3002/",
        scope: "openid profile email offline_access", loadUserInfo: true, monitorSession: false,
      });
      if (window.parent !== window) await manager.signinSilentCallback();
      else {
        if (location.search.includes("code=")) window.user = await manager.signinRedirectCallback();
        else if (location.search.includes("state=")) window.signedOut = await manager.signoutRedirectCallback();
        window.manager = manager;
      }`,
  });
  const person = stranger();
  const loaded = (page) => page.waitForFunction(() => window.manager !== undefined);
  try {
    await inBrowser(async (page) => {
      await page.goto("http://localhost:3002/");
      await loaded(page);
      await page.evaluate(() => void window.manager.signinRedirect({ state: "app state" }));
      await throughPages(page, person);
      await loaded(page);
      const user = await page.evaluate(() => ({ profile: window.user.profile, state: window.user.state }));
      assert.equal(user.state, "app state");
      assert.equal(user.profile.email, person.address);
      const renewed = await page.evaluate(async () => {
        const before = window.user.access_token;
        const byToken = await window.manager.signinSilent();
        return [before, byToken.access_token];
      });
      assert.equal(new Set(renewed).size, 2);
      await page.evaluate(() => void window.manager.signoutRedirect({ state: "bye" }));
      await page.waitForURL((url) => url.origin === "http://localhost:3002");
      await loaded(page);
      assert.equal(await page.evaluate(() => window.signedOut.userState), "bye");
    });
  } finally {
    await served.close();
  }
});

