// ECharts brings what a line chart here never calls: other languages, a dark theme, options of version 2, canvas patterns,
// axes of time and of powers.
// They are most of what would not fit into a page of 150 KB, so the bundle has empty stand-ins for them.
import { readFileSync } from 'node:fs';
import { parse } from 'acorn';

const unused = [
  'echarts/lib/i18n/langZH.js',
  'echarts/lib/theme/dark.js',
  'echarts/lib/preprocessor/backwardCompat.js',
  'echarts/lib/data/helper/transform.js',
  'echarts/lib/scale/Log.js',
  'echarts/lib/scale/Time.js',
  'echarts/lib/util/decal.js',
  'echarts/lib/visual/decal.js',
  'echarts/lib/visual/aria.js',
  'echarts/lib/loading/default.js',
  'echarts/lib/legacy/dataSelectAction.js',
  'zrender/lib/svg/cssAnimation.js',
  'zrender/lib/tool/morphPath.js',
];

/** An esbuild plugin: each of those modules keeps its names, and does nothing. */
export const withoutUnusedParts = {
  name: 'without-unused-parts',
  setup(build) {
    build.onLoad({ filter: new RegExp(`node_modules/(${unused.map((p) => p.replaceAll('.', '\\.')).join('|')})$`) }, ({ path }) => ({
      contents: namesOf(path).map((name) => (name === 'default' ? 'export default function () {}' : `export function ${name}() {}`)).join('\n'),
    }));
  },
};

function namesOf(path) {
  const names = [];
  for (const node of parse(readFileSync(path, 'utf8'), { ecmaVersion: 'latest', sourceType: 'module' }).body) {
    if (node.type === 'ExportDefaultDeclaration') names.push('default');
    if (node.type !== 'ExportNamedDeclaration') continue;
    names.push(...node.specifiers.map((s) => s.exported.name));
    if (node.declaration) names.push(...(node.declaration.declarations ?? [node.declaration]).map((d) => d.id.name));
  }
  return names;
}
