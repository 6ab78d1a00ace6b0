// One way to ask the server: typed by the paths of openapi.json, with problems as errors.
import type { Problem, paths } from "./schema";

const BASE = "/api/v1";

type Method = "get" | "post" | "patch" | "delete";
type Stripped<P> = P extends `/api/v1${infer Rest}` ? Rest : never;
/** A path of the API, below its base. */
export type Path<M extends Method> = {
  [P in keyof paths]: paths[P][M & keyof paths[P]] extends { responses: unknown } ? Stripped<P> : never;
}[keyof paths];
type Operation<M extends Method, P> = `/api/v1${P & string}` extends infer Full extends keyof paths
  ? paths[Full][M & keyof paths[Full]]
  : never;
type Json<R> = R extends { content: { "application/json": infer T } } ? T : undefined;
/** What a path answers a method with. */
export type Reply<M extends Method, P> =
  Operation<M, P> extends { responses: infer R } ? Json<R[keyof R & (200 | 201 | 202 | 204)]> : never;
/** What a path takes as its query. */
export type QueryOf<P> =
  Operation<"get", P> extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never;
type BodyOf<M extends Method, P> =
  Operation<M, P> extends { requestBody: { content: { "application/json": infer B } } } ? B : undefined;

/** What went wrong with a request: the server's own words, or that there was no answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly requestId?: string,
  ) {
    super(message);
  }

  /** Whether nobody is signed in, or no more. */
  get isSignedOut(): boolean {
    return this.status === 401;
  }
}

/** What stands in a path and its query. */
export interface Where<Q = Record<string, unknown>> {
  path?: Record<string, string | number>;
  query?: Q;
  signal?: AbortSignal;
}

/** The URL of a path with its values filled in. */
export function urlOf(path: string, where: Where<object> = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(where.path?.[name])),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(where.query ?? {})) {
    if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return `${BASE}${filled}${text ? `?${text}` : ""}`;
}

async function problem(response: Response): Promise<ApiError> {
  const body: Partial<Problem> = await response.json().catch(() => ({}));
  const detail = body.detail ?? `The server answered with status ${response.status}.`;
  return new ApiError(response.status, body.type ?? "unknown", detail, body.request_id ?? undefined);
}

async function send(method: Method, url: string, body: unknown, signal?: AbortSignal): Promise<unknown> {
  const request: RequestInit = { method: method.toUpperCase(), signal, credentials: "same-origin" };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { "content-type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(url, request);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(
      0,
      "unreachable",
      "The server cannot be reached. This page goes on by itself once it can.",
    );
  }
  if (!response.ok) throw await problem(response);
  return response.status === 204 ? undefined : response.json();
}

/** Reads. */
export function get<P extends Path<"get">>(path: P, where: Where<QueryOf<P>> = {}): Promise<Reply<"get", P>> {
  return send("get", urlOf(path, where as Where<object>), undefined, where.signal) as Promise<
    Reply<"get", P>
  >;
}

/** Makes, or does. */
export function post<P extends Path<"post">>(
  path: P,
  where: Where = {},
  body?: BodyOf<"post", P>,
): Promise<Reply<"post", P>> {
  return send("post", urlOf(path, where), body) as Promise<Reply<"post", P>>;
}

/** Changes. */
export function patch<P extends Path<"patch">>(
  path: P,
  where: Where,
  body: BodyOf<"patch", P>,
): Promise<Reply<"patch", P>> {
  return send("patch", urlOf(path, where), body) as Promise<Reply<"patch", P>>;
}

/** Deletes. */
export function remove<P extends Path<"delete">>(path: P, where: Where): Promise<Reply<"delete", P>> {
  return send("delete", urlOf(path, where), undefined) as Promise<Reply<"delete", P>>;
}
