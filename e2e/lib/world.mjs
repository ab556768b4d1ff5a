// What a test knows about the running demo.

import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { lane } from "./lane.mjs";
import { readDemo } from "./server.mjs";

const { described } = lane;

/** The content of demo.json. */
export const demo = readDemo(described);
/** The demo's data directory. */
export const dataDirectory = dirname(described);
/** The database URL that the demo runs on, when it is not the embedded one. */
export const databaseUrl = lane.databaseUrl;

export const woodgrove = demo.tenants.woodgrove;
export const customers = demo.tenants["woodgrove-customers"];
export const fabrikam = demo.tenants.fabrikam;

/** The short name by which the demo's own tenant is reached. */
export const nameOf = new Map(Object.entries(demo.tenants).map(([name, tenant]) => [tenant, name]));

/** An address that nobody has used. */
export function newAddress(who = "ada") {
  return `${who}.${randomBytes(5).toString("hex")}@northwind.example`;
}

/** A password that meets the rules and is on no list. */
export function newPassword() {
  return `river ${randomBytes(9).toString("base64url")} lamp`;
}
