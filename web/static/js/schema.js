// JSON schemas of the API description: read, told as a table, shown by example.

// follow resolves a $ref within the description.
export function follow(api, schema) {
  let s = schema ?? {};
  for (let n = 0; s.$ref && n < 20; n++) {
    s = s.$ref.replace(/^#\//, "").split("/").reduce((at, name) => at?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], api) ?? {};
  }
  return s;
}

// typeName words a schema's type: "string", "number[]", "map of integer".
export function typeName(api, schema) {
  const s = follow(api, schema);
  const type = [].concat(s.type ?? (s.properties ? "object" : "any")).filter((x) => x !== "null").join(" or ");
  if (type === "array") return typeName(api, s.items) + "[]";
  if (type === "object" && s.additionalProperties && !s.properties) return "map of " + typeName(api, s.additionalProperties);
  if (s.format === "date-time") return "time";
  return type || "any";
}

// limits words what a value must keep to: a range, a length, a choice.
export function limits(schema) {
  const s = schema;
  const parts = [];
  if (s.enum) parts.push(s.enum.map((v) => JSON.stringify(v)).join(" · "));
  if (s.minimum !== undefined) parts.push("≥ " + s.minimum);
  if (s.exclusiveMinimum !== undefined) parts.push("> " + s.exclusiveMinimum);
  if (s.maximum !== undefined) parts.push("≤ " + s.maximum);
  if (s.minLength) parts.push("length ≥ " + s.minLength);
  if (s.maxLength) parts.push("length ≤ " + s.maxLength);
  if (s.minItems) parts.push("items ≥ " + s.minItems);
  if (s.maxItems) parts.push("items ≤ " + s.maxItems);
  return parts.join(", ");
}

// fields lists an object's properties as {name, depth, schema, required},
// nested ones after their parent, to a depth of three.
export function fields(api, schema, depth = 0, seen = []) {
  const s = follow(api, schema);
  const inner = [].concat(s.type).includes("array") ? follow(api, s.items) : s;
  if (!inner.properties || depth > 2 || seen.includes(inner)) return [];
  return Object.entries(inner.properties).flatMap(([name, property]) => {
    const own = { ...follow(api, property), ...property };
    return [{ name, depth, schema: own, type: typeName(api, property), required: inner.required?.includes(name) ?? false },
      ...fields(api, property, depth + 1, [...seen, inner])];
  });
}

// What a pasted example should name beside what is required, so that it works.
const usual = { user_id: "u1", item_id: "v42", count: 12, include: ["title", "thumbnail"], topics: ["cooking"], item_ids: ["v42"], query: "supper in a small kitchen" };

// example makes a value that fits: given ones where there are any, else what
// the type allows. Only what is required, usual or has an example is shown.
export function example(api, schema, depth = 0) {
  const s = follow(api, schema);
  if (schema?.example !== undefined) return schema.example;
  if (schema?.examples?.length) return schema.examples[0];
  if (s.example !== undefined) return s.example;
  if (s.examples?.length) return s.examples[0];
  if (s.default !== undefined) return s.default;
  if (s.enum) return s.enum[0];
  const either = s.oneOf ?? s.anyOf;
  if (either) return example(api, either[0], depth);
  switch ([].concat(s.type ?? (s.properties ? "object" : "string")).find((x) => x !== "null")) {
    case "object": {
      if (!s.properties || depth > 3) return {};
      const all = Object.entries(s.properties).filter(([, p]) => !p.readOnly);
      const some = all.filter(([name, p]) => s.required?.includes(name) || name in usual || p.examples || p.example !== undefined);
      return Object.fromEntries((some.length ? some : all.slice(0, 4)).map(([name, p]) => [name, depth === 0 && name in usual ? usual[name] : example(api, p, depth + 1)]));
    }
    case "array":
      return depth > 3 ? [] : [example(api, s.items, depth + 1)];
    case "number":
    case "integer":
      return s.minimum ?? 1;
    case "boolean":
      return true;
  }
  return s.format === "date-time" ? "2026-01-31T18:00:00Z" : "…";
}
