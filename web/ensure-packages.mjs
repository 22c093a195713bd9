// Installs the packages of package-lock.json when they are not the ones installed already.
// Two builds may run at once: the first takes a lock folder, the second waits for it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const lockFolder = join(here, '.installing');
const marker = join(here, 'node_modules', '.installed-lock');

export function fail(message) {
  // MSBuild shows a line of this form as an error of its own.
  console.error(`web : error FOOTFALL : ${message}`);
  process.exit(1);
}

export function ensurePackages() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) {
    fail(`Node.js ${process.versions.node} is too old: the build needs 20 or newer. Install it from https://nodejs.org or your distribution, and build again.`);
  }
  const wanted = createHash('sha256').update(readFileSync(join(here, 'package-lock.json'))).digest('hex');
  const installed = () => existsSync(marker) && readFileSync(marker, 'utf8') === wanted;
  if (installed()) return;
  withLock(() => {
    if (installed()) return;
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    try {
      execFileSync(npm, ['ci', '--ignore-scripts', '--no-progress', '--loglevel=error'], { cwd: here, stdio: ['ignore', 'ignore', 'inherit'] });
    } catch (e) {
      fail(e.code === 'ENOENT'
        ? 'npm was not found beside Node.js. Install npm (it comes with Node.js from https://nodejs.org), and build again.'
        : `"npm ci" in web/ failed (${e.message.split('\n')[0]}). The lines above say why; the build needs the npm registry once.`);
    }
    writeFileSync(marker, wanted);
  });
}

function withLock(work) {
  const patience = Date.now() + 10 * 60_000;
  for (;;) {
    try {
      mkdirSync(lockFolder);
      break;
    } catch (e) {
      if (e.code !== 'EEXIST') throw e;
      if (abandoned()) rmSync(lockFolder, { recursive: true, force: true });
      else if (Date.now() > patience) fail(`Another build has been installing packages for ten minutes. If none is running, delete ${lockFolder}.`);
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  try {
    writeFileSync(join(lockFolder, 'pid'), String(process.pid));
    work();
  } finally {
    rmSync(lockFolder, { recursive: true, force: true });
  }
}

// A build that was killed leaves its lock: it is abandoned when its process is gone.
function abandoned() {
  try {
    process.kill(Number(readFileSync(join(lockFolder, 'pid'), 'utf8')), 0);
    return false;
  } catch (e) {
    if (e.code === 'ESRCH') return true;
    try {
      return Date.now() - statSync(lockFolder).mtimeMs > 30_000 && !existsSync(join(lockFolder, 'pid'));
    } catch {
      return false;
    }
  }
}
