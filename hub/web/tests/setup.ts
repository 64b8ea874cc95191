import { afterEach, vi } from "vitest";

// A warning of Vue's is a fault of ours.
vi.spyOn(console, "warn").mockImplementation((...words: unknown[]) => {
  throw new Error(words.map(String).join(" "));
});
afterEach(() => localStorage.clear());
