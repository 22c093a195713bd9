// Entry of the second file, as the tag loads it: what it needs hangs on its own element.
import { act } from './actions';
import { safely, useSettings } from './page';

const [put, extras, call, setting, anonId, host, since] = (document.currentScript as any).ff;

/** Filled in by the build. */
declare const VITALS: string;
declare const FORM: string;

const load = (file: string, hand: unknown): void => {
  const script: any = document.createElement('script');
  script.src = host + file;
  script.ff = hand;
  document.head.appendChild(script);
};

useSettings(setting);
safely(() => act({ put, extras, call, anonId, host, since, vitals: tell => load(VITALS, tell), form: hand => load(FORM, hand) }));
