/** Places as people say them: the building by its name, then the rest of the unit's code. */
import { reactive } from "vue";

import { got, hub, HubProblem } from "./api/client";

const names = reactive(new Map<string, string>());
let asked: Promise<void> | undefined;

async function ask(): Promise<void> {
  let cursor: string | null = null;
  do {
    const page: { items: { code: string; name: string }[]; next?: string | null } = await got(
      hub.GET("/api/v1/buildings", { params: { query: { cursor, limit: 500 } } }),
    );
    for (const building of page.items) names.set(building.code, building.name);
    cursor = page.next ?? null;
  } while (cursor !== null);
}

/** Learn the buildings' names, once. Without them (no right, no network) places stay codes. */
export async function learnPlaces(): Promise<void> {
  asked ??= ask();
  try {
    await asked;
  } catch (error) {
    asked = undefined;
    if (!(error instanceof TypeError || error instanceof HubProblem)) throw error;
  }
}

export function forgetPlaces(): void {
  names.clear();
  asked = undefined;
}

/** `示范小区1幢 2-302` for a unit, the building's name for a building; null when neither is known. */
export function placeName(unit: string | null, building: string | null): string | null {
  const name = building === null ? undefined : names.get(building);
  if (unit === null) return name ?? building;
  if (name === undefined || building === null || !unit.startsWith(`${building}-`)) return unit;
  return `${name} ${unit.slice(building.length + 1)}`;
}
