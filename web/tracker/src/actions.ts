// What is done on a page: how long it is looked at, clicks, forms, experiments, vitals.
import type { call, extras, Fields, put } from './core';
import { restart, resume, taken, watch } from './engagement';
import { doc, has, now, on, place, safely, setting, store, wants, win, words } from './page';

/** What the actions need of the core, and of whoever loads files. */
export interface Core {
  put: typeof put;
  extras: typeof extras;
  call: typeof call;
  anonId: () => string | undefined;
  host: string;
  /** When the page view began, on the page's clock. */
  since: number;
  vitals: (tell: (name: string, value: number) => void) => void;
  form: (hand: FormNeeds) => void;
}

/** What the lead form's script needs. */
export type FormNeeds = [anonId: () => string | undefined, host: string, property: string | null | undefined];

const download = /\.(pdf|zip|gz|tgz|7z|rar|dmg|exe|msi|deb|rpm|apk|iso|docx?|xlsx?|pptx?|csv|epub|mp[34]|mov|webm)$/i;

let core: Core;
let vitals: Fields = {};
let vitalsPath: string;
let formLoaded = false;
let url: string;            // of the current page view, whole
let pending: any;
let clicks: MouseEvent[] = [];      // of the last second, on one spot
const begun: Element[] = [];        // forms
let happened: string;

export function act(with_: Core): void {
  core = with_;
  vitalsPath = core.extras.w.path;
  resume(core.since);
  watch(left);
  core.extras.m = leaving => leaving ? left() : viewed(true);
  viewed(false);
  safely(follow);
  if (wants('vitals')) (win.requestIdleCallback || setTimeout)(() => core.vitals((name, value) => {
    vitals[name] = value;
  }), { timeout: 5e3 });
  core.extras.c = args => other.apply(null, args as any);
  // Events of the page's own that wait are from before the page view.
  happened = instant(core.since);
  core.extras.q.splice(0).forEach(args => args[0] === 'event' ? safely(() => tell(args[1], args[2], args[3])) : core.call(...args));
}

function viewed(again: boolean): void {
  url = place.href;
  if (again) restart();
  if ((has('404') || doc.querySelector('meta[name=ff-404]')) && wants('notfound')) core.put('not_found');
  if (!formLoaded && doc.querySelector('form[data-ff-lead]')) {
    formLoaded = true;
    core.form([core.anonId, core.host, setting('property')]);
  }
}

function left(): void {
  const traffic = wants('engagement') && taken();
  if (traffic) core.put('engagement', { props: { pageViewId: core.extras.v } }, traffic);
  // A page that is left is hidden only after pagehide: what is measured to the end comes in between.
  if (doc.hidden && Object.keys(vitals)[0]) {
    core.put('web_vitals', { path: vitalsPath }, { webVitals: vitals });
    vitals = {};
  }
}

/** Pages that change their own address. */
function follow(): void {
  ['pushState', 'replaceState'].forEach(name => {
    const original = (history as any)[name];
    (history as any)[name] = function () {
      const result = original.apply(this, arguments);
      safely(moved);
      return result;
    };
  });
  on(win, 'popstate hashchange', moved);
  if (core.extras.address().path !== core.extras.w.path) moved();      // already
}

/** Of a burst of changes the last counts. */
function moved(): void {
  clearTimeout(pending);
  pending = setTimeout(() => safely(() => {
    const { address, page, w } = core.extras;
    if (address().path === w.path) return;
    left();
    page(url);
  }), 100);
}

/** `data-ff-plan="pro"` is the prop `plan`. */
function propsOf(element: Element): Fields {
  const props: Fields = {};
  Array.prototype.forEach.call(element.attributes, (a: Attr) => {
    const key = /^data-ff-(?!event$|lead$)(.+)/.exec(a.name);
    if (key) props[key[1]!] = a.value;
  });
  return props;
}

/** A moment of the page's clock as events have it, never before the page view for rounding. Where a browser's events have times of another clock, which is far ahead, it is now. */
const instant = (moment: number): string => new Date(Date.now() - Math.max(now() - moment - 1, 0)).toISOString();

/** What the core hears, also while this file was on its way: it is told of as of when it happened. */
function heard(event: any): void {
  const { type, target } = event;
  happened = instant(event.timeStamp);
  if (type.endsWith('click')) {
    clicked(event);
    if (type === 'click' && words('on').includes('rage')) rage(event);
  } else if (wants('forms')) type === 'submit' ? submitted(target) : typed(target.form);
}

const tell = (eventType: string, props: Fields, traffic?: Fields): unknown => core.put(eventType, { timestamp: happened, props }, traffic);

function clicked(event: MouseEvent): void {
  if (event.type === 'auxclick' && event.button !== 1) return;      // the middle button opens links too
  const target = event.target as Element;
  const marked = target.closest('[data-ff-event]');
  if (marked && marked.tagName !== 'FORM') tell(marked.getAttribute('data-ff-event')!, propsOf(marked));
  const link = target.closest('a[href]') as HTMLAnchorElement | null;
  if (!link || !/^https?:$/.test(link.protocol)) return;
  const props = { url: link.origin + link.pathname };
  if (download.test(link.pathname)) {
    if (wants('downloads')) tell('download', props);
  } else if (link.host !== place.host && wants('outbound')) tell('outbound_click', props);
}

function rage(event: MouseEvent): void {
  clicks = clicks.filter(c => event.timeStamp - c.timeStamp < 1e3 && Math.abs(event.clientX - c.clientX) + Math.abs(event.clientY - c.clientY) < 30);
  if (clicks.push(event) !== 3) return;
  const target = event.target as Element;
  tell('rage_click', { target: target.tagName.toLowerCase() + (target.id && '#' + target.id) });
}

const nameOf = (form: Element): Fields => ({ form: form.getAttribute('name') || form.id || undefined });

function typed(form: Element | null): void {
  if (!form || begun.includes(form)) return;
  begun.push(form);
  tell('form_start', nameOf(form));
}

function submitted(form: any): void {
  if (form.hasAttribute('data-ff-event')) tell(form.getAttribute('data-ff-event'), propsOf(form));
  // A lead is told of by the server, which knows whether it was taken, and here only whose it is.
  if (!/\/v1\/leads\/capture$/.test(form.action)) tell('form_submit', nameOf(form));
  else if (!form.ff) {
    const known: Fields = { anonId: core.anonId(), propertyId: setting('property'), path: core.extras.w.path, formName: nameOf(form).form };
    Object.keys(known).forEach(key => {
      if (!known[key] || form.querySelector(`[name=${key}]`)) return;
      const input = form.appendChild(doc.createElement('input'));
      input.type = 'hidden';
      input.name = key;
      input.value = known[key];
    });
  }
}

/** Number in [0, 1) that a text always gives; near texts give far numbers (FNV-1a, then the finalizer of MurmurHash3). */
export function spread(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ h >>> 16, 0x85ebca6b);
  h = Math.imul(h ^ h >>> 13, 0xc2b2ae35);
  return ((h ^ h >>> 16) >>> 0) / 4294967296;
}

/** The variant that this visitor sees: always the same one. Who keeps no id sees the first, and takes no part. */
function experiment(id: string, variants?: string[], done?: (variant: string) => void): string {
  const all = variants && variants[0] ? variants : ['control', 'treatment'];
  const anon = core.anonId();
  const variantId = all[anon ? Math.floor(spread(id + ':' + anon) * all.length) : 0]!;
  const key = 'ff.x.' + id;
  if (anon && store(key) !== variantId && core.put('experiment_assigned', { props: { experimentId: id, variantId } })) store(key, variantId);
  safely(() => done && done(variantId));
  return variantId;
}

/** The calls that the core does not know, and what it heard. */
function other(name: any, a?: any, b?: any, c?: any): unknown {
  if (name.type) return heard(name);
  if (name === 'experiment') return experiment(a, b, c);
  if (name !== 'identify') return undefined;
  core.extras.f = a ? { accountId: '' + a, account: b ? { username: b.username, displayName: b.displayName } : undefined, accountSignature: c } : {};
  return a && core.put('identify');
}
