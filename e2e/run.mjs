// Runs the suite: `node run.mjs [FILE…]`, or `cargo xtask e2e`.
//
// Files run beside each other in lanes, each with a demo of its own, because most of a visit is waiting. The demos
// start on empty directories before the tests, because Node reads the development authorities
// (NODE_EXTRA_CA_CERTS) only when a process starts.
//
//   VESTIBULE_BIN           the program under test (default: target/debug/vestibule)
//   VESTIBULE_E2E_DATABASE  a PostgreSQL server's URL: each demo then keeps its data in a new database there
//   VESTIBULE_E2E_LANES     how many files run at once (default: one more than there are cores, at most four)
//   VESTIBULE_E2E_PICTURES  1: a picture of every page that is shown in tests/screenshots.test.mjs, in shots/
//   CHROMIUM                the browser (default: Debian's chromium-headless-shell, else its chromium)

import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
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
const work = mkdtempSync(join(here, "work", "run-"));
const wanted = Number(process.env.VESTIBULE_E2E_LANES) || Math.min(availableParallelism() + 1, 4);

let code = 1;
const lanes = [];
try {
  while (lanes.length < Math.min(wanted, tests.length)) lanes.push(await startLane(lanes.length));
  code = await runTests();
} finally {
  for (const { server } of lanes) await server.stop();
  for (const { number, server } of code === 0 ? [] : lanes) {
    console.error(`--- what the server of lane ${number} said ---\n${server.words().slice(-20_000)}`);
  }
  for (const { database } of lanes) database?.drop();
  rmSync(work, { recursive: true, force: true });
}
process.exitCode = code;

async function startLane(number) {
  const data = join(work, `demo-${number}`);
  mkdirSync(data);
  const database = process.env.VESTIBULE_E2E_DATABASE ? newDatabase(process.env.VESTIBULE_E2E_DATABASE) : null;
  const server = await startDemo(data, { databaseUrl: database?.url });
  const { ca, origins } = readDemo(server.described);
  console.log(`lane ${number}: ${JSON.stringify(origins)} on ${database ? "PostgreSQL" : "SQLite"}`);
  return { number, server, database, ca: join(data, ca) };
}

function runTests() {
  const authorities = join(work, "authorities.pem");
  writeFileSync(authorities, lanes.map(({ ca }) => readFileSync(ca, "utf8")).join("\n"));
  const told = lanes.map(({ server, database }) => ({ described: server.described, databaseUrl: database?.url ?? null }));
  writeFileSync(join(work, "lanes.json"), JSON.stringify(told));
  const env = { ...process.env, VESTIBULE_E2E_WORK: work, NODE_EXTRA_CA_CERTS: authorities };
  const args = ["--test", `--test-concurrency=${lanes.length}`, "--test-reporter=spec", ...tests];
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
