/** The scopes that the signed-in person sees: nodes of the tree and buildings, for choosing. */
import { computed, shallowRef } from "vue";

import { got, hub, type Schemas } from "./api/client";

export type Scope = Schemas["ScopeOut"];

export interface ScopeChoice extends Scope {
  /** How deep in the tree, for indenting. */
  depth: number;
}

/** The tree in the order in which it is read: each node before what lies under it. */
export function inOrder(scopes: readonly Scope[]): ScopeChoice[] {
  const codes = new Set(scopes.map((scope) => scope.code));
  const under = new Map<string, Scope[]>();
  for (const scope of scopes) {
    const parent = scope.parent !== null && codes.has(scope.parent) ? scope.parent : "";
    under.set(parent, [...(under.get(parent) ?? []), scope]);
  }
  const found: ScopeChoice[] = [];
  const seen = new Set<string>();
  function walk(parent: string, depth: number): void {
    for (const scope of under.get(parent) ?? []) {
      if (seen.has(scope.code)) continue;
      seen.add(scope.code);
      found.push({ ...scope, depth });
      walk(scope.code, depth + 1);
    }
  }
  walk("", 0);
  // Parents that lie in a circle: shown all the same.
  for (const scope of scopes) if (!seen.has(scope.code)) found.push({ ...scope, depth: 0 });
  return found;
}

/** All scopes, once they are asked for. */
export function useScopes() {
  const scopes = shallowRef<Scope[]>([]);
  async function load(): Promise<void> {
    const found: Scope[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: Scope[]; next?: string | null } = await got(hub.GET("/api/v1/scopes", { params: { query: { cursor, limit: 500 } } }));
      found.push(...page.items);
      cursor = page.next ?? null;
    } while (cursor !== null);
    scopes.value = found;
  }
  return { scopes, tree: computed(() => inOrder(scopes.value)), load };
}
