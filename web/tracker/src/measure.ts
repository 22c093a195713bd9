// Core Web Vitals, measured by the web-vitals library.
import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals';

export function measure(tell: (name: string, value: number) => void): void {
  const whole = (name: string) => (metric: { value: number }): void => tell(name, Math.max(0, Math.round(metric.value)));
  onCLS(metric => tell('clsScore', Math.round(metric.value * 1e4) / 1e4));
  onFCP(whole('fcpMs'));
  onINP(whole('inpMs'));
  onLCP(whole('lcpMs'));
  onTTFB(whole('ttfbMs'));
}
