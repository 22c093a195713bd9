// Bundles the tracker for the server: run by the .NET build as `node build-tracker.mjs OUTPUT_FOLDER`.
// Each file comes plain, gzip and brotli. Too large, not ES2017, or badly typed: the build fails.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { ensurePackages, fail } from './ensure-packages.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? fail('name the output folder: node build-tracker.mjs OUTPUT_FOLDER');

// Bytes after gzip. A visitor pays for each on every site; raise one only with a reason.
// The core has 32 for the link by which people leave their own browsers out, which must be heard before the first page view, 29 for `hint`, and 22 to hear what is done on the page before the second file.
// The vitals' library comes in the activity's file, since an element and a request of its own cost a page more than its bytes; what each
// of the two may weigh is held apart: `vitals` is bundled alone to be weighed, and is served nowhere.
const limits = { core: 2560, activity: 5120, vitals: 3072, form: 1280 };
const activityAlone = 2432;

// Chromium then compiles the functions while it fetches the file, beside the page's own thread, and not on it one by one as they are
// first called: a quarter of the tag's work there. To other engines it is a comment.
const hint = '//# allFunctionsCalledOnLoad\n';

ensurePackages();
const { buildSync } = await import('esbuild');
const { parse } = await import('acorn');
const { minify_sync: squeeze } = await import('terser');

try {
  execFileSync(process.execPath, [join(here, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(here, 'tracker')], { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
} catch (e) {
  fail(`the tracker does not pass the type checker:\n${e.stdout ?? e.message}`);
}

mkdirSync(out, { recursive: true });
const vitals = bundle('vitals', 'measure', {}, 'esm').zipped;
const form = make('form', 'form');
const activity = make('activity', 'activity', { FORM: form.address });
weigh('activity without the vitals', activity.zipped.length - vitals.length, activityAlone);
make('core', 'tag', { ACTIONS: activity.address });
module();

/** Bundles one file and leaves it to the server; its address there, which the server makes in the same way. */
function make(name, entry, addresses) {
  const { code, zipped } = bundle(name, entry, addresses);
  put(`${name}.js`, code);
  put(`${name}.js.gz`, zipped);
  put(`${name}.js.br`, brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: code.length } }));
  return { zipped, address: `/t.${name}.${createHash('sha256').update(code).digest('hex').slice(0, 16)}.js` };
}

function bundle(name, entry, addresses = {}, format = 'iife') {
  const { outputFiles } = buildSync({
    entryPoints: [join(here, 'tracker', 'src', `${entry}.ts`)],
    bundle: true,
    minify: true,
    target: 'es2017',
    format,
    charset: 'utf8',
    legalComments: 'none',
    tsconfigRaw: { compilerOptions: { alwaysStrict: false } },      // says "use strict" of what is written as modules, and checked as such, for 13 bytes
    define: Object.fromEntries(Object.entries(addresses).map(([key, value]) => [key, JSON.stringify(value)])),
    write: false,
    logLevel: 'error',
  });
  // What esbuild leaves, in several passes: a twentieth.
  const text = hint + squeeze(outputFiles[0].text, { ecma: 2017, module: format === 'esm', compress: { passes: 3, keep_fargs: false, unsafe_arrows: true } }).code;
  const code = Buffer.from(text);
  try {
    parse(text, { ecmaVersion: 2017, sourceType: format === 'esm' ? 'module' : 'script' });
  } catch (e) {
    fail(`the tracker's ${name} is not ES2017: ${e.message}`);
  }
  const zipped = gzipSync(code, { level: 9 });
  weigh(name, zipped.length, limits[name]);
  return { code, zipped };
}

function weigh(name, bytes, limit) {
  if (bytes > limit) fail(`the tracker's ${name} takes ${bytes} bytes after gzip; ${limit} are allowed (web/build-tracker.mjs says why)`);
  console.log(`tracker: ${name} takes ${bytes} bytes after gzip (limit ${limit})`);
}

/** The same for bundlers, in one file: web/tracker is the package. */
function module() {
  const { outputFiles } = buildSync({ entryPoints: [join(here, 'tracker', 'src', 'index.ts')], bundle: true, minify: true, target: 'es2020', format: 'esm', inject: [join(here, 'tracker', 'src', 'anywhere.ts')], charset: 'utf8', legalComments: 'none', write: false, logLevel: 'error' });
  put('module.js', outputFiles[0].contents);
}

// Whole or not at all: another build may be reading.
function put(name, bytes) {
  const temporary = join(out, `${name}.${process.pid}`);
  writeFileSync(temporary, bytes);
  renameSync(temporary, join(out, name));
}
