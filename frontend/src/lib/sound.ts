/** Two short tones. A browser makes no sound before the user has done something on the page. */

let context: AudioContext | undefined;

/** Gets ready with the next key or click, or at once within one. */
export function wakeSound(): void {
  const wake = (): void => {
    context ??= new AudioContext();
    void context.resume();
  };
  wake();
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, wake, { once: true });
}

export function beep(): void {
  if (context === undefined) return;
  const start = context.currentTime + 0.02;
  for (const [after, tone] of [
    [0, 660],
    [0.14, 880],
  ] as const) {
    const oscillator = context.createOscillator();
    const volume = context.createGain();
    oscillator.frequency.value = tone;
    volume.gain.setValueAtTime(0, start + after);
    volume.gain.linearRampToValueAtTime(0.15, start + after + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.001, start + after + 0.13);
    oscillator.connect(volume).connect(context.destination);
    oscillator.start(start + after);
    oscillator.stop(start + after + 0.14);
  }
}
