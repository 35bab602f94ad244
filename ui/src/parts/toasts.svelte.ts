/** Short messages at the edge of the screen. */
export interface Toast { id: number; text: string; bad: boolean }

class Toasts {
  list = $state<Toast[]>([]);
  #next = 0;

  say(text: string, bad = false): void {
    const id = this.#next++;
    this.list.push({ id, text, bad });
    setTimeout(() => this.drop(id), bad ? 12_000 : 5000);
  }

  drop(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
