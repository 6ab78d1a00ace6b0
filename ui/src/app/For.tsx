// A page for some roles only: whoever comes by its address and may not is told so.
import type { ReactNode } from "react";
import { ApiError } from "../api/call";
import { useMay } from "../api/me";
import type { Role } from "../api/schema";
import { Failure } from "../components/Failure";

export function For({ role, children }: { role: Role; children: ReactNode }) {
  return useMay(role) ? children : <Failure error={new ApiError(403, "forbidden", "Your role may not see this.")} />;
}
