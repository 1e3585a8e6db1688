// Ada's whole way, from the home page to the erasure of everything about her: with scripts, and again without.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  Passed, axeFaults, axeFaultsOfSources, htmlFaults, leftBehind, openBrowser, scrollsSideways,
  watchForeign,
} from "./checks.js";
import { start } from "./server.js";
import { linkTo, openMail, orderly } from "./walk.js";

let server;
let browser;
/** Every page passed by anybody, for the HTML checker. */
const passed = [];

before(async () => {
  [server, browser] = await Promise.all([start(), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** What two sources have in common that differ by ids, links, addresses and times alone. */
function kindOf(html) {
  return html.replaceAll(/[\w-]{36,}|[\w-]+@example\.org|\d\d:\d\d/g, "");
}

/** A person with a browser of their own. */
class Person {
  static async arrives(address, javaScriptEnabled) {
    const person = new Person();
    const context = await browser.newContext({ javaScriptEnabled, acceptDownloads: true });
    Object.assign(person, { address, context, hasScripts: javaScriptEnabled, faults: [] });
    person.foreign = watchForeign(context, server.url);
    person.passed = new Passed(context);
    person.page = await context.newPage();
    person.page.on("pageerror", (error) => person.faults.push(error.message));
    return person;
  }

  /** Looks at the page that is open: what axe finds, whether it fits, and nothing left in the browser. */
  async sees(name) {
    const { page } = this;
    assert.ok(await this.passed.see(name, page.url()), `the source of ${name}`);
    if (this.hasScripts) {
      this.faults.push(...(await axeFaults(page)).map((fault) => `${name}: ${fault}`));
    }
    if (await scrollsSideways(page)) this.faults.push(`${name} scrolls sideways`);
    assert.deepEqual(await leftBehind(this.context, page), [], name);
  }

  async presses(name) {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  async follows(name) {
    await this.page.locator("main").getByRole("link", { name }).first().click();
  }

  /** Opens a mail and follows one of its links, in the frame with scripts and in the text without. */
  async followsMail(subject, kind) {
    const { text, frame, links } = await openMail(this.page, server.url, this.address, subject);
    await this.sees(`the mail “${subject}”`);
    const link = linkTo(links, kind);
    const body = this.hasScripts ? frame : text;
    await body.locator(`a[href="${link}"]`).first().click();
    await this.page.waitForURL((url) => url.pathname.startsWith(`/${kind}/`));
    return link;
  }

  async leaves() {
    if (!this.hasScripts) {
      // What was the same with scripts has been looked at; a page of questions is not the same.
      const known = new Set(passed.map(({ html }) => kindOf(html)));
      const isNew = ({ url, html }) =>
        !url.endsWith("/frame") && (html.includes("data-quiz") || !known.has(kindOf(html)));
      const pages = this.passed.pages.filter(isNew);
      this.faults.push(...await axeFaultsOfSources(browser, pages));
    }
    await this.context.close();
    passed.push(...this.passed.pages);
    assert.deepEqual(this.faults, []);
    assert.deepEqual(this.foreign, []);
  }
}

for (const hasScripts of [true, false]) {
  test(`the whole walk, ${hasScripts ? "with" : "without"} scripts`, async () => {
    const name = hasScripts ? "ada" : "ada-without-scripts";
    const ada = await Person.arrives(`${name}@example.org`, hasScripts);
    await readsAndSignsUp(ada);
    const link = await ada.followsMail("Your link to the quiz", "s");
    await ada.sees("start");
    await ada.presses("Start the quiz");
    await (hasScripts ? answersByKeyboard : answersOnPaper)(ada, link);
    const report = await finishes(ada);
    await prints(ada.page);
    await stopsMail(ada, report);
    await choosesAnew(ada);
    await erasesEverything(ada, [link, report]);
    await ada.leaves();
  });
}

async function readsAndSignsUp(ada) {
  const { page } = ada;
  await page.goto(server.url);
  await ada.sees("home");
  await ada.follows("What is the difference between leadership and management?");
  await ada.sees("article");
  await page.locator("main a[href='/quiz/leader-type']").first().click();
  await ada.sees("quiz");
  await ada.presses("Send me the link");
  await page.locator(".errors").waitFor();
  await ada.sees("quiz, nothing filled in");
  assert.match(await page.title(), /^Error: /);
  await page.locator(".errors a[href='#email']").click();
  await page.keyboard.type(ada.address);
  assert.equal(await page.locator("#email").inputValue(), ada.address);
  await page.getByLabel("Your name").fill("Ada Byron");
  await page.getByLabel("Your level of work").selectOption("first-line");
  await page.getByLabel("Please email me your newsletter").check();
  await ada.presses("Send me the link");
  await page.getByRole("heading", { name: "Check your inbox" }).waitFor();
  await ada.sees("check your inbox");
}

/** With scripts: one question at a time by the keys 1 to 5, once back, and the seventh on another device, too. */
async function answersByKeyboard(ada, link) {
  const { page } = ada;
  for (let n = 1; n <= 20; n += 1) {
    const question = await showsQuestion(page, n);
    if (n === 4) {
      await ada.presses("Back");
      await showsQuestion(page, 3);
      await page.keyboard.press("Enter");
      await showsQuestion(page, 4);
    }
    if (n === 7) await resumesElsewhere(link, "Question 7 of 20");
    if (n === 1 || n === 20) await ada.sees(`question ${n}`);
    const item = (await question.getAttribute("id")).slice("q-".length);
    const saved = page.waitForResponse((answer) => answer.request().method() === "POST");
    await page.keyboard.press(String(orderly(item)));
    assert.ok([204, 303].includes((await saved).status()));
  }
  await page.waitForURL("**/review");
}

async function showsQuestion(page, n) {
  await page.locator("[data-progress]").getByText(`Question ${n} of 20`, { exact: true }).waitFor();
  const question = page.locator("fieldset.question:not([hidden])");
  assert.equal(await question.count(), 1);
  return question;
}

async function resumesElsewhere(link, words) {
  const elsewhere = await browser.newContext();
  const page = await elsewhere.newPage();
  await page.goto(link);
  await page.locator("[data-progress]").getByText(words, { exact: true }).waitFor();
  await elsewhere.close();
}

/** Without scripts: five questions to a page; a page left blank; the same answer to all; then what is true. */
async function answersOnPaper(ada, link) {
  const { page } = ada;
  await ada.sees("questions 1 to 5");
  await ada.presses("Next");
  await page.getByText("Five questions on this page have no answer.").waitFor();
  await ada.sees("questions, all blank");
  await answersPages(ada, () => 3, async (nPage) => {
    if (nPage === 2) await resumesElsewhere(link, "Question 6 of 20");
  });
  await page.getByText("You gave every statement the same answer.").waitFor();
  await ada.sees("review, one answer throughout");
  await page.locator(".review a").first().click();
  await answersPages(ada, orderly, async (nPage) => {
    if (nPage !== 2) return;
    await ada.presses("Back");
    assert.equal(await page.locator("fieldset.question input:checked").count(), 5);
    await ada.presses("Next");
  });
}

async function answersPages(ada, choose, before) {
  const { page } = ada;
  for (let nPage = 1; nPage <= 4; nPage += 1) {
    await before(nPage);
    const questions = page.locator("fieldset.question");
    const ids = await questions.evaluateAll((all) => all.map((one) => one.id.slice("q-".length)));
    assert.equal(ids.length, 5);
    for (const id of ids) await page.locator(`[name="a.${id}"][value="${choose(id)}"]`).check();
    await ada.presses("Next");
  }
  await page.waitForURL("**/review");
}

async function finishes(ada) {
  const { page } = ada;
  await page.getByText("All 20 answered.").waitFor();
  await ada.sees("review");
  await ada.presses("Finish and see my result");
  await page.waitForURL("**/r/*");
  await ada.sees("report");
  assert.match(await page.locator(".opening").innerText(), /^As you see yourself: mostly order\./);
  assert.equal(await page.getByRole("img", { name: /Your place on the map/ }).count(), 1);
  return page.url();
}

/** On paper the report has its map and its folds, and none of its buttons. */
async function prints(page) {
  const controls = page.locator(".controls, .bar, .site-head nav, button");
  const shown = async () => (await Promise.all(
    (await controls.all()).map((control) => control.isVisible()))).filter(Boolean).length;
  assert.ok(await shown() > 5);
  await page.emulateMedia({ media: "print" });
  assert.equal(await shown(), 0);
  for (const part of [".opening", ".map svg", ".levels"]) {
    assert.ok(await page.locator(part).first().isVisible(), part);
  }
  assert.ok((await page.locator("article.report").screenshot()).length > 50_000);
  const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
  assert.ok(pdf.startsWith("%PDF-") && pdf.length > 30_000, `${pdf.length} bytes`);
  const nPages = pdf.match(/\/Type\s*\/Page\b/g).length;
  assert.ok(nPages >= 2 && nPages <= 8, `${nPages} pages`);
  await page.emulateMedia({ media: null });
}

async function stopsMail(ada, report) {
  const { page } = ada;
  const { links } = await openMail(page, server.url, ada.address, "Your report is ready");
  assert.equal(linkTo(links, "r"), report);
  await ada.followsMail("Your report is ready", "u");
  await page.getByText("Nothing has changed yet.").waitFor();
  await ada.sees("stop this mail?");
  await ada.presses("Stop it");
  await page.getByRole("heading", { name: "Done" }).waitFor();
  await ada.sees("stopped");
}

async function choosesAnew(ada) {
  const { page } = ada;
  await ada.followsMail("Your report is ready", "p");
  await page.getByRole("heading", { name: "Your preferences" }).waitFor();
  await ada.sees("preferences");
  assert.equal(await page.locator("input[type=checkbox]:checked").count(), 0);
  await spoilForm(page);
  await ada.presses("Save my choices");
  await page.locator(".errors").waitFor();
  await ada.sees("preferences, of another day");
  await page.getByLabel("Someone on your team may read my quiz result").check();
  await ada.presses("Save my choices");
  await page.getByText("Your choices hold from this minute.").waitFor();
  await ada.sees("preferences, saved");
  assert.equal(await page.locator("input[type=checkbox]:checked").count(), 1);
}

/** As if the form had lain open for days: its submit id is not taken any more. */
async function spoilForm(page) {
  await page.locator("main [name=submit_id]").evaluate((input) => { input.value = "old"; });
}

async function erasesEverything(ada, links) {
  const { page } = ada;
  await ada.follows("Get a copy of everything about you");
  await ada.sees("export");
  const download = page.waitForEvent("download");
  await ada.presses("Make my copy");
  assert.equal((await download).suggestedFilename(), "everything-about-me.zip");
  await ada.follows("Back to preferences");
  await ada.follows("Erase everything about you");
  await spoilForm(page);
  await ada.presses("Erase everything");
  await page.locator(".errors").waitFor();
  await ada.sees("erase, of another day");
  await ada.presses("Erase everything");
  await page.getByText("Everything tied to you is gone.").waitFor();
  await ada.sees("erased");
  for (const link of links) {
    assert.equal((await page.goto(link)).status(), 404);
    await ada.sees("a link that is dead");
  }
  await page.goto(`${server.url}/mailbox`);
  assert.equal(await page.getByText(ada.address, { exact: false }).count(), 0);
}

test("with too few answers the report says so, and the result can be deleted", async () => {
  const bea = await Person.arrives("bea@example.org", false);
  const { page } = bea;
  await page.goto(`${server.url}/quiz/leader-type`);
  await page.getByLabel("Your name").fill("Ada Byron");
  await page.getByLabel("Your email address").fill(bea.address);
  await bea.presses("Send me the link");
  const link = await bea.followsMail("Your link to the quiz", "s");
  await bea.presses("Start the quiz");
  await page.goto(`${link}/review`);
  await page.getByText("A result needs at least 8 of the 10 answers on managing").waitFor();
  await bea.sees("review, nothing answered");
  await bea.presses("Finish and see my result");
  await page.getByText("There are not enough answers for a result.").waitFor();
  await bea.sees("report, not enough answers");
  await bea.presses("Delete this result");
  await bea.sees("delete?");
  await bea.presses("Delete this result");
  await page.getByText("The result is deleted").first().waitFor();
  await bea.sees("deleted");
  await bea.leaves();
});

test("the HTML checker accepts every page passed, mails included", () => {
  assert.ok(passed.length > 60, `only ${passed.length} pages`);
  const kinds = new Map(passed.map(({ name, html }) => [kindOf(html), [name, html]]));
  assert.deepEqual(htmlFaults([...kinds.values()]), []);
});
