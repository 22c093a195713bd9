// What the tracker needs of a page. Things are taken once, at load: pages overwrite them later.

export const win: any = window;
export const doc = document;
export const nav: any = navigator;
export const place = location;
export const now = (): number => performance.now();

/** Runs what may fail on a hostile page: the page never sees an error of ours. */
export function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Listens without ever throwing into the page, and passively: it can neither block nor cancel. */
export const on = (target: EventTarget, types: string, work: (event: any) => void): void =>
  types.split(' ').forEach(type => target.addEventListener(type, event => safely(() => work(event)), { capture: target === doc, passive: true }));

/** A setting by the name of its attribute, without `data-`; null or undefined when it is not given. */
export type Settings = (name: string) => string | null | undefined;

let settings: Settings;

export function useSettings(from: Settings): void {
  settings = from;
}

export const setting: Settings = name => settings(name);

export const has = (name: string): boolean => setting(name) != null;

/** The words of a setting that is a list. A browser's first regular expression is dear: none without need. */
export const words = (name: string): string[] => {
  const list = setting(name);
  return list ? list.split(/[\s,]+/) : [];
};

/** Whether a kind of automatic event is wanted. */
export const wants = (kind: string): boolean => !words('off').includes(kind);

/** Reads a text that this browser keeps for the site; with a value keeps it, with an empty one forgets it. Undefined where storage is blocked. */
export const store = (key: string, value?: string): string | null | undefined => safely(() => {
  const storage: Storage = win.localStorage;
  if (value) storage.setItem(key, value);
  else if (value === '') storage.removeItem(key);
  return storage.getItem(key);
});
