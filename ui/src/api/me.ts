// Who is signed in, and what they may do.
import { useQuery } from "@tanstack/react-query";
import { ME } from "./cache";
import { ApiError, get } from "./call";
import type { Role, User } from "./schema";

const ORDER: Role[] = ["observer", "creator", "admin"];

/** The user, or null when nobody is signed in. */
export function useMe() {
  return useQuery<User | null>({
    queryKey: ME,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      try {
        return await get("/users/me", { signal });
      } catch (error) {
        if (error instanceof ApiError && error.isSignedOut) return null;
        throw error;
      }
    },
  });
}

/** Whether somebody of one role may do what needs another. */
export function mayDo(role: Role, needed: Role): boolean {
  return ORDER.indexOf(role) >= ORDER.indexOf(needed);
}

/** Whether the user may do what needs this role. What they may not is not offered. */
export function useMay(needed: Role): boolean {
  const { data } = useMe();
  return data ? mayDo(data.role, needed) : false;
}
