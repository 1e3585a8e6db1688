// A visitor who speaks HTTP only: fills in forms as they were served, follows no redirect by itself.

import assert from "node:assert/strict";
import { orderly } from "./walk.js";

const QUIZ = "/quiz/leader-type";

/** The value of the first field of that name in a page. */
export function field(html, name) {
  return html.match(new RegExp(`<input[^>]* name="${name}"[^>]* value="([^"]*)"`))?.[1] ?? "";
}

/** Every link in a mail's text, in order. */
export function linksIn(text) {
  return [...text.matchAll(/^https?:\/\/\S+$/gm)].map(([link]) => link);
}

/** One visitor of the site at `url`. */
export class Visitor {
  constructor(url) {
    this.url = url;
  }

  /** Opens a page, which must be there; gives its source. */
  async get(path) {
    const answer = await fetch(new URL(path, this.url), { redirect: "manual" });
    const html = await answer.text();
    assert.equal(answer.status, 200, `${path} ${html}`);
    return html;
  }

  /** Sends a form; gives the answer. */
  async send(path, fields) {
    return fetch(new URL(path, this.url), {
      method: "POST",
      redirect: "manual",
      headers: { "sec-fetch-site": "same-origin" },
      body: new URLSearchParams(fields),
    });
  }

  /** Sends a form that must be acknowledged; gives where it leads. */
  async post(path, fields) {
    const answer = await this.send(path, fields);
    assert.equal(answer.status, 303, `${path} ${await answer.text()}`);
    return answer.headers.get("location");
  }

  /** Fills in and sends the form that stands at `path`. */
  async fillIn(path, fields, action = path) {
    const submit_id = field(await this.get(path), "submit_id");
    return this.post(action, { submit_id, ...fields });
  }

  async signUp(email, more = {}) {
    return this.fillIn(QUIZ, { name: "Ada Byron", email, ...more });
  }

  /** Presses the button behind a mailed link. */
  async begin(link) {
    const confirms = field(await this.get(link), "confirms");
    return this.post(link, { go: "start", confirms });
  }

  /** Answers every page and presses the last button; gives the path of the report. */
  async answerAll(link) {
    let page = `${link}/1`;
    while (!page.endsWith("/review")) {
      const html = await this.get(page);
      const items = [...html.matchAll(/<fieldset class="question" id="q-([^"]+)"/g)];
      const answers = items.map(([, item]) => [`a.${item}`, String(orderly(item))]);
      page = await this.post(page, { go: "next", ...Object.fromEntries(answers) });
    }
    return this.post(`${link}/finish`, { go: "next" });
  }
}
