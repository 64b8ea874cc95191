/** A table on its way into the ledger: looked at, mended cell by cell, looked at again, and then brought in. */
import { computed, reactive } from "vue";

import { got, hub, type Schemas } from "./api/client";
import { toBase64 } from "./files";

type Fault = Schemas["FaultOut"];
type Cell = Schemas["CellIn"];

/** The hub takes bodies of 16 MiB; base64 makes three bytes four. */
export const MOST_BYTES = 11 * 1024 * 1024;

export interface Mended {
  sheet: string;
  row: number;
  column: string;
  value: string;
}

/** One row that needs a person: its faults, and what else of it they want to change. */
export interface Row {
  key: string;
  sheet: string;
  row: number;
  faults: Fault[];
  isRefused: boolean;
}

const keyOf = (cell: { sheet: string; row: number; column: string }): string => JSON.stringify([cell.sheet, cell.row, cell.column]);

export function createImport() {
  const state = reactive({
    name: "",
    content: "",
    estate: "",
    jurisdiction: "",
    seen: null as Schemas["ImportOut"] | null,
    /** Cells that a person wrote over, by place; the hub keeps nothing, so each look sends them all. */
    mended: new Map<string, Mended>(),
    /** Whether something was written since the last look. */
    isStale: false,
    isBusy: false,
  });

  const rows = computed<Row[]>(() => {
    const found = new Map<string, Row>();
    for (const fault of state.seen?.faults ?? []) {
      const key = JSON.stringify([fault.sheet, fault.row]);
      const row = found.get(key) ?? { key, sheet: fault.sheet, row: fault.row, faults: [], isRefused: false };
      row.faults.push(fault);
      row.isRefused ||= !fault.is_warning;
      found.set(key, row);
    }
    return [...found.values()].sort((a, b) => Number(b.isRefused) - Number(a.isRefused));
  });

  /** Cells of a row that were mended but have no fault (any more). */
  function extras(row: { sheet: string; row: number; faults?: Fault[] }): Mended[] {
    const faulty = new Set((row.faults ?? []).map((fault) => fault.column));
    return [...state.mended.values()].filter((cell) => cell.sheet === row.sheet && cell.row === row.row && !faulty.has(cell.column));
  }

  function valueOf(cell: { sheet: string; row: number; column: string; value?: string }): string {
    return state.mended.get(keyOf(cell))?.value ?? cell.value ?? "";
  }

  function mend(cell: { sheet: string; row: number; column: string }, value: string): void {
    state.mended.set(keyOf(cell), { sheet: cell.sheet, row: cell.row, column: cell.column, value });
    state.isStale = true;
  }

  async function take(file: File): Promise<void> {
    const content = await toBase64(file);
    Object.assign(state, { name: file.name, content, seen: null, isStale: false });
    state.mended.clear();
  }

  function body(apply: boolean): Schemas["ImportIn"] {
    const cells: Cell[] = [...state.mended.values()];
    return { name: state.name, content: state.content, estate: state.estate.trim(), jurisdiction: state.jurisdiction.trim(), cells, apply };
  }

  /** Look (or, with `apply`, bring in). The answer is the new state of the table. */
  async function run(apply: boolean): Promise<void> {
    state.isBusy = true;
    try {
      state.seen = await got(hub.POST("/api/v1/registry/import", { body: body(apply) }));
      state.isStale = false;
    } finally {
      state.isBusy = false;
    }
  }

  async function report(): Promise<Blob> {
    return got(hub.POST("/api/v1/registry/import/report", { body: body(false), parseAs: "blob" })) as Promise<unknown> as Promise<Blob>;
  }

  function forget(): void {
    Object.assign(state, { name: "", content: "", seen: null, isStale: false });
    state.mended.clear();
  }

  return { state, rows, extras, valueOf, mend, take, run, report, forget };
}
