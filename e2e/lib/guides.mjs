// The apps of docs/guides, run as they stand there, against the tenant that docs/guides/apps.md declares.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { alone } from "./lane.mjs";
import { finish, giveAddressForCode, giveCode, fill, submit } from "./pages.mjs";
import { vestibule } from "./server.mjs";
import { until } from "./until.mjs";
import { dataDirectory, databaseUrl, demo, newAddress } from "./world.mjs";

const guides = fileURLToPath(new URL("../../docs/guides/", import.meta.url));
const running = new Set();
/** Interpreters take their time to load libraries. */
const patiently = { within: 30_000 };
/** The directory that the guides' reader works in. */
export const folder = join(dataDirectory, "guides");
/** The tenant's address. */
export const authority = `${demo.origins.https}/contoso`;

// A program that a failed test left behind would keep the suite from ending.
after(() => running.forEach((child) => child.kill()));

/** The fenced blocks of a guide, each with the name under which a reader saves it, if any. */
export function blocksOf(guide) {
  const text = readFileSync(join(guides, guide), "utf8");
  const fences = text.matchAll(/(?<before>[^\n]*)\n+```(?<language>[a-z]+)\n(?<code>.*?)\n```$/gms);
  return [...fences].map(({ groups: { before, language, code } }) => ({
    language,
    code,
    name: /[Ss]ave this as `([\w.-]+)`:$/.exec(before)?.[1],
  }));
}

/** Saves the files of a guide in the reader's directory. */
export function save(guide) {
  for (const { name, code } of blocksOf(guide)) if (name) writeFileSync(join(folder, name), `${code}\n`);
}

/** Makes the tenant as the guide says, once for all files of the suite. */
export async function makeTenant() {
  await alone("the ports of the guides' apps");
  if (existsSync(folder)) return;
  mkdirSync(join(folder, "data"), { recursive: true });
  symlinkSync(dataDirectory, join(folder, "data", "demo"));
  save("apps.md");
  const { code } = blocksOf("apps.md").find(({ language, code }) => language === "sh" && code.includes("openssl"));
  execFileSync("sh", ["-euc", code], { cwd: folder, stdio: "pipe" });
  const database = databaseUrl ? ["--database-url", databaseUrl] : [];
  await vestibule("apply", join(folder, "contoso.yaml"), "--data", dataDirectory, ...database);
  await until("the server to know the tenant", async () => (await fetch(`${demo.origins.http}/contoso/discovery/v2.0/keys`)).ok);
}

/** The client id of an application, by its name in the tenant file. */
export function clientId(name) {
  const found = new RegExp(`displayName: ${name}\n +appId: (\\S+)`).exec(readFileSync(join(folder, "contoso.yaml"), "utf8"));
  assert.ok(found, `the tenant has “${name}”`);
  return found[1];
}

/** What is in a file of the reader's directory. */
export const contentOf = (name) => readFileSync(join(folder, name), "utf8").trim();

/** Lets the guides' `python` be this environment, which has what they install. */
export function lendPython(environment) {
  const here = join(folder, "python");
  if (!existsSync(here)) symlinkSync(environment, here);
}

/** Runs a program of a guide with the guide's own command, after everything that its reader exports until then. */
export function runFrom(guide, file, env = {}) {
  const shell = (guide) => blocksOf(guide).filter(({ language }) => language === "sh").map(({ code }) => code.split("\n"));
  const isCommand = (line) => line.endsWith(` ${file}`);
  const own = shell(guide).find((lines) => lines.some(isCommand));
  assert.ok(own, `${guide} tells how to run ${file}`);
  // The one thing that is different here: the demo of the tests has a port of its own.
  const lines = [...shell("apps.md").flat(), `export AUTHORITY=${authority}`, ...own];
  const exported = lines.filter((line) => line.startsWith("export "));
  return run(["sh", "-euc", [...exported, `exec env ${own.find(isCommand)}`].join("\n")], env, file);
}

/** Runs a command in the reader's directory. */
export function run(command, env = {}, title = command.join(" ")) {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, PYTHONUNBUFFERED: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.once("close", () => running.delete(child));
  const said = [];
  child.stdout.on("data", (chunk) => said.push(chunk));
  child.stderr.on("data", (chunk) => said.push(chunk));
  child.on("error", (error) => said.push(Buffer.from(error.message)));
  const words = () => Buffer.concat(said).toString();
  let code;
  const closed = new Promise((resolve) => child.once("close", (status) => resolve((code = status ?? 1))));
  return {
    words,
    /** Waits until the program has said something, and hands the match back. */
    says: (pattern) =>
      until(`${title} to say ${pattern}`, () => {
        const found = pattern.exec(words());
        if (!found && code !== undefined) throw new Error(`${title} ended with ${code}:\n${words()}`);
        return found;
      }, patiently).catch((error) => {
        child.kill();
        throw new Error(`${error.message}\n${words()}`);
      }),
    /** Waits for the program's own end, and hands back what it said. */
    async ends() {
      await until(`${title} to end`, () => code !== undefined, patiently);
      assert.equal(code, 0, words());
      return words();
    },
    stop: () => (child.kill(), closed),
  };
}

/** Runs a program of a guide for as long as something is done with it. */
export async function beside(guide, file, ready, work) {
  const program = runFrom(guide, file);
  try {
    await program.says(ready);
    return await work();
  } catch (error) {
    error.message += `\n--- ${file} said\n${program.words()}`;
    throw error;
  } finally {
    await program.stop();
  }
}

/** Somebody who has no account in the tenant yet. */
export const visitor = (name = "Ada Lovelace") => ({ name, address: newAddress(), known: false });

const left = (page) => new URL(page.url()).origin !== demo.origins.https;

/** Signs up or in on the server's pages, until the browser has left them or is where it should be. */
export async function throughPages(page, person, arrived = () => left(page)) {
  await page.waitForURL((url) => url.origin === demo.origins.https);
  if (!person.known) await page.locator("#sign-up").click();
  await giveCode(page, await giveAddressForCode(page, person.address));
  if (!person.known) {
    await fill(page, { "Your name": person.name });
    await submit(page);
  }
  await finish(page, arrived);
  person.known = true;
}

/** At the website of a guide: somebody gives up, tries again and signs up, is greeted, and leaves. */
export async function visitWebApp(page, person) {
  await page.goto("http://localhost:3100/sign-in");
  await page.locator("#cancel").click();
  await page.getByRole("link", { name: "access_denied" }).click();
  await page.locator("#sign-in").click();
  await throughPages(page, person);
  await assertGreeted(page, person);
  await page.locator("#sign-out").click();
}

/** Checks that the web app of the guides greets this person, and nobody else. */
export async function assertGreeted(page, { name, address }) {
  assert.deepEqual((await page.locator("body").innerText()).split(/\s*\n\s*/), [`Hello, ${name}`, address, "Sign out"]);
}
