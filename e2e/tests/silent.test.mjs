// Single-page apps on the server's own site: hidden frames get the session there, as they do in every browser.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, test } from "node:test";
import { listen } from "../lib/callback.mjs";
import { inBrowser } from "../lib/chromium.mjs";
import { authorization, decode, json, postToken } from "../lib/oauth.mjs";
import { finish, giveAddressForCode, giveCode } from "../lib/pages.mjs";
import { serveApp } from "../lib/spa.mjs";
import { publish, redirectUri, tenantOf } from "../lib/tenant.mjs";
import { until } from "../lib/until.mjs";
import { demo, nameOf, newAddress } from "../lib/world.mjs";

const { https } = demo.origins;
const home = "https://localhost:3003/";
const scopes = ["openid", "profile", "email", "offline_access"];
const clientId = randomUUID();
/** An app that hears by a frame of everybody who signed out, and one that does not. */
const [desk, lamp] = [randomUUID(), randomUUID()];
const told = new URL("/frontchannel-logout", redirectUri).href;
let tenant;
let authority;

before(async () => {
  const installed = { publicClient: { redirectUris: [redirectUri] } };
  tenant = tenantOf("external", {
    flow: { identityProviders: ["EmailOtpSignup-OAUTH"], applications: ["Portal", "Desk", "Lamp"] },
    applications: [
      { displayName: "Portal", appId: clientId, spa: { redirectUris: [home] } },
      { displayName: "Desk", appId: desk, ...installed, web: { logoutUrl: told } },
      { displayName: "Lamp", appId: lamp, ...installed },
    ],
  });
  await publish(tenant);
  authority = `${https}/${nameOf.get(tenant)}`;
});

/** Signs up on the server's pages. */
async function signUp(page) {
  await page.waitForURL((url) => url.origin === https);
  await page.locator("#sign-up").click();
  await giveCode(page, await giveAddressForCode(page, newAddress()));
  await finish(page, (url) => url.origin !== https);
}

/** Opens the app and waits for its library. */
async function open(page) {
  await page.goto(home);
  await page.waitForFunction(() => window.client !== undefined);
}

/** What a server showed in frames. */
function framed(page, origin = https) {
  const shown = [];
  page.on("response", (reply) => {
    const request = reply.request();
    if (reply.url().startsWith(origin) && request.isNavigationRequest() && request.frame().parentFrame()) shown.push(reply.status());
  });
  return shown;
}

for (const version of [3, 4, 5]) {
  // R37, R41
  test(`msal-browser ${version} signs in and out without leaving the page`, async () => {
    const bridge = version === 5 ? ["msal-browser-5/lib/redirect-bridge/msal-redirect-bridge.min.js"] : [];
    const served = await serveApp({
      port: 3003,
      tls: true,
      scripts: [`msal-browser-${version}/lib/msal-browser.min.js`, ...bridge],
      inline: `
        if (window.opener || window.parent !== window) {
          await window.msalRedirectBridge?.broadcastResponseToMainFrame();
        } else {
          const client = new msal.PublicClientApplication({
            auth: {
              clientId: ${JSON.stringify(clientId)}, authority: ${JSON.stringify(authority)},
              knownAuthorities: [${JSON.stringify(new URL(https).host)}],
              redirectUri: ${JSON.stringify(home)}, postLogoutRedirectUri: ${JSON.stringify(home)},
            },
          });
          await client.initialize();
          await client.handleRedirectPromise();
          window.client = client;
        }`,
    });
    const silent = async (page) =>
      page.evaluate(async (scopes) => {
        const began = performance.now();
        const answer = await window.client.ssoSilent({ scopes }).catch((error) => error);
        return {
          account: answer.account?.homeAccountId, token: answer.accessToken, code: answer.errorCode, took: performance.now() - began,
        };
      }, scopes);
    try {
      await inBrowser(async (page) => {
        const shown = framed(page);
        await open(page);
        const stranger = await silent(page);
        assert.equal(stranger.code, "login_required");
        assert.ok(stranger.took < 2_000, `${stranger.took} ms`);

        await page.evaluate((scopes) => void window.client.loginRedirect({ scopes }), scopes);
        await signUp(page);
        await page.waitForFunction(() => window.client?.getAllAccounts().length === 1);
        const signedIn = await page.evaluate(() => window.client.getAllAccounts()[0].homeAccountId);

        // Another tab has no tokens, and gets some by the session.
        const tab = await page.context().newPage();
        const shownThere = framed(tab);
        await open(tab);
        assert.deepEqual(await tab.evaluate(() => window.client.getAllAccounts()), []);
        const known = await silent(tab);
        assert.equal(known.account, signedIn, known.code);
        assert.ok(known.token);

        const opened = tab.waitForEvent("popup");
        const leaving = tab.evaluate(() => window.client.logoutPopup({ account: window.client.getAllAccounts()[0] }));
        const popup = await opened;
        await leaving;
        await until("the window to close", () => popup.isClosed());
        assert.equal((await silent(tab)).code, "login_required");
        assert.deepEqual(new Set([...shown, ...shownThere]), new Set([302]), "nothing was ever shown in a frame");
      });
    } finally {
      await served.close();
    }
  });
}

/** A page with oidc-client-ts, as `window.client`: some more settings, and what it does before it signs in. */
function serveOidcClient(settings, before = "") {
  return serveApp({
    port: 3003,
    tls: true,
    scripts: ["oidc-client-ts/dist/browser/oidc-client-ts.min.js"],
    inline: `
      const client = new oidc.UserManager({
        authority: ${JSON.stringify(`${authority}/v2.0`)}, client_id: ${JSON.stringify(clientId)},
        redirect_uri: ${JSON.stringify(home)}, scope: "openid profile email", ${settings},
      });
      if (window.parent !== window) await client.signinSilentCallback();
      else {${before}
        if (location.search.includes("code=")) await client.signinRedirectCallback();
        window.client = client;
      }`,
  });
}

// R75: the renewal by a frame, and the end of the tokens
test("oidc-client-ts renews by a frame without a refresh token, and revokes", async () => {
  const served = await serveOidcClient("loadUserInfo: true");
  try {
    await inBrowser(async (page) => {
      const shown = framed(page);
      await open(page);
      await page.evaluate(() => void window.client.signinRedirect());
      await signUp(page);
      await page.waitForFunction(() => window.client !== undefined);
      const [before, after] = await page.evaluate(async () => {
        const before = await window.client.getUser();
        const after = await window.client.signinSilent();
        return [before, after];
      });
      assert.equal(before.refresh_token, undefined);
      assert.notEqual(after.access_token, before.access_token);
      assert.equal(after.profile.sub, before.profile.sub);
      assert.deepEqual(new Set(shown), new Set([302]));

      await page.evaluate(() => window.client.revokeTokens(["access_token"]));
      const status = await page.evaluate(async ({ authority, token }) => {
        const discovery = await (await fetch(`${authority}/v2.0/.well-known/openid-configuration`)).json();
        return (await fetch(discovery.userinfo_endpoint, { headers: { authorization: `Bearer ${token}` } })).status;
      }, { authority, token: after.access_token });
      assert.equal(status, 401);
    });
  } finally {
    await served.close();
  }
});

// OpenID Connect Session Management 1.0
test("oidc-client-ts watches the session, and tells its app when somebody signs out in another tab", async () => {
  const served = await serveOidcClient(
    "monitorSession: window.parent === window, checkSessionIntervalInSeconds: 0.1",
    `
        window.heard = [];
        client.events.addUserSignedOut(() => window.heard.push("signed out"));
        client.events.addUserSessionChanged(() => window.heard.push("changed"));
        addEventListener("message", ({ data }) => typeof data === "string" && window.heard.push(data));`,
  );
  const heard = (page) => page.evaluate(() => window.heard);
  try {
    await inBrowser(async (page) => {
      await open(page);
      await page.evaluate(() => void window.client.signinRedirect());
      await signUp(page);
      await page.waitForFunction(() => window.heard?.length > 1);
      assert.deepEqual(new Set(await heard(page)), new Set(["unchanged"]), "the frame knows the session");
      const { id_token: hint } = await page.evaluate(() => window.client.getUser());

      const tab = await page.context().newPage();
      await tab.goto(`${authority}/oauth2/v2.0/logout?${new URLSearchParams({ id_token_hint: hint })}`);
      await tab.getByRole("heading", { name: /signed out/i }).waitFor();
      await page.waitForFunction(() => window.heard.includes("signed out"));
      assert.deepEqual([...new Set(await heard(page))], ["unchanged", "changed", "signed out"]);
    });
  } finally {
    await served.close();
  }
});

// OpenID Connect Front-Channel Logout 1.0
test("whoever signs out of one app is signed out of another by a frame, under the page's own policy", async () => {
  const app = await listen({ port: 3001 });
  try {
    await inBrowser(async (page) => {
      const signIn = async (id) => {
        const request = authorization(tenant, { origin: https, client_id: id, redirect_uri: redirectUri });
        await page.goto(request.url);
        if (new URL(page.url()).origin === https) await signUp(page);
        const { url } = await app.next();
        const redemption = {
          grant_type: "authorization_code", client_id: id, redirect_uri: redirectUri,
          code: url.searchParams.get("code"), code_verifier: request.verifier,
        };
        return (await json(await postToken(tenant, redemption, { origin: https }), 200)).id_token;
      };
      const shown = framed(page, app.origin);
      const there = decode(await signIn(desk)).payload;
      const hint = await signIn(lamp);
      const policies = [];
      page.on("response", async (reply) => {
        if (reply.url().startsWith(`${authority}/oauth2/v2.0/logout`)) policies.push(reply.headers()["content-security-policy"]);
      });
      const leaving = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: redirectUri, state: "left" });
      await page.goto(`${authority}/oauth2/v2.0/logout?${leaving}`);

      const { url } = await app.next();
      assert.equal(`${url.origin}${url.pathname}`, told);
      assert.deepEqual(Object.fromEntries(url.searchParams), { iss: there.iss, sid: there.sid });
      assert.deepEqual(shown, [200]);
      assert.equal(policies.length, 1);
      assert.ok(policies[0].includes(`frame-src 'self' ${app.origin};`), policies[0]);
      // The page goes on when the frame has loaded.
      const back = (await app.next()).url;
      assert.equal(back.href, `${redirectUri}?state=left`);
    });
  } finally {
    await app.close();
  }
});
