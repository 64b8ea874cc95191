/** The alarm tone: made by the browser itself, so that no file has to load when it matters. */

let context: AudioContext | null = null;
let timer: ReturnType<typeof setInterval> | undefined;

/** Must be called from a click: browsers start sound only then. */
export async function allowSound(): Promise<boolean> {
  context ??= new AudioContext();
  await context.resume();
  return context.state === "running";
}

function beep(): void {
  if (!context) return;
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = 880;
  volume.gain.setValueAtTime(0.25, context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.5);
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.5);
}

export function ring(isOn: boolean): void {
  clearInterval(timer);
  timer = undefined;
  if (!isOn) return;
  beep();
  timer = setInterval(beep, 1000);
}
