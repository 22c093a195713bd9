// The tracker's core: page views, and the calls that pages make. What is done on a page is in actions.ts, which comes behind it.
import { begin, enqueue, flush, settle } from './delivery';
import { doc, has, nav, on, place, safely, setting, wants, win, words } from './page';
import { anonId, choose, ignored, obey, randomId } from './person';

export type Fields = { [name: string]: any };

const clickId = /clid$|^(gclsrc|gad_|[gw]braid|igsh|li_fat|sccid|rdt_cid|epik)/i;

let sent = 0;
let running = false;
let away = false;
const dice = Math.random() * 2 ** 32;
const assign = Object.assign;

/** What the actions take over when they are there. */
interface Extras {
  /** Fields of every event. */
  f: Fields;
  /** A page view has begun, or (true) is being left. */
  m: (leaving?: unknown) => void;
  /** The current page view: path and campaign; and the id of its event. */
  w: Fields;
  v?: string | undefined;
  /** A call that the core cannot answer, or what was done on the page: it waits, with a hundred others at most. */
  c: (args: any[]) => unknown;
  q: any[][];
  page: typeof page;
  address: typeof address;
}

export const extras: Extras = {
  f: {},
  m: () => {},
  w: {},
  c: args => extras.q[99] || extras.q.push(args),
  q: [],
  page, address,
};

/** The path as it is counted, and what its query says of a campaign. */
function address(): Fields {
  let utm: Fields | undefined;
  let query = '';
  if (place.search) safely(() => new URLSearchParams(place.search).forEach((value, key) => {
    const tag = /^utm_(.+)/.exec(key);
    if (tag) (utm = utm || {})[tag[1]!] = value.slice(0, 256);
    else if (clickId.test(key)) query += '&' + key + '=1';       // that there was a click, never whose
    else if (has('query')) query += '&' + key + '=' + encodeURIComponent(value);
  }));
  return { path: (place.pathname + query.replace('&', '?') + (has('hash') ? place.hash : '')).slice(0, 2048), utm };
}

/** One event into the queue; its id. */
export function put(eventType: string, more?: Fields, traffic?: Fields): string | undefined {
  const anon = anonId();
  // Sampling is of visitors: an id begins with 32 random bits. The cap bounds a page that goes wild.
  if (!running || ignored() || (parseInt(anon!) || dice) / 42949673 >= +(setting('sample') || 100) || ++sent > 300 + performance.now() / 200
    || words('exclude').some(p => p && (p.endsWith('*') ? place.pathname.startsWith(p.slice(0, -1)) : p === place.pathname))) return;
  let event: Fields = assign({ eventType, eventId: randomId(), timestamp: new Date().toISOString(), path: extras.w.path, anonId: anon,
    traffic: assign({ propertyId: setting('property') }, traffic) }, extras.f, more);
  const hook = win[setting('before-send')!];
  if (hook) event = hook(event);
  if (event) enqueue(JSON.stringify(event));
  return event && event.eventId;
}

/** @param referrer of the visit; the page before, where the page changed itself. */
function page(referrer?: string): void {
  extras.w = address();
  const entity = (setting('entity') || '').split(':');
  if (wants('views')) extras.v = put('page_view', assign({ referrer, entityType: entity[0] || undefined, entityId: entity[1] }, extras.w));
  extras.m();
}

/** The calls that pages make: `footfall('event', name, props)`. */
export const call = (name?: any, a?: any, b?: any, c?: any): unknown => safely(() => {
  if (name === 'event' && running) return put(a, { props: b }, c);
  if (name === 'consent') return choose(a === 'denied' ? 'cookieless' : a);
  if (name === 'optOut') {
    choose('drop');
    return settle();
  }
  return extras.c([name, a, b, c]);
});

/** Begins once the document is there and looked at; does nothing on pages that are not to be counted. */
export function start(host: string, loadActions: () => void): void {
  const name = place.hostname;
  if ((name.startsWith('127.') || ['', 'localhost', '[::1]'].includes(name)) && !has('localhost') || nav.webdriver && !has('webdriver')
    || win.top !== win && !has('frames') || has('domains') && !words('domains').includes(name)) return;
  safely(obey);
  const ready = (): void => {
    // Interactive is a page whose deferred scripts still run: it is left alone until they have.
    if (running || doc.readyState !== 'complete' && !performance.timing.domContentLoadedEventStart || (doc as any).prerendering || doc.hidden || ignored()) return;
    running = true;
    begin(host);
    page(doc.referrer);
    // On the window, behind the vitals' own listeners: what they report while the page goes away is in it.
    on(win, 'pagehide pageshow visibilitychange', e => {
      if (e.type < 'v') away = e.type < 'pages';
      if (away || doc.hidden) {
        extras.m(1);
        void flush(away);
      } else if (e.persisted) page();
    });
    // Clicks and forms are the actions' business, and wait for them like calls.
    on(doc, 'click auxclick input submit', call);
    loadActions();
  };
  on(doc, 'DOMContentLoaded prerenderingchange visibilitychange', ready);
  ready();
}
