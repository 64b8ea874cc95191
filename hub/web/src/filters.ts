/** The inbox's filter: what the address says, what the hub is asked, and the two as one. */
import type { LocationQuery, LocationQueryRaw } from "vue-router";

import { CLASSES, SEVERITIES, type AlertClass, type AlertQuery, type Severity } from "./alerts";

export const STATES = ["open", "unacknowledged", "active", "shelved", "resolved", "all"] as const;
export type State = (typeof STATES)[number];

export const ORDERS = ["urgent", "newest", "due"] as const;
export type Order = (typeof ORDERS)[number];

export interface Filter {
  class: AlertClass | "";
  severity: Severity | "";
  state: State;
  mine: boolean;
  overdue: boolean;
  /** Code of a building or a unit, or the beginning of one. */
  within: string;
  order: Order;
}

export const ALL: Filter = { class: "", severity: "", state: "open", mine: false, overdue: false, within: "", order: "urgent" };

function one<T extends string>(value: unknown, choices: readonly T[], otherwise: T | ""): T | "" {
  return choices.find((choice) => choice === value) ?? otherwise;
}

/** The filter that an address holds; what it does not know is as if it were not there. */
export function fromAddress(query: LocationQuery): Filter {
  const within = query["within"];
  return {
    class: one(query["class"], CLASSES, ""),
    severity: one(query["severity"], SEVERITIES, ""),
    state: one(query["state"], STATES, "open") || "open",
    mine: query["mine"] === "1",
    overdue: query["overdue"] === "1",
    within: typeof within === "string" ? within.slice(0, 128) : "",
    order: one(query["order"], ORDERS, "urgent") || "urgent",
  };
}

/** The shortest address of a filter: what is as usual is left out. */
export function toAddress(filter: Filter): LocationQueryRaw {
  return {
    ...(filter.class ? { class: filter.class } : {}),
    ...(filter.severity ? { severity: filter.severity } : {}),
    ...(filter.state === "open" ? {} : { state: filter.state }),
    ...(filter.mine ? { mine: "1" } : {}),
    ...(filter.overdue ? { overdue: "1" } : {}),
    ...(filter.within.trim() ? { within: filter.within.trim() } : {}),
    ...(filter.order === "urgent" ? {} : { order: filter.order }),
  };
}

/** What the hub is asked. `me` is the name of who is signed in. */
export function toQuery(filter: Filter, me: string): AlertQuery {
  return {
    state: filter.state,
    order: filter.order,
    ...(filter.class ? { class: [filter.class] } : {}),
    ...(filter.severity ? { severity: [filter.severity] } : {}),
    ...(filter.mine && me ? { assignee: me } : {}),
    ...(filter.overdue ? { overdue: true } : {}),
    ...(filter.within.trim() ? { within: filter.within.trim() } : {}),
  };
}

/** A filter as the words that the hub keeps for a saved view, and back. */
export function toText(filter: Filter): string {
  return new URLSearchParams(toAddress(filter) as Record<string, string>).toString();
}
export function fromText(text: string): Filter {
  return fromAddress(Object.fromEntries(new URLSearchParams(text)));
}
