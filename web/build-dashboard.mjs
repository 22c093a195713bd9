// Bundles what the dashboard's pages bring to the browser: run by the .NET build as `node build-dashboard.mjs OUTPUT_FOLDER`.
// Each file comes plain, gzip and brotli. Too large or badly typed: the build fails. Also makes the countries' names and shapes.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { ensurePackages, fail } from './ensure-packages.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? fail('name the output folder: node build-dashboard.mjs OUTPUT_FOLDER');

// Bytes after brotli. A page with everything has to stay under 150 KB; its HTML takes up to 14 of them.
const limits = { 'chart.js': 130_000, 'app.js': 3_000, 'dashboard.css': 6_500 };

ensurePackages();
const { build } = await import('esbuild');
const { withoutUnusedParts } = await import('./dashboard/echarts-parts.mjs');
const { countries } = await import('./dashboard/countries.mjs');

try {
  execFileSync(process.execPath, [join(here, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(here, 'dashboard')], { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
} catch (e) {
  fail(`the dashboard's scripts do not pass the type checker:\n${e.stdout ?? e.message}`);
}

mkdirSync(out, { recursive: true });
const chart = await make('chart.js', 'chart.ts');
await make('app.js', 'app.ts', { CHART: chart });
await make('dashboard.css', 'dashboard.css');
put('countries.json', JSON.stringify(countries()));
put('axe.js', readFileSync(join(here, 'node_modules', 'axe-core', 'axe.min.js')));

/** Bundles one file; its address at the server, which the server makes in the same way. */
async function make(name, entry, addresses = {}) {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'dashboard', 'src', entry)],
    bundle: true,
    minify: true,
    target: 'es2022',
    format: 'esm',
    charset: 'utf8',
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"', ...Object.fromEntries(Object.entries(addresses).map(([key, value]) => [key, JSON.stringify(value)])) },
    external: ['/assets/*'],
    plugins: [withoutUnusedParts],
    write: false,
    logLevel: 'error',
  });
  const code = outputFiles[0].contents;
  const zipped = brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: code.length } });
  if (zipped.length > limits[name]) fail(`the dashboard's ${name} takes ${zipped.length} bytes after brotli; ${limits[name]} are allowed (web/build-dashboard.mjs says why)`);
  put(name, code);
  put(`${name}.gz`, gzipSync(code, { level: 9 }));
  put(`${name}.br`, zipped);
  console.log(`dashboard: ${name} ${code.length} bytes, ${zipped.length} after brotli (limit ${limits[name]})`);
  return `/assets/${name}?v=${createHash('sha256').update(code).digest('hex').slice(0, 16)}`;
}

// Whole or not at all: another build may be reading.
function put(name, bytes) {
  const temporary = join(out, `${name}.${process.pid}`);
  writeFileSync(temporary, bytes);
  renameSync(temporary, join(out, name));
}
