// A scripted OpenID Connect provider: signs whatever claims a test tells it, honest or not.

import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";

/**
 * Listens on a free port of localhost.
 *
 * `provider.claims` is what the next ID tokens say beyond the usual; a claim set to undefined is left out.
 * `provider.tamper` may change a token on its way out.
 */
export async function startProvider() {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const kid = randomUUID();
  const grants = new Map();
  const provider = { claims: {}, tamper: (jwt) => jwt, requests: [] };

  const idToken = ({ clientId, nonce }) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: provider.issuer, aud: clientId, iat: now, exp: now + 300, nonce, ...provider.claims };
    const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
    const signed = `${encode({ alg: "RS256", typ: "JWT", kid })}.${encode(claims)}`;
    return provider.tamper(`${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`);
  };

  const routes = {
    "/.well-known/openid-configuration": () => ({
      issuer: provider.issuer,
      authorization_endpoint: `${provider.issuer}/authorize`,
      token_endpoint: `${provider.issuer}/token`,
      jwks_uri: `${provider.issuer}/keys`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
      authorization_response_iss_parameter_supported: true,
    }),
    "/keys": () => ({ keys: [{ ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" }] }),
    "/token": (_, body) => {
      const grant = grants.get(body.get("code"));
      grants.delete(body.get("code"));
      const challenge = createHash("sha256").update(body.get("code_verifier") ?? "").digest("base64url");
      if (!grant || grant.challenge !== challenge || grant.redirectUri !== body.get("redirect_uri")) {
        return { error: "invalid_grant" };
      }
      return { access_token: randomUUID(), token_type: "Bearer", expires_in: 300, id_token: idToken(grant) };
    },
  };

  const server = createServer(async (request, reply) => {
    const url = new URL(request.url, provider.issuer);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = new URLSearchParams(Buffer.concat(chunks).toString());
    provider.requests.push({ url, body });
    if (url.pathname === "/authorize") {
      const code = randomUUID();
      grants.set(code, {
        clientId: url.searchParams.get("client_id"),
        nonce: url.searchParams.get("nonce"),
        challenge: url.searchParams.get("code_challenge"),
        redirectUri: url.searchParams.get("redirect_uri"),
      });
      const back = new URL(url.searchParams.get("redirect_uri"));
      back.searchParams.set("code", code);
      back.searchParams.set("state", url.searchParams.get("state"));
      back.searchParams.set("iss", provider.issuerInResponse ?? provider.issuer);
      reply.writeHead(302, { location: back.href }).end();
      return;
    }
    const answer = routes[url.pathname]?.(url, body);
    const status = answer ? (answer.error ? 400 : 200) : 404;
    reply.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer ?? { error: "not_found" }));
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "localhost", resolve));
  provider.issuer = `http://localhost:${server.address().port}`;
  provider.close = () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)));
  return provider;
}
