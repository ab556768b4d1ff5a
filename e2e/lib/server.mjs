// Starts and stops the program under test: the demo, exactly as a newcomer starts it.

import { execFile, spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "./until.mjs";

const built = fileURLToPath(new URL("../../target/debug/vestibule", import.meta.url));

/** The program under test. */
export const binary = process.env.VESTIBULE_BIN ?? built;

/**
 * Runs the demo over a directory and waits until it says that it is ready.
 * @param {string} data the data directory
 * @param {{databaseUrl?: string}} [options]
 */
export async function startDemo(data, { databaseUrl } = {}) {
  const described = join(data, "demo.json");
  const before = stampOf(described);
  const args = ["demo", "--data", data, "--port", "0", "--tls-port", "0", "--app-port", "0"];
  if (databaseUrl) args.push("--database-url", databaseUrl);
  const server = await start(args, () => stampOf(described) !== before && readDemo(described));
  return { described, ...server };
}

/** Runs `serve` with a configuration file and waits until it says that it is ready. */
export function startServer(config) {
  return start(["serve", "--config", config], (words) => words.includes("Vestibule is ready"));
}

/** Runs the program until `stop`; `ready` is asked with what it said so far. */
async function start(args, ready) {
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  child.stdout.on("data", (chunk) => said.push(chunk));
  child.stderr.on("data", (chunk) => said.push(chunk));
  let ended = null;
  child.once("error", (error) => (ended = `could not be started: ${error.message}`));
  const gone = new Promise((resolve) =>
    child.once("exit", (code, signal) => {
      ended ??= `ended with ${signal ?? code}`;
      resolve(code);
    }),
  );
  const words = () => Buffer.concat(said).toString();
  const stop = () => {
    if (!ended) child.kill("SIGTERM");
    return gone;
  };
  try {
    await until(
      `vestibule ${args[0]} to be ready`,
      () => {
        if (ended) throw new Error(`${binary} ${ended}`);
        return ready(words());
      },
      { within: 60_000 },
    );
  } catch (error) {
    if (!ended) child.kill("SIGKILL");
    throw new Error(`${error.message}\n${words()}`);
  }
  return { stop, words };
}

/** Runs another command of the program to its end. */
export async function vestibule(...args) {
  const { stdout, stderr } = await promisify(execFile)(binary, args, { encoding: "utf8" });
  return stdout + stderr;
}

/** What the demo says about itself; null while the file is missing or half written. */
export function readDemo(described) {
  try {
    return JSON.parse(readFileSync(described, "utf8"));
  } catch {
    return null;
  }
}

function stampOf(file) {
  try {
    const { mtimeNs, ino } = statSync(file, { bigint: true });
    return `${mtimeNs}/${ino}`;
  } catch {
    return null;
  }
}
