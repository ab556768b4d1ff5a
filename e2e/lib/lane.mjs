// The lane that this file of tests runs in: a demo, and ports, that no other file uses at the same time.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./until.mjs";

const work = process.env.VESTIBULE_E2E_WORK;
if (!work) throw new Error("run the suite with `node run.mjs` (or `cargo xtask e2e`)");

const lanes = JSON.parse(readFileSync(join(work, "lanes.json"), "utf8"));
const number = lanes.findIndex((_, number) => take(`lane-${number}`));
if (number < 0) throw new Error("more files run than there are lanes");

/** Where this file's demo is described, and the database that it runs on when it is not the embedded one. */
export const lane = lanes[number];

/** Where the apps of the tests are registered. */
const registered = [3001, 3002, 3003];

/** The port that an app registered at `port` listens on here, which is another one in each lane. */
export function portHere(port) {
  if (!registered.includes(port)) throw new Error(`the browsers of the lanes do not know port ${port}: add it to lane.mjs`);
  return port + 10 * number;
}

/** Lets the browser find the apps of the tests. */
export const resolverRules = registered.map((port) => `MAP localhost:${port} localhost:${portHere(port)}`).join(", ");

/** Waits until no other file has `name`, a thing that there is only one of, and keeps it for this file. */
export const alone = (name) => until(`${name} to be free`, () => take(name), { within: 600_000 });

function take(name) {
  const path = join(work, `${name}.taken`);
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
  process.once("exit", () => rmSync(path));
  return true;
}
