/** The alarm tone: made by the browser itself, so that no file has to load when it matters. */
import { prefs } from "./prefs";

let context: AudioContext | null = null;
let timer: ReturnType<typeof setInterval> | undefined;

/** Must be called from a click or a key: browsers start sound only then. */
export async function allowSound(): Promise<boolean> {
  context ??= new AudioContext();
  await context.resume();
  return context.state === "running";
}

/** Somebody who turned sound on before a reload has it again with their first click or key. */
export function armSound(): void {
  if (!prefs.hasSound) return;
  const arm = (): void => {
    window.removeEventListener("pointerdown", arm);
    window.removeEventListener("keydown", arm);
    if (prefs.hasSound) void allowSound();
  };
  window.addEventListener("pointerdown", arm);
  window.addEventListener("keydown", arm);
}

function beep(): void {
  if (context?.state !== "running") return;
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = 880;
  volume.gain.setValueAtTime(0.25, context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.5);
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.5);
}

/** Sound until it is switched off; called again with each new alarm, it starts anew. */
export function ring(isOn: boolean): void {
  clearInterval(timer);
  timer = undefined;
  if (!isOn) return;
  beep();
  timer = setInterval(beep, 1000);
}

/** Quiet for the alarms that are there; the next one rings again. */
export function silence(): void {
  ring(false);
}
