// A mail server that keeps what it is handed.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";

/**
 * Listens on a free port of localhost: takes mail only over STARTTLS, under a certificate of its own, and
 * only from whom knows the password.
 * @param {{folder: string, login: {user: string, pass: string}}} options
 */
export async function startMailServer({ folder, login }) {
  const received = [];
  const { key, cert, file } = certificate(folder);
  const server = new SMTPServer({
    key,
    cert,
    disableReverseLookup: true,
    onAuth: ({ username, password }, _, done) =>
      username === login.user && password === login.pass ? done(null, { user: username }) : done(new Error("wrong login")),
    onData: (stream, session, done) => {
      const chunks = [];
      stream.on("data", (chunk) => chunks.push(chunk));
      stream.on("end", () => {
        received.push({
          ...read(Buffer.concat(chunks).toString("latin1")),
          from: session.envelope.mailFrom.address,
          to: session.envelope.rcptTo.map((to) => to.address),
          encrypted: Boolean(session.tlsOptions),
          loggedInAs: session.user,
        });
        done();
      });
    },
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  return {
    port: server.server.address().port,
    received,
    certificate: file,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** A message's subject and its plain text. */
function read(raw) {
  const header = (part, name) => new RegExp(`^${name}:\\s*(.*(?:\\r\\n[ \\t].*)*)`, "im").exec(part)?.[1].replace(/\r\n\s+/g, " ") ?? "";
  const boundary = /boundary="?([^";\s]+)/i.exec(raw)?.[1];
  const parts = boundary ? raw.split(`--${boundary}`).slice(1) : [raw];
  const plain = parts.find((part) => /^content-type:\s*text\/plain/im.test(part)) ?? "";
  const body = plain.slice(plain.indexOf("\r\n\r\n") + 4);
  return { raw, subject: header(raw, "Subject"), text: decoded(body, header(plain, "Content-Transfer-Encoding")) };
}

function decoded(body, encoding) {
  if (/base64/i.test(encoding)) return Buffer.from(body, "base64").toString();
  if (!/quoted-printable/i.test(encoding)) return Buffer.from(body, "latin1").toString();
  const bytes = body.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString();
}

/** A key and a certificate for localhost that is its own authority. */
function certificate(folder) {
  const [file, keyFile] = [join(folder, "mail-server.pem"), join(folder, "mail-server-key.pem")];
  execFileSync("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
    "-keyout", keyFile, "-out", file,
  ], { stdio: "ignore" });
  return { key: readFileSync(keyFile), cert: readFileSync(file), file };
}
