// What every page must pass: axe (WCAG 2.2 AA), the HTML checker, no sideways scrolling, nothing from elsewhere.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const VNU = require.resolve("vnu-jar/build/dist/vnu.jar");
const LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** Starts the browser named by CHROMIUM. */
export function openBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });
}

/** Rules that look at colours and sizes; every other one finds the same in any scheme and at any width. */
export const LOOKS = [
  "color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable",
];

/** What axe finds on a page, one line a fault; by every rule unless some are named. Needs scripts on. */
export async function axeFaults(page, rules = null) {
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(AXE);
  const { violations } = await page.evaluate(
    ({ levels, rules }) => globalThis.axe.run(document, {
      runOnly: rules ?? levels, resultTypes: ["violations"],
    }),
    { levels: LEVELS, rules },
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}: ${node.failureSummary}`));
}

/** What the HTML checker finds in pages, given as [name, html]; one run for all, since it starts slowly. */
export function htmlFaults(pages) {
  const folder = mkdtempSync(join(tmpdir(), "bellwether-html-"));
  const files = pages.map(([, html], index) => {
    const file = join(folder, `${index}.html`);
    writeFileSync(file, html);
    return file;
  });
  const { stderr } = spawnSync(
    "java", ["-Xss8m", "-jar", VNU, "--errors-only", "--format", "gnu", ...files],
    { encoding: "utf8" },
  );
  rmSync(folder, { recursive: true, force: true });
  return stderr.split("\n").filter(Boolean)
    .map((line) => line.replace(/^"[^"]*?(\d+)\.html"/, (_, index) => pages[index][0]));
}

/** Whether a page scrolls sideways. */
export function scrollsSideways(page) {
  return page.evaluate(() =>
    document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

/** Whether a page scrolls sideways once lines, letters and words stand as far apart as WCAG 1.4.12 says. */
export function scrollsSidewaysWhenSpaced(page) {
  return page.evaluate(() => {
    const spaced = [...document.querySelectorAll("main, main *, header *, footer *")];
    for (const { style } of spaced) {
      style.lineHeight = "1.5";
      style.letterSpacing = "0.12em";
      style.wordSpacing = "0.16em";
    }
    const { scrollWidth, clientWidth } = document.documentElement;
    for (const element of spaced) element.removeAttribute("style");
    return scrollWidth > clientWidth;
  });
}

/** Pictures without a title or a description, and charts whose figures are in no table. */
export function chartFaults(page) {
  return page.evaluate(() => {
    const named = (svg) => (svg.getAttribute("aria-labelledby") ?? "").split(" ")
      .map((id) => document.getElementById(id)?.textContent.trim()).filter(Boolean);
    const tables = [...document.querySelectorAll("table")];
    return [...document.querySelectorAll("main svg[role=img]")].flatMap((svg) => {
      const faults = [];
      const name = svg.querySelector("title")?.textContent;
      if (!name || !svg.querySelector("desc")) faults.push(`${name}: no title or description`);
      if (named(svg).length < 2) faults.push(`${name}: it is not named by both`);
      const isChart = svg.closest("figure")?.querySelector("figcaption") || svg.closest("dl");
      const follows = (table) =>
        svg.compareDocumentPosition(table) & Node.DOCUMENT_POSITION_FOLLOWING || svg.closest("dl");
      if (isChart && !tables.some(follows)) faults.push(`${name}: no table of its figures`);
      return faults;
    });
  });
}

/** How many bytes a page takes over the wire with all of its files, from an empty cache. */
export async function weight(browser, address) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const requests = [];
  page.on("requestfinished", (request) => requests.push(request));
  await page.goto(address, { waitUntil: "networkidle" });
  const sizes = await Promise.all(requests.map((request) => request.sizes()));
  await context.close();
  return sizes.reduce((sum, size) => sum + size.responseBodySize + size.responseHeadersSize, 0);
}

/** Collects every request of a context that leaves the site. */
export function watchForeign(context, url) {
  const foreign = [];
  context.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith(url) && !address.startsWith("data:")) foreign.push(address);
  });
  return foreign;
}

/** Everything that a site could have left in the browser. */
export async function leftBehind(context, page) {
  const storage = await page.evaluate(async () => [
    ...Object.keys(localStorage), ...Object.keys(sessionStorage),
    ...(await indexedDB.databases()).map((database) => database.name),
    ...(await caches.keys()),
  ]);
  return [...(await context.cookies()).map((cookie) => cookie.name), ...storage];
}

/** Remembers the source of the pages that a context opens, under the names that a walk gives them. */
export class Passed {
  #opened = [];

  constructor(context) {
    this.pages = [];
    context.on("response", (answer) => {
      const isPage = answer.request().isNavigationRequest()
        && answer.headers()["content-type"]?.startsWith("text/html");
      const isHere = answer.status() < 300 || answer.status() >= 400;
      // The browser forgets the source of a page that is left; a walk names it before.
      const text = isPage && isHere && answer.text().catch(() => "");
      if (text) this.#opened.push([answer.url(), text]);
    });
  }

  /** Names what was opened since the last time, the page now shown at `shown` among it. */
  async see(name, shown) {
    const opened = this.#opened.splice(0);
    const sources = await Promise.all(opened.map(([, text]) => text));
    const pages = opened.map(([url], at) => ({ name, url, html: sources[at] }));
    this.pages.push(...pages.filter(({ html }) => html));
    return pages.some(({ url, html }) => html && url === shown.split("#")[0]);
  }
}

/** What axe finds on pages met without scripts: the same source, shown with our script kept away. */
export async function axeFaultsOfSources(browser, pages) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const faults = [];
  let html;
  await page.route("**/*", (route) => {
    const request = route.request();
    if (request.resourceType() === "script") return route.abort();
    if (!request.isNavigationRequest()) return route.continue();
    const isMain = request.frame() === page.mainFrame();
    return isMain ? route.fulfill({ body: html, contentType: "text/html" }) : route.continue();
  });
  for (const { name, url, html: source } of pages) {
    html = source;
    await page.goto(url);
    faults.push(...(await axeFaults(page)).map((fault) => `${name}: ${fault}`));
  }
  await context.close();
  return faults;
}
