/** Measures the page from the inside. Added before the page's own scripts run; changes nothing. */
window.probe = (() => {
  const found = { ready: null, picture: null, steps: {}, shift: 0, longest: 0 };
  const wall = () => performance.timeOrigin + performance.now();
  let frames = null;
  let last = performance.now();

  const eachFrame = (now) => {
    frames?.push(now);
    const film = window.mnemoreel;
    const timeline = document.querySelector("mnemo-timeline");
    if (found.ready === null && film?.document && timeline?.restored === film.projectId) {
      found.ready = performance.now();
    }
    const playback = document.querySelector("mnemo-player")?.playback;
    if (found.ready !== null && found.picture === null && playback?.video && playback.settled) {
      found.picture = performance.now();
    }
    requestAnimationFrame(eachFrame);
  };
  requestAnimationFrame(eachFrame);

  // A page whose thread is held up sees this come late.
  setInterval(() => {
    const now = performance.now();
    found.longest = Math.max(found.longest, now - last - 20);
    last = now;
  }, 20);

  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) found.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });

  /** Note when each step of each job can first be read in the timeline. */
  const watchSteps = () => {
    const { shadowRoot } = document.querySelector("mnemo-timeline");
    const look = () => {
      for (const job of mnemoreel.jobs.values()) {
        const text = shadowRoot.querySelector(`[data-id="${job.shot_id}"] .working span`)?.textContent;
        const step = /^step (\d+) of/.exec(text ?? "")?.[1];
        if (!step || found.steps[`${job.id} ${step}`]) continue;
        found.steps[`${job.id} ${step}`] = wall();
      }
    };
    new MutationObserver(look).observe(shadowRoot, { subtree: true, childList: true, characterData: true });
  };

  return {
    found,
    watchSteps,
    start() {
      frames = [];
    },
    /** Times between the frames since `start`, in milliseconds. */
    stop() {
      const seen = frames;
      frames = null;
      return seen.slice(1).map((at, index) => at - seen[index]);
    },
    restart() {
      found.longest = 0;
      last = performance.now();
    },
  };
})();
