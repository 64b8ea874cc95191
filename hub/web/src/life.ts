/** Life safety that nobody has acknowledged: one figure for the whole application, whatever screen or filter is open. */
import { reactive, readonly } from "vue";

import type { Alert, AlertQuery, Severity } from "./alerts";
import { got, hub } from "./api/client";

const MOST = 50;
/** What rings and stands over every screen: somebody may be in danger now. A missing detector is on top of the list. */
export const ACUTE: Severity[] = ["P0", "P1"];
const state = reactive({ count: 0, alerts: [] as Alert[] });
/** `count`: how many are acute; `alerts`: all of them, gravest first. */
export const life = readonly(state) as { readonly count: number; readonly alerts: readonly Alert[] };

export async function loadLife(): Promise<void> {
  const query = { state: "unacknowledged", class: ["L"] } satisfies AlertQuery;
  const [counts, page] = await Promise.all([
    got(hub.GET("/api/v1/alerts/counts", { params: { query: { ...query, severity: ACUTE } } })),
    got(hub.GET("/api/v1/alerts", { params: { query: { ...query, order: "urgent", limit: MOST } } })),
  ]);
  Object.assign(state, { count: counts.open, alerts: page.items });
}

export function forgetLife(): void {
  Object.assign(state, { count: 0, alerts: [] });
}
