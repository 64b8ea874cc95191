import { beforeEach, describe, expect, it, vi } from "vitest";

import { createInbox, dueAt, isLate, type Alert } from "../src/alerts";
import { forgetLife, life } from "../src/life";

function alert(id: number, change: Partial<Alert> = {}): Alert {
  return {
    id,
    rule: "L1",
    rule_version: "1",
    alert_class: "C",
    severity: "P2",
    title: { zh: "预警", en: "alert" },
    subject: `unit:${id}`,
    unit: `a-1-${id}`,
    building: "a-1",
    gateway: null,
    device: null,
    is_active: true,
    is_acknowledged: false,
    review: "new",
    outcome: null,
    assignee: null,
    opened_at: "2026-01-01T00:00:00Z",
    last_evidence_at: "2026-01-01T00:00:00Z",
    evidence_count: 1,
    due_ack_at: null,
    due_act_at: null,
    shelved_until: null,
    escalation: 0,
    revision: 1,
    ...change,
  };
}

/** A hub in memory: what it lists, and what it was asked. */
class FakeHub {
  alerts: Alert[] = [];
  asked: URL[] = [];
  isAway = false;

  answer = async (input: Request): Promise<Response> => {
    if (this.isAway) throw new TypeError("network");
    const url = new URL(input.url, "http://hub");
    this.asked.push(url);
    const query = url.searchParams;
    const ids = query.getAll("id").map(Number);
    const found = this.alerts
      .filter((item) => (ids.length ? ids.includes(item.id) : true))
      .filter((item) => !query.has("class") || query.getAll("class").includes(item.alert_class))
      .filter((item) => !query.has("severity") || query.getAll("severity").includes(item.severity))
      .filter((item) => query.get("state") !== "unacknowledged" || !item.is_acknowledged)
      .filter((item) => item.review !== "resolved")
      .sort((a, b) => b.id - a.id);
    if (url.pathname.endsWith("/counts")) {
      return Response.json({ open: found.length, unacknowledged: found.filter((item) => !item.is_acknowledged).length, by_class: {} });
    }
    const after = Number(query.get("cursor") ?? Infinity);
    const rest = found.filter((item) => item.id < after);
    const page = rest.slice(0, Number(query.get("limit")));
    return Response.json({ items: page, next: rest.length > page.length ? String(page.at(-1)?.id) : null });
  };
}

let hub: FakeHub;
beforeEach(() => {
  hub = new FakeHub();
  forgetLife();
  vi.stubGlobal("fetch", hub.answer);
});

const ids = (inbox: ReturnType<typeof createInbox>): number[] => inbox.rows.value.map((item) => item.id);
const settled = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 2000 });

describe("the inbox", () => {
  it("loads page after page without holes or doubles", async () => {
    hub.alerts = Array.from({ length: 250 }, (_, at) => alert(at + 1));
    const inbox = createInbox();
    await inbox.load();
    expect(ids(inbox)).toHaveLength(100);
    hub.alerts.push(alert(251));
    inbox.touch(251);
    await settled(() => expect(ids(inbox)[0]).toBe(251));
    await inbox.more();
    await inbox.more();
    expect(ids(inbox)).toEqual(Array.from({ length: 251 }, (_, at) => 251 - at));
  });

  it("keeps the order of its question when alerts change: gravest first, then newest", async () => {
    hub.alerts = [alert(1, { severity: "P1" }), alert(2, { severity: "P3" })];
    const inbox = createInbox();
    await inbox.load({ state: "open", order: "urgent" });
    hub.alerts.push(alert(3, { severity: "P2" }), alert(4, { severity: "P1" }));
    [3, 4].forEach((id) => inbox.touch(id));
    await settled(() => expect(ids(inbox)).toEqual([4, 1, 3, 2]));
  });

  it("orders by the limit that counts next; what was acknowledged waits for its second", async () => {
    const at = (hour: string) => `2026-01-01T${hour}:00:00Z`;
    hub.alerts = [alert(1, { due_ack_at: at("05"), due_act_at: at("09") }), alert(2, { due_ack_at: at("06") }), alert(3)];
    const inbox = createInbox();
    await inbox.load({ state: "open", order: "due" });
    hub.alerts[0] = alert(1, { due_ack_at: at("05"), due_act_at: at("09"), is_acknowledged: true });
    inbox.touch(1);
    await settled(() => expect(ids(inbox)).toEqual([2, 1, 3]));
  });

  it("takes out an alert that no longer matches", async () => {
    hub.alerts = [alert(1), alert(2)];
    const inbox = createInbox();
    await inbox.load();
    hub.alerts[0] = alert(1, { review: "resolved" });
    inbox.touch(1);
    await settled(() => expect(ids(inbox)).toEqual([2]));
  });

  it("asks once for changes that come together, and for nothing else", async () => {
    hub.alerts = Array.from({ length: 50 }, (_, at) => alert(at + 1));
    const inbox = createInbox();
    await inbox.load();
    hub.asked = [];
    for (let id = 1; id <= 50; id += 1) inbox.touch(id);
    await settled(() => expect(hub.asked.length).toBeGreaterThan(0));
    const lists = hub.asked.filter((url) => url.searchParams.has("id"));
    expect(lists).toHaveLength(1);
    expect(lists[0]?.searchParams.getAll("id")).toHaveLength(50);
  });

  it("keeps unacknowledged life safety on top, gravest first, even when it is older than the loaded pages", async () => {
    hub.alerts = [
      alert(1, { alert_class: "L", severity: "P1" }),
      alert(2, { alert_class: "L", severity: "P0" }),
      ...Array.from({ length: 200 }, (_, at) => alert(at + 3)),
    ];
    const inbox = createInbox();
    await inbox.load();
    expect(ids(inbox).slice(0, 3)).toEqual([2, 1, 202]);
    expect(life.count).toBe(2);
  });

  it("rings for what is acute; a missing detector stands on top and rings for nobody", async () => {
    hub.alerts = [alert(1, { alert_class: "L", severity: "P2" }), alert(2)];
    const inbox = createInbox();
    await inbox.load();
    expect(ids(inbox)).toEqual([1, 2]);
    expect(life.count).toBe(0);
  });

  it("shows only the answer to the last of two questions", async () => {
    hub.alerts = [alert(1, { alert_class: "S" }), alert(2)];
    const inbox = createInbox();
    const first = inbox.load({ state: "open" });
    const second = inbox.load({ state: "open", class: ["S"] });
    await Promise.all([first, second]);
    expect(ids(inbox)).toEqual([1]);
  });

  it("survives a network that is away", async () => {
    hub.alerts = [alert(1)];
    const inbox = createInbox();
    await inbox.load();
    hub.isAway = true;
    inbox.touch(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    hub.isAway = false;
    hub.alerts[0] = alert(1, { is_acknowledged: true });
    await settled(() => expect(inbox.rows.value[0]?.is_acknowledged).toBe(true));
  });
});

describe("time limits", () => {
  const now = Date.parse("2026-01-01T01:00:00Z");
  it("an acknowledged alert is late only by its limit to act", () => {
    const late = { due_ack_at: "2026-01-01T00:30:00Z", due_act_at: "2026-01-01T02:00:00Z" };
    expect(isLate(alert(1, late), now)).toBe(true);
    expect(isLate(alert(1, { ...late, is_acknowledged: true }), now)).toBe(false);
    expect(dueAt(alert(1, { ...late, is_acknowledged: true }))).toBe(late.due_act_at);
  });
  it("a settled alert is never late", () => {
    expect(isLate(alert(1, { due_act_at: "2026-01-01T00:00:00Z", outcome: "true" }), now)).toBe(false);
  });
});
