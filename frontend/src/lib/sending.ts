/** Ctrl or ⌘ with Enter sends a form from a field in which Enter begins a line. */

export function sentByKeys(form: HTMLFormElement): () => void {
  const pressed = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    if (event.repeat || event.defaultPrevented || !(event.target instanceof HTMLTextAreaElement)) return;
    event.preventDefault();
    form.requestSubmit();
  };
  form.addEventListener("keydown", pressed);
  return () => form.removeEventListener("keydown", pressed);
}
