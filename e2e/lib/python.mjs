// A Python with the packages of python/requirements.txt, made once.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const requirements = fileURLToPath(new URL("../python/requirements.txt", import.meta.url));
const work = fileURLToPath(new URL("../work/", import.meta.url));

/** The environment's directory; makes it when the requirements are new. */
export function pythonEnvironment() {
  const version = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16);
  const environment = join(work, `python-${version}`);
  const interpreter = join(environment, "bin", "python");
  const complete = join(environment, "complete");
  if (existsSync(complete)) return environment;
  rmSync(environment, { recursive: true, force: true });
  run("python3", ["-m", "venv", environment], "the suite needs python3 with venv (apt-get install python3-venv)");
  const quiet = ["--quiet", "--disable-pip-version-check", "--no-input"];
  run(interpreter, ["-m", "pip", "install", ...quiet, "--requirement", requirements], "pip could not install the packages");
  writeFileSync(complete, "");
  return environment;
}

function run(program, args, otherwise) {
  try {
    execFileSync(program, args, { stdio: "pipe" });
  } catch (error) {
    throw new Error(`${otherwise}: ${error.message}\n${error.stdout ?? ""}${error.stderr ?? ""}`);
  }
}
