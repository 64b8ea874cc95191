/** The roles that an administrator gives, to people and to programs. */
import type { Schemas } from "./api/client";

export type Role = Schemas["Role"];

export const ROLES: Role[] = ["admin", "manager", "viewer", "grid_worker", "landlord", "auditor"];
/** Those see nothing without a scope. */
export const NEEDS_SCOPE: Role[] = ["grid_worker", "landlord"];

/** The codes in what somebody typed, however they are separated. */
export function scopesOf(text: string): string[] {
  return text.split(/[\s,，、]+/).filter(Boolean);
}
