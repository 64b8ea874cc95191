import { flushPromises, mount } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";

import MoreRows from "../src/components/MoreRows.vue";
import VirtualList from "../src/components/VirtualList.vue";
import { i18n } from "../src/i18n";
import { onKeys } from "../src/keys";
import EnterView from "../src/views/EnterView.vue";

class NoObserver {
  observe(): void {}
  disconnect(): void {}
}
vi.stubGlobal("ResizeObserver", NoObserver);

const router = createRouter({
  history: createMemoryHistory(),
  routes: [{ path: "/:rest(.*)*", component: { template: "<p />" } }],
});
const plugins = [i18n, router];

describe("the virtual list", () => {
  it("keeps ten thousand rows out of the page", async () => {
    const items = Array.from({ length: 10_000 }, (_, id) => ({ id }));
    const list = mount(VirtualList, { props: { items, rowHeight: 50, total: 10_000, label: "rows" }, slots: { default: "row" } });
    await nextTick();
    expect(list.findAll("li").length).toBeLessThan(60);
    expect(list.find("ul").attributes("style")).toContain("500000px");
    expect(list.find("li").attributes("aria-setsize")).toBe("10000");
  });
});

describe("signing in", () => {
  beforeEach(() => history.replaceState(null, "", "/enter"));

  it("keeps what was typed and says what is wrong", async () => {
    vi.stubGlobal("fetch", async () =>
      Response.json({ type: "urn:anfang:problem:wrong-password", title: "x", status: 401 }, { status: 401 }),
    );
    const view = mount(EnterView, { global: { plugins } });
    await view.get("#enter-name").setValue("zhangsan");
    await view.get("#enter-password").setValue("guess");
    await view.get("form").trigger("submit");
    await flushPromises();
    expect(view.get("[role=alert]").text()).toBe(i18n.global.t("enter.wrong"));
    expect((view.get("#enter-name").element as HTMLInputElement).value).toBe("zhangsan");
  });

  it("takes the secret of a link out of the address at once", async () => {
    history.replaceState(null, "", "/enter#once-only");
    const bodies: string[] = [];
    vi.stubGlobal("fetch", async (request: Request) => {
      bodies.push(await request.text());
      return Response.json({ name: "zhangsan", role: "manager", rights: [], scopes: [], csrf: "x" });
    });
    mount(EnterView, { global: { plugins } });
    expect(location.hash).toBe("");
    await flushPromises();
    expect(bodies).toEqual(['{"secret":"once-only"}']);
  });
});

describe("single keys", () => {
  it("work on the page and not in a field", async () => {
    const pressed = vi.fn();
    const Page = { template: "<div><input id='field' /><p id='text' tabindex='0' /></div>", setup: () => onKeys(() => true, { a: pressed }) };
    const page = mount(Page, { attachTo: document.body });
    await page.get("#field").trigger("keydown", { key: "a" });
    expect(pressed).not.toHaveBeenCalled();
    await page.get("#text").trigger("keydown", { key: "a", ctrlKey: true });
    expect(pressed).not.toHaveBeenCalled();
    await page.get("#text").trigger("keydown", { key: "a" });
    expect(pressed).toHaveBeenCalledOnce();
    page.unmount();
  });
});

describe("the foot of a list", () => {
  const state = { next: null, isLoading: false, problem: "", items: [] as unknown[] };
  it("says that there is nothing, and what went wrong", () => {
    expect(mount(MoreRows, { props: { state }, global: { plugins } }).text()).toBe(i18n.global.t("app.none"));
    const failed = mount(MoreRows, { props: { state: { ...state, problem: "oh" } }, global: { plugins } });
    expect(failed.get("[role=alert]").text()).toBe("oh");
  });
});
