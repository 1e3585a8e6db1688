// A mail server in a process of its own: takes what it is sent, and tells of it on standard output, one JSON line each.
// It speaks TLS from the start if it is told `wrapped`, otherwise offers STARTTLS; only certificates/authority.pem vouches for
// its certificate. Its key is public, as the tests are: it protects nothing.

import { readFileSync } from "node:fs";
import { SMTPServer } from "smtp-server";

const tell = (news) => process.stdout.write(`${JSON.stringify(news)}\n`);

const read = (name) => readFileSync(new URL(`certificates/${name}`, import.meta.url));

const server = new SMTPServer({
  secure: process.argv.includes("wrapped"),
  cert: read("mail_server.pem"),
  key: read("mail_server.key"),
  authOptional: true,
  onData(stream, session, done) {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => {
      const to = session.envelope.rcptTo.map(({ address }) => address);
      tell({ to, isSecure: session.secure, raw: Buffer.concat(chunks).toString("base64") });
      done();
    });
  },
});
server.on("error", (error) => tell({ error: error.message }));
server.listen(0, "0.0.0.0", () => tell({ port: server.server.address().port }));
process.on("disconnect", () => process.exit());
