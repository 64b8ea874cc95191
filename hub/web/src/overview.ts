/** Today at a glance, kept current: asked for again after changes, and once a minute. */
import { onMounted, onUnmounted, ref, shallowRef, watch, type Ref } from "vue";

import { got, hub, type Schemas } from "./api/client";
import { words } from "./paged";
import { may } from "./session";
import { follow } from "./stream";

const GATHER_MS = 1000;
const AGAIN_MS = 60_000;

export function useOverview(scope: Ref<string>) {
  const now = shallowRef<Schemas["Overview"] | null>(null);
  const problem = ref("");
  let asked = 0;

  async function load(): Promise<void> {
    asked += 1;
    const mine = asked;
    try {
      const found = await got(hub.GET("/api/v1/overview", { params: { query: { scope: scope.value } } }));
      if (mine !== asked) return;
      problem.value = "";
      now.value = found;
    } catch (error) {
      if (mine === asked) problem.value = words(error);
    }
  }

  let unfollow: (() => void) | undefined;
  let soon: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setInterval> | undefined;
  onMounted(() => {
    void load();
    again = setInterval(load, AGAIN_MS);
    if (!may("alerts.see")) return;
    const change = (): void => {
      soon ??= setTimeout(() => {
        soon = undefined;
        void load();
      }, GATHER_MS);
    };
    unfollow = follow({ change, reset: () => void load() });
  });
  onUnmounted(() => {
    clearTimeout(soon);
    clearInterval(again);
    unfollow?.();
  });
  watch(scope, load);
  return { now, problem };
}
