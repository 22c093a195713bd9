// The countries by their ISO 3166-1 code: English names from the runtime's own CLDR data, shapes from Natural Earth (world-atlas, public domain).
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { feature } from 'topojson-client';

const width = 720;
const north = 84;
const south = -58; // Antarctica sends nobody

export function countries() {
  const atlas = JSON.parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), '..', 'node_modules', 'world-atlas', 'countries-110m.json'), 'utf8'));
  const names = new Intl.DisplayNames('en', { type: 'region' });
  const result = { width, height: Math.round(y(south)), names: {}, shapes: {} };
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  for (const code of letters.flatMap((a) => letters.map((b) => a + b))) {
    const name = names.of(code);
    if (name !== code && new Intl.Locale(`und-${code}`).toString() === `und-${code}` && !['EU', 'EZ', 'UN', 'QO', 'XA', 'XB', 'ZZ'].includes(code)) result.names[code] = name;
  }
  for (const country of feature(atlas, atlas.objects.countries).features) {
    // Numbers are aliases of codes: the runtime knows which.
    const code = country.id ? new Intl.Locale(`und-${country.id}`).region : country.properties.name === 'Kosovo' ? 'XK' : undefined;
    if (!code || code === 'AQ' || !result.names[code]) continue;
    const path = (country.geometry.type === 'Polygon' ? [country.geometry.coordinates] : country.geometry.coordinates).flat().map(ring).join('');
    if (path) result.shapes[code] = (result.shapes[code] ?? '') + path;
  }
  return result;
}

// Miller's cylindrical projection: straight meridians, the poles not too large.
function y(latitude) {
  const phi = (latitude * Math.PI) / 180;
  const top = (north * Math.PI) / 180;
  const miller = (p) => 1.25 * Math.log(Math.tan(Math.PI / 4 + 0.4 * p));
  return ((miller(top) - miller(phi)) * width) / (2 * Math.PI);
}

// A shape that crosses the date line is drawn on from the edge that it leaves, and once more from the other.
function ring(points) {
  const unrolled = [];
  for (const [longitude, latitude] of points) {
    const last = unrolled.at(-1)?.[0] ?? longitude;
    unrolled.push([longitude + 360 * Math.round((last - longitude) / 360), latitude]);
  }
  const [west, east] = [Math.min(...unrolled.map((p) => p[0])), Math.max(...unrolled.map((p) => p[0]))];
  return line(unrolled, 0) + (west < -180 ? line(unrolled, 360) : '') + (east > 180 ? line(unrolled, -360) : '');
}

// Steps from point to point: shorter than places, and half the size when compressed.
function line(points, shift) {
  let path = '';
  let [lastX, lastY] = [0, 0];
  let kept = 0;
  for (const [longitude, latitude] of points) {
    const [px, py] = [Math.round(((longitude + shift + 180) * width) / 360), Math.round(y(Math.max(south, Math.min(north, latitude))))];
    if (kept && px === lastX && py === lastY) continue;
    path += kept === 0 ? `M${px} ${py}` : `${kept === 1 ? 'l' : ' '}${px - lastX} ${py - lastY}`;
    [lastX, lastY] = [px, py];
    kept++;
  }
  return kept > 3 ? `${path}z` : '';
}
