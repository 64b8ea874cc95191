/** Life safety that nobody has acknowledged: one figure for the whole application, whatever screen or filter is open. */
import { reactive, readonly } from "vue";

import type { Alert, AlertQuery } from "./alerts";
import { got, hub } from "./api/client";

const MOST = 50;
const state = reactive({ count: 0, alerts: [] as Alert[] });
export const life = readonly(state) as { readonly count: number; readonly alerts: readonly Alert[] };

export async function loadLife(): Promise<void> {
  const query = { state: "unacknowledged", class: ["L"] } satisfies AlertQuery;
  const [counts, page] = await Promise.all([
    got(hub.GET("/api/v1/alerts/counts", { params: { query } })),
    got(hub.GET("/api/v1/alerts", { params: { query: { ...query, limit: MOST } } })),
  ]);
  Object.assign(state, { count: counts.open, alerts: page.items });
}

export function forgetLife(): void {
  Object.assign(state, { count: 0, alerts: [] });
}
