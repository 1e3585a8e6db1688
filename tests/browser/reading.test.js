// A visitor reads: every page that links lead to, at three widths, light and dark, with scripts and without.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  axeFaults, htmlFaults, leftBehind, openBrowser, scrollsSideways, watchForeign,
} from "./checks.js";
import { start } from "./server.js";

let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([start(), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Every page of the site that links lead to, as [path, html]. */
async function everyPage() {
  const pages = new Map();
  const waiting = ["/"];
  while (waiting.length) {
    const path = waiting.pop();
    if (pages.has(path)) continue;
    const answer = await fetch(server.url + path);
    assert.equal(answer.status, 200, path);
    if (!answer.headers.get("content-type").startsWith("text/html")) continue;
    const html = await answer.text();
    pages.set(path, html);
    for (const [, link] of html.matchAll(/href="(\/[^"#?]*)/g)) {
      if (!link.startsWith("/assets/")) waiting.push(link);
    }
  }
  return [...pages];
}

test("the HTML checker accepts every page", async () => {
  const pages = await everyPage();
  assert.ok(pages.length >= 10, `only ${pages.length} pages`);
  assert.deepEqual(htmlFaults(pages), []);
});

test("axe finds nothing on any page, in light and in dark", async () => {
  const faults = [];
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ colorScheme });
    const page = await context.newPage();
    for (const [path] of await everyPage()) {
      await page.goto(server.url + path);
      faults.push(...(await axeFaults(page)).map((fault) => `${colorScheme} ${path}: ${fault}`));
    }
    await context.close();
  }
  assert.deepEqual(faults, []);
});

test("no page scrolls sideways at 320, 768 or 1280 pixels", async () => {
  const wide = [];
  const page = await browser.newPage();
  for (const width of [320, 768, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const [path] of await everyPage()) {
      await page.goto(server.url + path);
      if (await scrollsSideways(page)) wide.push(`${width}: ${path}`);
    }
  }
  await page.close();
  assert.deepEqual(wide, []);
});

test("reading leaves nothing in the browser and asks nobody else", async () => {
  const context = await browser.newContext();
  const foreign = watchForeign(context, server.url);
  const page = await context.newPage();
  const articles = (await everyPage()).map(([path]) => path)
    .filter((path) => path.startsWith("/articles") || path.startsWith("/programmes"));
  assert.ok(articles.length >= 5);
  for (const path of articles) await page.goto(server.url + path, { waitUntil: "networkidle" });
  assert.deepEqual(await leftBehind(context, page), []);
  assert.deepEqual(foreign, []);
  await context.close();
});

test("without scripts the way from the home page to an article is there", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.locator("main a[href^='/articles/']").first().click();
  assert.match(page.url(), /\/articles\/[a-z-]+$/);
  assert.ok(await page.locator("main h1").isVisible());
  await context.close();
});

test("no script of ours fails on any page", async () => {
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (said) => {
    if (said.type() === "error") errors.push(said.text());
  });
  for (const [path] of await everyPage()) await page.goto(server.url + path);
  await page.close();
  assert.deepEqual(errors, []);
});
