// Keeps one part of the page as the server has it: asks every two seconds with the ETag it knows,
// changes only what differs, and rests while nobody looks.
"use strict";

(() => {
  const region = document.querySelector("[data-live]");
  if (!region) return;
  const address = region.dataset.live;
  const notice = document.querySelector("[data-live-notice]");
  const period = 2000;
  const patience = 8000;
  const policy = window.trustedTypes
    ? window.trustedTypes.createPolicy("kofu-live", { createHTML: (text) => text })
    : { createHTML: (text) => text };
  let etag = "";
  let timer = 0;

  const say = (state) => {
    region.dataset.liveState = state;
    if (notice) notice.hidden = state !== "lost";
  };

  const ask = async () => {
    const headers = etag ? { "If-None-Match": etag } : {};
    const answer = await fetch(address, {
      headers,
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout(patience),
    });
    if (answer.status === 401) {
      window.location.assign("/log-in");
      return;
    }
    if (answer.status === 200) {
      const text = await answer.text();
      const parsed = new DOMParser().parseFromString(policy.createHTML(text), "text/html");
      const fresh = region.cloneNode(false);
      fresh.append(...parsed.body.childNodes);
      morphdom(region, fresh, {
        childrenOnly: true,
        onBeforeElUpdated: (shown, wanted) => {
          if (shown.tagName === "DETAILS") wanted.open = shown.open;
          return !shown.isEqualNode(wanted);
        },
      });
      etag = answer.headers.get("ETag") || "";
    } else if (answer.status !== 304) {
      throw new Error(String(answer.status));
    }
    say("live");
  };

  const turn = async () => {
    timer = 0;
    if (document.hidden) return;
    try {
      await ask();
    } catch {
      say("lost");
    }
    if (!timer && !document.hidden) timer = window.setTimeout(turn, period);
  };

  document.addEventListener("visibilitychange", () => {
    window.clearTimeout(timer);
    timer = 0;
    if (!document.hidden) turn();
  });
  turn();
})();
