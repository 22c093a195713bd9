// <script async src="https://HOST/t.js" data-property="shop"></script>
import { call, extras, put, start } from './core';
import { doc, safely, setting, useSettings, win } from './page';
import { anonId } from './person';

/** Filled in by the build: a file is fetched under its own hash, and kept for a year. */
declare const ACTIONS: string;

safely(() => {
  const tag = doc.currentScript as HTMLScriptElement;
  const old = win.footfall || {};
  useSettings(name => tag.getAttribute('data-' + name));
  // Scheme and host of its own address, which a tag within the page has not.
  const host = setting('host') || tag.src.split('/', 3).join('/');
  if (old.on || !host) return;      // twice on one page
  win.footfall = call;
  win.footfall.on = 1;
  (old.q || []).forEach((args: any) => call(...args));
  start(host, () => {
    const script: any = doc.createElement('script');
    script.src = host + ACTIONS;
    // It finds on its element what it needs of us.
    script.ff = [put, extras, call, setting, anonId, host, performance.now()];
    doc.head.appendChild(script);
  });
});
