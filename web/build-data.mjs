// Makes the data lists that the server ships with: run by the .NET build as `node build-data.mjs OUTPUT_FOLDER`.
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages, fail } from './ensure-packages.mjs';
import { requiredLiterals } from './required-literals.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, 'node_modules');
const out = process.argv[2] ?? fail('name the output folder: node build-data.mjs OUTPUT_FOLDER');

ensurePackages();
mkdirSync(out, { recursive: true });

const { load } = await import('js-yaml');
const crawlers = JSON.parse(readFileSync(join(packages, 'crawler-user-agents', 'crawler-user-agents.json'), 'utf8'));
const agents = load(readFileSync(join(packages, 'uap-core', 'regexes.yaml'), 'utf8'));

const botWord = /bot|spider|crawl|scrape|archiver|indexer/i;

const lists = {
  crawlers: crawlers.map(c => ({ pattern: c.pattern, literals: requiredLiterals(c.pattern) })),
  // The server calls every agent with such a word a bot and asks for no browser name: their patterns, the dearest of all, stay out.
  browsers: agents.user_agent_parsers
    .map(p => ({ pattern: p.regex, literals: requiredLiterals(p.regex), name: p.family_replacement }))
    .filter(p => !p.literals?.every(l => botWord.test(l))),
  systems: agents.os_parsers
    .map(p => ({ pattern: p.regex, literals: requiredLiterals(p.regex), name: p.os_replacement })),
};

// The list brings examples of each crawler: each must be let through to its pattern.
for (const [i, crawler] of crawlers.entries()) {
  for (const agent of crawler.instances ?? []) {
    const { literals } = lists.crawlers[i];
    if (new RegExp(crawler.pattern).test(agent) && literals && !literals.some(l => agent.includes(l))) {
      fail(`the texts found for the crawler pattern ${crawler.pattern} are not in "${agent}"`);
    }
  }
}

const version = name => JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8')).version;
put('user-agents.json', JSON.stringify(lists));
const disposable = JSON.parse(readFileSync(join(packages, 'disposable-email-domains', 'index.json'), 'utf8'));
put('mail-disposable.json', JSON.stringify([...new Set(disposable.map(d => d.toLowerCase()))].sort()));
put('NOTICE.txt', `The data lists in this folder were made from these packages when Footfall was built.

user-agents.json
  crawler-user-agents ${version('crawler-user-agents')}, MIT licence
  uap-core ${version('uap-core')}, Apache licence 2.0

mail-disposable.json
  disposable-email-domains ${version('disposable-email-domains')}, MIT licence

font-text.ttf, font-bold.ttf
  @expo-google-fonts/inter ${version('@expo-google-fonts/inter')}: Inter, SIL Open Font License 1.1
font-more.ttf
  dejavu-fonts-ttf ${version('dejavu-fonts-ttf')}: DejaVu Sans, Bitstream Vera licence
font-emoji.ttf
  @expo-google-fonts/noto-emoji ${version('@expo-google-fonts/noto-emoji')}: Noto Emoji, SIL Open Font License 1.1

country.mmdb
  @ip-location-db/geo-whois-asn-country-mmdb ${version('@ip-location-db/geo-whois-asn-country-mmdb')}
  Contains data of the Number Resource Organization (https://www.nro.net/), licensed under CC BY 4.0
`);
copy(join(packages, '@ip-location-db', 'geo-whois-asn-country-mmdb', 'geo-whois-asn-country.mmdb'), 'country.mmdb');
// What the PDF report is set in: a face for text, and two that have the letters and signs which that one lacks.
copy(join(packages, '@expo-google-fonts', 'inter', '400Regular', 'Inter_400Regular.ttf'), 'font-text.ttf');
copy(join(packages, '@expo-google-fonts', 'inter', '600SemiBold', 'Inter_600SemiBold.ttf'), 'font-bold.ttf');
copy(join(packages, 'dejavu-fonts-ttf', 'ttf', 'DejaVuSans.ttf'), 'font-more.ttf');
copy(join(packages, '@expo-google-fonts', 'noto-emoji', '400Regular', 'NotoEmoji_400Regular.ttf'), 'font-emoji.ttf');

// Whole or not at all: another build may be reading.
function put(name, text) {
  const temporary = join(out, `${name}.${process.pid}`);
  writeFileSync(temporary, text);
  renameSync(temporary, join(out, name));
}

function copy(from, name) {
  const temporary = join(out, `${name}.${process.pid}`);
  copyFileSync(from, temporary);
  renameSync(temporary, join(out, name));
}
