// A real browser, one for each test file; a context of it is a person's own browser.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after } from "node:test";
import { chromium } from "playwright-core";
import { resolverRules } from "./lane.mjs";

/** The shell is the same engine without the windows, menus and services of a desktop's browser, which cost as much again. */
const installed = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find((path) => existsSync(path));

let launched;

after(async () => (await launched)?.close());

function launch() {
  launched ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? installed,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=${resolverRules}`,
    ],
  });
  return launched;
}

/**
 * Runs a visit in a fresh browser with a page of its own, and closes it afterwards. A visit fails when a
 * page broke its own content security policy or threw a script error.
 * @param {(page: import("playwright-core").Page) => Promise<T>} visit
 * @param {{attack?: RegExp}} [options] what the browser complains of when the visit attacks the pages; the others are
 *   those of the context
 * @template T
 */
export async function inBrowser(visit, { attack, ...options } = {}) {
  const browser = await launch();
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", ...options });
  context.setDefaultTimeout(15_000);
  const complaints = [];
  context.on("weberror", (problem) => complaints.push(problem.error().message));
  context.on("console", (message) => {
    const words = message.text();
    if (/Content[ -]Security[ -]Policy/i.test(words) && !attack?.test(words)) complaints.push(words);
  });
  try {
    const result = await visit(await context.newPage());
    assert.deepEqual(complaints, [], "the pages raised no script error and kept their own policy");
    return result;
  } catch (error) {
    error.message += whereAll(context);
    throw error;
  } finally {
    await context.close();
  }
}

function whereAll(context) {
  return context.pages().map((page) => `\n    at ${page.url()}`).join("");
}
