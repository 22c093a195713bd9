// Events on their way to the server. Each waits in localStorage until the server has answered for it. What goes out has a
// key that the server remembers: a page that is left sees no answer, so the next one asks for those keys, and only what
// has not arrived is sent again. An eventId counts once in any case.
import { nav, on, safely, store, win } from './page';
import { cookieless } from './person';

const prefix = 'ff.q.';
const most = 1e5;           // characters that wait
const bodyLength = 2e4;     // characters: three bytes each at worst, and a browser carries 64 KiB for a page that is left

/** One event, or several that went out together, with commas between. Until the instant at its end it may well have arrived: that is asked first. */
type Waiting = [key: string, json: string, presumed?: number];

const fetch_ = win.fetch;
let queue: Waiting[] = [];
let inFlight = 0;
let timer: any;
let failures = 0;
let count = 1e6;            // all that a page can reach have the same width
let url: string;

/** Takes over what earlier pages of this site did not see answered. */
export function begin(host: string): void {
  url = host + '/v1/events?batch=';
  safely(() => Object.keys(win.localStorage).filter(key => key.startsWith(prefix)).sort().forEach(key => {
    if (cookieless()) store(key, '');
    else queue.push([key, store(key)!, 1 / 0]);
  }));
  on(win, 'online', () => void flush());
  soon();
}

function keep(json: string): Waiting {
  // Sorts by time, then by order on this page; the random end keeps two tabs apart.
  const key = prefix + Date.now() + ++count + Math.random();
  if (!cookieless()) store(key, json);
  return [key, json];
}

export function enqueue(json: string): void {
  if ((queue + json).length < most) queue.push(keep(json));
  soon();
}

/** These need not wait any longer. */
export function settle(done = queue): void {
  queue = queue.filter(e => !done.includes(e));
  done.forEach(e => store(e[0], ''));
}

function soon(ms?: number): void {
  timer = timer || setTimeout(flush, ms || Math.min(500 * 2 ** failures, 3e5));
}

/** Sends what waits; from a page that is left by a beacon. */
export async function flush(leaving?: unknown): Promise<void> {
  clearTimeout(timer);
  timer = 0;
  const now = Date.now();
  const presumed = (e: Waiting): boolean => e[2]! > now;
  const asked = queue.filter(presumed).slice(0, 40);      // an address has room for no more
  let from = queue.filter(e => !presumed(e));
  // With nothing new to say there is nothing to ask with.
  if (!leaving && !from[0]) from = asked;
  if (!from[0] || inFlight && !leaving) return;
  let length = 0;
  from = from.filter((e, i) => (length += e[1].length) < bodyLength || !i);
  let batch = from[0]!;
  if (from[1]) {
    batch = keep('' + from.map(e => e[1]));
    settle(from);
    queue.unshift(batch);
  }
  batch[2] = leaving ? 1 / 0 : now + 1e3;
  const body = '[' + batch[1] + ']';
  const to = url + batch[0] + '&arrived=' + asked.map(e => e[0]);
  if (leaving && safely(() => nav.sendBeacon(to, body))) return;
  inFlight = 1;
  let answer: Response;
  try {
    answer = await fetch_(to, { method: 'POST', body, keepalive: true, credentials: 'omit' });
  } catch { /* the server is away */ }
  const header = (name: string): any => safely(() => answer.headers.get(name));
  inFlight = batch[2] = 0;
  failures++;
  // What the server refuses for good is not worth keeping; anything else means that it is away.
  if (/^(2|4(?!04|08|29))/.test(safely(() => answer.status) as any)) {
    failures = 0;
    settle([batch]);
    // Another tab may have seen to it meanwhile.
    settle(asked.filter(e => (header('x-footfall-arrived') + '').includes(e[0]) || store(e[0]) === null && !cookieless()));
    asked.forEach(e => e[2] = 0);
  }
  if (queue[0]) soon(header('retry-after') * 1e3);
}
