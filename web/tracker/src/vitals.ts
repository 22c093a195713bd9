// Core Web Vitals, measured by the web-vitals library. Loaded by the tracker once the page is idle.
import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals';

const tell = (document.currentScript as any).ff as (name: string, value: number) => void;
const whole = (name: string) => (metric: { value: number }): void => tell(name, Math.max(0, Math.round(metric.value)));

onCLS(metric => tell('clsScore', Math.round(metric.value * 1e4) / 1e4));
onFCP(whole('fcpMs'));
onINP(whole('inpMs'));
onLCP(whole('lcpMs'));
onTTFB(whole('ttfbMs'));
