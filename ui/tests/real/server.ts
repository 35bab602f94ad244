/** The real program (`SAFAR_PROGRAM`) on a workspace of its own: the sample shop of two years, small, with its first account. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const admin = { name: 'Ada', email: 'ada@shop.example', password: 'correct horse battery' };

export interface Real {
  url: string;
  stop: () => Promise<void>;
}

export async function start(): Promise<Real> {
  const program = process.env['SAFAR_PROGRAM'];
  if (!program) throw new Error('Set SAFAR_PROGRAM to the program: target/debug/safar.');
  const folder = await mkdtemp(join(tmpdir(), 'safar-screens-'));
  const safar = (...words: string[]): Promise<unknown> => run(program, ['--quiet', ...words], { cwd: folder });
  await safar('init', 'shop', '--sample');
  await safar('simulate', '--people', '120', '--days', '730', '--start', '2024-11-22', '--seed', '4', '--out', 'events.csv');
  await safar('-C', 'shop', 'import', 'events.csv');
  await safar('-C', 'shop', 'build');

  const server = spawn(program, ['-C', 'shop', 'serve', '--listen', '127.0.0.1:0', '--collect', '127.0.0.1:0'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((done) => server.once('exit', () => done()));
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM');
    const late = setTimeout(() => server.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { url, code } = await said(server.stderr, ended);
    const session = await fetch(`${url}/api/v1/session`);
    const cookie = session.headers.get('set-cookie')?.split(';')[0] ?? '';
    const { csrf } = (await session.json()) as { csrf: string };
    const made = await fetch(`${url}/api/v1/setup`, { method: 'POST', body: JSON.stringify({ code, ...admin }), headers: { 'Content-Type': 'application/json', 'X-Safar-CSRF': csrf, Cookie: cookie } });
    if (!made.ok) throw new Error(`The first account was refused: ${await made.text()}`);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where it listens and the code of the first run, from what it prints; goes on reading, so that it never waits for a reader. */
function said(stream: NodeJS.ReadableStream, ended: Promise<void>): Promise<{ url: string; code: string }> {
  return new Promise((resolve, reject) => {
    let [url, text] = ['', ''];
    createInterface(stream).on('line', (line) => {
      text += `${line}\n`;
      url = /the application: (http:\S+)/.exec(line)?.[1] ?? url;
      const code = /with the code (\S+)/.exec(line)?.[1];
      if (url && code) resolve({ url, code });
    });
    void ended.then(() => reject(new Error(`The program ended before it listened:\n${text}`)));
  });
}
