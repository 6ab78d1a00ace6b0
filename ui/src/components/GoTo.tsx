// A link within the page.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

export function GoTo({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Link to={to} className="link">
      {children}
    </Link>
  );
}
