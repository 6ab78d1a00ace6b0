// The keys that work everywhere: Ctrl-K opens the palette, `/` goes to the search of the page that is shown.
import { useHotkeys } from "@mantine/hooks";

/** `palette` also answers `/` on a page that has no search of its own. */
export function useKeys(palette: () => void): void {
  const search = () => {
    const own = document.querySelector<HTMLInputElement>("main input[type=search]");
    if (own) own.focus();
    else palette();
  };
  // Ctrl-K works also where something is being typed; there `/` is a letter.
  useHotkeys([["mod+K", palette]], []);
  useHotkeys([["/", search]]);
}
