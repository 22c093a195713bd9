// Who is here: the id that a browser keeps, and what its owner said about that.
import { doc, has, nav, place, safely, setting, store } from './page';

const idKey = 'ff.id';
const choiceKey = 'ff.choice';

/** 128 random bits in characters that every field takes. */
export const randomId = (): string =>
  safely(() => crypto.getRandomValues(new Uint32Array(4)).join('-')) || Math.random() * 4e9 + '-' + Date.now();

let known: string | undefined;
let choice: string | undefined;

/** What is asked for, by whom ever: "drop" and "cookieless" are among it, or nothing of the kind. */
function asked(): unknown[] {
  const chosen = choice || store(choiceKey);
  return [
    chosen,
    nav.globalPrivacyControl && (setting('gpc') || 'cookieless'),
    nav.doNotTrack > 0 && setting('dnt'),
    !chosen && has('cookieless') && 'cookieless',
  ];
}

/** Whether this browser is not to be counted at all. */
export const ignored = (): boolean => asked().includes('drop');

/** Whether nothing may be kept in this browser. */
export const cookieless = (): boolean => ignored() || asked().includes('cookieless');

/** Reads the id's cookie; with a value writes it first. */
const cookie = (value?: string): string | undefined => safely(() => {
  if (value != null) doc.cookie = idKey + '=' + value + ';path=/;samesite=lax;max-age=' + (value ? 31536e3 : 0) + (place.protocol > 'http:' ? ';secure' : '');
  return /ff\.id=([\w-]{8,})/.exec(doc.cookie)![1];
});

/** Undefined where nothing may be kept, or the browser keeps nothing. */
export function anonId(): string | undefined {
  if (!known && !cookieless()) {
    const kept = store(idKey);
    // The cookie is for browsers without storage: reading one takes as long as all else here.
    const id = kept || kept !== null && cookie() || randomId();
    if (store(idKey, id) || cookie(id)) known = id;
  }
  return known;
}

export function choose(wish: string): void {
  choice = wish;
  store(choiceKey, wish);
  if (wish !== 'granted') {
    known = undefined;
    store(idKey, '');
    cookie('');
  }
}

/** A link of the dashboard may leave its reader's own browser out, and take that back: who refused otherwise stays as they are. */
export function obey(): void {
  const wish = place.hash.split('#' + choiceKey + '=')[1];
  if (wish === 'drop' || wish === '' && store(choiceKey) === 'drop') choose(wish);
}
