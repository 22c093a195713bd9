// <ff-chart>: draws the series that stand as JSON in it, over the still drawing that the server made.
import { LineChart } from 'echarts/charts';
import { GridSimpleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([LineChart, GridSimpleComponent, SVGRenderer]);

interface Series {
  name: string;
  values: (number | null)[];
  texts: string[];
  labels: string[];
}

interface Data {
  axis: string[];
  max: number;
  ticks: { at: number; text: string }[];
  now: Series;
  then: Series | null;
  soFar: boolean;
  links: string[];
  notes: { at: number; number: number; text: string }[];
}

type Chart = ReturnType<typeof init>;

class FfChart extends HTMLElement {
  private chart: Chart | undefined;
  private data!: Data;
  private at = -1;
  private tip!: HTMLElement;
  private hair!: HTMLElement;
  private marks: HTMLElement[] = [];
  private readonly resized = new ResizeObserver(() => {
    this.chart?.resize();
    this.place();
  });
  private readonly repaint = () => this.chart?.setOption(this.options());

  connectedCallback() {
    const json = this.querySelector('script[type="application/json"]')?.textContent;
    if (!json) return;
    this.data = JSON.parse(json) as Data;
    const canvas = document.createElement('div');
    canvas.className = 'canvas';
    this.append(canvas);
    this.chart = init(canvas, null, { renderer: 'svg' });
    this.chart.setOption(this.options());
    canvas.querySelector('svg')?.setAttribute('aria-hidden', 'true');
    this.dataset['drawn'] = 'yes';
    this.marks = this.data.notes.map((note) => {
      const mark = this.overlay('mark');
      mark.dataset['number'] = String(note.number);
      mark.hidden = false;
      return mark;
    });
    this.hair = this.overlay('hair');
    this.tip = this.overlay('tip');
    this.resized.observe(this);
    document.addEventListener('footfall:theme', this.repaint);
    this.addEventListener('pointermove', this.onMove);
    this.addEventListener('pointerleave', () => this.point(-1));
    this.addEventListener('click', () => this.follow());
    this.addEventListener('keydown', this.onKey);
    this.addEventListener('blur', () => this.point(-1));
  }

  disconnectedCallback() {
    this.resized.disconnect();
    document.removeEventListener('footfall:theme', this.repaint);
    this.chart?.dispose();
    this.chart = undefined;
  }

  private overlay(name: string) {
    const el = document.createElement('div');
    el.className = name;
    el.hidden = true;
    this.append(el);
    return el;
  }

  /** Notes stand where their pieces of time are. */
  private place() {
    for (const [i, mark] of this.marks.entries()) mark.style.left = `${this.chart?.convertToPixel({ xAxisIndex: 0 }, this.data.notes[i]!.at) as number}px`;
  }

  private options() {
    const css = getComputedStyle(this);
    const colour = (name: string) => css.getPropertyValue(name).trim();
    const { axis, max, ticks, now, then, soFar } = this.data;
    const last = now.values.length - 1;
    const texts = new Map(ticks.map((t) => [t.at, t.text]));
    const line = { type: 'line' as const, symbol: 'none', silent: true, animation: false, connectNulls: false };
    const solid = { color: colour('--accent'), width: 2 };
    return {
      animation: false,
      grid: { left: 48, right: 12, top: 8, bottom: 24 },
      textStyle: { fontFamily: css.fontFamily, fontSize: 12, color: colour('--muted') },
      xAxis: {
        type: 'category' as const, data: axis, boundaryGap: false,
        axisLine: { lineStyle: { color: colour('--line') } }, axisTick: { show: false },
        axisLabel: { color: colour('--muted'), hideOverlap: true, alignMinLabel: 'left' as const, alignMaxLabel: 'right' as const, showMinLabel: true, showMaxLabel: true },
      },
      yAxis: {
        type: 'value' as const, min: 0, max, interval: ticks.length > 1 ? ticks[1]!.at - ticks[0]!.at : max,
        axisLabel: { color: colour('--muted'), formatter: (v: number) => texts.get(v) ?? '' },
        splitLine: { lineStyle: { color: colour('--line') } },
      },
      series: [
        ...(then ? [{ ...line, data: then.values, lineStyle: { color: colour('--muted'), width: 1.5, type: [2, 4] } }] : []),
        {
          ...line, data: now.values.map((v, i) => (soFar && i === last ? null : v)), lineStyle: solid,
          areaStyle: { color: colour('--wash') }, symbol: now.values.length === 1 ? 'circle' : 'none',
        },
        ...(soFar ? [{ ...line, data: now.values.map((v, i) => (i >= last - 1 ? v : null)), lineStyle: { ...solid, type: [6, 4] }, symbol: last === 0 ? 'circle' : 'none' }] : []),
      ],
    };
  }

  private readonly onMove = (e: PointerEvent) => {
    const x = e.clientX - this.getBoundingClientRect().left;
    const i = this.chart?.convertFromPixel({ xAxisIndex: 0 }, x);
    this.point(typeof i === 'number' ? Math.max(0, Math.min(this.data.axis.length - 1, i)) : -1);
  };

  private readonly onKey = (e: KeyboardEvent) => {
    const last = this.data.axis.length - 1;
    const to = { ArrowLeft: this.at < 0 ? last : Math.max(0, this.at - 1), ArrowRight: Math.min(last, this.at + 1), Home: 0, End: last, Escape: -1 }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      this.point(to);
    } else if (e.key === 'Enter') this.follow();
  };

  private follow() {
    const link = this.data.links[this.at];
    if (link) document.dispatchEvent(new CustomEvent('footfall:go', { detail: link }));
  }

  /** Moves the crosshair to a piece of time; -1 takes it away. */
  private point(i: number) {
    if (i === this.at) return;
    this.at = i;
    this.tip.hidden = this.hair.hidden = i < 0;
    if (i < 0 || !this.chart) return;
    const { now, then, soFar } = this.data;
    const x = this.chart.convertToPixel({ xAxisIndex: 0 }, i) as number;
    this.hair.style.left = `${x}px`;
    const title = document.createElement('b');
    title.textContent = now.name;
    const cells: HTMLElement[] = [title, ...this.line(now.labels[i] + (soFar && i === now.values.length - 1 ? ' (so far)' : ''), now.texts[i])];
    if (then && i < then.texts.length) cells.push(...this.line(then.labels[i], then.texts[i]));
    for (const note of this.data.notes.filter((n) => n.at === i)) {
      const said = document.createElement('bdi');
      said.className = 'note';
      said.textContent = note.text;
      cells.push(said);
    }
    this.tip.replaceChildren(...cells);
    const left = x > this.clientWidth / 2 ? x - this.tip.offsetWidth - 12 : x + 12;
    this.tip.style.left = `${Math.max(0, left)}px`;
    this.said.textContent = [...this.tip.children].map((c) => c.textContent).join(', ');
  }

  private line(label: string | undefined, value: string | undefined) {
    return [label, value].map((text) => {
      const span = document.createElement('span');
      span.textContent = text ?? '';
      return span;
    });
  }

  private get said() {
    let el = this.querySelector<HTMLElement>('[aria-live]');
    if (!el) {
      el = document.createElement('span');
      el.className = 'hidden';
      el.setAttribute('aria-live', 'polite');
      this.append(el);
    }
    return el;
  }
}

if (!customElements.get('ff-chart')) customElements.define('ff-chart', FfChart);
