/** A build of the journeys, followed until it ends. */
import { call, type Problem } from './api';
import { app } from './app.svelte';
import { problemFrom } from './load.svelte';
import { t } from '../i18n/words.svelte';

interface Job { state: 'running' | 'done' | 'failed'; lines: string[] }

export class Build {
  running = $state(false);
  /** What it says, oldest first. */
  lines = $state.raw<string[]>([]);
  problem = $state.raw<Problem | null>(null);

  /** Whether it ended well. */
  async run(): Promise<boolean> {
    this.running = true;
    this.problem = null;
    this.lines = [];
    try {
      const { job } = await call<{ job: number }>('POST', '/build');
      await this.follow(job);
    } catch (error) {
      this.problem = problemFrom(error);
    }
    this.running = false;
    await app.refresh().catch(() => undefined);
    return this.problem === null;
  }

  async follow(job: number): Promise<void> {
    for (;;) {
      const { state, lines } = await call<Job>('GET', `/jobs/${job}`);
      this.lines = lines;
      if (state === 'failed') this.problem = { type: 'about:blank', title: t('settings.failed'), status: 500, detail: lines.at(-1) ?? '' };
      if (state !== 'running') return;
      await new Promise((wake) => setTimeout(wake, 1000));
    }
  }
}
