// How long a page was really looked at: visible, focused, and touched within the last minute; and how far it was scrolled.
import { doc, on, win } from './page';

const idleAfter = 6e4;
const soonEnough = 500;
const reportEvery = 3e5;

let since = 0;          // counted up to here, while counting
let counting = false;
let lastAct = 0;
let engaged = 0;
let depth = 0;          // the lowest pixel that was in view
let sentDepth = 0;

const clock = (): number => performance.now();

function tick(): void {
  const at = clock();
  if (counting) engaged += Math.max(0, Math.min(at, lastAct + idleAfter) - since);
  since = at;
}

function look(): void {
  tick();
  counting = !doc.hidden && doc.hasFocus();
  lastAct = since;
}

function touched(event: Event): void {
  if (clock() - lastAct > soonEnough) {      // cheap on a moving pointer
    tick();
    lastAct = since;
  }
  if (event.type === 'scroll') seen();
}

const seen = (): number => depth = Math.max(depth, win.scrollY + win.innerHeight);

/** The page view began a while ago, before there was anyone to count. */
export function resume(from: number): void {
  look();
  since = from;
}

/** A new page view begins. */
export function restart(): void {
  look();
  engaged = depth = sentDepth = 0;
}

/** What was engaged since the last call, in ms, and the depth so far, in percent; undefined when there is nothing new. Reads the layout once. */
export function taken(): { engagedTimeMs: number; scrollDepthPercent: number } | undefined {
  tick();
  const engagedTimeMs = Math.round(engaged);
  const scrollDepthPercent = Math.min(100, Math.round(seen() / doc.documentElement.scrollHeight * 100)) || 0;
  if (engagedTimeMs < 100 && scrollDepthPercent <= sentDepth) return undefined;
  engaged = 0;
  sentDepth = Math.max(sentDepth, scrollDepthPercent);
  return { engagedTimeMs, scrollDepthPercent: sentDepth };
}

/** @param report is told when much has gathered: a long read sends word before its session would end. */
export function watch(report: () => void): void {
  on(win, 'focus blur pageshow visibilitychange', look);
  on(doc, 'pointermove pointerdown keydown wheel scroll', event => {
    touched(event);
    if (engaged > reportEvery) report();
  });
}
