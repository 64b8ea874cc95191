import { onMounted, onUnmounted } from "vue";

/** Single keys, as long as nobody types into a field and no other shortcut is meant. */
export function onKeys(isOn: () => boolean, keys: Record<string, (event: KeyboardEvent) => unknown>): void {
  function pressed(event: KeyboardEvent): void {
    if (!isOn() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target;
    if (target instanceof HTMLElement && target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (!act) return;
    if (event.key !== "Enter") event.preventDefault();
    act(event);
  }
  onMounted(() => window.addEventListener("keydown", pressed));
  onUnmounted(() => window.removeEventListener("keydown", pressed));
}
