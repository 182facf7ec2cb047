// Types of upnext.js. What each operation takes and answers comes from schema.d.ts,
// which openapi-typescript makes of openapi.yaml (task clients).
import type { components, operations } from "./schema.js";

export type Schemas = components["schemas"];

type Camel<S extends string> = S extends `${infer A}-${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S;
type ContentOf<T> = T extends { content: infer C } ? C[keyof C] : undefined;
type AnswerOf<O> = O extends { responses: infer R } ? { [S in keyof R]: S extends 200 | 201 | 202 ? ContentOf<R[S]> : never }[keyof R] : never;
type BodyOf<O> = O extends { requestBody: { content: infer C } } ? { body: C[keyof C] | string } : O extends { requestBody?: infer B } ? { body?: ContentOf<NonNullable<B>> | string } : {};
type PathOf<O> = O extends { parameters: { path: infer P } } ? { path: P } : {};
type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? { query?: NonNullable<Q> } : {};
export type Args<O> = BodyOf<O> & PathOf<O> & QueryOf<O> & { headers?: Record<string, string>; signal?: AbortSignal };

export class UpnextError extends Error {
  status: number;
  problem: Partial<Schemas["Problem"]>;
  retryAfter?: number;
}

type Methods = { [K in keyof operations as Camel<K & string>]: (args: Args<operations[K]>) => Promise<AnswerOf<operations[K]>> };

export interface Upnext extends Methods {}
export class Upnext {
  constructor(options?: { url?: string; key?: string; fetch?: typeof globalThis.fetch });
}
