// Ada writes to the provider: with scripts and without, by mouse and by keyboard.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { leftBehind, openBrowser } from "./checks.js";
import { start } from "./server.js";

const MESSAGE = "We have two new supervisors from January.\n\nIs six half-days enough?";

let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([start(), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The subjects in the built-in mailbox once there are as many, newest first. */
async function subjects(page, count) {
  const until = Date.now() + 10_000;
  while (Date.now() < until) {
    await page.goto(`${server.url}/mailbox`);
    const links = await page.locator("main a[href^='/mailbox/']").allInnerTexts();
    if (links.length >= count) return links;
  }
  throw new Error(`there are not ${count} mails after ten seconds`);
}

test("without scripts a mistake is named, words are kept, and the message arrives", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${server.url}/programmes/first-ninety-days`);
  await page.getByRole("link", { name: "Ask about this programme" }).first().click();
  assert.equal(await page.locator("#programme").inputValue(), "first-ninety-days");
  await page.getByLabel("Your name").fill("Ada Byron");
  await page.getByLabel("Your email address").fill("ada@");
  await page.getByLabel("Your message").fill(MESSAGE);
  await page.getByRole("button", { name: "Send the message" }).click();
  assert.match(await page.title(), /^Error: /);
  assert.equal(await page.getByLabel("Your message").inputValue(), MESSAGE);
  await page.locator(".errors a").click();
  await page.locator("#email").fill("ada@example.org");
  await page.getByRole("button", { name: "Send the message" }).click();
  assert.match(page.url(), /\/contact\/sent\//);
  const reference = await page.locator(".reference").innerText();
  const mails = await subjects(page, 2);
  assert.ok(mails.some((subject) => subject.includes(`Enquiry ${reference} from Ada Byron`)));
  assert.ok(mails.some((subject) => subject.includes(`We have your message (${reference})`)));
  await context.close();
});

test("by keyboard alone the form is filled in and sent, and nothing is left behind", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${server.url}/contact`);
  await page.locator("#name").focus();
  const { keyboard } = page;
  for (const text of ["Bea", "bea@example.org", "01632 960 002", "Looms"]) {
    await keyboard.type(text);
    await keyboard.press("Tab");
  }
  await keyboard.type("A complaint");
  await keyboard.press("Tab");
  await keyboard.press("Tab");
  await keyboard.type("You kept my data too long.");
  let focused;
  do {
    await keyboard.press("Tab");
    focused = await page.evaluate(() => document.activeElement.id);
  } while (focused !== "send");
  await keyboard.press("Enter");
  await page.waitForURL("**/contact/sent/*");
  assert.ok(await page.getByText("Your complaint is with us").first().isVisible());
  assert.deepEqual(await leftBehind(context, page), []);
  await context.close();
});

test("with scripts the summary has the focus and leads to the field", async () => {
  const page = await browser.newPage();
  await page.goto(`${server.url}/contact`);
  await page.getByRole("button", { name: "Send the message" }).click();
  await page.waitForFunction(() => document.activeElement.classList.contains("errors"));
  await page.locator(".errors a[href='#message']").click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "message");
  await page.close();
});
