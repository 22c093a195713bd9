// Keeps the page "now" current: by server-sent events that say when to look again, or without them by looking every few seconds.
import { renew } from './navigation';

const fallbackEvery = 10_000;
let source: EventSource | undefined;
let timer = 0;
let renewal = 0;

/** A page about work in progress asks for itself until the work is done. */
export function startRenewal() {
  clearTimeout(renewal);        // of the page before, which may have been another one
  const pause = Number(document.querySelector<HTMLElement>('[data-renew]')?.dataset['renew'] ?? 0);
  // Again, whether it was answered or the server was away for a moment.
  if (pause) renewal = window.setTimeout(() => void renew().then(startRenewal), pause);
}

export function startLive() {
  const address = document.querySelector<HTMLElement>('[data-live]')?.dataset['live'];
  if (!address) {
    stop();
    return;
  }
  if (source || timer) return;
  try {
    source = new EventSource(address);
    source.addEventListener('changed', () => void lookAgain());
    source.addEventListener('error', () => {
      // A closed stream stays closed; a broken one comes back by itself.
      if (source?.readyState !== EventSource.CLOSED) return;
      source = undefined;
      timer = window.setInterval(() => void lookAgain(), fallbackEvery);
    });
  } catch {
    timer = window.setInterval(() => void lookAgain(), fallbackEvery);
  }
}

async function lookAgain() {
  if (document.hidden || document.querySelector('details.menu[open]')) return;
  await renew();
}

function stop() {
  source?.close();
  source = undefined;
  clearInterval(timer);
  timer = 0;
}
