// Every page in every sample state: the HTML checker, axe in light and dark, three widths, no script error.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axeFaults, htmlFaults, openBrowser, scrollsSideways } from "./checks.js";
import { start } from "./server.js";

let server;
let browser;
let samples;

before(async () => {
  [server, browser] = await Promise.all([start(), openBrowser()]);
  const gallery = await (await fetch(`${server.url}/dev/pages`)).text();
  samples = [...gallery.matchAll(/href="(\/dev\/pages\/[^"]*)"/g)].map(([, path]) => path);
  assert.ok(samples.length >= 20, `only ${samples.length} samples`);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("the HTML checker accepts every sample", async () => {
  const pages = await Promise.all(["/dev/pages", ...samples].map(async (path) => {
    const answer = await fetch(server.url + path);
    assert.equal(answer.status, 200, path);
    return [path, await answer.text()];
  }));
  assert.deepEqual(htmlFaults(pages), []);
});

test("axe finds nothing on any sample, no script fails and none scrolls sideways", async () => {
  const faults = [];
  for (const [width, colorScheme] of [[320, "light"], [768, "dark"], [1280, "light"]]) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
    const page = await context.newPage();
    let path;
    const note = (fault) => faults.push(`${width} ${colorScheme} ${path}: ${fault}`);
    page.on("pageerror", (error) => note(error.message));
    for (path of samples) {
      await page.goto(server.url + path);
      if (await scrollsSideways(page)) note("it scrolls sideways");
      (await axeFaults(page)).forEach(note);
    }
    await context.close();
  }
  assert.deepEqual(faults, []);
});
