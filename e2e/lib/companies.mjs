// Companies whose accounts people have, each answering as the company publishes it; the documents are cited beside the
// same answers in crates/server/tests/it/federation/kinds. A person signs in there by pressing a button.

import { createHash, createHmac, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const client = "1234567890";
const contoso = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const personal = "9188040d-6c67-4c5b-b112-36a304b66dad";
const usual = { clientId: client, clientSecret: { file: "provider-secret" } };

/** A company with ID tokens: where its addresses are, and what it says beside the usual. */
const openid = ({ paths, issuer = (base) => base, says = () => ({}), discoveries = [""] }) => ({
  at: paths,
  issuer,
  token: async (company, { nonce, person }) => ({
    access_token: "t", token_type: "Bearer", expires_in: 3599,
    id_token: await company.sign({ iss: issuer(company.base), nonce, sub: person.id, name: person.name, ...says(person) }),
  }),
  answer: (company, { path }) => {
    const found = discoveries.map((below) => `${below}/.well-known/openid-configuration`).includes(path);
    if (path === paths.keys) return { keys: [company.jwk] };
    return found && {
      issuer: path.includes("organizations") ? `${company.base}/{tenantid}/v2.0` : issuer(company.base),
      authorization_endpoint: company.base + paths.authorize, token_endpoint: company.base + paths.token,
      jwks_uri: company.base + paths.keys, response_types_supported: ["code"],
      subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"],
    };
  },
});

/** A company without: `me` describes whoever holds the token. */
const oauth = ({ paths, me, more = () => undefined, token = {} }) => ({
  at: paths,
  token: async () => ({ access_token: "t", token_type: "bearer", expires_in: 3600, ...token }),
  answer: (company, asked) => {
    const extra = more(company, asked);
    if (extra) return extra;
    return asked.path === paths.me && asked.bearer === "t" ? me(company.person, asked) : undefined;
  },
});

const endpoints = (base, { authorize, token }, userInfo, more = {}) => ({
  endpoints: { authorization: base + authorize, token: base + token, userInfo: base + userInfo, ...more },
});

/** Every kind: what it answers, what its section of a tenant's file says, and whom it has. */
export const companies = {
  Google: {
    ...openid({
      paths: { authorize: "/o/oauth2/v2/auth", token: "/token", keys: "/oauth2/v3/certs" },
      says: ({ email }) => ({ email, email_verified: true, azp: client }),
    }),
    section: (base) => ({ issuer: base, ...usual }),
    domain: "gmail.com",
    issuers: { workforce: "google.com", external: "google.com" },
  },
  Facebook: {
    ...oauth({
      paths: { authorize: "/v23.0/dialog/oauth", token: "/v23.0/oauth/access_token", me: "/v23.0/me" },
      me: ({ id, name, email }, { query }) =>
        query.get("appsecret_proof") === createHmac("sha256", "the provider knows it").update("t").digest("hex")
        && { id, name, email },
      more: ({ person }, { path, query }) =>
        path === "/debug_token" && query.get("access_token") === `${client}|the provider knows it`
        && { data: { app_id: client, user_id: person.id, is_valid: true, type: "USER" } },
    }),
    section: (base) => ({
      ...usual,
      ...endpoints(base, companies.Facebook.at, "/v23.0/me?fields=id,name,email", { tokenCheck: `${base}/debug_token` }),
    }),
    issuers: { workforce: "facebook.com", external: "facebook.com" },
  },
  Apple: {
    ...openid({
      paths: { authorize: "/auth/authorize", token: "/auth/token", keys: "/auth/keys" },
      says: ({ email }) => ({ email, email_verified: "true", is_private_email: "true", name: undefined }),
    }),
    posts: ({ name }) => ({ user: JSON.stringify({ name: { firstName: name.split(" ")[0], lastName: name.split(" ")[1] } }) }),
    section: (base) => ({
      issuer: base, clientId: client, teamId: "DEF123GHIJ", keyId: "ABC123DEFG", clientKey: { file: "AuthKey.p8" },
    }),
    issuers: { workforce: "apple.com", external: "apple.com" },
  },
  MicrosoftAccount: {
    ...openid({
      paths: { authorize: "/consumers/authorize", token: "/consumers/token", keys: "/consumers/keys" },
      issuer: (base) => `${base}/${personal}/v2.0`,
      discoveries: [`/${personal}/v2.0`],
      says: ({ email }) => ({ email, preferred_username: email, tid: personal, ver: "2.0" }),
    }),
    section: (base) => ({ issuer: `${base}/${personal}/v2.0`, ...usual }),
    domain: "outlook.com",
    issuers: { workforce: "MicrosoftAccount", external: (base) => `${base}/${personal}/v2.0` },
  },
  MicrosoftEntra: {
    ...openid({
      paths: { authorize: "/organizations/authorize", token: "/organizations/token", keys: "/organizations/keys" },
      issuer: (base) => `${base}/${contoso}/v2.0`,
      discoveries: ["/organizations/v2.0"],
      says: ({ email }) => ({ email, preferred_username: email, tid: contoso, oid: contoso, xms_edov: true, ver: "2.0" }),
    }),
    section: (base) => ({ issuer: `${base}/{tenantid}/v2.0`, ...usual }),
    issuers: { workforce: "ExternalAzureAD", external: (base) => `${base}/${contoso}/v2.0` },
  },
  GitHub: {
    ...oauth({
      paths: { authorize: "/login/oauth/authorize", token: "/login/oauth/access_token", me: "/user" },
      me: ({ id, name }) => ({ id: Number(id), login: "eve", name, email: "shown@example.com" }),
      more: ({ person }, { path, bearer }) => {
        if (path === `/applications/${client}/token`) return { app: { client_id: client }, user: { id: Number(person.id) } };
        return path === "/user/emails" && bearer === "t"
          && [{ email: person.email, verified: true, primary: true, visibility: "private" }];
      },
    }),
    section: (base) => ({
      ...usual,
      ...endpoints(base, companies.GitHub.at, "/user", { emails: `${base}/user/emails`, tokenCheck: `${base}/applications` }),
    }),
    issuers: { workforce: "github.com", external: "github.com" },
  },
  LinkedIn: {
    ...oauth({
      paths: { authorize: "/oauth/v2/authorization", token: "/oauth/v2/accessToken", me: "/v2/userinfo" },
      me: ({ id, name, email }) => ({ sub: id, name, email, email_verified: true }),
    }),
    section: (base) => ({ ...usual, ...endpoints(base, companies.LinkedIn.at, "/v2/userinfo") }),
    issuers: { workforce: "linkedin.com", external: "linkedin.com" },
  },
  X: {
    ...oauth({
      paths: { authorize: "/i/oauth2/authorize", token: "/2/oauth2/token", me: "/2/users/me" },
      me: ({ id, name, email }) => ({ data: { id, name, username: "eve", confirmed_email: email } }),
    }),
    section: (base) => ({ ...usual, ...endpoints(base, companies.X.at, "/2/users/me?user.fields=confirmed_email") }),
    issuers: { workforce: "x.com", external: "x.com" },
  },
  OAuth2: {
    ...oauth({
      paths: { authorize: "/authorize", token: "/token", me: "/whoami" },
      me: ({ id, name, email }) => ({ account: { number: Number(id), mail: email, proven: true, name } }),
    }),
    section: (base) => ({
      displayName: "Fabrikam", ...usual, ...endpoints(base, companies.OAuth2.at, "/whoami"),
      inboundClaimMapping: { sub: "account.number", email: "account.mail", email_verified: "account.proven", displayName: "account.name" },
    }),
    issuers: { workforce: "oauth2:stranger", external: "oauth2:stranger" },
  },
};

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** Listens as a company; `person` is who signs in there. */
export async function startCompany(kind) {
  const company = { kind, person: undefined, codes: new Map() };
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  company.jwk = { ...(await exportJWK(publicKey)), kid: "company", use: "sig", alg: "RS256" };
  company.sign = (claims) =>
    new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "company", typ: "JWT" }).setAudience(client)
      .setIssuedAt().setExpirationTime("5m").sign(privateKey);
  const server = createServer((request, response) => {
    receive(company, request).then(
      ({ status = 200, type = "application/json", body, location }) =>
        response.writeHead(status, { "content-type": type, ...(location && { location }) }).end(body),
      (error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  company.base = `http://127.0.0.1:${server.address().port}`;
  company.section = { identityProviderType: kind, id: "stranger", ...companies[kind].section(company.base) };
  company.close = () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections()));
  return company;
}

async function receive(company, request) {
  const { at, answer, posts } = companies[company.kind];
  const url = new URL(request.url, company.base);
  let text = "";
  for await (const chunk of request) text += chunk;
  if (url.pathname === at.authorize) return page(company, url);
  if (url.pathname === "/continue") return back(company, new URLSearchParams(text), posts);
  if (url.pathname === at.token) return redeemed(company, new URLSearchParams(text), request);
  const bearer = request.headers.authorization?.replace(/^Bearer /, "");
  const found = answer(company, { path: url.pathname, query: url.searchParams, bearer });
  return found ? { body: JSON.stringify(found) } : { status: 404, body: "{}" };
}

/** Where people sign in: one button. */
function page(company, url) {
  const carried = [...url.searchParams].map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`);
  const body = `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>${company.kind}</title>
    <h1>${company.kind}</h1><form method="post" action="/continue">${carried.join("")}<button id="continue">Go on</button></form>`;
  return { type: "text/html; charset=utf-8", body };
}

/** Back with a code: in the address, or posted by a form that the person's browser sends. */
function back(company, asked, posts) {
  const code = randomBytes(9).toString("hex");
  company.codes.set(code, { asked, person: company.person });
  const answer = { code, state: asked.get("state") };
  if (asked.get("response_mode") !== "form_post") {
    const location = new URL(asked.get("redirect_uri"));
    for (const [name, value] of Object.entries(answer)) location.searchParams.set(name, value);
    return { status: 303, location: location.href };
  }
  const fields = Object.entries({ ...answer, ...posts?.(company.person) })
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`);
  const action = escaped(asked.get("redirect_uri"));
  return { type: "text/html; charset=utf-8", body: `<!doctype html><form method="post" action="${action}">${fields.join("")}<button id="send">Send</button></form>` };
}

async function redeemed(company, fields, request) {
  const refused = (error) => ({ status: 400, body: JSON.stringify({ error }) });
  const given = company.codes.get(fields.get("code"));
  company.codes.delete(fields.get("code"));
  if (!given || given.asked.get("redirect_uri") !== fields.get("redirect_uri")) return refused("invalid_grant");
  const challenge = given.asked.get("code_challenge");
  const verifier = fields.get("code_verifier") ?? "";
  if (challenge && createHash("sha256").update(verifier).digest("base64url") !== challenge) return refused("invalid_grant");
  const secret = fields.get("client_secret") ?? Buffer.from(request.headers.authorization?.slice(6) ?? "", "base64").toString();
  if (!secret) return refused("invalid_client");
  const token = await companies[company.kind].token(company, { nonce: given.asked.get("nonce") ?? undefined, person: given.person });
  return { body: JSON.stringify(token) };
}
