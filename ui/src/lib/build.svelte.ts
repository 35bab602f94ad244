/** A build of the journeys, followed until it ends. */
import { call, type Problem } from './api';
import type { Job } from './contract';
import { app } from './app.svelte';
import { problemFrom } from './load.svelte';
import { say } from './notes';
import { t } from '../i18n/words.svelte';

export class Build {
  running = $state(false);
  lines = $state.raw<Job['lines']>([]);
  /** What it says, oldest first. */
  readonly said = $derived(this.lines.map((line) => say(line, 'build')));
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
      const { state, lines, problem } = await call<Job>('GET', `/jobs/${job}`);
      this.lines = lines;
      if (state === 'failed') this.problem = problem ?? { type: 'about:blank', title: t('settings.failed'), status: 500 };
      if (state !== 'running') return;
      await new Promise((wake) => setTimeout(wake, 1000));
    }
  }
}
