// What the persons of these tests do more than once: read their mail, answer the questions.

import assert from "node:assert/strict";

const MANAGING = ["plan", "monitor", "coordinate", "consistency", "authority"];

/** The answer of somebody who mostly keeps order: managing often and leading seldom, by their own account. */
export function orderly(item) {
  const [facet, key] = item.split("-");
  return MANAGING.includes(facet) === key.startsWith("f") ? 5 : 1;
}

/** Opens the newest mail to `address` with that subject; both of its bodies must say the same. */
export async function openMail(page, url, address, subject) {
  const entry = page.locator(".mails li").filter({ hasText: address })
    .getByRole("link", { name: subject }).first();
  const until = Date.now() + 20_000;
  do {
    assert.ok(Date.now() < until, `no mail “${subject}” to ${address} after twenty seconds`);
    await page.goto(`${url}/mailbox`);
  } while (await entry.count() === 0);
  await entry.click();
  const text = page.locator(".mail-text");
  const frame = page.frameLocator("iframe.mail-frame");
  const links = (body) => body.locator("a").evaluateAll((all) => all.map((a) => a.href));
  assert.deepEqual(await links(frame), await links(text));
  const words = async (body) => (await body.innerText()).replaceAll(/\s+/g, " ");
  const html = await words(frame.locator("body"));
  for (const sentence of ["Hello Ada Byron,", "Your Organisation"]) {
    assert.ok(html.includes(sentence) && (await words(text)).includes(sentence), html);
  }
  return { text, frame, links: await links(text) };
}

/** Where the link of that kind in a mail leads: `s`, `r`, `u` or `p`. */
export function linkTo(links, kind) {
  return links.find((link) => new URL(link).pathname.startsWith(`/${kind}/`));
}
