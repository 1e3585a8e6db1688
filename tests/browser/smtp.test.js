// The whole way over HTTP, with the mail going through a real mail server, on SQLite and on PostgreSQL.

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { simpleParser } from "mailparser";
import { start } from "./server.js";
import { Visitor, linksIn } from "./visitor.js";

const FROM = "letters@your-organisation.example";

/** The mail server, in a process of its own, and what it has taken. */
class MailServer {
  static async start(...words) {
    const server = new MailServer();
    server.news = [];
    server.child = fork(new URL("smtp_server.js", import.meta.url), words, { silent: true });
    process.on("exit", () => server.child.kill());
    createInterface(server.child.stdout).on("line", (line) => server.news.push(JSON.parse(line)));
    ({ port: server.port } = await server.tells((news) => news.port));
    return server;
  }

  /** The first piece of news that fits, once it is there. */
  async tells(fits) {
    const until = Date.now() + 20_000;
    while (!this.news.some(fits)) {
      assert.ok(Date.now() < until, `not within twenty seconds: ${JSON.stringify(this.news)}`);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
    return this.news.find(fits);
  }

  /** The first `count` mails to an address, as their reader's program shows them. */
  async mailsTo(address, count) {
    const own = () => this.news.filter(({ to }) => to?.includes(address));
    await this.tells(() => own().length >= count);
    return Promise.all(own().map(({ raw }) => simpleParser(Buffer.from(raw, "base64"))));
  }

  stop() {
    this.child.kill();
  }
}

function linkTo(mail, kind) {
  return linksIn(mail.text).find((link) => new URL(link).pathname.startsWith(`/${kind}/`));
}

/** What every mail must have, whatever it is for. */
function checkMail(mail, address) {
  assert.equal(mail.from.value[0].address, FROM);
  assert.equal(mail.to.value[0].address, address);
  assert.match(mail.messageId, /^<[\w-]{36}@your-organisation\.example>$/);
  assert.equal(mail.headers.get("auto-submitted"), "auto-generated");
  const hrefs = [...mail.html.matchAll(/href="([^"]+)"/g)].map(([, href]) => href);
  assert.deepEqual(hrefs, linksIn(mail.text), "both bodies lead to the same places");
  const unsubscribe = mail.headers.get("list").unsubscribe.url;
  assert.equal(unsubscribe, linkTo(mail, "u"));
  assert.equal(mail.attachments.length, 0);
}

async function walk(flags) {
  const mailServer = await MailServer.start();
  const smtp = ["--smtp-url", `smtp://127.0.0.1:${mailServer.port}`, "--mail-from", FROM];
  const server = await start(...smtp, ...flags);
  const visitor = new Visitor(server.url);
  const address = `ada-${Date.now()}@example.org`;
  const nthMail = async (n) => (await mailServer.mailsTo(address, n))[n - 1];
  assert.equal((await fetch(`${server.url}/mailbox`)).status, 404);

  assert.ok((await visitor.get("/")).includes("/articles/"));
  await visitor.get("/articles/what-is-the-difference-between-leadership-and-management");
  const sent = await visitor.signUp(address, { "purpose.newsletter": "yes" });
  await visitor.get(sent);
  const link = linkTo(await nthMail(1), "s");
  assert.ok((await visitor.get(link)).includes(address));
  await visitor.begin(link);
  const report = await visitor.answerAll(link);
  assert.ok((await visitor.get(report)).includes("<em>mostly order</em>"));
  const result = await nthMail(2);
  assert.equal(linkTo(result, "r"), server.url + report);

  const stop = linkTo(result, "u");
  assert.ok((await visitor.get(stop)).includes("Nothing has changed yet."));
  assert.equal(await visitor.post(stop, {}), `${new URL(stop).pathname}/done`);
  assert.equal(await (await visitor.send(stop, { "List-Unsubscribe": "One-Click" })).text(), "stopped\n");
  await visitor.fillIn("/preferences", { email: address });
  const preferences = linkTo(await nthMail(3), "p");
  await visitor.fillIn(preferences, { "purpose.contact-me": "yes" });
  assert.equal((await visitor.get(preferences)).match(/ checked/g).length, 1);
  const archive = await visitor.send(`${preferences}/export`, {});
  assert.ok((await archive.arrayBuffer()).byteLength > 500);
  const erased = await visitor.fillIn(`${preferences}/erase`, {});
  assert.match(erased, /^\/erased\/E-/);
  for (const dead of [link, report, stop, preferences]) {
    assert.equal((await fetch(new URL(dead, server.url))).status, 404, dead);
  }
  const mails = await mailServer.mailsTo(address, 3);
  mails.forEach((mail) => checkMail(mail, address));
  assert.equal(mails.length, 3, "not one more");
  assert.equal(await server.stop(), 0);
  mailServer.stop();
}

test("the whole walk over HTTP and a real mail server, on SQLite", () => walk([]));

const postgres = process.env.TEST_POSTGRES_URL;
test("the whole walk over HTTP and a real mail server, on PostgreSQL", {
  skip: !postgres && "TEST_POSTGRES_URL names no server",
}, () => walk(["--database-url", postgres]));

test("a mail server elsewhere that nobody vouches for gets no mail, and none in the clear", async () => {
  const mailServer = await MailServer.start();
  // An address of this machine that does not count as loopback: STARTTLS is required.
  const smtp = ["--smtp-url", `smtp://0.0.0.0:${mailServer.port}`];
  const server = await start(...smtp);
  await new Visitor(server.url).signUp("ada@example.org");
  await mailServer.tells(({ error }) => error);
  await server.tells(/Mail [\w-]{36} is queued/);
  assert.ok(mailServer.news.every(({ raw }) => !raw));
  await server.stop();
  mailServer.stop();
});

const authority = fileURLToPath(new URL("certificates/authority.pem", import.meta.url));

for (const [name, words, scheme] of [["STARTTLS", [], "smtp"], ["TLS from the start", ["wrapped"], "smtps"]]) {
  test(`a mail server that the operator's authority vouches for gets mail by ${name}`, async () => {
    const mailServer = await MailServer.start(...words);
    const smtp = ["--smtp-url", `${scheme}://0.0.0.0:${mailServer.port}`, "--mail-from", FROM];
    const server = await start(...smtp, "--smtp-ca-file", authority);
    await new Visitor(server.url).signUp("ada@example.org");
    const [mail] = await mailServer.mailsTo("ada@example.org", 1);
    checkMail(mail, "ada@example.org");
    assert.ok(mailServer.news.find(({ raw }) => raw).isSecure);
    await server.stop();
    mailServer.stop();
  });
}
