/** Whether someone is reading something that a refresh would move: then live mode waits. */
export function isReading(): boolean {
  if (document.hidden) return true;
  const selection = window.getSelection();
  if (selection && !selection.isCollapsed && selection.toString().trim() !== "") return true;
  if (document.querySelector('[data-reading="true"]')) return true;
  return window.scrollY > 240;
}
