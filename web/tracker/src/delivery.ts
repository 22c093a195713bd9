// Events on their way to the server. Each waits in localStorage until the server has answered for it; the server counts an
// eventId once, so what may or may not have arrived is simply sent again.
import { nav, on, safely, store, win } from './page';
import { cookieless } from './person';

const prefix = 'ff.q.';
const most = 200;           // events that wait
const bodyLength = 2e4;     // characters: three bytes each at worst, and a browser carries 64 KiB for a page that is left
const week = 6048e5;

const fetch_ = win.fetch;
let queue: [key: string, json: string][] = [];
let inFlight = 0;
let timer: any;
let failures = 0;
let count = 1e6;            // all that a page can reach have the same width
let url: string;

/** Takes over what earlier pages of this site did not see answered. */
export function begin(host: string): void {
  url = host + '/v1/events';
  safely(() => Object.keys(win.localStorage).filter(key => key.startsWith(prefix)).sort().forEach(key => {
    if (key < prefix + (Date.now() - week) || cookieless()) store(key, '');
    else add(key, store(key)!);
  }));
  on(win, 'online', flush);
}

function add(key: string, json: string): unknown {
  soon();
  return queue.length < most ? queue.push([key, json]) : store(key, '');
}

export function enqueue(json: string): void {
  // Sorts by time, then by order on this page; the random end keeps two tabs apart.
  const key = prefix + Date.now() + ++count + Math.random();
  if (!cookieless()) store(key, json);
  add(key, json);
}

/** These need not wait any longer. */
export function settle(sent = queue): void {
  queue = queue.filter(e => !sent.includes(e));
  sent.forEach(e => store(e[0], ''));
}

function soon(ms?: number): void {
  timer = timer || setTimeout(flush, ms || (failures ? Math.min(1e3 * 2 ** failures, 3e5) : 500));
}

/** Sends what waits. A page that is left (1) gets no answer: there a beacon goes out, and the next page asks about what it carried. */
export function flush(leaving?: unknown): void {
  clearTimeout(timer);
  timer = 0;
  const left = leaving === 1;
  if (!queue[0] || inFlight && !left) return;
  let length = 0;
  const sent = queue.filter(e => (length += e[1].length) < bodyLength || e === queue[0]);
  const body = '[' + sent.map(e => e[1]) + ']';
  const beacon = (): unknown => safely(() => nav.sendBeacon(url, body));
  const finish = (status?: any, wait?: number): void => {
    inFlight = 0;
    failures++;
    // What the server refuses for good is not worth keeping; anything else means that it is away.
    if (/^(2|4(?!04|08|29))/.test(status)) {
      failures = 0;
      settle(sent);
    }
    if (queue[0]) soon(wait);
  };
  if (left) queue = queue.filter(e => !sent.includes(e));      // gone from here, and still in the storage
  if (left && beacon()) return;
  const answer: Promise<Response> | undefined = safely(() => fetch_(url, { method: 'POST', body, keepalive: true, credentials: 'omit' }));
  if (left) return;
  inFlight = 1;
  if (answer) answer.then(r => finish(r.status, +r.headers.get('retry-after')! * 1e3)).catch(finish);
  else finish(beacon() ? 202 : 0);      // a browser without fetch tells no more than that it has taken it
}
