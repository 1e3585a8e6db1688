// What befalls a participant's links and answers: a scanner opens every mailed link, and the connection goes.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openBrowser } from "./checks.js";
import { start } from "./server.js";
import { Visitor } from "./visitor.js";

/** How long a scanner's browser stays on what it opened, so that a script that waits would act. */
const STAY_MS = 3_000;
const ADA = "ada@example.org";

let server;
let browser;
let visitor;

before(async () => {
  [server, browser] = await Promise.all([start(), openBrowser()]);
  visitor = new Visitor(server.url);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The mails in the built-in mailbox, newest first, each with its links. */
async function mails() {
  const list = await visitor.get("/mailbox");
  const paths = [...list.matchAll(/href="(\/mailbox\/[\w-]+)"/g)].map(([, path]) => path);
  return Promise.all(paths.map(async (path) => {
    const html = await visitor.get(path);
    const frame = await visitor.get(`${path}/frame`);
    const hrefs = [html.split("mail-text").at(-1).split("</pre>")[0], frame]
      .flatMap((part) => [...part.matchAll(/href="(https?:[^"]+)"/g)].map(([, link]) => link));
    const headers = [...html.matchAll(/List-Unsubscribe: &#60;(\S+?)&#62;/g)].map(([, l]) => l);
    return { subject: html.match(/<h1>(.*?)<\/h1>/)[1], links: [...hrefs, ...headers] };
  }));
}

/** The mails, once there are so many. */
async function mailsUntil(count) {
  const until = Date.now() + 20_000;
  for (;;) {
    const all = await mails();
    if (all.length >= count) return all;
    assert.ok(Date.now() < until, `only ${all.length} of ${count} mails after twenty seconds`);
  }
}

/** The first link of that kind in the newest mails. */
async function mailed(kind, count) {
  const links = (await mailsUntil(count)).flatMap((mail) => mail.links);
  return links.find((link) => new URL(link).pathname.startsWith(`/${kind}/`));
}

/** The records as they stand on disk, to the byte: SQLite writes to these two files and to no other. */
function records() {
  return ["bellwether.sqlite", "bellwether.sqlite-wal"].map((file) =>
    createHash("sha256").update(readFileSync(join(server.data, file))).digest("hex"));
}

test("a browser that opens every link of every mail twice and waits changes nothing", async () => {
  await visitor.signUp(ADA, { "purpose.newsletter": "yes" });
  const link = await mailed("s", 1);
  await visitor.begin(link);
  const report = await visitor.answerAll(link);
  await mailsUntil(2);
  await visitor.fillIn("/preferences", { email: ADA });
  await visitor.fillIn("/contact", {
    name: "Ada Byron", email: ADA, topic: "general", message: "Hello", website: "",
  });
  await visitor.signUp("unopened@example.org", { "purpose.research": "yes" });
  const all = await mailsUntil(6);
  const links = [...new Set(all.flatMap((mail) => mail.links))];
  for (const kind of ["s", "r", "u", "p"]) {
    assert.ok(links.some((one) => new URL(one).pathname.startsWith(`/${kind}/`)), kind);
  }
  assert.ok(links.includes(server.url + report));
  const before = records();
  const context = await browser.newContext();
  for (let round = 1; round <= 2; round += 1) {
    const pages = await Promise.all(links.map(async (one) => {
      const page = await context.newPage();
      const answer = await page.goto(one, { waitUntil: "networkidle" });
      assert.equal(answer.status(), 200, one);
      await page.mouse.move(200, 300);
      await page.mouse.wheel(0, 2_000);
      return page;
    }));
    await pages[0].waitForTimeout(STAY_MS);
    await Promise.all(pages.map((page) => page.close({ runBeforeUnload: false })));
  }
  assert.deepEqual(records(), before);
  await context.close();
  assert.equal((await mails()).length, 6);
});

test("a script that cannot save says so and sends the answer again with the next", async () => {
  const address = "cut-off@example.org";
  const count = (await mails()).length + 1;
  await visitor.signUp(address);
  const link = await mailed("s", count);
  await visitor.begin(link);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.getByText("Question 1 of 20", { exact: true }).first().waitFor();
  await context.setOffline(true);
  await page.keyboard.press("4");
  await page.getByText("Not saved yet").waitFor();
  await context.setOffline(false);
  await page.keyboard.press("4");
  await page.locator("[data-saved]").getByText("Saved.").waitFor();
  await page.reload();
  await page.getByText("Question 3 of 20", { exact: true }).first().waitFor();
  await context.close();
});
