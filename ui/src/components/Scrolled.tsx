// Something long in a place of its own, which the keyboard can scroll, too.
import type { ReactNode } from "react";

interface Props {
  label: string;
  /** How high it gets at the most, in CSS. */
  most: string | number;
  framed?: boolean;
  children: ReactNode;
}

export function Scrolled({ label, most, framed = false, children }: Props) {
  return (
    <section
      className={framed ? "panel" : undefined}
      style={{ maxHeight: most, overflow: "auto" }}
      aria-label={label}
      // Without it the keyboard does not reach what is out of sight.
      tabIndex={0}
    >
      {children}
    </section>
  );
}
