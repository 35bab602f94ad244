// Says what the first view costs over the wire, and fails above the limit: index.html, what it loads, the overview, and a language.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const limit = 150 * 1024;
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const sent = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;

/** A file and every script or style that it imports at once; lazy imports are not followed. */
function reach(file, seen) {
  if (seen.has(file)) return;
  seen.add(file);
  if (!file.endsWith('.js')) return;
  const text = readFileSync(join(dist, file), 'utf8');
  for (const [, name] of text.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) reach(`assets/${name}`, seen);
}

const first = new Set();
for (const [, file] of readFileSync(join(dist, 'index.html'), 'utf8').matchAll(/(?:src|href)="\/([^"]+)"/g)) reach(file, first);
for (const name of readdirSync(join(dist, 'assets'))) if (/^Overview-/.test(name)) reach(`assets/${name}`, first);
first.add('index.html');

const total = [...first].reduce((sum, file) => sum + sent(file), 0);
const all = readdirSync(join(dist, 'assets')).reduce((sum, name) => sum + sent(`assets/${name}`), 0);
for (const file of [...first].sort()) console.log(String(sent(file)).padStart(8), file);
console.log(`first view without its language: ${(total / 1024).toFixed(1)} kB gzip of ${limit / 1024}; everything: ${(all / 1024).toFixed(1)} kB`);
for (const [language, pattern] of [['English', /^en-/], ['Persian', /^(fa|persian)-|^vazirmatn-arabic/], ['Arabic', /^(ar|persian)-|^vazirmatn-arabic/]]) {
  // Fonts are compressed already.
  const more = readdirSync(join(dist, 'assets')).filter((name) => pattern.test(name)).reduce((sum, name) => sum + (name.endsWith('.woff2') ? statSync(join(dist, 'assets', name)).size : sent(`assets/${name}`)), 0);
  console.log(`${language} adds ${(more / 1024).toFixed(1)} kB with its font: ${((total + more) / 1024).toFixed(1)} kB`);
  if (more === 0 || total + more > limit) process.exitCode = 1;
}
