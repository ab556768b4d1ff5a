// node-oidc-provider as somebody else's provider: its users are signed in and agree without being asked.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

/** A private key as a JWK with a name of its own. */
export function jwk(type, options, more) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", ...more };
}

const rsa = () => jwk("rsa", { modulusLength: 2048 });

/** What a provider has given out, for as long as it runs and whichever keys it has. */
function storage() {
  const kept = new Map();
  return class {
    constructor(model) {
      this.key = (id) => `${model}:${id}`;
    }
    upsert = async (id, payload) => void kept.set(this.key(id), payload);
    find = async (id) => kept.get(this.key(id));
    findByUid = async (uid) => [...kept.values()].find((payload) => payload.uid === uid && payload.kind === "Session");
    findByUserCode = async () => undefined;
    consume = async (id) => void (kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000));
    destroy = async (id) => void kept.delete(this.key(id));
    revokeByGrantId = async (grant) => {
      for (const [key, payload] of kept) if (payload.grantId === grant) kept.delete(key);
    };
  };
}

/**
 * Listens on a free port of localhost.
 * @param {{client: object, configuration?: object}} setup the one client, and what differs from the usual
 * @returns `declines` turns everybody back; `broken` answers 503 at that path; `before` is done first at its paths.
 *   It answers after the first `rotate`.
 */
export async function startOidcProvider({ client, configuration = {} }) {
  const state = { user: null, users: new Map(), declines: false, broken: null, before: {}, asked: [] };
  const registered = {
    client_id: "vestibule", grant_types: ["authorization_code"], response_types: ["code"], redirect_uris: [], ...client,
  };
  const adapter = storage();
  let handle;

  /** Begins to sign with keys that nobody has seen yet. Codes and tokens of before stay good. */
  state.rotate = (keys = [rsa()]) => {
    const provider = new Provider(state.issuer, {
      adapter,
      jwks: { keys },
      clients: [registered],
      conformIdTokenClaims: false,
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "given_name", "family_name"] },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...state.users.get(sub) }) }),
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      async loadExistingGrant({ oidc }) {
        const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
        grant.addOIDCScope("openid email profile");
        await grant.save();
        return grant;
      },
      ...configuration,
      features: { devInteractions: { enabled: false }, ...configuration.features },
    });
    provider.use(async (ctx, next) => {
      if (!ctx.path.startsWith("/interaction/")) return next();
      const answer = state.declines
        ? { error: "access_denied", error_description: "not today" }
        : { login: { accountId: state.user } };
      ctx.respond = false;
      await provider.interactionFinished(ctx.req, ctx.res, answer);
    });
    handle = provider.callback();
  };

  const server = createServer((request, reply) => {
    const { pathname } = new URL(request.url, state.issuer);
    state.asked.push(pathname);
    state.before[pathname]?.();
    if (!handle || pathname === state.broken) return reply.writeHead(503).end();
    return handle(request, reply);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "localhost", resolve));
  state.issuer = `http://localhost:${server.address().port}`;
  state.close = () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)));
  state.redirectTo = (uri) => registered.redirect_uris.splice(0, 1, uri);
  /** Somebody who has an account here. */
  state.join = (claims) => {
    state.user = randomUUID();
    state.users.set(state.user, { email_verified: true, ...claims });
  };
  /** Registers the client's public keys. The provider refuses to fetch any from this machine. */
  state.trust = (jwks) => (registered.jwks = jwks);
  return state;
}

export { rsa };
