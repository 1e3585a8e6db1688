// A visitor reads: with scripts and without, and leaves as little behind as they found.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { leftBehind, openBrowser, watchForeign } from "./checks.js";
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

test("reading everything there is leaves nothing in the browser and asks nobody else", async () => {
  const map = await (await fetch(`${server.url}/sitemap.xml`)).text();
  const pages = [...map.matchAll(/<loc>([^<]*)<\/loc>/g)].map(([, address]) => address);
  const read = pages.filter((address) => /\/(articles|programmes)\/./.test(address));
  assert.ok(read.length >= 5, `only ${read.length} to read`);
  const context = await browser.newContext();
  const foreign = watchForeign(context, server.url);
  const page = await context.newPage();
  for (const address of pages) {
    await page.goto(address, { waitUntil: "networkidle" });
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  }
  assert.deepEqual(await leftBehind(context, page), []);
  assert.deepEqual(foreign, []);
  await context.close();
});

test("an article is shared by plain links, and its link can be copied", async () => {
  const context = await browser.newContext({
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  const map = await (await fetch(`${server.url}/sitemap.xml`)).text();
  const [, address] = map.match(/<loc>([^<]*\/articles\/[^<]*)<\/loc>/);
  await page.goto(address);
  const links = await page.locator(".share a").evaluateAll((all) => all.map((a) => a.href));
  const hosts = links.map((link) => link.startsWith("mailto:") ? "mailto" : new URL(link).host);
  assert.deepEqual(hosts, ["mailto", "www.linkedin.com", "x.com", "www.facebook.com", "wa.me"]);
  for (const link of links) assert.ok(link.includes(encodeURIComponent(address)), link);
  await page.locator(".share [data-copy]").click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), address);
  assert.notEqual(await page.locator(".share [role=status]").innerText(), "");
  await context.close();
});

test("without scripts the way from the home page to an article is there", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.locator("main a[href^='/articles/']").first().click();
  assert.match(page.url(), /\/articles\/[a-z-]+$/);
  assert.ok(await page.locator("main h1").isVisible());
  assert.equal(await page.locator(".share button").first().isVisible(), false);
  await context.close();
});
