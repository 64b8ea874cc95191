import { computed, reactive } from "vue";

import { got, hub, type Schemas } from "./api/client";
import type { paths } from "./api/schema";
import { life, loadLife } from "./life";

export type Alert = Schemas["AlertSummary"];
export type AlertClass = Schemas["AlertClass"];
export type Severity = Alert["severity"];
export type AlertQuery = NonNullable<paths["/api/v1/alerts"]["get"]["parameters"]["query"]>;

export const CLASSES: AlertClass[] = ["L", "S", "C", "W", "T"];
export const SEVERITIES: Severity[] = ["P0", "P1", "P2", "P3", "P4"];
const PAGE = 100;
const GATHER_MS = 100;
const RETRY_MS = 1000;
const MOST_AT_ONCE = 200;
const MOST_IN_ONE = 500;

/** Whether a time limit of this alert has passed. */
export function isLate(alert: Alert, now: number): boolean {
  const waits = !alert.is_acknowledged && alert.due_ack_at !== null && Date.parse(alert.due_ack_at) < now;
  return alert.outcome === null && (waits || (alert.due_act_at !== null && Date.parse(alert.due_act_at) < now));
}

/** The limit that counts next, if any. */
export function dueAt(alert: Alert): string | null {
  return (alert.is_acknowledged ? null : alert.due_ack_at) ?? alert.due_act_at;
}

/** Who stands first in a list of that order; the hub's own rule (`order` of GET /api/v1/alerts). */
function inOrder(order: AlertQuery["order"]): (a: Alert, b: Alert) => number {
  const newest = (a: Alert, b: Alert): number => b.id - a.id;
  if (order === "urgent") return (a, b) => a.severity.localeCompare(b.severity) || newest(a, b);
  const due = (alert: Alert): number => Date.parse(dueAt(alert) ?? "9999-01-01T00:00:00Z");
  if (order === "due") return (a, b) => due(a) - due(b) || newest(a, b);
  return newest;
}

/** The inbox: pages of one filter, kept current by asking for exactly those alerts that changed. */
export function createInbox() {
  const state = reactive({
    query: { state: "open" } as AlertQuery,
    items: [] as Alert[],
    next: null as string | null,
    counts: null as Schemas["AlertCounts"] | null,
    isLoading: false,
    isFirst: true,
  });
  let generation = 0;
  const changed = new Set<number>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function countAgain(): Promise<void> {
    const mine = generation;
    const { state: wanted, order: _order, ...rest } = state.query;
    const [counts] = await Promise.all([
      got(hub.GET("/api/v1/alerts/counts", { params: { query: { ...rest, class: [], state: wanted ?? "open" } } })),
      loadLife(),
    ]);
    if (mine === generation) state.counts = counts;
  }

  async function load(query: AlertQuery = state.query): Promise<void> {
    generation += 1;
    const mine = generation;
    state.query = query;
    state.isLoading = true;
    try {
      const [page] = await Promise.all([
        got(hub.GET("/api/v1/alerts", { params: { query: { ...query, limit: PAGE } } })),
        countAgain(),
      ]);
      if (mine !== generation) return;
      state.items = page.items;
      state.next = page.next ?? null;
    } finally {
      if (mine === generation) Object.assign(state, { isLoading: false, isFirst: false });
    }
  }

  async function more(): Promise<void> {
    if (state.next === null || state.isLoading) return;
    const mine = generation;
    state.isLoading = true;
    try {
      const query = { ...state.query, limit: PAGE, cursor: state.next };
      const page = await got(hub.GET("/api/v1/alerts", { params: { query } }));
      if (mine !== generation) return;
      const known = new Set(state.items.map((item) => item.id));
      state.items.push(...page.items.filter((item) => !known.has(item.id)));
      state.next = page.next ?? null;
    } finally {
      if (mine === generation) state.isLoading = false;
    }
  }

  /** Take in what the hub says now of some alerts: those that no longer match the filter leave the list. */
  function merge(asked: number[], current: Alert[]): void {
    const fresh = new Map(current.map((alert) => [alert.id, alert]));
    const gone = new Set(asked);
    const items = state.items.filter((item) => !gone.has(item.id) || fresh.has(item.id));
    const compare = inOrder(state.query.order);
    const last = items.at(-1);
    const merged = items.map((item) => fresh.get(item.id) ?? item);
    const known = new Set(items.map((item) => item.id));
    for (const alert of current) {
      // What lies beyond the last loaded page comes with its page.
      if (!known.has(alert.id) && (state.next === null || (last && compare(alert, last) < 0))) merged.push(alert);
    }
    state.items = merged.sort(compare);
  }

  async function ask(): Promise<void> {
    timer = undefined;
    const mine = generation;
    const ids = [...changed].slice(0, MOST_AT_ONCE);
    ids.forEach((id) => changed.delete(id));
    try {
      const query = { ...state.query, id: ids, limit: MOST_AT_ONCE };
      const page = await got(hub.GET("/api/v1/alerts", { params: { query } }));
      if (mine === generation) merge(ids, page.items);
      await countAgain();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      // The network is away. The stream has told of these already and will not again.
      ids.forEach((id) => changed.add(id));
      timer = setTimeout(ask, RETRY_MS);
    }
    if (changed.size && timer === undefined) timer = setTimeout(ask, GATHER_MS);
  }

  /** An alert changed: the first is asked for at once, those that follow closely together. */
  function touch(id: number): void {
    changed.add(id);
    timer ??= setTimeout(ask, changed.size > 1 ? GATHER_MS : 0);
  }

  /** Acknowledge many; returns which moved on meanwhile and were left. */
  async function acknowledge(alerts: Alert[]): Promise<Schemas["SeenManyDone"]> {
    const answer: Schemas["SeenManyDone"] = { done: [], left: [] };
    for (let start = 0; start < alerts.length; start += MOST_IN_ONE) {
      const items = alerts.slice(start, start + MOST_IN_ONE).map(({ id, revision }) => ({ id, revision }));
      const part = await got(hub.POST("/api/v1/alerts/ack", { body: { items } }));
      answer.done.push(...part.done);
      answer.left.push(...part.left);
      items.forEach(({ id }) => touch(id));
    }
    return answer;
  }

  const rows = computed(() => {
    // Life safety stands above everything else, however old it is.
    const { state: wanted, class: classes } = state.query;
    const isPinned = (wanted === "open" || wanted === "unacknowledged") && !(classes?.length && !classes.includes("L"));
    const pinned = isPinned ? life.alerts.toSorted((a, b) => a.severity.localeCompare(b.severity)) : [];
    const ids = new Set(pinned.map((alert) => alert.id));
    return [...pinned, ...state.items.filter((alert) => !ids.has(alert.id))];
  });

  return { state, rows, load, more, touch, acknowledge };
}

export type Inbox = ReturnType<typeof createInbox>;
