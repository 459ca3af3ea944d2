// The page only shows the journey's state and sends touches; it decides nothing.
"use strict";

const PIN_DIGITS = 4;
const RETRY_MILLISECONDS = 1000;
const token = document.querySelector('meta[name="token"]').content;
const policy = window.trustedTypes
  ? trustedTypes.createPolicy("kofu", { createHTML: (text) => text })
  : { createHTML: (text) => text };
// How many digits are typed; the digits themselves are the kiosk's, one request each, in order.
let digits = 0;
let typing = Promise.resolve();

const screenNow = () => document.getElementById("screen");
const version = () => screenNow().dataset.version;

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Kofu-Token": token, "Kofu-State": version() },
    body: JSON.stringify(body),
  });
  if (answer.status >= 500) throw new Error(`status ${answer.status}`);
  await refresh();
}

function touch(body) {
  post("/touch", body).catch(() => broken(true));
}

function card(persona) {
  post("/simulated/card", { persona }).catch(() => broken(true));
}

function broken(is) {
  document.getElementById("broken").hidden = !is;
}

function showDots() {
  const dots = document.getElementById("dots");
  if (!dots) return;
  dots.textContent = "●".repeat(digits) + "○".repeat(PIN_DIGITS - digits);
  document.querySelector("[data-enter]").disabled = digits < PIN_DIGITS;
}

function show(html) {
  const page = new DOMParser().parseFromString(policy.createHTML(html), "text/html");
  const next = page.getElementById("screen");
  if (!next || next.dataset.version === version()) return;
  if (next.dataset.stage !== "pin") digits = 0;
  screenNow().replaceWith(document.adoptNode(next));
  document.title = next.dataset.title;
  document.documentElement.lang = next.lang;
  showDots();
}

async function refresh() {
  const answer = await fetch("/screen", { cache: "no-store" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  show(await answer.text());
}

async function follow() {
  for (;;) {
    try {
      const answer = await fetch(`/screen?known=${encodeURIComponent(version())}`, {
        cache: "no-store",
      });
      if (answer.status >= 500) throw new Error(`status ${answer.status}`);
      if (answer.status === 200) show(await answer.text());
      broken(false);
    } catch {
      broken(true);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
    }
  }
}

function press(place, digit) {
  typing = typing.then(async () => {
    const answer = await fetch("/pin", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Kofu-Token": token, "Kofu-State": version() },
      body: JSON.stringify({ place, digit }),
    });
    if (answer.status >= 500) throw new Error(`status ${answer.status}`);
    if (answer.ok) return;
    digits = 0;
    showDots();
    await refresh();
  }).catch(() => broken(true));
}

function typed(digit) {
  if (digits === PIN_DIGITS) return;
  press(digits, digit);
  digits += 1;
  showDots();
}

function untyped() {
  if (digits === 0) return;
  digits -= 1;
  press(digits, null);
  showDots();
}

function sendPin() {
  digits = 0;
  showDots();
  typing = typing.then(() => touch({ do: "pin" }));
}

function count(step) {
  const output = document.querySelector("output[name=copies]");
  const wanted = Number(output.textContent) + step;
  const { least, most } = output.dataset;
  output.textContent = String(Math.min(Number(most), Math.max(Number(least), wanted)));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.disabled) return;
  const data = button.dataset;
  if ("key" in data) typed(Number(button.textContent));
  else if ("delete" in data) untyped();
  else if ("enter" in data) sendPin();
  else if ("less" in data) count(-1);
  else if ("more" in data) count(1);
  else if ("language" in data) post("/language", {}).catch(() => broken(true));
  else if ("coin" in data) post("/simulated/coins", { amount: Number(data.coin) }).catch(() => broken(true));
  else if ("hold" in data) card(document.querySelector("[data-persona]").value);
  else if ("take" in data) card(null);
  else if ("do" in data) {
    const { do: act, kind, to } = data;
    touch({ do: act, ...(kind && { kind }), ...(to && { to }) });
  }
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const boxes = [...form.querySelectorAll("input[type=checkbox]")];
  const forms = {
    members: () => ({ members: boxes.filter((box) => box.checked).map((box) => box.value) }),
    options: () => ({ options: Object.fromEntries(boxes.map((box) => [box.name, box.checked])) }),
    copies: () => ({ copies: Number(form.querySelector("output").textContent) }),
  };
  const what = form.dataset.form;
  touch({ do: what, ...forms[what]() });
});

document.addEventListener("contextmenu", (event) => event.preventDefault());
showDots();
follow();
