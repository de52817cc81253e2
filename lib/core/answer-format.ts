/** What a model is offered and held to: the tools' schemas, and one JSON schema for exactly one possible call. */
import * as z from 'zod';
import { catalogue } from '#lib/catalogue/index.ts';
import { READINGS, type Tool } from '#lib/catalogue/tool.ts';
import type { Grounding } from '#lib/core/grounding.ts';

type Json = Readonly<Record<string, unknown>>;

/** A tool as Ollama's `tools` takes it. */
interface ToolSchema {
  readonly type: 'function';
  readonly function: { readonly name: Tool['name']; readonly description: string; readonly parameters: Json };
}

/** A sentence of this length fits into the tokens that an answer may have. */
const MAX_MESSAGE = 120;

/** Every tool of the catalogue; the same for every alert, so that the server's prefix cache holds. */
export function toolSchemas(): readonly ToolSchema[] {
  return Object.values<Tool>(catalogue).map(({ name, description, parameters }) => ({
    type: 'function',
    function: { name, description, parameters: withoutPatterns(parameters) },
  }));
}

/**
 * What the alert says, then one call of one possible tool that this is reason enough for, with one of its grounded values;
 * or `notify`, after every other reading. What evidence does not fill is left to the job's own defaults. It holds no
 * `pattern` and no `format`: Ollama's grammar can end the whole server over them; the answer is validated by the
 * catalogue's own schemas.
 */
export function answerFormat(grounding: Grounding): Json {
  const jobs = grounding.eligible.map(({ tool, values, when = catalogue[tool].when }) =>
    call(
      when,
      tool,
      Object.fromEntries(
        Object.entries(values).map(([name, allowed]) => [name, { type: 'string', enum: [...allowed] }]),
      ),
    ),
  );
  const message = { type: 'string', minLength: 1, maxLength: MAX_MESSAGE };
  const left = Object.keys(READINGS).filter(
    (reading) =>
      !grounding.eligible.some(({ tool, when = catalogue[tool].when }) =>
        when.some((each) => each === reading),
      ),
  );
  return { anyOf: [...jobs, call(left, 'notify', { message })] };
}

function call(says: readonly string[], name: Tool['name'], properties: Json): Json {
  return strict({
    says: { type: 'string', enum: [...says] },
    name: { const: name },
    arguments: strict(properties),
  });
}

function strict(properties: Json): Json {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

function withoutPatterns(schema: z.ZodType): Json {
  const made = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      delete jsonSchema.pattern;
      delete jsonSchema.format;
      // What may be left out is best left to the job, and each of these words is evaluated at every cold start.
      for (const [name, property] of Object.entries(jsonSchema.properties ?? {})) {
        if (typeof property === 'object' && jsonSchema.required?.includes(name) === false)
          delete property.description;
      }
    },
  });
  const { $schema: _, ...rest } = made;
  return rest;
}
