// Every page in every state: each sample, each page that links lead to, and the private ones on the way to the quiz.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  LOOKS, axeFaults, chartFaults, htmlFaults, openBrowser, scrollsSideways,
  scrollsSidewaysWhenSpaced, weight,
} from "./checks.js";
import { start } from "./server.js";

/** A screen of 1280 by 1024 pixels at 400 %, and the same at 100 %. */
const NARROW = { width: 320, height: 256 };
const WIDE = { width: 1280, height: 1024 };
const WEIGHT_MAX = 60_000;

let server;
let browser;
let samples;

before(async () => {
  [server, browser] = await Promise.all([start(), openBrowser()]);
  const gallery = await (await fetch(`${server.url}/dev/pages`)).text();
  samples = [...gallery.matchAll(/href="(\/dev\/pages\/[^"]*)"/g)].map(([, path]) => path);
  assert.ok(samples.length >= 80, `only ${samples.length} samples`);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Every page that links from the home page lead to. */
async function linked() {
  const paths = new Set();
  const waiting = ["/"];
  while (waiting.length) {
    const path = waiting.pop();
    if (paths.has(path)) continue;
    const answer = await fetch(server.url + path);
    assert.equal(answer.status, 200, path);
    if (!answer.headers.get("content-type").startsWith("text/html")) continue;
    paths.add(path);
    for (const [, link] of (await answer.text()).matchAll(/href="(\/[^"#?]*)/g)) {
      if (!link.startsWith("/assets/")) waiting.push(link);
    }
  }
  return [...paths];
}

/** The private pages of somebody who signs up and starts, and what a wrong address and a dead link get. */
async function private_() {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${server.url}/quiz/leader-type`);
  await page.locator("#name").fill("Ada Byron");
  await page.locator("#email").fill("ada@example.org");
  await page.getByRole("button", { name: "Send me the link" }).click();
  const paths = [new URL(page.url()).pathname, "/mailbox", "/no-such-page", "/s/no-such-link"];
  let links = [];
  for (const until = Date.now() + 10_000; links.length === 0 && Date.now() < until;) {
    await page.goto(`${server.url}/mailbox`);
    const mail = page.locator("main a[href^='/mailbox/']").first();
    if (await mail.count() === 0) continue;
    await mail.click();
    paths.push(new URL(page.url()).pathname);
    const text = await page.locator("main").innerText();
    links = [...text.matchAll(/http:\/\/[^\s]*(\/[su]\/[\w-]+)/g)].map(([, path]) => path);
  }
  assert.equal(links.length, 2, "the mail has two links");
  await page.goto(server.url + links[0]);
  await page.getByRole("button", { name: "Start the quiz" }).click();
  paths.push(...links, new URL(page.url()).pathname);
  await context.close();
  return [...new Set(paths)];
}

/** Everything that can be wrong with how a page looks, in both colour schemes and at both widths. */
async function faultsOf(page, path) {
  const faults = [];
  const note = (where) => (fault) => faults.push(`${path}, ${where}: ${fault}`);
  await page.setViewportSize(NARROW);
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(server.url + path);
  if (await scrollsSideways(page)) note("narrow")("it scrolls sideways");
  if (await scrollsSidewaysWhenSpaced(page)) note("narrow, spaced")("it scrolls sideways");
  (await axeFaults(page)).forEach(note("narrow and light"));
  (await chartFaults(page)).forEach(note("charts"));
  await page.emulateMedia({ colorScheme: "dark" });
  (await axeFaults(page, LOOKS)).forEach(note("narrow and dark"));
  await page.setViewportSize(WIDE);
  if (await scrollsSideways(page)) note("wide")("it scrolls sideways");
  (await axeFaults(page, LOOKS)).forEach(note("wide and dark"));
  await page.emulateMedia({ colorScheme: "light" });
  (await axeFaults(page, LOOKS)).forEach(note("wide and light"));
  return faults;
}

test("axe finds nothing, nothing scrolls sideways, charts have tables, no script fails", async () => {
  const waiting = ["/dev/pages", ...samples, ...await linked(), ...await private_()];
  const faults = [];
  const work = async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    let path;
    page.on("pageerror", (error) => faults.push(`${path}: ${error.message}`));
    page.on("console", (said) => {
      const isOurs = said.type() === "error" && !said.text().startsWith("Failed to load resource");
      if (isOurs) faults.push(`${path}: ${said.text()}`);
    });
    while ((path = waiting.shift())) faults.push(...await faultsOf(page, path));
    await context.close();
  };
  await Promise.all([work(), work()]);
  assert.deepEqual(faults, []);
});

test("the HTML checker accepts every page and every mail", async () => {
  const pages = new Map();
  const add = async (path) => {
    const answer = await fetch(server.url + path);
    const html = await answer.text();
    pages.set(path, html);
    const frame = html.match(/<iframe[^>]* src="([^"]*)"/);
    if (frame) await add(frame[1]);
  };
  const paths = ["/dev/pages", ...samples, ...await linked(), ...await private_()];
  for (const path of paths) await add(path);
  assert.ok([...pages.keys()].some((path) => path.endsWith("/frame")), "no mail was seen");
  assert.deepEqual(htmlFaults([...pages]), []);
});

test("the quiz and the report weigh at most 60 KB with all of their files", async (t) => {
  const reports = samples.filter((path) => path.includes("/quiz/report-"));
  const paths = ["/quiz/leader-type", "/dev/pages/quiz/question", ...reports];
  const heavy = [];
  for (const path of paths) {
    const bytes = await weight(browser, server.url + path);
    t.diagnostic(`${path}: ${bytes} bytes`);
    if (!(bytes > 1_000 && bytes <= WEIGHT_MAX)) heavy.push(`${path}: ${bytes}`);
  }
  assert.deepEqual(heavy, []);
});
