// The tracker for bundlers: the same code as the tag's, in one piece, with typed calls.
import { act } from './actions';
import { call, extras, put, start } from './core';
import { useSettings, win } from './page';
import { anonId } from './person';

/** Automatic events that can be switched off. */
export type Kind = 'views' | 'engagement' | 'vitals' | 'outbound' | 'downloads' | 'forms' | 'notfound';

/** The same settings as the tag's attributes; see docs/install.md. */
export interface Options {
  /** The server's address, such as `https://stats.example.com`. */
  host: string;
  property?: string;
  off?: Kind[];
  on?: 'rage'[];
  /** Paths that are not counted; one that ends in * is a beginning. */
  exclude?: string[];
  /** Only these host names are counted. */
  domains?: string[];
  /** The part behind # is a page of its own. */
  hash?: boolean;
  /** The query is kept as part of the path. */
  query?: boolean;
  /** Nothing is kept in the browser until consent is granted. */
  cookieless?: boolean;
  gpc?: 'cookieless' | 'drop' | 'ignore';
  dnt?: 'cookieless' | 'drop';
  /** Percentage of visitors that are counted. */
  sample?: number;
  /** Also on localhost. */
  localhost?: boolean;
  /** Also in a frame. */
  frames?: boolean;
  /** Also in a browser that is driven by a program. */
  webdriver?: boolean;
  /** Sees each event before it is sent; gives it back, changed or not, or false to drop it. */
  beforeSend?: (event: { [name: string]: any }) => { [name: string]: any } | false;
}

export type Props = { [name: string]: unknown };

const hook = 'footfallBeforeSend';
let begun = false;

/** Begins to count. Once in a page; does nothing where there is no window (rendering on a server). */
export function init(options: Options): void {
  if (begun || !win.document) return;
  begun = true;
  const given: { [name: string]: any } = options;
  if (options.beforeSend) win[hook] = options.beforeSend;
  useSettings(name => {
    if (name === 'before-send') return hook;
    const value = given[name];
    return value === true ? '' : value === false || value == null ? null : Array.isArray(value) ? value.join() : '' + value;
  });
  const host = options.host.replace(/\/$/, '');
  start(host, () => act({
    put, extras, call, anonId, host,
    since: performance.now(),
    vitals: tell => void import('./measure').then(m => m.measure(tell)),
    form: hand => void import('./lead').then(m => m.enhance(hand)),
  }));
}

/** Sends an event of the page's own. */
export function event(name: string, props?: Props, traffic?: { isConversion?: boolean }): void {
  call('event', name, props, traffic);
}

/**
 * Tells who is signed in; null: nobody any more. Where the property asks for proof, the signature is HMAC-SHA256 of the
 * account's id under the property's account secret, in hexadecimal, made by your own server.
 */
export function identify(accountId: string | null, traits?: { username?: string; displayName?: string }, signature?: string): void {
  call('identify', accountId, traits, signature);
}

export function consent(status: 'granted' | 'denied'): void {
  call('consent', status);
}

/** This browser is not counted any more. */
export function optOut(): void {
  call('optOut');
}

/** The variant that this visitor sees. Resolves once the tracker runs; with the first variant where it does not. */
export function experiment(id: string, variants: string[] = ['control', 'treatment']): Promise<string> {
  return new Promise(resolve => {
    call('experiment', id, variants, resolve);
    setTimeout(resolve, 1000, variants[0]);
  });
}

const text = (value: string): string => value.replace(/[&<>"']/g, c => '&#' + c.charCodeAt(0) + ';');

/** What a lead form needs; none of the first four may be empty, because without them a consent would not be worth anything. */
export interface LeadForm {
  host: string;
  /** What the address is used for, as the visitor reads it. */
  purpose: string;
  /** The words beside the checkbox. */
  consent: string;
  /** Name of the form, as it is stored with each lead. */
  name: string;
  property?: string;
  button?: string;
  emailLabel?: string;
  success?: string;
}

/** Markup of a lead form that works with and without scripts. Throws where the purpose, the consent's words, the name or the host is missing. */
export function leadForm(form: LeadForm): string {
  for (const key of ['host', 'purpose', 'consent', 'name'] as const) {
    if (!form[key] || !form[key].trim()) throw new Error(`leadForm: "${key}" is missing. A lead form says what the address is for and asks for consent.`);
  }
  const hidden = (name: string, value: string): string => `<input type="hidden" name="${name}" value="${text(value)}">`;
  return `<form data-ff-lead name="${text(form.name)}" method="post" action="${text(form.host.replace(/\/$/, ''))}/v1/leads/capture"${form.success ? ` data-ff-success="${text(form.success)}"` : ''}>`
    + `<p><label>${text(form.emailLabel || 'E-mail address')} <input name="email" type="email" autocomplete="email" required maxlength="254"></label></p>`
    + `<p hidden><label>Leave this empty <input name="website" tabindex="-1" autocomplete="off"></label></p>`
    + `<p><label><input name="consent.status" value="express" type="checkbox" required> ${text(form.consent)}</label></p>`
    + `<p data-ff-purpose>${text(form.purpose)}</p>`
    + hidden('consent.method', 'checkbox') + hidden('consent.purpose', form.purpose) + hidden('formName', form.name) + (form.property ? hidden('propertyId', form.property) : '')
    + `<p><button>${text(form.button || 'Subscribe')}</button></p></form>`;
}
