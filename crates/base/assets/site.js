// Bellwether: the one script. Every page works without it. It keeps nothing on the device,
// sets no style, and sends nothing unless the reader has just done something.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// ---- Page helpers --------------------------------------------------------------------------

/** Says `words` in the status line nearest to `button`. */
function say(button, words) {
  const status = button.parentElement.querySelector("[role=status]");
  if (status) status.textContent = words;
}

/** The address to share: the button's own, else the canonical one, else this page's. */
function address(button) {
  const canonical = document.querySelector("link[rel=canonical]");
  return button.value || canonical?.href || location.href.split("#")[0];
}

/** Buttons that need a script are hidden in the page and shown only where they work. */
function showButton(selector, works, act) {
  if (!works) return;
  for (const button of all(selector)) {
    button.hidden = false;
    button.addEventListener("click", () => act(button));
  }
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(address(button));
    say(button, "Link copied.");
  } catch {
    say(button, "This browser would not copy. Copy the address from the address bar.");
  }
}

function share(button) {
  const data = { title: document.title, url: address(button) };
  navigator.share(data).catch((error) => {
    if (error.name !== "AbortError") say(button, "Sharing did not work here.");
  });
}

/** Folds stay as they were left when the reader comes back, and open for print and for links. */
function rememberFolds() {
  const folds = all("details");
  const left = history.state?.folds;
  folds.forEach((fold, i) => {
    if (left) fold.open = left.includes(i);
    fold.addEventListener("toggle", () => {
      const open = folds.flatMap((f, n) => (f.open ? [n] : []));
      history.replaceState({ ...history.state, folds: open }, "");
    });
  });
  const openTarget = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const fold = target && target.closest("details");
    if (fold) fold.open = true;
  };
  addEventListener("hashchange", openTarget);
  openTarget();
}

// ---- The quiz: one question at a time --------------------------------------------------------

const KEPT = "Not saved yet: the site did not answer. Your answer is kept on this page"
  + " and goes again with the next one.";

/** Saves answers one by one; what fails waits for the next answer, or for the connection. */
function saver(form, status) {
  const waiting = new Map();
  let busy = false;

  async function flush() {
    if (busy) return;
    busy = true;
    try {
      for (const [name, value] of waiting) {
        const answer = await fetch(form.action, {
          method: "POST",
          body: new URLSearchParams({ save: "1", [name]: value }),
          headers: { "X-Requested-With": "fetch" },
          keepalive: true,
        });
        if (answer.status !== 204) throw new Error(answer.statusText);
        if (waiting.get(name) === value) waiting.delete(name);
      }
      busy = false;
      if (waiting.size) return flush();
      show("Saved.", false);
    } catch {
      show(KEPT, true);
    }
    busy = false;
  }

  function show(words, failed) {
    status.classList.toggle("failed", failed);
    if (failed) status.setAttribute("role", "alert");
    else status.removeAttribute("role");
    status.textContent = words;
  }

  addEventListener("online", () => waiting.size && flush());
  return (input) => {
    waiting.delete(input.name);
    waiting.set(input.name, input.value);
    flush();
  };
}

function enhanceQuiz(form) {
  const questions = all("fieldset.question", form);
  if (questions.length === 0) return;
  const first = Number(form.dataset.first);
  const total = Number(form.dataset.total);
  const progress = document.querySelector("[data-progress]");
  const meter = document.querySelector("progress");
  const live = form.querySelector("[data-live]");
  const back = form.querySelector("button[value=back]");
  const next = form.querySelector("button[value=next], button[value=review]");
  const pageBefore = !back.hidden;
  const save = saver(form, form.querySelector("[data-saved]"));
  const chosen = (question) => question.querySelector("input:checked");
  let current = 0;
  let byPointer = false;

  function show(index, focus) {
    current = index;
    questions.forEach((question, i) => { question.hidden = i !== index; });
    back.hidden = index === 0 && !pageBefore;
    const words = `Question ${first + index} of ${total}`;
    progress.textContent = words;
    live.textContent = words;
    if (meter) meter.value = first + index - 1;
    if (focus) questions[index].focus({ preventScroll: true });
    questions[index].scrollIntoView({ block: "nearest" });
  }

  function forward() {
    if (current + 1 < questions.length) show(current + 1, true);
    else form.requestSubmit(next);
  }

  function choose(input) {
    input.checked = true;
    if (current + 1 < questions.length) save(input); // the page's own POST carries the last one
    forward();
  }

  form.addEventListener("pointerdown", () => { byPointer = true; });
  form.addEventListener("change", (event) => {
    if (event.target.type === "radio" && !byPointer) save(event.target);
  });
  form.addEventListener("click", (event) => {
    const { target } = event;
    if (target.type === "radio" && byPointer) choose(target);
    const step = target.closest("button[name=go]");
    if (step === next && current + 1 < questions.length) {
      event.preventDefault();
      forward();
    } else if (step === back && current > 0) {
      event.preventDefault();
      show(current - 1, true);
    }
  });
  form.addEventListener("keydown", (event) => {
    byPointer = false;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inputs = all("input[type=radio]", questions[current]);
    const number = inputs[Number(event.key) - 1];
    const enter = event.key === "Enter" && event.target.tagName !== "BUTTON";
    if (!number && !enter) return;
    event.preventDefault();
    if (number) choose(number);
    else if (chosen(questions[current])) forward();
  });

  form.classList.add("stepped");
  form.tabIndex = -1;
  questions.forEach((question) => { question.tabIndex = -1; });
  all("[data-scripted]").forEach((element) => { element.hidden = false; });
  all("[data-unscripted]").forEach((element) => { element.hidden = true; });
  const asked = () => questions.findIndex((question) => question.id === location.hash.slice(1));
  addEventListener("hashchange", () => asked() >= 0 && show(asked(), true));
  const open = questions.findIndex((question) => !chosen(question));
  const last = location.hash === "#last" ? questions.length - 1 : -1;
  const start = [asked(), last, open].find((index) => index >= 0) ?? 0;
  show(start, true);
}

// ---- Start -------------------------------------------------------------------------------------

showButton("[data-copy]", navigator.clipboard, copy);
showButton("[data-share]", navigator.share, share);
showButton("[data-print]", window.print, () => print());
rememberFolds();
all("form[data-quiz]").forEach(enhanceQuiz);
document.querySelector(".errors")?.focus();
