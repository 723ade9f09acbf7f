declare global {
  /** Types of a project's routes, as `app`. `bun run generate` fills it, so that the library need not import them. */
  interface WarrenRoutes {}
}

export type Json = Record<string, unknown>;
type Method = "get" | "post" | "put" | "patch";

/** The body that a route takes. Unknown if the path is not that of a route, such as one in a variable. */
export type BodyOf<Path extends string, M extends Method> = RouteAt<Path, M> extends { readonly body: infer Body } ? Body : unknown;

/** The body of a route's successful response. Any object if the path is not that of a route. */
export type AnswerOf<Path extends string, M extends Method> =
  RouteAt<Path, M> extends { readonly response: infer Answers } ? Answers[keyof Answers & Success] : Json;

type Success = 200 | 201 | 202;

type RouteAt<Path extends string, M extends Method> =
  NodeAt<WithoutQuery<Path>, Routes> extends { readonly [Found in M]: infer Route } ? Route : unknown;

type WithoutQuery<Path extends string> = Path extends `${infer Before}?${string}` ? Before : Path;

/** Routes by the words of their paths: `{ orders: { post: …, ":id": { get: … } } }`. */
type Routes = WarrenRoutes extends { app: { readonly "~Routes": infer Found } } ? Found : Record<never, never>;

type NodeAt<Path extends string, Node> = Path extends `/${infer Word}/${infer Rest}`
  ? NodeAt<`/${Rest}`, Next<Word, Node>>
  : Path extends `/${infer Word}`
    ? Next<Word, Node>
    : unknown;

type Next<Word extends string, Node> = Word extends keyof Node ? Node[Word] : Node[keyof Node & `:${string}`];
