// A mail server in a process of its own: takes what it is sent, and tells of it on standard output, one JSON line each.
// It offers STARTTLS, with a certificate that nobody vouches for.

import { SMTPServer } from "smtp-server";

const tell = (news) => process.stdout.write(`${JSON.stringify(news)}\n`);

const server = new SMTPServer({
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
