// Entry of the second file, as the tag loads it: what it needs hangs on its own element.
import { act } from './actions';
import { measure } from './measure';
import { safely, useSettings } from './page';

const [put, extras, call, setting, anonId, host, since] = (document.currentScript as any).ff;

/** Filled in by the build. */
declare const FORM: string;

const form = (hand: unknown): void => {
  const script: any = document.createElement('script');
  script.src = host + FORM;
  script.ff = hand;
  document.head.appendChild(script);
};

useSettings(setting);
safely(() => act({ put, extras, call, anonId, host, since, vitals: measure, form }));
