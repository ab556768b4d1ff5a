// Runs the suite: `node run.mjs [FILE…]`, or `cargo xtask e2e`.
//
// One demo serves all tests. It starts on an empty directory before the tests, because Node reads the
// development authority (NODE_EXTRA_CA_CERTS) only when a process starts.
//
//   VESTIBULE_BIN           the program under test (default: target/debug/vestibule)
//   VESTIBULE_E2E_DATABASE  a PostgreSQL server's URL: the demo then keeps its data in a new database there
//   CHROMIUM                the browser (default: /usr/bin/chromium)

import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readDemo, startDemo } from "./lib/server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const tests = process.argv.slice(2);
if (tests.length === 0) {
  const all = readdirSync(join(here, "tests")).filter((name) => name.endsWith(".test.mjs"));
  tests.push(...all.sort().map((name) => join("tests", name)));
}

mkdirSync(join(here, "work"), { recursive: true });
const data = mkdtempSync(join(here, "work", "demo-"));
const database = process.env.VESTIBULE_E2E_DATABASE ? newDatabase(process.env.VESTIBULE_E2E_DATABASE) : null;

let code = 1;
let server;
try {
  server = await startDemo(data, { databaseUrl: database?.url });
  console.log(`demo: ${JSON.stringify(readDemo(server.described).origins)} on ${database ? "PostgreSQL" : "SQLite"}`);
  code = await runTests(server.described);
} finally {
  await server?.stop();
  if (code !== 0 && server) console.error(`--- what the server said ---\n${server.words().slice(-20_000)}`);
  database?.drop();
  rmSync(data, { recursive: true, force: true });
}
process.exitCode = code;

function runTests(described) {
  const env = {
    ...process.env,
    VESTIBULE_E2E_DEMO: described,
    VESTIBULE_E2E_DATABASE_URL: database?.url ?? "",
    NODE_EXTRA_CA_CERTS: join(dirname(described), readDemo(described).ca),
  };
  const args = ["--test", "--test-concurrency=1", "--test-reporter=spec", ...tests];
  const child = spawn(process.execPath, args, { cwd: here, env, stdio: "inherit" });
  return new Promise((resolve) => child.once("exit", (status) => resolve(status ?? 1)));
}

function newDatabase(serverUrl) {
  const name = `vestibule_e2e_${randomBytes(6).toString("hex")}`;
  const sql = (statement) => execFileSync("psql", [serverUrl, "-qX", "-v", "ON_ERROR_STOP=1", "-c", statement], { stdio: "inherit" });
  sql(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => sql(`DROP DATABASE ${name} WITH (FORCE)`) };
}
