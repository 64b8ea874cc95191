import { reactive } from "vue";

import { HubProblem } from "./api/client";
import { i18n, inLanguage } from "./i18n";

/** A list that the hub gives in pages: what is loaded, and how to get more. */
export function createPaged<T>(fetch: (cursor: string | undefined) => Promise<{ items: T[]; next?: string | null }>) {
  const state = reactive({ items: [] as T[], next: null as string | null, isLoading: false, problem: "" });
  let generation = 0;

  async function run(cursor: string | undefined, mine: number): Promise<void> {
    state.isLoading = true;
    state.problem = "";
    try {
      const page = await fetch(cursor);
      if (mine !== generation) return;
      state.items = (cursor ? [...state.items, ...page.items] : page.items) as typeof state.items;
      state.next = page.next ?? null;
    } catch (error) {
      if (mine === generation) state.problem = words(error);
    } finally {
      if (mine === generation) state.isLoading = false;
    }
  }

  return {
    state,
    load: (): Promise<void> => run(undefined, (generation += 1)),
    more: async (): Promise<void> => {
      if (state.next !== null && !state.isLoading) await run(state.next, generation);
    },
  };
}

/** An error in words for the reader. */
export function words(error: unknown): string {
  if (error instanceof HubProblem) return inLanguage(error.problem.detail || error.message);
  if (error instanceof TypeError) return i18n.global.t("app.unreachable");
  throw error;
}
