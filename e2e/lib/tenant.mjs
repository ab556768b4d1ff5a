// Tenants of a test's own, made with `vestibule apply` on the running demo's data.

import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { under } from "./oauth.mjs";
import { vestibule } from "./server.mjs";
import { until } from "./until.mjs";
import { dataDirectory, databaseUrl, nameOf } from "./world.mjs";

/** The redirect URI of the app that every tenant here has. */
export const redirectUri = "http://localhost:3001/callback";

/** The tenant's one app, `Portal`, served by the flow that is given unless `attached` is false. */
export function tenantOf(kind, { flow, attached = true, ...sections }) {
  const name = `try-${randomBytes(5).toString("hex")}`;
  const [id, appId] = [randomUUID(), randomUUID()];
  const document = {
    tenant: {
      id, kind, displayName: `Try ${name}`, shortName: name, domains: [`${name}.onmicrosoft.com`],
      ...(kind === "workforce" && { authenticationFlowsPolicy: { selfServiceSignUp: { isEnabled: true } } }),
    },
    applications: [{ displayName: "Portal", appId, publicClient: { redirectUris: [redirectUri] } }],
    userFlows: [{
      ...(kind === "workforce" ? { name: "Try" } : { id: randomUUID() }),
      displayName: "Try", applications: attached ? ["Portal"] : [], ...flow,
    }],
    ...sections,
  };
  const tenant = { id, appId, document };
  nameOf.set(tenant, name);
  return tenant;
}

/**
 * Applies a tenant's document, as it stands now, while the demo runs.
 * @param flags such as `--yes`, when something is taken away on purpose
 * @returns what the command said
 */
export function apply({ document, files = {} }, ...flags) {
  const folder = mkdtempSync(join(dataDirectory, "tenant-"));
  const file = join(folder, "tenant.yaml");
  // JSON is YAML too.
  writeFileSync(file, JSON.stringify(document, null, 2));
  writeFileSync(join(folder, "provider-secret"), "the provider knows it");
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const database = databaseUrl ? ["--database-url", databaseUrl] : [];
  return vestibule("apply", file, "--data", dataDirectory, ...database, ...flags);
}

/** Applies a tenant's document and waits until the demo serves the tenant. */
export async function publish(tenant) {
  const said = await apply(tenant);
  await until("the server to know the tenant", async () => (await fetch(under(tenant, "discovery/v2.0/keys"))).ok);
  return said;
}

/** The configuration of a provider at an issuer. */
export function providerAt(issuer, more) {
  return {
    id: "stranger", displayName: "Stranger", issuer, clientId: "vestibule",
    clientSecret: { file: "provider-secret" }, ...more,
  };
}
