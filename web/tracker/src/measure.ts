// Core Web Vitals, measured by the web-vitals library: in the tag's second file, and a file of its own for bundlers.
import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals';

export function measure(tell: (name: string, value: number) => void): void {
  const whole = (name: string) => (metric: { value: number }): void => tell(name, Math.max(0, Math.round(metric.value)));
  onCLS(metric => tell('clsScore', Math.round(metric.value * 1e4) / 1e4));
  onFCP(whole('fcpMs'));
  // Told as it grows: what is only told at the end came too late for the last word of a page that is closed.
  onINP(whole('inpMs'), { reportAllChanges: true });
  onLCP(whole('lcpMs'));
  onTTFB(whole('ttfbMs'));
}
